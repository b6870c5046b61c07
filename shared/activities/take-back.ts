import { TransientError } from '../domain/failure.js';
import { batchJobIdOf, dayOf } from '../domain/names.js';
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
  dependencies: Pick<Dependencies, 'registry' | 'compute' | 'clock' | 'config' | 'log'>,
  request: AgentRequest,
  spareBusy = false,
): Promise<'gone' | 'busy'> {
  const { registry, compute, clock } = dependencies;
  const { requestId, devOpsPool, agentName, batch } = request;
  const remove = async (): Promise<'removed' | 'busy'> =>
    agentName === undefined ? 'removed' : registry.removeAgent(devOpsPool, agentName);
  if (!batch) return takeBackUnwritten(dependencies, request, remove);
  let registration = await remove();
  if (registration === 'busy' && spareBusy) return 'busy';
  await compute.deleteTask(batch);
  // An agent that was just starting may have registered meanwhile, and ends now without taking that back.
  if (registration === 'removed' && request.state !== 'busy') registration = await remove();
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

/**
 * An attempt may have broken off after its task's creation and before that could be written down. Where a service is
 * away or does not let us in, nothing was made most likely, and whoever waits must hear of that soon; what was made all
 * the same belongs to nobody, and reconcile removes it.
 */
async function takeBackUnwritten(
  { compute, config, log }: Pick<Dependencies, 'compute' | 'config' | 'log'>,
  { requestId, attempt, profile, createdAt, agentName }: AgentRequest,
  removeRegistration: () => Promise<unknown>,
): Promise<'gone'> {
  if (agentName === undefined) return 'gone';
  const unhindered = async (what: string, remove: () => Promise<unknown>): Promise<void> => {
    try {
      await remove();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.warn(`Request ${requestId}: whether its ${what} ${agentName} was made can't be told: ${why}`, {
        requestId,
        attempt,
      });
    }
  };
  const poolId = config.profiles.get(profile)?.batchPool ?? '';
  const jobId = batchJobIdOf(profile, dayOf(createdAt), 0);
  await unhindered('agent', removeRegistration);
  await unhindered('task', async () => compute.deleteTask({ poolId, jobId, taskId: agentName }));
  return 'gone';
}
