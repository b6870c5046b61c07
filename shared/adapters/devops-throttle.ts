import * as z from 'zod';
import { type Stage, TransientError } from '../domain/failure.js';
import type { Clock } from '../ports.js';
import { retryAfterMs } from './service-errors.js';

/** A pause that the service asks for is kept here up to this long; a longer one is the caller's to wait. */
const longestPauseMs = 20_000;

const RetryHeaders = z.object({ 'retry-after': z.string() });

/** Keeps the pauses that Azure DevOps asks for: it does so with a success, too, before it refuses anything. */
export interface DevOpsThrottle {
  /** Waits while a pause lasts. @throws TransientError `AzDOThrottled` when that would take long. */
  pause(): Promise<void>;
  /** Whether a call would have to wait now. */
  isPaused(): boolean;
  /** @param ms what the service asked for, if it did. */
  pauseFor(ms: number | undefined): void;
  /** Of an answer's headers. */
  heed(headers: unknown): void;
}

/** @param onThrottle called each time that the service asks for a pause. */
export function createDevOpsThrottle(
  clock: Clock,
  stage: Stage,
  onThrottle: () => void = () => {},
): DevOpsThrottle {
  let pausedUntil = 0;
  const left = (): number => pausedUntil - clock.now().getTime();
  const pauseFor = (ms: number | undefined): void => {
    if (ms === undefined) return;
    onThrottle();
    pausedUntil = Math.max(pausedUntil, clock.now().getTime() + ms);
  };
  return {
    pauseFor,
    isPaused: () => left() > 0,
    heed: headers => {
      const parsed = RetryHeaders.safeParse(headers);
      if (parsed.success) pauseFor(retryAfterMs(parsed.data['retry-after'], clock.now()));
    },
    pause: async () => {
      const ms = left();
      if (ms > longestPauseMs) {
        throw new TransientError('AzDOThrottled', stage, 'Azure DevOps asked us to call less often.', ms);
      }
      if (ms > 0) await clock.sleep(ms);
    },
  };
}
