import type { Failure } from './failure.js';
import type { AgentRequest } from './request.js';

/** An agent as Azure DevOps lists it. */
export interface AgentView {
  readonly name: string;
  /** It holds a session. */
  readonly online: boolean;
  /** A job is assigned to it. */
  readonly busy: boolean;
  /** It has finished a job. */
  readonly ranJob: boolean;
  /** ISO 8601, by the clock of Azure DevOps. */
  readonly createdOn?: string | undefined;
}

export const taskStates = ['active', 'preparing', 'running', 'completed'] as const;
export type TaskState = (typeof taskStates)[number];

/** A task as Azure Batch lists it. */
export interface TaskView {
  readonly jobId: string;
  readonly taskId: string;
  readonly state: TaskState;
  readonly previousState?: TaskState | undefined;
  /** When it began to run, the latest time; ISO 8601, by the clock of Batch. */
  readonly startedAt?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly failureCode?: string | undefined;
  readonly failureMessage?: string | undefined;
  /** Whether this installation made it, by its mark; undefined: it bears none. */
  readonly madeHere?: boolean | undefined;
}

/** What the watch needs to know of a live request. */
export type WatchedRequest = Pick<
  AgentRequest,
  | 'requestId'
  | 'profile'
  | 'state'
  | 'attempt'
  | 'agentName'
  | 'batch'
  | 'createdAt'
  | 'onlineAt'
  | 'taskStartedAt'
  | 'cancelRequestedAt'
>;

/** What has changed for a request, told to its orchestration as an event. */
export type Situation =
  /** `startedAt`: when Batch began to run the agent's task, by its own clock. */
  | { readonly kind: 'agentOnline'; readonly attempt: number; readonly startedAt?: string | undefined }
  | { readonly kind: 'agentBusy'; readonly attempt: number; readonly startedAt?: string | undefined }
  | { readonly kind: 'agentGone'; readonly attempt: number; readonly ranJob: boolean }
  | {
      readonly kind: 'taskEnded';
      readonly attempt: number;
      readonly ranJob: boolean;
      readonly exitCode?: number | undefined;
      readonly failureCode?: string | undefined;
      readonly failureMessage?: string | undefined;
    }
  /** The node went away under the task, e.g. a Spot node that was preempted; Batch is about to run the task again. */
  | { readonly kind: 'nodeLost'; readonly attempt: number; readonly ranJob: boolean }
  /** The Batch pool is not there (any more): nothing of it will ever run. */
  | { readonly kind: 'poolMissing'; readonly attempt: number; readonly failure: Failure }
  /** The pipeline run that waits is over. */
  | { readonly kind: 'runOver'; readonly attempt: number; readonly reason: string }
  /** A place of its profile has become free for a request that waits for one. */
  | { readonly kind: 'admitted'; readonly attempt: number }
  | { readonly kind: 'cancel'; readonly attempt: number };

/** The ways in which an agent ends. */
export type AgentEnd = Extract<Situation, { kind: 'agentGone' | 'taskEnded' | 'nodeLost' }>;

export interface Observation {
  readonly agent: AgentView | undefined;
  readonly task: TaskView | undefined;
  /** An earlier look took the node for lost as well. */
  readonly wasSuspect?: boolean;
}

/** Our clock and that of Batch need not agree; only where nothing better is known are they compared. */
const clockSkewMs = 60_000;

/**
 * Whether the node went away under a task. Batch runs such a task again by itself and counts that nowhere.
 *
 * `perhaps`: the task waits or is being prepared although its agent has been online. A list may be a moment older than
 * what we know, so one such look is not enough to give an agent up.
 *
 * @param hasRun the task was seen running before.
 */
export function lostNode(
  request: Pick<WatchedRequest, 'state' | 'onlineAt' | 'taskStartedAt'>,
  task: TaskView | undefined,
  hasRun: boolean,
): 'yes' | 'perhaps' | 'no' {
  const wasOnline = request.state === 'online' || request.state === 'busy';
  if (!task) return 'no';
  if (task.state === 'running' || task.state === 'completed') {
    const { onlineAt, taskStartedAt } = request;
    if (!wasOnline || task.startedAt === undefined || onlineAt === undefined) return 'no';
    const startedAt = Date.parse(task.startedAt);
    const isAnotherRun =
      taskStartedAt === undefined
        ? startedAt > Date.parse(onlineAt) + clockSkewMs
        : startedAt > Date.parse(taskStartedAt);
    return isAnotherRun ? 'yes' : 'no';
  }
  if (task.previousState === 'running') return 'yes';
  return wasOnline || hasRun ? 'perhaps' : 'no';
}

/**
 * Compares what is with what the request's row says.
 *
 * The order of the questions matters: a busy agent is never taken for a lost one, and a task that ended wins over
 * a registration that its container left behind.
 *
 * @returns the change that the request's orchestration must hear of, or undefined if there is none.
 */
export function judge(
  request: WatchedRequest,
  { agent, task, wasSuspect = false }: Observation,
): Situation | undefined {
  const { state, attempt } = request;
  if (request.cancelRequestedAt !== undefined) return { kind: 'cancel', attempt };
  if (state !== 'starting' && state !== 'online' && state !== 'busy') return undefined;

  const ranJob = agent?.ranJob ?? false;
  const lost = lostNode(request, task, wasSuspect);
  // A second run that is over already: what ended is not the agent that we know.
  if (task?.state === 'completed' && lost !== 'yes') {
    return {
      kind: 'taskEnded',
      attempt,
      ranJob,
      exitCode: task.exitCode,
      failureCode: task.failureCode,
      failureMessage: task.failureMessage,
    };
  }
  if (lost === 'yes' || (lost === 'perhaps' && wasSuspect)) return { kind: 'nodeLost', attempt, ranJob };
  if (!task && !agent?.online) return { kind: 'agentGone', attempt, ranJob };
  const startedAt = task?.state === 'running' ? task.startedAt : undefined;
  const news = { attempt, ...(startedAt === undefined ? {} : { startedAt }) };
  if (agent?.busy && state !== 'busy') return { kind: 'agentBusy', ...news };
  if (agent?.online && state === 'starting') return { kind: 'agentOnline', ...news };
  return undefined;
}
