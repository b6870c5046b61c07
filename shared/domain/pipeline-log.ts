import type { Failure } from './failure.js';
import type { AgentRequest } from './request.js';
import type { TaskState } from './situation.js';

/** What the author of a waiting pipeline reads in the log of the run; one function a line. */
export const pipelineLog = {
  provisioning: (request: AgentRequest, attempts: number): string =>
    `Agent request ${request.requestId}: attempt ${attemptOf(request)} of ${attempts}, ` +
    `profile ${request.profile}, agent pool ${request.devOpsPool}.`,

  starting: (request: AgentRequest): string =>
    `Agent ${request.agentName ?? '?'} is queued as a Batch task in pool ${request.batch?.poolId ?? '?'}; ` +
    'waiting for a node, its container and its registration.',

  running: (request: AgentRequest): string =>
    `A node runs the container of agent ${request.agentName ?? '?'}; waiting for its registration.`,

  /** @param now milliseconds since the epoch. */
  waiting: (request: AgentRequest, { task, ahead, problem }: Waiting, now: number): string =>
    `${waitsFor(request, task)}, ${seconds(now - Date.parse(request.createdAt))} so far.` +
    (task === 'active' && ahead > 0 ? ` Agents before it in the Batch pool: ${ahead}.` : '') +
    (problem && task !== 'running' ? ` ${problem.message} (${problem.code})` : ''),

  retry: (failure: Failure, delayMs: number): string =>
    `This attempt failed: ${failure.message} (${failure.code}). Trying again in ${seconds(delayMs)}.`,

  heldUp: (failure: Failure): string =>
    `${failure.message} (${failure.code}) It is tried again now and then.`,

  online: (request: AgentRequest): string =>
    `Agent ${request.agentName ?? '?'} is online in pool ${request.devOpsPool} ` +
    `${seconds(elapsed(request.createdAt, request.onlineAt))} after it was asked for.`,

  failed: (request: AgentRequest, failure: Failure): string =>
    `No agent could be provided for request ${request.requestId}: ${failure.message} (${failure.code})`,

  cancelled: (request: AgentRequest): string => `Agent request ${request.requestId} was cancelled.`,
};

/** How far a request has come that a pipeline waits for. */
export interface Waiting {
  readonly task: TaskState | undefined;
  /** Tasks of the same Batch pool that were asked for earlier and wait for a node, too. */
  readonly ahead: number;
  /** What keeps the Batch pool from running it. */
  readonly problem: Failure | undefined;
}

function waitsFor(request: AgentRequest, task: TaskState | undefined): string {
  const agent = `Agent ${request.agentName ?? '?'}`;
  if (request.state === 'accepted') return `Agent request ${request.requestId} still waits for its turn`;
  if (request.state === 'provisioning') return `${agent} still waits to be made`;
  if (task === 'running') return `${agent} has its container; still waiting for its registration`;
  if (task === 'preparing') return `${agent} has its node; still waiting for its container`;
  return `${agent} still waits for a node of Batch pool ${request.batch?.poolId ?? '?'}`;
}

const attemptOf = (request: AgentRequest): number => request.attempt - request.firstAttempt + 1;

const elapsed = (from: string, to: string | undefined): number =>
  to === undefined ? 0 : Date.parse(to) - Date.parse(from);

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
