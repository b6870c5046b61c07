import { lostAgent } from '../domain/agent-end.js';
import type { AgentEnd } from '../domain/situation.js';
import type { StoredRequest } from '../ports.js';
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
    if (situation.kind === 'nodeLost')
      return settleLostNode(registry, input, situation, await store.get(input.requestId));
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

/** A node that is lost takes a job with it, or has just finished one, or never had one. */
async function settleLostNode(
  registry: Dependencies['registry'],
  { wasOnline }: Activities['settleEnd']['input'],
  situation: Extract<AgentEnd, { kind: 'nodeLost' }>,
  stored: StoredRequest | undefined,
): Promise<Settled> {
  const lost: Settled = { kind: 'lost', failure: lostAgent(situation, wasOnline, undefined) };
  const { agentName, devOpsPool, state } = stored?.request ?? {};
  if (agentName === undefined || devOpsPool === undefined) return lost;
  const result = await registry.jobResult(devOpsPool, agentName);
  // A job that we saw at work and that has failed by now most likely failed because of that.
  if (state === 'busy') return result === undefined || result === 'failed' ? lost : { kind: 'ranJob' };
  const took = result !== undefined || situation.ranJob || (await registry.ranJob(devOpsPool, agentName));
  return took ? { kind: 'ranJob' } : lost;
}

/** What a container prints is not ours: it may show what it was given. */
const hideToken = (text: string | undefined, token: string | undefined): string | undefined =>
  token === undefined ? text : text?.replaceAll(token, '***');
