import type { Config } from '../config.js';
import { TransientError } from '../domain/failure.js';
import { type AgentRequest, isEnded } from '../domain/request.js';
import type { Clock, Orchestrations, RequestStore, StoredRequest } from '../ports.js';
import { decodeLifecycleInput, type LifecycleInput } from '../workflow/contract.js';

export interface BeginDependencies {
  readonly config: Config;
  readonly store: RequestStore;
  readonly orchestrations: Orchestrations;
  readonly clock: Clock;
}

/** Whoever claimed a start and did not make it within this time has died over it. */
const claimMs = 15_000;

/**
 * Starts the orchestration of a live request, once: starting the same instance twice at the same moment is not safe,
 * so the start is claimed in the request's row first.
 *
 * @param traceparent the step of the request's trace that everything to come belongs under.
 * @returns what was found: `started` now, `running` already, `ended`, or `claimed` by another delivery just now.
 * @throws TransientError when the orchestration of the request's earlier generation is still closing.
 */
export async function beginLifecycle(
  dependencies: BeginDependencies,
  stored: StoredRequest,
  traceparent?: string,
): Promise<'started' | 'running' | 'ended' | 'claimed'> {
  const { config, store, orchestrations, clock } = dependencies;
  const { request } = stored;
  if (isEnded(request.state)) return 'ended';
  const now = clock.now();
  if (request.startClaimedAt !== undefined || request.generation > 1) {
    const running = await orchestrations.runningLifecycle(request.requestId);
    if (running) {
      if (decodeLifecycleInput(running.input).generation === request.generation) return 'running';
      throw new TransientError(
        'EarlierGenerationRuns',
        'intake',
        `Request ${request.requestId}: its earlier generation has not closed yet.`,
      );
    }
    if (
      request.startClaimedAt !== undefined &&
      now.getTime() - Date.parse(request.startClaimedAt) < claimMs
    ) {
      return 'claimed';
    }
  }
  const begun: AgentRequest = {
    ...request,
    startClaimedAt: now.toISOString(),
    traceparent: traceparent ?? request.traceparent,
  };
  const claimed = await store.replace(stored, begun);
  if (claimed === 'changed') {
    // By a claim, or by something that has nothing to do with it, such as the wish to cancel.
    const again = await store.get(request.requestId);
    return again ? beginLifecycle(dependencies, again, traceparent) : 'ended';
  }
  await orchestrations.startLifecycle(request.requestId, lifecycleInput(config, begun));
  return 'started';
}

function lifecycleInput(config: Config, request: AgentRequest): LifecycleInput {
  const profile = config.profiles.get(request.profile);
  return {
    requestId: request.requestId,
    generation: request.generation,
    firstAttempt: request.firstAttempt,
    attempt: Math.max(request.attempt, request.firstAttempt),
    attempts: profile?.attempts ?? 1,
    timeoutMs: request.timeoutMinutes * 60_000,
    idleMs: (profile?.idleMinutes ?? 1) * 60_000,
    // One that was redriven knows what its pipeline acknowledged; that pipeline waits no more.
    callback: request.callback !== undefined && request.callback.acknowledgedAt === undefined,
    ...(request.traceparent === undefined ? {} : { traceparent: request.traceparent }),
  };
}
