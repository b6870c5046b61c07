/** A growing pause between tries, in milliseconds. */
export interface BackoffPolicy {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

/** Between the provisioning attempts of a request. */
export const attemptBackoff: BackoffPolicy = { firstMs: 2_000, factor: 3, maxMs: 120_000 };

/** Between the tries of one step while a service is away. */
const stepBackoff: BackoffPolicy = { firstMs: 1_000, factor: 2, maxMs: 60_000 };

/** A service that asks for a longer pause than this is asked again all the same. */
export const longestPauseMs = 10 * 60_000;

/**
 * Exponential backoff with half of it jittered: full pauses never pile up in step, and none is ever zero.
 *
 * @param failures how often it failed so far, from 1.
 * @param chance in [0, 1); the caller owns the randomness.
 * @returns milliseconds.
 */
export function backoffMs(policy: BackoffPolicy, failures: number, chance: number): number {
  const full = Math.min(policy.maxMs, policy.firstMs * policy.factor ** Math.max(0, failures - 1));
  return Math.round(full / 2 + (full / 2) * chance);
}

/**
 * The pause before the next try of a step: the backoff, or what the service asked for if that is longer, with a
 * little on top so that all who were sent away do not come back in the same moment.
 *
 * @param retryAfterMs what the service asked for, if it did.
 * @returns milliseconds.
 */
export function pauseMs(failures: number, chance: number, retryAfterMs: number | undefined): number {
  const backoff = backoffMs(stepBackoff, failures, chance);
  if (retryAfterMs === undefined) return backoff;
  const asked = retryAfterMs + Math.min(retryAfterMs / 10, 10_000) * chance;
  return Math.round(Math.min(longestPauseMs, Math.max(backoff, asked)));
}

/**
 * Chance without randomness, for places that are replayed: the same text gives the same number in [0, 1).
 * FNV-1a is enough to spread requests; nothing here needs to be unpredictable.
 */
export function chanceFrom(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  }
  return (hash >>> 0) / 2 ** 32;
}
