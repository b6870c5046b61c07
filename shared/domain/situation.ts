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
}

/** A task as Azure Batch lists it. */
export interface TaskView {
  readonly jobId: string;
  readonly taskId: string;
  readonly state: 'active' | 'preparing' | 'running' | 'completed';
  readonly exitCode?: number | undefined;
  readonly failureCode?: string | undefined;
  readonly failureMessage?: string | undefined;
}

/** What the watch needs to know of a live request. */
export type WatchedRequest = Pick<
  AgentRequest,
  'requestId' | 'profile' | 'state' | 'attempt' | 'agentName' | 'batch' | 'cancelRequestedAt'
>;

/** What has changed for a request, told to its orchestration as an event. */
export type Situation =
  | { readonly kind: 'agentOnline'; readonly attempt: number }
  | { readonly kind: 'agentBusy'; readonly attempt: number }
  | { readonly kind: 'agentGone'; readonly attempt: number; readonly ranJob: boolean }
  | {
      readonly kind: 'taskEnded';
      readonly attempt: number;
      readonly ranJob: boolean;
      readonly exitCode?: number | undefined;
      readonly failureCode?: string | undefined;
      readonly failureMessage?: string | undefined;
    }
  /** A place of its profile has become free for a request that waits for one. */
  | { readonly kind: 'admitted'; readonly attempt: number }
  | { readonly kind: 'cancel'; readonly attempt: number };

export interface Observation {
  readonly agent: AgentView | undefined;
  readonly task: TaskView | undefined;
}

/**
 * Compares what is with what the request's row says.
 *
 * The order of the questions matters: a busy agent is never taken for a lost one, and a task that ended wins over
 * a registration that its container left behind.
 *
 * @returns the change that the request's orchestration must hear of, or undefined if there is none.
 */
export function judge(request: WatchedRequest, { agent, task }: Observation): Situation | undefined {
  const { state, attempt } = request;
  if (request.cancelRequestedAt !== undefined) return { kind: 'cancel', attempt };
  if (state !== 'starting' && state !== 'online' && state !== 'busy') return undefined;

  if (task?.state === 'completed') {
    return {
      kind: 'taskEnded',
      attempt,
      ranJob: agent?.ranJob ?? false,
      exitCode: task.exitCode,
      failureCode: task.failureCode,
      failureMessage: task.failureMessage,
    };
  }
  if (!task && !agent?.online) return { kind: 'agentGone', attempt, ranJob: agent?.ranJob ?? false };
  if (agent?.busy && state !== 'busy') return { kind: 'agentBusy', attempt };
  if (agent?.online && state === 'starting') return { kind: 'agentOnline', attempt };
  return undefined;
}
