import * as z from 'zod';
import { capabilitiesOf, type Demand } from './demands.js';
import { type Groups, Journal, type Table } from './journal.js';

/** Names of capabilities by whose value agents are kept apart: each costs a little with every agent that comes. */
const maxNamesKeptApart = 16;

/** What the stand-in keeps, row by row. Times are ISO 8601 in UTC. No row ever holds a token: only its SHA-256. */
const Time = z.string();
const Capabilities = z.record(z.string(), z.string());
export const Result = z.enum(['succeeded', 'failed', 'canceled']);
export type Result = z.infer<typeof Result>;

const Pool = z.object({ id: z.int(), name: z.string(), createdOn: Time });
export type Pool = z.infer<typeof Pool>;

const Agent = z.object({
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

const AgentRecord = z.object({
  id: z.int(),
  name: z.string(),
  registeredAt: Time,
  removedAt: Time.optional(),
  sessions: z.array(z.object({ openedAt: Time, endedAt: Time.optional() })),
});
export type AgentRecord = z.infer<typeof AgentRecord>;

const Session = z.object({ id: z.string(), poolId: z.int(), agentId: z.int(), ownerName: z.string() });
export type Session = z.infer<typeof Session>;

const AgentReference = z.object({
  id: z.int(),
  name: z.string(),
  version: z.string(),
  osDescription: z.string(),
});

const JobRequest = z.object({
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

const TimelineRecord = z.object({
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

const TaskLog = z.object({
  planId: z.string(),
  id: z.int(),
  path: z.string(),
  createdOn: Time,
  lastChangedOn: Time,
  lineCount: z.int(),
  parts: z.int(),
});
export type TaskLog = z.infer<typeof TaskLog>;

const LogPart = z.object({ text: z.string() });

const Line = z.object({
  runId: z.string(),
  at: Time,
  text: z.string(),
  /** Of a line that came over the feed of a record with a number: so that a repeated delivery shows once. */
  recordId: z.string().optional(),
  number: z.int().optional(),
});
export type Line = z.infer<typeof Line>;

/** The server job's one call, as it is written in a pipeline. */
const FunctionRequest = z.object({
  function: z.string(),
  key: z.string(),
  method: z.string(),
  queryParameters: z.string(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string(),
  waitForCompletion: z.boolean(),
  timeoutMinutes: z.number(),
});
export type FunctionRequest = z.infer<typeof FunctionRequest>;

const AgentJob = z.object({
  pool: z.string(),
  demands: z.array(z.string()),
  steps: z.array(z.object({ displayName: z.string(), script: z.string() })),
  timeoutMinutes: z.number(),
});
export type AgentJob = z.infer<typeof AgentJob>;

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

const Run = z.object({
  runId: z.string(),
  buildId: z.int(),
  name: z.string(),
  attempt: z.int(),
  request: FunctionRequest,
  job: AgentJob.nullable(),
  projectId: z.string(),
  planId: z.string(),
  timelineId: z.string(),
  /** The server job and its one task. */
  jobId: z.string(),
  taskInstanceId: z.string(),
  /** The job that depends on it, and a record for each of its steps. */
  agentJobId: z.string(),
  stepIds: z.array(z.string()),
  state: z.enum(['queued', 'requesting', 'waiting', 'running', 'completed']),
  result: Result.optional(),
  createdAt: Time,
  startedAt: Time.optional(),
  finishedAt: Time.optional(),
  answer: z
    .object({
      status: z.int().optional(),
      requestId: z.string().optional(),
      response: z.string(),
      error: z.string().optional(),
      at: Time.optional(),
    })
    .optional(),
  completions: z.array(Completion),
  taskResult: Result.optional(),
  jobRequestId: z.int().optional(),
});
export type Run = z.infer<typeof Run>;

const Token = z.object({
  /** `plan`: a job's token, good for its plan alone. `identity`: as Entra gives it, good for the organisation. */
  kind: z.enum(['plan', 'identity']),
  planId: z.string().optional(),
  expiresAt: Time,
});
export type Token = z.infer<typeof Token>;

const Counter = z.object({ last: z.int() });

export class State {
  readonly pools: Table<Pool>;
  readonly agents: Table<Agent>;
  readonly agentRecords: Table<AgentRecord>;
  readonly sessions: Table<Session>;
  readonly jobRequests: Table<JobRequest>;
  readonly runs: Table<Run>;
  readonly records: Table<TimelineRecord>;
  readonly logs: Table<TaskLog>;
  readonly logParts: Table<z.infer<typeof LogPart>>;
  readonly lines: Table<Line>;
  readonly tokens: Table<Token>;
  readonly agentsInPool: Groups<Agent>;
  /** By {@link agentNameIn}: none or one. */
  readonly agentsNamed: Groups<Agent>;
  readonly sessionsOfAgent: Groups<Session>;
  /** By pool: job requests that no agent has yet. */
  readonly waitingRequests: Groups<JobRequest>;
  /** By pool. */
  readonly activeRequests: Groups<JobRequest>;
  readonly endedRequests: Groups<JobRequest>;
  /** By agent: what it was given and is not over. */
  readonly assignedRequests: Groups<JobRequest>;
  /** By agent. */
  readonly completedRequests: Groups<JobRequest>;
  readonly runsOfPlan: Groups<Run>;
  readonly recordsOfRun: Groups<TimelineRecord>;
  readonly #agentsOffering = new Map<string, Groups<Agent>>();
  readonly #counters: Table<z.infer<typeof Counter>>;
  readonly #journal: Journal;

  constructor(dataDir: string) {
    const journal = Journal.open(dataDir);
    this.#journal = journal;
    this.pools = journal.table('pools', Pool);
    this.agents = journal.table('agents', Agent);
    this.agentRecords = journal.table('agentRecords', AgentRecord);
    this.sessions = journal.table('sessions', Session);
    this.jobRequests = journal.table('jobRequests', JobRequest);
    this.runs = journal.table('runs', Run);
    this.records = journal.table('records', TimelineRecord);
    this.logs = journal.table('logs', TaskLog);
    this.logParts = journal.table('logParts', LogPart);
    this.lines = journal.table('lines', Line);
    this.tokens = journal.table('tokens', Token);
    this.#counters = journal.table('counters', Counter);
    this.agentsInPool = this.agents.groupedBy(({ poolId }) => poolId);
    this.agentsNamed = this.agents.groupedBy(({ poolId, name }) => agentNameIn(poolId, name));
    this.sessionsOfAgent = this.sessions.groupedBy(({ agentId }) => agentId);
    this.waitingRequests = this.jobRequests.groupedBy(({ poolId, finishTime, agent }) =>
      finishTime === undefined && !agent ? poolId : undefined,
    );
    this.activeRequests = this.jobRequests.groupedBy(({ poolId, finishTime }) =>
      finishTime === undefined ? poolId : undefined,
    );
    this.endedRequests = this.jobRequests.groupedBy(({ poolId, finishTime }) =>
      finishTime === undefined ? undefined : poolId,
    );
    this.assignedRequests = this.jobRequests.groupedBy(({ finishTime, agent }) =>
      finishTime === undefined ? agent?.id : undefined,
    );
    this.completedRequests = this.jobRequests.groupedBy(({ finishTime, agent }) =>
      finishTime === undefined ? undefined : agent?.id,
    );
    this.runsOfPlan = this.runs.groupedBy(({ planId }) => planId);
    this.recordsOfRun = this.records.groupedBy(({ runId }) => runId);
  }

  /** The next number of a kind, from 1. Numbers are never given twice, not even after a restart. */
  next(counter: string): number {
    return this.#counters.put(counter, { last: (this.#counters.get(counter)?.last ?? 0) + 1 }).last;
  }

  /** Agents of a pool that may meet the demands: looking at all for each of a thousand jobs takes longest of all. */
  agentsFor(poolId: number, demands: readonly Demand[]): readonly Agent[] {
    const telling = demands.find(demand => demand.kind === 'equals');
    if (!telling) return this.agentsInPool(poolId);
    const name = telling.name.toLowerCase();
    let groups = this.#agentsOffering.get(name);
    if (!groups) {
      if (this.#agentsOffering.size >= maxNamesKeptApart) return this.agentsInPool(poolId);
      groups = this.agents.groupedBy(agent => {
        const value = capabilitiesOf(agent).get(name);
        return value === undefined ? undefined : `${agent.poolId}/${value.toLowerCase()}`;
      });
      this.#agentsOffering.set(name, groups);
    }
    return groups(`${poolId}/${telling.value.toLowerCase()}`);
  }

  close(): void {
    this.#journal.close();
  }
}

/** Names are compared in any case. */
export const agentNameIn = (poolId: number, name: string): string => `${poolId}/${name.toLowerCase()}`;

export const now = (): string => new Date().toISOString();
export const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
export const isPast = (time: string): boolean => Date.parse(time) <= Date.now();
