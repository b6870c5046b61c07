import type { Retry } from './events.js';

/**
 * Milliseconds until the next attempt after a failure at `now`; undefined when the time for retries is over.
 * The Durable Task framework waits after the last attempt too, and the SDK counts on it, so attempts are not looked at here.
 */
export function retryDelay({ Options, Attempt, FirstAt }: Retry, now: Date): number | undefined {
  const timeout = Options.retryTimeoutInMilliseconds;
  if (timeout !== undefined && now.getTime() >= Date.parse(FirstAt) + timeout) return undefined;
  const delay = Options.firstRetryIntervalInMilliseconds * (Options.backoffCoefficient ?? 1) ** (Attempt - 1);
  return Math.min(delay, Options.maxRetryIntervalInMilliseconds ?? Number.MAX_SAFE_INTEGER);
}
