import type { Clock } from '../ports.js';

/**
 * An answer that is worth keeping for a moment, because many ask for it at once: at most one is being made at a time,
 * and all who come meanwhile get it. One that could not be made is not kept.
 */
export function kept<T, Given extends readonly unknown[]>(
  clock: Pick<Clock, 'now'>,
  keptMs: number,
  make: (...given: Given) => Promise<T>,
): (...given: Given) => Promise<T> {
  let latest: { readonly until: number; readonly answer: T } | undefined;
  let making: Promise<T> | undefined;

  const makeOne = async (...given: Given): Promise<T> => {
    const answer = await make(...given);
    latest = { until: clock.now().getTime() + keptMs, answer };
    return answer;
  };

  return async (...given) => {
    if (latest && clock.now().getTime() < latest.until) return latest.answer;
    making ??= makeOne(...given).finally(() => {
      making = undefined;
    });
    return making;
  };
}
