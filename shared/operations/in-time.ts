import type { Clock } from '../ports.js';

export type InTime<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'late' };

/** Waits for something so long and no longer. What comes late goes on, and is heard of no more. */
export async function inTime<T>(clock: Clock, ms: number, ask: () => Promise<T>): Promise<InTime<T>> {
  const patience = new AbortController();
  const answer = ask().then(
    (value): InTime<T> => ({ kind: 'done', value }),
    (error: unknown): InTime<T> => ({ kind: 'failed', error }),
  );
  const late = clock.sleep(ms, patience.signal).then((): InTime<T> => ({ kind: 'late' }));
  const result = await Promise.race([answer, late]);
  patience.abort();
  return result;
}
