/** The parts that fault rules can make misbehave. */
export const faultyParts = ['batch', 'devops', 'storage'] as const;
export type FaultyPart = (typeof faultyParts)[number];

/** A rule of a part's `/_local/faults`, as far as it is used here. */
export interface Rule {
  readonly preset: string;
  readonly probability: number;
  readonly call?: string;
  readonly delayMs?: number;
  readonly holdMs?: number;
}

export type Weather = Readonly<Partial<Record<FaultyPart, readonly Rule[]>>>;

const rule = (preset: string, probability: number, call = '*', more: Partial<Rule> = {}): Rule => ({
  preset,
  probability,
  call,
  ...more,
});

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
  'new jobs lag': { batch: [rule('jobNotFoundAtFirst', 0.5, 'POST /jobs/:jobId/tasks')] },
  denied: {
    batch: [rule('authenticationFailed', 0.05, 'POST /jobs*'), rule('quotaReached', 0.2, 'POST /jobs')],
    devops: [rule('accessDenied', 0.03, 'GET *'), rule('signInPage', 0.03, 'GET */agents')],
  },
};
