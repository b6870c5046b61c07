export interface WaitOptions {
  /** Default: 10 seconds. */
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

type Awaitable<T> = T | Promise<T>;

/**
 * Waits until `look` gives something other than undefined, null or false, and gives that. A throw of `look` counts as
 * not yet.
 *
 * @param what completes the sentence "Waited in vain for …"
 */
export async function waitFor<T extends {}>(
  what: string,
  look: () => Awaitable<T | undefined | null | false>,
  { timeoutMs = 10_000, everyMs = 25 }: WaitOptions = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let last: unknown;
    try {
      const seen = await look();
      if (seen !== undefined && seen !== null && seen !== false) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= deadline) {
      throw new Error(
        `Waited in vain for ${what} (${timeoutMs / 1000} s); the last look gave: ${String(last)}`,
        {
          cause: last,
        },
      );
    }
    await new Promise(resolve => setTimeout(resolve, everyMs));
  }
}
