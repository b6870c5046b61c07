import type { Clock } from '../../shared/ports.js';

export interface FakeClock extends Clock {
  /** Lets time pass and wakes whoever slept so long. */
  advance(ms: number): void;
  /** How long each sleep was asked to be, in milliseconds, oldest first. */
  readonly sleeps: readonly number[];
}

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** @param mode `jump`: a sleep ends at once and takes the time with it; `wait`: it waits for `advance`. */
export function createFakeClock(
  start = '2026-01-31T10:00:00.000Z',
  mode: 'jump' | 'wait' = 'jump',
): FakeClock {
  let time = Date.parse(start);
  let sleepers: Sleeper[] = [];
  const sleeps: number[] = [];

  const advance = (ms: number): void => {
    time += ms;
    const due = sleepers.filter(({ until }) => until <= time);
    sleepers = sleepers.filter(({ until }) => until > time);
    for (const { wake } of due) wake();
  };

  return {
    now: () => new Date(time),
    sleep: async (ms, signal) => {
      sleeps.push(ms);
      if (signal?.aborted) return;
      if (mode === 'jump') {
        advance(ms);
        return;
      }
      await new Promise<void>(resolve => {
        sleepers.push({ until: time + ms, wake: resolve });
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    },
    advance,
    sleeps,
  };
}
