/**
 * Reads values back from an orchestration's history. Orchestration code may use no package, so this is the little
 * that its contract needs; a value of another shape is an error that names the place.
 */
export type Decode<T> = (value: unknown) => T;

class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

type Fields<T> = { readonly [Key in keyof T]-?: Decode<T[Key]> };
type TaggedFields<T extends { readonly kind: string }> = {
  readonly [Kind in T['kind']]: Fields<Omit<Extract<T, { readonly kind: Kind }>, 'kind'>>;
};

const fail = (expected: string, value: unknown): never => {
  throw new DecodeError(`Expected ${expected}, found ${value === null ? 'null' : typeof value}.`);
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readFields(fields: Record<string, Decode<unknown>>, value: unknown): Record<string, unknown> {
  if (!isRecord(value)) return fail('an object', value);
  return Object.fromEntries(
    Object.entries(fields).map(([name, decode]) => {
      try {
        return [name, decode(value[name])];
      } catch (error) {
        throw new DecodeError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }),
  );
}

export const decoder = {
  string: (value: unknown): string => (typeof value === 'string' ? value : fail('a string', value)),
  number: (value: unknown): number => (typeof value === 'number' ? value : fail('a number', value)),
  boolean: (value: unknown): boolean => (typeof value === 'boolean' ? value : fail('true or false', value)),

  oneOf:
    <T extends string>(allowed: readonly T[]): Decode<T> =>
    value =>
      allowed.find(each => each === value) ?? fail(`one of ${allowed.join(', ')}`, value),

  /** Absent and null are the same: JSON has no undefined. */
  optional:
    <T>(decode: Decode<T>): Decode<T | undefined> =>
    value =>
      value === undefined || value === null ? undefined : decode(value),

  record:
    <T>(decode: Decode<T>): Decode<Readonly<Record<string, T>>> =>
    value => {
      if (!isRecord(value)) return fail('an object', value);
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, decode(each)]));
    },

  object:
    <T extends object>(fields: Fields<T>): Decode<T> =>
    value =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field of T was just decoded
      readFields(fields, value) as T,

  /** A union told apart by `kind`. */
  tagged:
    <T extends { readonly kind: string }>(kinds: TaggedFields<T>): Decode<T> =>
    value => {
      if (!isRecord(value)) return fail('an object', value);
      const byKind: Readonly<Record<string, Record<string, Decode<unknown>>>> = kinds;
      const kind = value['kind'];
      const fields = typeof kind === 'string' && Object.hasOwn(byKind, kind) ? byKind[kind] : undefined;
      if (!fields) return fail(`a kind among ${Object.keys(byKind).join(', ')}`, kind);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the kind is known and its fields were just decoded
      return { kind, ...readFields(fields, value) } as T & { kind: string };
    },
};
