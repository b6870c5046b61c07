import type * as z from 'zod';
import type { shownRequestSchema } from '../answers/request.js';
import type { DeadLetterMessage } from '../domain/dead-letter.js';

import type { QueueMessage, RequestBody } from '../input/request-body.js';

type ShownRequest = z.infer<typeof shownRequestSchema>;

/** One request at several moments of its life, as every operation shows it. */

const base = 'https://agents.example.com/api';
const at = (seconds: number): string =>
  new Date(Date.parse('2026-01-31T10:00:00Z') + seconds * 1_000).toISOString();

const accepted: ShownRequest = {
  requestId: 'nightly-42',
  profile: 'ubuntu',
  state: 'accepted',
  attempt: 0,
  agentName: null,
  devOpsPool: 'Private Ubuntu',
  batch: null,
  createdAt: at(0),
  updatedAt: at(0),
  onlineAt: null,
  endedAt: null,
  timings: { queuedMs: null, provisioningMs: null, startingMs: null, toOnlineMs: null },
  failure: null,
  history: [{ state: 'accepted', at: at(0), attempt: 0, detail: 'Asked for over HTTP.' }],
  tags: { team: 'payments' },
  links: { self: `${base}/agents/nightly-42`, pipeline: null, help: null },
};

const online: ShownRequest = {
  ...accepted,
  state: 'online',
  attempt: 1,
  agentName: 'nightly-42-1',
  batch: { poolId: 'linux', jobId: 'agents-ubuntu-20260131', taskId: 'nightly-42-1' },
  updatedAt: at(48),
  onlineAt: at(48),
  timings: { queuedMs: 1_000, provisioningMs: 1_000, startingMs: 46_000, toOnlineMs: 48_000 },
  history: [
    ...accepted.history,
    { state: 'provisioning', at: at(1), attempt: 1, detail: 'Attempt 1 of 3.' },
    {
      state: 'starting',
      at: at(2),
      attempt: 1,
      detail: 'Batch task nightly-42-1 in job agents-ubuntu-20260131, pool linux.',
    },
    { state: 'online', at: at(48), attempt: 1, detail: 'Agent nightly-42-1 is online.' },
  ],
};

const completed: ShownRequest = {
  ...online,
  state: 'completed',
  updatedAt: at(300),
  endedAt: at(300),
  history: [
    ...online.history,
    { state: 'busy', at: at(60), attempt: 1, detail: 'The agent runs its job.' },
    { state: 'completed', at: at(300), attempt: 1, detail: 'The agent ran its job and ended.' },
  ],
};

const cancelling: ShownRequest = {
  ...accepted,
  updatedAt: at(5),
  history: [
    ...accepted.history,
    { state: 'accepted', at: at(5), attempt: 0, detail: 'Cancellation was asked for.' },
  ],
};

const failure = {
  code: 'PoolMissing',
  stage: 'nodeAllocation',
  message: 'Batch pool linux is missing. Make it, or name another one in the profile "ubuntu".',
  retryable: false,
} as const;

const deadLettered: ShownRequest = {
  ...accepted,
  state: 'deadLettered',
  attempt: 1,
  updatedAt: at(3),
  endedAt: at(3),
  failure,
  history: [
    ...accepted.history,
    { state: 'provisioning', at: at(1), attempt: 1, detail: 'Attempt 1 of 3.' },
    { state: 'deadLettered', at: at(3), attempt: 1, detail: `${failure.code}: ${failure.message}` },
  ],
  links: { ...accepted.links, help: `${base}/help/PoolMissing` },
};

export const shown = { accepted, online, completed, cancelling, deadLettered };

export const requestBodies = {
  plain: { profile: 'ubuntu', requestId: 'nightly-42', tags: { team: 'payments' } },
  pipeline: {
    profile: 'ubuntu',
    capabilities: { AGENT_FOR: '4711' },
    attempt: '1.1',
    timeoutMinutes: 30,
  },
  article: { AgentOSType: 'ubuntu-24.04', AgentBuildType: 'azdo' },
} satisfies Record<string, RequestBody>;

export const queueMessages: readonly QueueMessage[] = [
  { version: 1, profile: 'ubuntu', requestId: 'nightly-42', replyQueue: 'agent-replies' },
  { version: 1, profile: 'ubuntu', capabilities: { AGENT_FOR: '4711' }, tags: { team: 'payments' } },
];

const letter = {
  version: 1,
  requestId: 'nightly-42',
  generation: 1,
  profile: 'ubuntu',
  deadLetteredAt: at(3),
  failure,
} as const;

export const originalMessage = '{"version":1,"profile":"ubuntu","requestId":"nightly-42"}';

export const deadLetterMessages: readonly DeadLetterMessage[] = [
  { ...letter, message: originalMessage },
  { ...letter, messageBase64: '/wBB' },
  { ...letter, messageInTable: true },
];
