import { admissible } from '../domain/admission.js';
import { pipelineLog } from '../domain/pipeline-log.js';
import type { Situation } from '../domain/situation.js';
import { decideWatch } from '../domain/watch.js';
import type { Activities } from '../workflow/contract.js';
import type { WithOrchestrations } from './dependencies.js';
import { tellPipeline } from './waiting-pipeline.js';

/** While agents only work or wait for a job, nobody waits for us: a slower pace will do. */
const calmFactor = 3;
const atOnce = 32;

/**
 * See {@link Activities}. The same number of calls for one waiting request as for a thousand: one list of agents, and
 * one list of tasks for each Batch job that has any (a profile's job of the day).
 */
export const watchPool =
  (dependencies: WithOrchestrations) =>
  async (input: Activities['watchPool']['input']): Promise<Activities['watchPool']['output']> => {
    const { store, registry, compute, config } = dependencies;
    const { devOpsPool } = input;
    // Before the lists: a task or an agent that is not in them is then really gone.
    const requests = await store.live(devOpsPool);
    const placed = requests.filter(({ batch }) => batch !== undefined);
    const jobIds = [...new Set(placed.map(({ batch }) => batch?.jobId ?? ''))];
    const [agents, tasks] =
      placed.length === 0
        ? [[], []]
        : await Promise.all([registry.listAgents(devOpsPool), compute.listTasks(jobIds)]);

    const decision = decideWatch(
      requests,
      new Map(agents.map(agent => [agent.name.toLowerCase(), agent])),
      new Map(tasks.map(task => [task.taskId.toLowerCase(), task])),
      input.told,
      new Set(
        admissible(requests, profile => config.profiles.get(profile)?.maxAlive)
          .filter(({ deferredAt }) => deferredAt !== undefined)
          .map(({ requestId }) => requestId),
      ),
    );
    const told = new Map(Object.entries(decision.told));
    await inTurns(decision.raise, async ({ requestId, situation }) => {
      // The next round tells what could not be told now.
      if (!(await raise(dependencies, requestId, situation))) told.delete(requestId);
    });
    await inTurns(decision.started, async requestId => tellThatItRuns(dependencies, requestId));

    const hasty = requests.some(({ state }) => state !== 'online' && state !== 'busy');
    const nextMs = config.watchSeconds * 1_000 * (hasty ? 1 : calmFactor);
    return { alive: requests.length, nextMs, told: Object.fromEntries(told) };
  };

/** One request that can't be told its news must not keep the others from theirs. */
async function raise(
  { orchestrations, log }: WithOrchestrations,
  requestId: string,
  situation: Situation,
): Promise<boolean> {
  try {
    const heard = await orchestrations.raise(requestId, situation);
    if (!heard) log.warn(`Request ${requestId} has no running orchestration to hear of ${situation.kind}.`);
    return true;
  } catch (error) {
    log.warn(`Request ${requestId} could not be told of ${situation.kind}: ${messageOf(error)}`);
    return false;
  }
}

async function tellThatItRuns(dependencies: WithOrchestrations, requestId: string): Promise<void> {
  try {
    const request = (await dependencies.store.get(requestId))?.request;
    if (request?.state === 'starting')
      await tellPipeline(dependencies, request, pipelineLog.running(request));
  } catch (error) {
    dependencies.log.warn(
      `Request ${requestId}: its pipeline could not be told that its task runs: ${messageOf(error)}`,
    );
  }
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += atOnce) {
    await Promise.all(items.slice(from, from + atOnce).map(work));
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
