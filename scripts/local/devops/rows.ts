import * as z from 'zod';

/** What the stand-in keeps, row by row. Times are ISO 8601 in UTC. No row ever holds a token: only its SHA-256. */
const Time = z.string();
const Capabilities = z.record(z.string(), z.string());
export const Result = z.enum(['succeeded', 'failed', 'canceled']);
export type Result = z.infer<typeof Result>;

export const Pool = z.object({ id: z.int(), name: z.string(), createdOn: Time });
export type Pool = z.infer<typeof Pool>;

export const Agent = z.object({
  id: z.int(),
  poolId: z.int(),
  name: z.string(),
  version: z.string(),
  osDescription: z.string(),
  enabled: z.boolean(),
  provisioningState: z.string(),
  createdOn: Time,
  systemCapabilities: Capabilities,
  userCapabilities: Capabilities,
});
export type Agent = z.infer<typeof Agent>;

export const AgentRecord = z.object({
  id: z.int(),
  name: z.string(),
  registeredAt: Time,
  removedAt: Time.optional(),
  sessions: z.array(z.object({ openedAt: Time, endedAt: Time.optional() })),
});
export type AgentRecord = z.infer<typeof AgentRecord>;

export const Session = z.object({ id: z.string(), poolId: z.int(), agentId: z.int(), ownerName: z.string() });
export type Session = z.infer<typeof Session>;

const AgentReference = z.object({
  id: z.int(),
  name: z.string(),
  version: z.string(),
  osDescription: z.string(),
});

export const JobRequest = z.object({
  id: z.int(),
  poolId: z.int(),
  runId: z.string(),
  buildId: z.int(),
  definitionName: z.string(),
  planId: z.string(),
  projectId: z.string(),
  jobId: z.string(),
  jobName: z.string(),
  demands: z.array(z.string()),
  queueTime: Time,
  /** Set while it belongs to an agent. `receiveTime` is set when the agent has acknowledged it. */
  agent: AgentReference.optional(),
  messageId: z.int().optional(),
  assignTime: Time.optional(),
  receiveTime: Time.optional(),
  lockedUntil: Time.optional(),
  cancelAsked: z.boolean(),
  finishTime: Time.optional(),
  result: Result.optional(),
});
export type JobRequest = z.infer<typeof JobRequest>;

const Issue = z.object({ type: z.enum(['error', 'warning']), message: z.string() });
export type Issue = z.infer<typeof Issue>;

const Variable = z.object({ value: z.string(), isSecret: z.boolean() });

export const TimelineRecord = z.object({
  runId: z.string(),
  id: z.string(),
  parentId: z.string().optional(),
  type: z.string(),
  name: z.string(),
  order: z.int(),
  state: z.enum(['pending', 'inProgress', 'completed']),
  result: z
    .enum(['succeeded', 'succeededWithIssues', 'failed', 'canceled', 'skipped', 'abandoned'])
    .optional(),
  startTime: Time.optional(),
  finishTime: Time.optional(),
  percentComplete: z.number().optional(),
  currentOperation: z.string().optional(),
  workerName: z.string().optional(),
  logId: z.int().optional(),
  issues: z.array(Issue),
  variables: z.record(z.string(), Variable),
  changeId: z.int(),
  lastModified: Time,
});
export type TimelineRecord = z.infer<typeof TimelineRecord>;

export const TaskLog = z.object({
  planId: z.string(),
  id: z.int(),
  path: z.string(),
  createdOn: Time,
  lastChangedOn: Time,
  lineCount: z.int(),
  parts: z.int(),
});
export type TaskLog = z.infer<typeof TaskLog>;

export const LogPart = z.object({ text: z.string() });

export const Line = z.object({
  runId: z.string(),
  at: Time,
  text: z.string(),
  /** Of a line that came over the feed of a record with a number: so that a repeated delivery shows once. */
  recordId: z.string().optional(),
  number: z.int().optional(),
  /** It came over the feed, while its task ran. */
  live: z.literal(true).optional(),
});
export type Line = z.infer<typeof Line>;

