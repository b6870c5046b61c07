import type { ContenderName, WatchRound } from '../figure.js';

/** What the model of growth takes for granted. Each is printed with its results. */
export const assumptions = {
  /** From being asked for to the agent being online. */
  waitSeconds: 60,
  jobSeconds: 600,
  /** From one look at a pool, or at one's own agent, to the next. */
  lookSeconds: 5,
  /** Requests come evenly over so much of a day. */
  hoursADay: 10,
  /** Entries of one page of a list: rows of a table, tasks of a Batch job. */
  page: 1_000,
  /** Memory of an instance, and how long one execution keeps it. */
  instanceGigabytes: 2,
  executionSeconds: 0.1,
  agentsADay: [1_000, 10_000, 100_000, 1_000_000],
} as const;
export type Assumptions = {
  readonly [K in keyof typeof assumptions]: K extends 'agentsADay' ? readonly number[] : number;
};

/** Transactions of the Azure Storage backend of Durable Functions, which is not the one that the local host has. */
export const durableBackend = {
  source:
    'https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-azure-storage-provider',
  /** A message on a control queue: sent, received, deleted. Then the history is read, appended to, and the instance updated. */
  episode: { queue: 3, table: 3 },
  /** A message on the work-item queue: sent, received, deleted. Its result comes as an episode. */
  activity: { queue: 3, table: 0 },
} as const;

/** How a contender goes on looking once its agent is online. */
export const looksDuringJob: Readonly<Record<ContenderName, boolean>> = {
  ours: false,
  article: false,
  // It has to know when the job is over, to clean up.
  monitor: true,
  floor: false,
};

/** One look of our watch by its design, for when none was counted: a list of each kind. */
export const designedRound: WatchRound = {
  ownStorage: { 'table query': 1 },
  episodes: 1,
  activities: 1,
  batchCalls: 1,
  devOpsCalls: 1,
};
