import { lostAgent } from '../domain/agent-end.js';
import type { Activities, Settled } from '../workflow/contract.js';
import type { Dependencies } from './dependencies.js';

/** See {@link Activities}. */
export const settleEnd =
  ({ store, registry, compute, config }: Dependencies) =>
  async (input: Activities['settleEnd']['input']): Promise<Settled> => {
    const { situation, wasOnline } = input;
    if (situation.kind !== 'agentGone' && situation.kind !== 'taskEnded' && situation.kind !== 'nodeLost') {
      throw new Error(`Request ${input.requestId}: ${situation.kind} is not the end of an agent.`);
    }
    if (situation.ranJob) return { kind: 'ranJob' };
    const request = (await store.get(input.requestId))?.request;
    if (!request?.agentName) return { kind: 'lost', failure: lostAgent(situation, wasOnline, undefined) };

    const ranJob = await registry.ranJob(request.devOpsPool, request.agentName);
    // Where the pool's jobs can't be seen: an agent for one job that was online ends well only after its job.
    const probably =
      ranJob === undefined && wasOnline && situation.kind === 'taskEnded' && situation.exitCode === 0;
    if (ranJob || probably) return { kind: 'ranJob' };

    const tail =
      situation.kind === 'taskEnded' && request.batch ? await compute.outputTail(request.batch) : undefined;
    return { kind: 'lost', failure: lostAgent(situation, wasOnline, hideToken(tail, config.devOps.token)) };
  };

/** What a container prints is not ours: it may show what it was given. */
const hideToken = (text: string | undefined, token: string | undefined): string | undefined =>
  token === undefined ? text : text?.replaceAll(token, '***');
