import { admissible } from '../domain/admission.js';
import type { Failure } from '../domain/failure.js';
import type { Situation } from '../domain/situation.js';
import { decideWatch } from '../domain/watch.js';
import { inBatches } from '../in-batches.js';
import type { Activities, WatchMemory } from '../workflow/contract.js';
import { askBatchPools } from './ask-batch-pools.js';
import type { WithOrchestrations } from './dependencies.js';
import { longestRoundMs, somebodyWaits, tellProgress } from './tell-progress.js';
import { tellStarted } from './tell-started.js';

/** While agents only work or wait for a job, nobody waits for us: a slower pace will do. */
const calmFactor = 3;
const atOnce = 32;

/**
 * See {@link Activities}. The same number of calls for one waiting request as for a thousand: one list of agents, and
 * one list of tasks for each Batch job that has any (a profile's job of the day), and now and then a question to each
 * Batch pool that somebody waits in.
 */
export const watchPool =
  (dependencies: WithOrchestrations) =>
  async (input: Activities['watchPool']['input']): Promise<Activities['watchPool']['output']> => {
    const { store, registry, compute, config, clock } = dependencies;
    const { devOpsPool, memory } = input;
    const lookedAt = clock.now().getTime();
    // Before the lists: a task or an agent that is not in them is then really gone.
    const requests = await store.live(devOpsPool);
    const placed = requests.filter(({ batch }) => batch !== undefined);
    const jobIds = [...new Set(placed.map(({ batch }) => batch?.jobId ?? ''))];
    const [agents, listed] =
      placed.length === 0
        ? [[], []]
        : await Promise.all([registry.listAgents(devOpsPool), compute.listTasks(jobIds)]);
    const batchPools = await askBatchPools(dependencies, requests, memory?.batchPools);

    const tasks = new Map(listed.map(task => [task.taskId.toLowerCase(), task]));
    const decision = decideWatch(
      requests,
      new Map(agents.map(agent => [agent.name.toLowerCase(), agent])),
      tasks,
      input.told,
      missingPools(batchPools),
      new Set(
        admissible(requests, profile => config.profiles.get(profile)?.maxAlive)
          .filter(({ deferredAt }) => deferredAt !== undefined)
          .map(({ requestId }) => requestId),
      ),
    );
    const told = new Map(Object.entries(decision.told));
    await inBatches(decision.raise, atOnce, async ({ requestId, situation }) => {
      // The next round tells what could not be told now.
      if (!(await raise(dependencies, requestId, situation))) told.delete(requestId);
    });
    const started = new Map(decision.started.map(({ requestId, task }) => [requestId, task]));
    const news = await tellStarted(dependencies, requests, started);
    const progress = await tellProgress(dependencies, {
      requests,
      toldNow: started,
      tasks,
      batchPools,
      since: memory?.lookedAt,
    });
    await inBatches([...news, ...progress], atOnce, async ({ requestId, situation }) => {
      await raise(dependencies, requestId, situation);
    });

    const hasty = requests.some(({ state }) => state !== 'online' && state !== 'busy');
    const paceMs = config.watchSeconds * 1_000 * (hasty ? 1 : calmFactor);
    const nextMs = somebodyWaits(requests) ? Math.min(paceMs, longestRoundMs) : paceMs;
    return {
      alive: requests.length,
      nextMs,
      ...(hasty ? {} : { calm: true }),
      told: Object.fromEntries(told),
      memory: { lookedAt, batchPools },
    };
  };

const missingPools = (batchPools: WatchMemory['batchPools']): ReadonlyMap<string, Failure> =>
  new Map(
    Object.entries(batchPools).flatMap(([poolId, { problem }]) =>
      problem?.code === 'PoolMissing' ? [[poolId, problem] as const] : [],
    ),
  );

/** One request that can't be told its news must not keep the others from theirs. */
async function raise(
  { orchestrations, log }: WithOrchestrations,
  requestId: string,
  situation: Situation,
): Promise<boolean> {
  const about = { requestId, attempt: situation.attempt };
  try {
    const heard = await orchestrations.raise(requestId, situation);
    if (!heard)
      log.warn(`Request ${requestId} has no running orchestration to hear of ${situation.kind}.`, about);
    return true;
  } catch (error) {
    log.warn(`Request ${requestId} could not be told of ${situation.kind}: ${messageOf(error)}`, about);
    return false;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
