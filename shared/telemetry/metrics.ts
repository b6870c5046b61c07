/** How a metric adds up: a counter is summed, a histogram shows how values are spread, a gauge is the value now. */
export type MetricKind = 'counter' | 'histogram' | 'gauge';

export interface Metric {
  readonly kind: MetricKind;
  /** As UCUM writes it: `s`, or what is counted in braces. */
  readonly unit: string;
  readonly description: string;
  /** What its values are told apart by; never a request, of which there is no end. */
  readonly fields: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly bounds?: readonly number[];
}

const secondsOfCalls = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const secondsOfWaits = [1, 2.5, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1_200, 1_800, 3_600, 7_200];

/** Every metric of the product: what is not here can't be counted. */
export const metrics = {
  'agents.requests.accepted': {
    kind: 'counter',
    unit: '{request}',
    description: 'Requests that were accepted, repeats left out.',
    fields: ['profile'],
  },
  'agents.requests.ended': {
    kind: 'counter',
    unit: '{request}',
    description: 'Requests that have ended, by their end and the code of their failure.',
    fields: ['profile', 'state', 'code'],
  },
  'agents.attempts.failed': {
    kind: 'counter',
    unit: '{attempt}',
    description: 'Attempts that failed and were followed by another.',
    fields: ['profile', 'code'],
  },
  'agents.dead_letters': {
    kind: 'counter',
    unit: '{request}',
    description: 'Requests that were given up.',
    fields: ['profile', 'code'],
  },
  'agents.time_to_online': {
    kind: 'histogram',
    unit: 's',
    description: 'From the acceptance of a request to the moment its agent was online.',
    fields: ['profile'],
    bounds: secondsOfWaits,
  },
  'agents.queue.age': {
    kind: 'histogram',
    unit: 's',
    description: 'How long a message lay in the queue until it was delivered.',
    fields: [],
    bounds: secondsOfCalls,
  },
  'agents.requests.live': {
    kind: 'gauge',
    unit: '{request}',
    description: 'Requests that have not ended, by what they do: waiting, starting, online, busy.',
    fields: ['pool', 'phase'],
  },
  'agents.requests.oldest_waiting': {
    kind: 'gauge',
    unit: 's',
    description: 'Age of the oldest request that has no agent online yet; 0 when none waits.',
    fields: ['pool'],
  },
  'agents.watch.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'How long one look at a pool took.',
    fields: ['pool'],
    bounds: secondsOfCalls,
  },
  'agents.watch.gap': {
    kind: 'histogram',
    unit: 's',
    description: 'From one look at a pool to the next.',
    fields: ['pool'],
    bounds: secondsOfWaits,
  },
  'agents.calls': {
    kind: 'counter',
    unit: '{call}',
    description: 'What was asked of a service (batch, devops, callback, storage), and whether it was done.',
    fields: ['service', 'operation', 'outcome'],
  },
  'agents.throttles': {
    kind: 'counter',
    unit: '{answer}',
    description: 'Answers of a service that asked us to call less often.',
    fields: ['service'],
  },
  'agents.pool.nodes': {
    kind: 'gauge',
    unit: '{node}',
    description: 'Nodes of a Batch pool, by their state, as of the last time the watch asked about it.',
    fields: ['batchPool', 'state'],
  },
} as const satisfies Readonly<Record<string, Metric>>;
