import type { Diagnosis } from '../../answers/diagnosis.js';
import type { Overview } from '../../answers/overview.js';
import type { Pools } from '../../answers/pools.js';
import type { Events } from '../../answers/request.js';

const now = '2026-01-31T10:05:00.000Z';
const longestWait = '2026-01-31T10:04:12.000Z';

export const pools: Pools = {
  at: now,
  pools: [
    {
      devOpsPool: 'Private Ubuntu',
      batchPool: 'linux',
      profiles: ['ubuntu'],
      os: 'linux',
      waiting: 0,
      starting: 2,
      online: 1,
      busy: 5,
      oldestWaitingSince: longestWait,
      waits: [
        {
          reason: 'node',
          count: 2,
          oldestSince: longestWait,
          detail: 'The Batch pool linux has no free node.',
        },
      ],
      nodes: { current: 6, target: 8, idle: 0, running: 6, starting: 0, unusable: 0 },
      problem: null,
      lastWatchAt: '2026-01-31T10:04:58.000Z',
    },
  ],
};

export const overview: Overview = {
  at: now,
  since: '2026-01-30T10:05:00.000Z',
  counts: { starting: 2, online: 1, busy: 5, completed: 310, deadLettered: 2 },
  timeToOnline: {
    count: 318,
    p50Ms: 41_000,
    p95Ms: 118_000,
    maxMs: 240_000,
    buckets: [
      { upToMs: 60_000, count: 280 },
      { upToMs: 120_000, count: 24 },
      { upToMs: null, count: 14 },
    ],
  },
  failures: [
    { code: 'PoolMissing', count: 2, lastAt: '2026-01-31T09:30:00.000Z', lastRequestId: 'nightly-42' },
  ],
  profiles: ['ubuntu'],
  tags: { team: ['payments', 'search'] },
  truncated: false,
};

export const events: Events = {
  events: [
    {
      state: 'online',
      at: now,
      attempt: 1,
      detail: 'Agent nightly-42-1 is online.',
      requestId: 'nightly-42',
      profile: 'ubuntu',
      agentName: 'nightly-42-1',
      failureCode: null,
    },
  ],
  next: 'MjAyNi0wMS0zMVQxMDowNTowMC4wMDBa',
};

export const diagnosis: Diagnosis = {
  at: now,
  version: '0.1.0',
  checks: [
    {
      area: 'storage',
      name: 'Table AgentRequests can be written',
      status: 'ok',
      detail: 'A row was written and read.',
      remedy: null,
    },
    {
      area: 'batch',
      name: 'Batch pool "linux" exists',
      status: 'failed',
      detail: 'The Batch account has no pool "linux".',
      remedy: 'Make it, or name another one in AgentProfiles.',
    },
  ],
};
