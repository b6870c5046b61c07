import { changeRequest } from '../change-request.js';
import { waitsForPlace } from '../domain/admission.js';
import { note } from '../domain/lifecycle.js';
import type { AgentRequest } from '../domain/request.js';
import type { AttemptRef, Provisioned } from '../workflow/contract.js';
import type { WithOrchestrations } from './dependencies.js';
import { tellPipeline } from './waiting-pipeline.js';

/**
 * Holds a request back while its profile has as many agents as it may have at once. It stays `accepted`, and the reason
 * is told once, in its history and to a pipeline that waits.
 *
 * @returns undefined if it may begin, or is not to begin at all, which is for the next step to find out.
 */
export async function deferUntilFree(
  dependencies: WithOrchestrations,
  ref: AttemptRef,
): Promise<Extract<Provisioned, { readonly kind: 'deferred' | 'runOver' }> | undefined> {
  const { store, admission, orchestrations, config, clock, log } = dependencies;
  // One that is out of date does no harm: whether it begins is written next, and storage refuses that then.
  const remembered = store.remembered(ref.requestId)?.request;
  const request =
    remembered?.generation === ref.generation ? remembered : (await store.get(ref.requestId))?.request;
  if (request?.generation !== ref.generation) return undefined;
  if (!isToBegin(request)) return undefined;
  const answer = await admission.ask(request);
  if (answer.admitted) return undefined;

  const maxAlive = config.profiles.get(request.profile)?.maxAlive ?? 0;
  const reason = waitsForPlace(request.profile, maxAlive, answer);
  const at = clock.now().toISOString();
  let isFirst = false;
  const deferred = await changeRequest(store, ref, row => {
    isFirst = isToBegin(row) && row.deferredAt === undefined;
    return isFirst ? note({ ...row, deferredAt: at }, at, reason) : undefined;
  });
  if (!deferred || !isToBegin(deferred)) return undefined;
  // Also when it was told before: the watch is what tells it that a place is free.
  await orchestrations.ensureWatch(request.devOpsPool);
  if (isFirst) {
    log.info(`Request ${request.requestId}: ${reason}`, {
      requestId: request.requestId,
      attempt: ref.attempt,
    });
    const heard = await tellPipeline(dependencies, deferred, reason);
    if (typeof heard === 'object') return { kind: 'runOver', reason: heard.planOver };
  }
  return { kind: 'deferred' };
}

const isToBegin = ({ state, cancelRequestedAt }: AgentRequest): boolean =>
  state === 'accepted' && cancelRequestedAt === undefined;
