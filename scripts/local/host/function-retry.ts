import type { FunctionMetadata, RetryContext } from './core-types.js';
import { errorMessage } from './log.js';
import { sleep } from './storage.js';

/**
 * Runs a function again while it fails, as its `retry` option says. Azure keeps this option for triggers that have
 * no retries of their own: of those here, timers.
 *
 * @throws what the last attempt threw
 */
export async function withRetries(
  options: FunctionMetadata['retryOptions'],
  run: (retry: RetryContext | undefined) => Promise<void>,
): Promise<void> {
  const maxRetryCount = options?.maxRetryCount ?? 0;
  let retry: RetryContext | undefined;
  for (let retryCount = 1; ; retryCount += 1) {
    try {
      await run(retry);
      return;
    } catch (error) {
      // -1: without end.
      if (!options || (maxRetryCount >= 0 && retryCount > maxRetryCount)) throw error;
      retry = { retryCount, maxRetryCount, exception: { message: errorMessage(error) } };
      await sleep(retryDelay(options, retryCount));
    }
  }
}

/** Milliseconds before a retry, the first being 1. */
export function retryDelay(
  options: NonNullable<FunctionMetadata['retryOptions']>,
  retryCount: number,
): number {
  const { delayInterval, minimumInterval, maximumInterval } = options;
  if (delayInterval) return delayInterval.seconds * 1000;
  const seconds = (minimumInterval?.seconds ?? 0) * 2 ** (retryCount - 1);
  return Math.min(seconds, maximumInterval?.seconds ?? seconds) * 1000;
}
