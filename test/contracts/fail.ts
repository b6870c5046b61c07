/** `assert.unreachable` of uvu does not tell the compiler that it never returns. */
export function fail(message: string): never {
  throw new Error(message);
}
