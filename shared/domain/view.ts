import type { Failure } from './failure.js';
import { helpUrl } from './failure-guide.js';
import type { AgentRequest, HistoryEntry, RequestState } from './request.js';

/** A request as it is shown to callers, over HTTP and on reply queues. */
export interface ShownRequest {
  readonly requestId: string;
  readonly profile: string;
  readonly state: RequestState;
  readonly attempt: number;
  readonly agentName: string | null;
  readonly devOpsPool: string;
  readonly batch: { readonly poolId: string; readonly jobId: string; readonly taskId: string } | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly onlineAt: string | null;
  readonly endedAt: string | null;
  readonly timings: Timings;
  readonly failure: Failure | null;
  readonly history: readonly HistoryEntry[];
  readonly tags: Readonly<Record<string, string>>;
  readonly links: {
    readonly self: string;
    readonly pipeline: string | null;
    readonly help: string | null;
  };
}

/** Milliseconds spent in each step of the latest attempt; null while the step is not over. */
export interface Timings {
  readonly queuedMs: number | null;
  readonly provisioningMs: number | null;
  readonly startingMs: number | null;
  readonly toOnlineMs: number | null;
}

/**
 * @param baseUrl where callers reach the API, without a trailing slash, e.g. `https://host/api`.
 */
export function show(request: AgentRequest, baseUrl: string): ShownRequest {
  return {
    requestId: request.requestId,
    profile: request.profile,
    state: request.state,
    attempt: request.attempt,
    agentName: request.agentName ?? null,
    devOpsPool: request.devOpsPool,
    batch: request.batch ?? null,
    createdAt: request.createdAt,
    updatedAt: request.updatedAt,
    onlineAt: request.onlineAt ?? null,
    endedAt: request.endedAt ?? null,
    timings: timingsOf(request),
    failure: request.failure ?? null,
    history: request.history,
    tags: request.tags,
    links: {
      self: `${baseUrl}/agents/${request.requestId}`,
      pipeline: request.pipeline ? planLink(request.pipeline) : null,
      help: request.failure ? helpUrl(baseUrl, request.failure.code) : null,
    },
  };
}

/** The plan is all that a server task tells of its run; a run's own page can't be derived from it. */
const planLink = ({ planUrl, projectId, hubName, planId }: NonNullable<AgentRequest['pipeline']>): string =>
  `${planUrl}${projectId}/_apis/distributedtask/hubs/${hubName}/plans/${planId}`;

function timingsOf(request: AgentRequest): Timings {
  const provisioning = timeOf(request, 'provisioning');
  const starting = timeOf(request, 'starting');
  return {
    queuedMs: between(request.createdAt, firstProvisioning(request)),
    provisioningMs: between(provisioning, starting),
    startingMs: between(starting, request.onlineAt),
    toOnlineMs: between(request.createdAt, request.onlineAt),
  };
}

const timeOf = (request: AgentRequest, state: RequestState): string | undefined =>
  request.history.findLast(entry => entry.state === state && entry.attempt === request.attempt)?.at;

const firstProvisioning = (request: AgentRequest): string | undefined =>
  request.history.find(entry => entry.state === 'provisioning' && entry.attempt >= request.firstAttempt)?.at;

function between(from: string | undefined, to: string | undefined): number | null {
  if (from === undefined || to === undefined) return null;
  return Math.max(0, Date.parse(to) - Date.parse(from));
}
