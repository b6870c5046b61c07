/**
 * What the simulation assumes of Azure and of the agents. All of it can be set by options: nobody's region, image and
 * pipelines are like another's.
 */
export interface World {
  readonly seed: number;
  /** Of a node: the pool's `taskSlotsPerNode`. */
  readonly slots: number;
  /** The pool's `nodeFillType`: fill nodes one by one, or use them evenly. */
  readonly fill: 'pack' | 'spread';
  /** Between two evaluations of the formula. */
  readonly intervalMinutes: number;
  /** When the first evaluation is; the seed says, if absent. */
  readonly firstEvaluationMinutes?: number;
  /** From an evaluation to the machine being there and being paid for. */
  readonly resizeSeconds: number;
  /** Whether an evaluation changes the target of a resize that is going on, or is left out until that is over. */
  readonly whileResizing: 'replace' | 'wait';
  /** Which nodes Batch takes first where several may go: it does not say. */
  readonly removal: 'idle-first' | 'any';
  /** From the machine being there to the node running tasks, without the image. */
  readonly bootMinutes: number;
  readonly bootSpread: number;
  /** Of the agent's image. */
  readonly pullSeconds: number;
  /** Whether the pool has the image pulled before a node runs tasks; else its first task waits for it. */
  readonly prefetch: boolean;
  /** From the task being given to a node to its container running. */
  readonly startSeconds: number;
  /** From the container running to the agent being online. */
  readonly registerSeconds: number;
  /** Until a sample can be read by the formula. */
  readonly sampleDelaySeconds: number;
  /** Share of the samples that never arrive. */
  readonly sampleLoss: number;
  /** How often a Spot node is taken back, in an hour of its life. */
  readonly evictionsPerHour: number;
  /** Hours of every day in which no Spot node is to be had. */
  readonly spotShort: readonly HoursOfDay[];
  /** Nodes that the account's quota allows. */
  readonly quotaSpot: number;
  readonly quotaDedicated: number;
}

export interface HoursOfDay {
  readonly from: number;
  readonly to: number;
}

export const usualWorld: World = {
  seed: 1,
  slots: 5,
  fill: 'pack',
  intervalMinutes: 5,
  resizeSeconds: 60,
  whileResizing: 'replace',
  removal: 'idle-first',
  bootMinutes: 4,
  bootSpread: 0.2,
  pullSeconds: 90,
  prefetch: true,
  startSeconds: 5,
  registerSeconds: 20,
  sampleDelaySeconds: 60,
  sampleLoss: 0.02,
  evictionsPerHour: 0.02,
  spotShort: [],
  quotaSpot: Number.POSITIVE_INFINITY,
  quotaDedicated: Number.POSITIVE_INFINITY,
};
