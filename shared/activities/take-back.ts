import { TransientError } from '../domain/failure.js';
import type { AgentRequest } from '../domain/request.js';
import type { Dependencies } from './dependencies.js';

/** A killed agent counts as busy until Azure DevOps notices: usually seconds, sometimes minutes. */
const removals = 5;
const removalPauseMs = 1_000;

/**
 * Removes a request's agent: its registration first, so that no job is sent to an agent that is about to go, then its
 * Batch task.
 *
 * @param spareBusy leave everything as it is when a job runs on the agent.
 * @returns `busy` if it was spared.
 * @throws TransientError while the registration can't be removed although the task is gone.
 */
export async function takeBack(
  { registry, compute, clock }: Pick<Dependencies, 'registry' | 'compute' | 'clock'>,
  { requestId, devOpsPool, agentName, batch }: AgentRequest,
  spareBusy = false,
): Promise<'gone' | 'busy'> {
  const remove = async (): Promise<'removed' | 'busy'> =>
    agentName === undefined ? 'removed' : registry.removeAgent(devOpsPool, agentName);
  let registration = await remove();
  if (registration === 'busy' && spareBusy) return 'busy';
  if (batch) await compute.deleteTask(batch);
  for (let tries = 0; registration === 'busy'; tries += 1) {
    if (tries === removals) {
      throw new TransientError(
        'AgentStillBusy',
        'online',
        `Azure DevOps still takes agent ${agentName ?? '?'} of request ${requestId} for busy although its task is gone.`,
      );
    }
    await clock.sleep(removalPauseMs);
    registration = await remove();
  }
  return 'gone';
}
