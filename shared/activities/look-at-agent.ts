import type { Failure } from '../domain/failure.js';
import { judge } from '../domain/situation.js';
import type { Activities, Look } from '../workflow/contract.js';
import type { Dependencies } from './dependencies.js';

/** See {@link Activities}. */
export const lookAtAgent =
  (dependencies: Dependencies) =>
  async (input: Activities['lookAtAgent']['input']): Promise<Look> => {
    const { store, registry, compute } = dependencies;
    const request = (await store.get(input.requestId))?.request;
    if (request?.generation !== input.generation || request.attempt !== input.attempt) {
      return { situation: undefined, task: undefined };
    }
    const [agent, task] = await Promise.all([
      request.agentName === undefined ? undefined : registry.getAgent(request.devOpsPool, request.agentName),
      request.batch === undefined ? undefined : compute.getTask(request.batch),
    ]);
    const situation = judge(request, { agent, task });
    const waitsForNode = !situation && request.state === 'starting' && task?.state === 'active';
    const problem = waitsForNode ? await problemOf(dependencies, request.batch?.poolId) : undefined;
    return { situation, task: task?.state, ...(problem ? { problem } : {}) };
  };

/** It only makes a failure's message better: the failure must not wait for it. */
async function problemOf(
  { compute, log }: Pick<Dependencies, 'compute' | 'log'>,
  poolId: string | undefined,
): Promise<Failure | undefined> {
  try {
    return poolId === undefined ? undefined : await compute.poolProblem(poolId);
  } catch (error) {
    log.warn(
      `Batch pool ${poolId ?? '?'} can't be asked: ${error instanceof Error ? error.message : String(error)}`,
      { batchPool: poolId },
    );
    return undefined;
  }
}
