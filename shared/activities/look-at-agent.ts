import { judge } from '../domain/situation.js';
import type { Activities, Look } from '../workflow/contract.js';
import type { Dependencies } from './dependencies.js';

/** See {@link Activities}. */
export const lookAtAgent =
  ({ store, registry, compute }: Dependencies) =>
  async (input: Activities['lookAtAgent']['input']): Promise<Look> => {
    const request = (await store.get(input.requestId))?.request;
    if (request?.generation !== input.generation || request.attempt !== input.attempt) {
      return { situation: undefined, task: undefined };
    }
    const [agent, task] = await Promise.all([
      request.agentName === undefined ? undefined : registry.getAgent(request.devOpsPool, request.agentName),
      request.batch === undefined ? undefined : compute.getTask(request.batch),
    ]);
    return { situation: judge(request, { agent, task }), task: task?.state };
  };
