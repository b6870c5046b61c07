import type * as z from 'zod';
import { capabilitiesOf, type Demand } from './demands.js';
import { type Groups, Journal, type Table } from './journal.js';
import {
  Agent,
  AgentRecord,
  Counter,
  Job,
  JobRequest,
  Line,
  LogPart,
  Pool,
  Run,
  Session,
  TaskLog,
  TimelineRecord,
  Token,
} from './rows.js';

/** Names of capabilities by whose value agents are kept apart: each costs a little with every agent that comes. */
const maxNamesKeptApart = 16;

export class State {
  readonly pools: Table<Pool>;
  readonly agents: Table<Agent>;
  readonly agentRecords: Table<AgentRecord>;
  readonly sessions: Table<Session>;
  readonly jobRequests: Table<JobRequest>;
  readonly runs: Table<Run>;
  readonly jobs: Table<Job>;
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
  readonly jobsOfRun: Groups<Job>;
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
    // Not `runs`: those are rows of a version whose runs had two jobs and no more. They stay unread.
    this.runs = journal.table('pipelineRuns', Run);
    this.jobs = journal.table('pipelineJobs', Job);
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
    this.jobsOfRun = this.jobs.groupedBy(({ runId }) => runId);
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
