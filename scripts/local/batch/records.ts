import * as z from 'zod';

import { JobSpec, TaskSpec } from './model.js';

/** What is kept of jobs, tasks, runs and pools; the journal holds exactly these. Times are ISO 8601 text. */

export const JobState = z.enum([
  'active',
  'disabling',
  'disabled',
  'enabling',
  'terminating',
  'completed',
  'deleting',
]);
export type JobState = z.infer<typeof JobState>;

export const TaskState = z.enum(['active', 'preparing', 'running', 'completed']);
export type TaskState = z.infer<typeof TaskState>;

export const NodeState = z.enum(['starting', 'idle', 'running', 'leavingpool', 'unusable', 'preempted']);
export type NodeState = z.infer<typeof NodeState>;

const entity = {
  /** Counts changes; the ETag derives from it. */
  version: z.int(),
  creationTime: z.string(),
  lastModified: z.string(),
  stateTransitionTime: z.string(),
  previousStateTransitionTime: z.string().optional(),
};

export const JobRecord = z.object({
  ...entity,
  spec: JobSpec,
  state: JobState,
  previousState: JobState.optional(),
  endTime: z.string().optional(),
  terminateReason: z.string().optional(),
});
export type JobRecord = z.infer<typeof JobRecord>;

export const FailureInfo = z.object({
  category: z.enum(['userError', 'serverError']),
  code: z.string(),
  message: z.string(),
  details: z.array(z.object({ name: z.string(), value: z.string() })),
});
export type FailureInfo = z.infer<typeof FailureInfo>;

export const TaskRecord = z.object({
  ...entity,
  spec: TaskSpec,
  /** Order of addition across all jobs. */
  seq: z.int(),
  state: TaskState,
  previousState: TaskState.optional(),
  /** The run that carries it while it is preparing or running. */
  runId: z.string().optional(),
  node: z.object({ poolId: z.string(), nodeId: z.string() }).optional(),
  startTime: z.string().optional(),
  endTime: z.string().optional(),
  exitCode: z.int().optional(),
  containerInfo: z
    .object({ containerId: z.string(), state: z.string(), error: z.string().optional() })
    .optional(),
  failureInfo: FailureInfo.optional(),
  result: z.enum(['success', 'failure']).optional(),
  retryCount: z.int(),
  lastRetryTime: z.string().optional(),
  requeueCount: z.int(),
  lastRequeueTime: z.string().optional(),
  filesRemoved: z.boolean().optional(),
});
export type TaskRecord = z.infer<typeof TaskRecord>;

/** A process, told from a later one of the same pid by when it started. */
export const ProcessIdentity = z.object({ pid: z.int(), start: z.string().optional() });
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/**
 * Why a run is being ended: the task is `terminate`d, `delete`d, over its wall clock (`timeout`), put back by a user
 * (`requeue`), or put back because its node went (`lost`), which is counted nowhere.
 */
export const RunIntent = z.enum(['terminate', 'delete', 'timeout', 'requeue', 'lost']);
export type RunIntent = z.infer<typeof RunIntent>;

/** One execution of a task on a node. Kept until its processes are known to be gone, even past its task. */
export const RunRecord = z.object({
  id: z.string(),
  jobKey: z.string(),
  taskKey: z.string(),
  poolId: z.string(),
  nodeId: z.string(),
  slots: z.int(),
  taskDir: z.string(),
  container: z.string().optional(),
  wrapper: ProcessIdentity.optional(),
  intent: RunIntent.optional(),
});
export type RunRecord = z.infer<typeof RunRecord>;

const NodeDeallocation = z.enum(['requeue', 'terminate', 'taskcompletion', 'retaineddata']);

export const NodeRecord = z.object({
  id: z.string(),
  state: NodeState,
  stateTransitionTime: z.string(),
  allocationTime: z.string(),
  lastBootTime: z.string().optional(),
  totalTasksRun: z.int(),
  totalTasksSucceeded: z.int(),
  /** What becomes of its tasks while it is leaving. */
  leaving: NodeDeallocation.optional(),
});
export type NodeRecord = z.infer<typeof NodeRecord>;

export const PoolConfig = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  os: z.enum(['linux', 'windows']).default('linux'),
  vmSize: z.string().default('standard_d2s_v3'),
  taskSlotsPerNode: z.int().min(1).max(256).default(5),
  /** `spread`: a task goes to the emptiest node; `pack`: to the fullest that has room. */
  nodeFillType: z.enum(['spread', 'pack']).default('spread'),
  maxNodes: z.int().min(0).max(1000).default(2),
  /** From allocation to the first task, in milliseconds. */
  bootMs: z.int().min(0).default(1_000),
  /** A node without a task for this long leaves the pool, in milliseconds. */
  idleMs: z.int().min(0).default(60_000),
  /** Spot nodes instead of dedicated ones. */
  lowPriority: z.boolean().default(false),
  /** Decides how many nodes there are; absent: they come when tasks wait and go when idle. */
  autoScaleFormula: z.string().optional(),
  /** How often the formula is evaluated, in milliseconds; in the cloud five minutes are the least. */
  autoScaleEvaluationMs: z.int().min(1_000).default(300_000),
  /** How often a formula's metrics are sampled, in milliseconds; in the cloud this is fixed. */
  sampleMs: z.int().min(10).default(30_000),
  /** From when a sample is taken to when a formula sees it, in milliseconds; about a minute in the cloud. */
  sampleDelayMs: z.int().min(0).default(0),
  /** While there is one, no node is added, as when a quota or capacity is reached. */
  resizeErrors: z.array(z.object({ code: z.string(), message: z.string() })).default([]),
});
export type PoolConfig = z.infer<typeof PoolConfig>;

/** What evaluating a formula gave: the value of each variable, or why there is none. */
export const AutoScaleRun = z.object({
  timestamp: z.string(),
  /** `$TargetDedicatedNodes=2;…`, as the service prints it. */
  results: z.string(),
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      values: z.array(z.object({ name: z.string(), value: z.string() })),
    })
    .optional(),
});
export type AutoScaleRun = z.infer<typeof AutoScaleRun>;

/** The last evaluation of a pool's formula, and what holds since. */
export const AutoScaleState = z.object({
  formula: z.string(),
  run: AutoScaleRun,
  targetDedicatedNodes: z.int(),
  targetLowPriorityNodes: z.int(),
  nodeDeallocationOption: NodeDeallocation,
});
export type AutoScaleState = z.infer<typeof AutoScaleState>;

export const PoolRecord = z.object({
  ...entity,
  config: PoolConfig,
  /** Names of what was changed over the control API: these outlive a changed pools file. */
  changed: z.array(z.string()),
  deleted: z.boolean(),
  nodes: z.array(NodeRecord),
  autoScale: AutoScaleState.optional(),
});
export type PoolRecord = z.infer<typeof PoolRecord>;

/** Ids keep the case they were given in, and are compared without it. */
export const idKey = (id: string): string => id.toLowerCase();
