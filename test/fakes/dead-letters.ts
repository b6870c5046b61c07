import { finishRequest } from '../../shared/activities/finish-request.js';
import type { Failure } from '../../shared/domain/failure.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import { haveRequest, type World, waitingPipeline } from './world.js';

export const poolMissing: Failure = {
  code: 'PoolMissing',
  stage: 'nodeAllocation',
  message: 'Batch pool batchLinux is missing.',
  retryable: false,
};

/** A request whose pipeline waited, was told `failed`, and that is a dead letter now. */
export async function haveDeadLetter(
  world: World,
  changes: Partial<AgentRequest> = {},
  failure: Failure = poolMissing,
): Promise<void> {
  const requestId = changes.requestId ?? 'r-1';
  await haveRequest(world, 'starting', { ...waitingPipeline(world, requestId), ...changes });
  const generation = changes.generation ?? 1;
  const outcome = { state: 'deadLettered', detail: failure.code, failure } as const;
  await finishRequest(world)({ requestId, generation, attempt: 1, outcome });
}
