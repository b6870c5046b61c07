import type { Scale } from './figure.js';

export const scales: Readonly<Record<Scale['name'], Scale>> = {
  full: {
    name: 'full',
    bursts: [1, 100, 1_000],
    repetitions: 3,
    perRequest: 20,
    waitMs: 2_000,
    waiting: [1, 10, 100, 1_000, 10_000],
    monitorWaiting: 1_000,
    endToEnd: [200, 1_000, 5_000],
    idleRequests: 20,
  },
  quick: {
    name: 'quick',
    bursts: [1, 30, 100],
    repetitions: 1,
    perRequest: 5,
    waitMs: 300,
    waiting: [1, 10, 100],
    monitorWaiting: 10,
    endToEnd: [50, 150],
    idleRequests: 3,
  },
  /** Enough to see that everything still runs; no number of it says anything. */
  tiny: {
    name: 'tiny',
    bursts: [1, 3],
    repetitions: 1,
    perRequest: 1,
    waitMs: 200,
    waiting: [1, 3],
    monitorWaiting: 3,
    endToEnd: [3, 6],
    idleRequests: 2,
  },
};
