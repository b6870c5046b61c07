/**
 * What the parts that read, evaluate and simulate autoscale formulas tell each other. Times are milliseconds since the epoch,
 * names are those of the Batch formula language, with their `$`.
 */

/** Metrics that the service samples, every 30 seconds. */
export const sampledVariables = [
  '$ActiveTasks',
  '$CPUPercent',
  '$CurrentDedicatedNodes',
  '$CurrentLowPriorityNodes',
  '$DiskBytes',
  '$DiskReadBytes',
  '$DiskReadOps',
  '$DiskWriteBytes',
  '$DiskWriteOps',
  '$FailedTasks',
  '$MemoryBytes',
  '$NetworkInBytes',
  '$NetworkOutBytes',
  '$PendingTasks',
  '$PreemptedNodeCount',
  '$RunningTasks',
  '$SampleNodeCount',
  '$SucceededTasks',
  '$TaskSlotsPerNode',
  '$UsableNodeCount',
  '$WallClockSeconds',
] as const;
export type SampledVariable = (typeof sampledVariables)[number];

/** Samples of a pool, as far as they have arrived: those of the last seconds may still be on their way. */
export interface SampleHistory {
  /** Between two samples; the service's is 30 s. */
  readonly periodMs: number;
  /** Moment of the oldest sample that is kept; undefined while there is none. */
  readonly beginsAt: number | undefined;
  /** Values sampled in `[from, to]`, newest first. */
  between(variable: SampledVariable, from: number, to: number): readonly number[];
  /** The newest values, newest first: at most `count`, fewer where there are not so many. */
  latest(variable: SampledVariable, count: number): readonly number[];
  /** How many `between` would give; spares making the list where only their number is asked. */
  count?(variable: SampledVariable, from: number, to: number): number;
}

export type NodeDeallocationOption = 'requeue' | 'terminate' | 'taskcompletion' | 'retaineddata';

export interface EvaluationInput {
  readonly now: number;
  readonly history: SampleHistory;
  /** What the variables are that a formula may set, before it does. */
  readonly targetDedicatedNodes: number;
  readonly targetLowPriorityNodes: number;
  /** Constant of the pool; also what `$TaskSlotsPerNode` is read as. */
  readonly taskSlotsPerNode: number;
  /** What `$CurrentDedicatedNodes` and `$CurrentLowPriorityNodes` are as plain numbers; absent: their newest sample. */
  readonly currentDedicatedNodes?: number;
  readonly currentLowPriorityNodes?: number;
}

export interface Evaluation {
  /** Undefined where the formula does not set it, or can't be evaluated. Whole numbers, never below 0. */
  readonly targetDedicatedNodes?: number;
  readonly targetLowPriorityNodes?: number;
  readonly nodeDeallocationOption?: NodeDeallocationOption;
  /** `$TargetDedicatedNodes=0;$TargetLowPriorityNodes=2;…;name=value`, as the service prints it. */
  readonly results: string;
  /** Why it could not be evaluated; the pool then stays as it is. */
  readonly error?: FormulaProblem;
}

export interface FormulaProblem {
  /** From 1, in the text of the formula. */
  readonly line: number;
  readonly column: number;
  /** One sentence: what is wrong, and with which name, operator or argument. */
  readonly cause: string;
  /** The service's code, where it is not its general one for a formula that can't be evaluated. */
  readonly code?: 'InsufficientSampleData';
}

/** A formula that was read and is sound as far as can be told without evaluating it. */
export interface Formula {
  readonly text: string;
  evaluate(input: EvaluationInput): Evaluation;
}

/** A text that is no formula: every problem at once. */
export class FormulaError extends Error {
  override readonly name = 'FormulaError';

  constructor(readonly problems: readonly FormulaProblem[]) {
    super(problems.map(({ line, column, cause }) => `line ${line}, column ${column}: ${cause}`).join('\n'));
  }
}

/** Longest formula that the service takes, in bytes of UTF-8. */
export const maxFormulaBytes = 8_192;
