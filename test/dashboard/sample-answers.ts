import type { Overview } from '../../shared/answers/overview.js';
import type { Pool, Pools } from '../../shared/answers/pools.js';

/** What the routes of pools and numbers answer, for what a page makes of it. Times are relative to now. */
export function samplePools(changes: Partial<Pool> = {}): Pools {
  const now = Date.now();
  const before = (seconds: number): string => new Date(now - seconds * 1_000).toISOString();
  return {
    at: before(0),
    pools: [
      {
        devOpsPool: 'Private Linux',
        batchPool: 'batchLinux',
        profiles: ['ubuntu'],
        os: 'linux',
        waiting: 3,
        starting: 9,
        online: 2,
        busy: 31,
        oldestWaitingSince: before(412),
        waits: [
          {
            reason: 'node',
            count: 6,
            oldestSince: before(412),
            detail: 'All 32 nodes of batchLinux are busy; 8 more are being made.',
          },
          { reason: 'container', count: 3, oldestSince: before(38), detail: 'The image is being pulled.' },
          {
            reason: 'freePlace',
            count: 3,
            oldestSince: before(95),
            detail: 'All 40 places (maxAlive) are taken.',
          },
        ],
        nodes: { current: 32, target: 40, idle: 0, running: 32, starting: 8, unusable: 0 },
        problem: null,
        lastWatchAt: before(3),
        ...changes,
      },
      {
        devOpsPool: 'Private Linux',
        batchPool: 'batchLarge',
        profiles: ['ubuntu-large'],
        os: 'linux',
        waiting: 0,
        starting: 0,
        online: 1,
        busy: 4,
        oldestWaitingSince: null,
        waits: [],
        nodes: { current: 6, target: 6, idle: 1, running: 5, starting: 0, unusable: 0 },
        problem: null,
        lastWatchAt: before(3),
      },
      {
        devOpsPool: 'Private Windows',
        batchPool: 'batchWindows',
        profiles: ['windows'],
        os: 'windows',
        waiting: 0,
        starting: 2,
        online: 0,
        busy: 5,
        oldestWaitingSince: before(1_310),
        waits: [
          { reason: 'node', count: 2, oldestSince: before(1_310), detail: 'The pool gets no more nodes.' },
        ],
        nodes: { current: 5, target: 8, idle: 0, running: 5, starting: 0, unusable: 1 },
        problem: {
          code: 'QuotaReached',
          message:
            'The account has reached its quota of dedicated cores for this size. Ask for more, or use another size.',
        },
        lastWatchAt: before(4),
      },
    ],
  };
}

export function sampleOverview(): Overview {
  const now = Date.now();
  const before = (seconds: number): string => new Date(now - seconds * 1_000).toISOString();
  const counts = [0, 2, 61, 174, 96, 48, 39, 27, 31, 18, 6, 1, 0, 0];
  const upTo = [5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1_200, 1_800];
  return {
    at: before(0),
    since: before(86_400),
    counts: { completed: 480, busy: 40, deadLettered: 14 },
    timeToOnline: {
      count: counts.reduce((sum, count) => sum + count, 0),
      p50Ms: 28_400,
      p95Ms: 171_000,
      maxMs: 703_000,
      buckets: counts.map((count, index) => {
        const seconds = upTo[index];
        return { upToMs: seconds === undefined ? null : seconds * 1_000, count };
      }),
    },
    failures: [
      { code: 'ImagePullFailed', count: 9, lastAt: before(2_520), lastRequestId: 'mobile-build-48088' },
      { code: 'NodeAllocationTimeout', count: 4, lastAt: before(1_980), lastRequestId: 'data-build-48150' },
      { code: 'RegistrationTimeout', count: 1, lastAt: before(2_460), lastRequestId: 'web-build-48136' },
    ],
    profiles: ['ubuntu', 'ubuntu-large', 'windows'],
    tags: { team: ['web', 'payments', 'data'], branch: ['main', 'release/4.2'] },
    truncated: false,
  };
}
