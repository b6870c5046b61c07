import type { Failure } from './failure.js';
import type { AgentRequest } from './request.js';

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

  retry: (failure: Failure, delayMs: number): string =>
    `This attempt failed: ${failure.message} (${failure.code}). Trying again in ${seconds(delayMs)}.`,

  online: (request: AgentRequest): string =>
    `Agent ${request.agentName ?? '?'} is online in pool ${request.devOpsPool} ` +
    `${seconds(elapsed(request.createdAt, request.onlineAt))} after it was asked for.`,

  failed: (request: AgentRequest, failure: Failure): string =>
    `No agent could be provided for request ${request.requestId}: ${failure.message} (${failure.code})`,

  cancelled: (request: AgentRequest): string => `Agent request ${request.requestId} was cancelled.`,
};

const attemptOf = (request: AgentRequest): number => request.attempt - request.firstAttempt + 1;

const elapsed = (from: string, to: string | undefined): number =>
  to === undefined ? 0 : Date.parse(to) - Date.parse(from);

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
