/** The parts that fault rules can make misbehave. */
export const faultyParts = ['batch', 'devops', 'storage'] as const;
export type FaultyPart = (typeof faultyParts)[number];

/** A rule of a part's `/_local/faults`, as far as it is used here. */
export interface Rule {
  readonly preset: string;
  readonly probability: number;
  readonly call?: string;
  readonly client?: string;
  readonly holdMs?: number;
}

/** A rule of the stand-in's `/_local/task-faults`: what goes wrong with tasks, and the agents in them. */
interface TaskRule {
  readonly does: string;
  readonly probability: number;
  readonly afterMs?: number;
}

export interface Weather extends Readonly<Partial<Record<FaultyPart, readonly Rule[]>>> {
  readonly tasks?: readonly TaskRule[];
}

const rule = (preset: string, probability: number, call = '*', more: Partial<Rule> = {}): Rule => ({
  preset,
  probability,
  call,
  ...more,
});

/** Calls of the product alone: an agent waits for an answer for much longer than a request lives here. */
const app = { client: 'azdo-batch-agents' } as const;

/** What of storage is the product's own: the journal of its host is in the same account. */
const table = '* table/AgentRequests*';
const queues = '* queue/agent-requests*';

/**
 * What the services may be like, by name. Probabilities are such that what is tried again gets through, most of the
 * time: what does not is to end as a dead letter.
 */
export const weathers: Readonly<Record<string, Weather>> = {
  calm: {},
  overloaded: {
    batch: [rule('serverBusy', 0.15), rule('internalError', 0.05)],
    devops: [rule('unavailable', 0.1), rule('serverError', 0.05)],
    storage: [rule('serverBusy', 0.06, table), rule('serverBusy', 0.06, queues)],
  },
  throttled: {
    batch: [rule('throttled', 0.15)],
    devops: [rule('throttled', 0.1), rule('slowedDown', 0.1)],
    storage: [rule('serverBusyRetryAfter', 0.05, table)],
  },
  'cut off': {
    batch: [rule('reset', 0.12)],
    devops: [rule('reset', 0.08)],
    storage: [rule('reset', 0.04, table), rule('reset', 0.04, queues)],
  },
  'answers lost': {
    batch: [rule('resetAfterCommit', 0.25, 'POST /jobs*'), rule('resetAfterCommit', 0.25, 'DELETE *')],
    devops: [
      rule('resetAfterCommit', 0.3, 'POST */events'),
      rule('resetAfterCommit', 0.25, 'DELETE */agents/:agentId'),
      rule('resetAfterCommit', 0.1, 'POST */agents'),
    ],
    storage: [rule('resetAfterCommit', 0.06, table), rule('resetAfterCommit', 0.06, queues)],
  },
  slow: {
    batch: [rule('slow', 0.3, '*', { holdMs: 1_200 })],
    devops: [rule('slow', 0.15, '*', { holdMs: 1_200 })],
    storage: [rule('slow', 0.05, table, { holdMs: 1_200 })],
  },
  silent: {
    batch: [rule('hang', 0.03), rule('hangAfterCommit', 0.05, 'POST /jobs*')],
    devops: [rule('hang', 0.02, '*', app), rule('hangAfterCommit', 0.1, 'POST */events', app)],
  },
  'new jobs lag': {
    batch: [rule('jobNotFoundAtFirst', 0.5, 'POST /jobs/:jobId/tasks')],
    tasks: [{ does: 'registerLate', probability: 0.3, afterMs: 4_000 }],
  },
  'agents fail': {
    tasks: [
      { does: 'exit', probability: 0.3 },
      { does: 'dieBeforeJob', probability: 0.2, afterMs: 300 },
      { does: 'dieInJob', probability: 0.2, afterMs: 200 },
    ],
  },
  'images are gone': { tasks: [{ does: 'failToStart', probability: 0.75, afterMs: 200 }] },
  'nodes go': {
    tasks: [
      { does: 'preemptNode', probability: 0.08, afterMs: 1_500 },
      { does: 'kill', probability: 0.1, afterMs: 2_500 },
      { does: 'wallClock', probability: 0.08, afterMs: 2_000 },
      { does: 'neverRegister', probability: 0.04 },
    ],
  },
  denied: {
    batch: [rule('authenticationFailed', 0.05, 'POST /jobs*'), rule('quotaReached', 0.2, 'POST /jobs')],
    devops: [rule('accessDenied', 0.03, 'GET *'), rule('signInPage', 0.03, 'GET */agents')],
  },
};