/** The one call of a server task AzureFunction@1, as it is written in a pipeline. */
const FunctionRequest = z.object({
  kind: z.literal('function'),
  function: z.string(),
  key: z.string(),
  method: z.string(),
  queryParameters: z.string(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string(),
  waitForCompletion: z.boolean(),
});
export type FunctionRequest = z.infer<typeof FunctionRequest>;

/** What a server task PublishToAzureServiceBus sends. */
const BusMessage = z.object({
  kind: z.literal('serviceBus'),
  version: z.enum(['1', '2']),
  messageBody: z.string(),
});
export type BusMessage = z.infer<typeof BusMessage>;

const ServerWork = z.object({
  kind: z.literal('server'),
  displayName: z.string(),
  task: z.discriminatedUnion('kind', [FunctionRequest, BusMessage]),
});
export type ServerWork = z.infer<typeof ServerWork>;

const Shell = z.enum(['default', 'bash', 'pwsh']);
export type Shell = z.infer<typeof Shell>;

const AgentWork = z.object({
  kind: z.literal('agent'),
  pool: z.string(),
  demands: z.array(z.string()),
  steps: z.array(
    z.object({
      displayName: z.string(),
      script: z.string(),
      shell: Shell.optional(),
      env: z.record(z.string(), z.string()).optional(),
    }),
  ),
});
export type AgentWork = z.infer<typeof AgentWork>;

const Condition = z.enum(['succeeded', 'failed', 'succeededOrFailed', 'always']);
export type Condition = z.infer<typeof Condition>;

export const Job = z.object({
  runId: z.string(),
  id: z.string(),
  name: z.string(),
  displayName: z.string(),
  dependsOn: z.array(z.string()),
  condition: Condition,
  /** Of the pipeline and of the job, as they are written; secret ones are in no row. */
  variables: z.record(z.string(), z.string()),
  timeoutMinutes: z.number(),
  work: z.discriminatedUnion('kind', [ServerWork, AgentWork]),
  /** Records of its tasks: a server job has one, a job on an agent one for each step. */
  taskIds: z.array(z.string()),
  /** `requesting` and `waiting`: server jobs; `running`: jobs on agents, from when they are queued. */
  state: z.enum(['pending', 'requesting', 'waiting', 'running', 'completed']),
  result: z.enum(['succeeded', 'failed', 'canceled', 'skipped']).optional(),
  startedAt: Time.optional(),
  answer: z
    .object({
      status: z.int().optional(),
      requestId: z.string().optional(),
      response: z.string(),
      error: z.string().optional(),
      at: Time.optional(),
    })
    .optional(),
  jobRequestId: z.int().optional(),
});
export type Job = z.infer<typeof Job>;
export type JobResult = NonNullable<Job['result']>;

/** A completion that was posted for a task, and what its sender was told. */
const Completion = z.object({
  at: Time,
  taskId: z.string().optional(),
  result: z.string(),
  accepted: z.boolean(),
  /** Why it was refused. */
  typeKey: z.string().optional(),
  /**
   * Whether the answer went out as it was meant. Not when a fault took its place or the connection closed before;
   * absent when that is not known (yet): the stand-in may have been killed in between.
   */
  delivered: z.boolean().optional(),
});
export type Completion = z.infer<typeof Completion>;

/** One run of a pipeline: its jobs are rows of their own. */
export const Run = z.object({
  runId: z.string(),
  buildId: z.int(),
  name: z.string(),
  attempt: z.int(),
  projectId: z.string(),
  planId: z.string(),
  timelineId: z.string(),
  /** Names of its secret variables, whose values are held in memory only. */
  secretVariables: z.array(z.string()),
  state: z.enum(['running', 'completed']),
  result: Result.optional(),
  createdAt: Time,
  startedAt: Time.optional(),
  finishedAt: Time.optional(),
  completions: z.array(Completion),
});
export type Run = z.infer<typeof Run>;

export const Token = z.object({
  /** `plan`: a job's token, good for its plan alone. `identity`: as Entra gives it, good for the organisation. */
  kind: z.enum(['plan', 'identity']),
  planId: z.string().optional(),
  expiresAt: Time,
});
export type Token = z.infer<typeof Token>;

export const Counter = z.object({ last: z.int() });
