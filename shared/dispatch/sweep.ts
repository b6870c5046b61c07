import { decideJobs, isOurJob } from '../domain/daily-jobs.js';
import { findSuspects } from '../domain/orphans.js';
import type { AgentView } from '../domain/situation.js';
import type { ReconcileMemory } from './reconcile-memory.js';
import { removeOrphans, type SweepDependencies } from './remove-orphans.js';
import { unhindered } from './unhindered.js';

const jobsAtMost = 20;

/**
 * Removes what requests have left behind in Azure Batch and Azure DevOps.
 *
 * The same calls for one request as for ten thousand: the jobs, the tasks of each job of ours that has not ended, the
 * agents of each pool. The requests are read last, so that whatever was listed and has no owner among them has lost
 * it for good.
 *
 * @throws if any list can't be had: nothing is judged by half of what there is.
 */
export async function sweep(dependencies: SweepDependencies, memory: ReconcileMemory): Promise<void> {
  const { config, store, compute, clock, log } = dependencies;
  const profiles = new Set(config.profiles.keys());
  const [allJobs, agents] = await Promise.all([compute.listJobs(), listAgents(dependencies)]);
  const jobs = allJobs.filter(job => isOurJob(job, profiles));
  const tasks = await compute.listTasks(
    jobs.filter(({ state }) => state !== 'ended').map(({ jobId }) => jobId),
  );
  const live = await store.live();

  await unhindered(log, 'What requests have left behind could not be removed', async () =>
    removeOrphans(dependencies, memory, findSuspects(tasks, agents, live), agents),
  );
  const { end, remove } = decideJobs(jobs, tasks, live, clock.now());
  for (const jobId of end.slice(0, jobsAtMost)) {
    await unhindered(log, `Batch job ${jobId}`, async () => {
      await compute.endJob(jobId);
      log.info(`Batch job ${jobId} has ended: its day is over and its work done.`);
    });
  }
  for (const jobId of remove.slice(0, jobsAtMost)) {
    await unhindered(log, `Batch job ${jobId}`, async () => {
      await compute.deleteJob(jobId);
      log.info(`Batch job ${jobId} is deleted: it ended days ago.`);
    });
  }
}

/** A pool that is missing has no agents; that it is missing must not stop the sweep of the others. */
async function listAgents({
  config,
  registry,
}: SweepDependencies): Promise<ReadonlyMap<string, readonly AgentView[]>> {
  const pools = [...new Set([...config.profiles.values()].map(({ devOpsPool }) => devOpsPool))];
  const lists = await Promise.all(
    pools.map(async pool => ((await registry.poolExists(pool)) ? await registry.listAgents(pool) : [])),
  );
  return new Map(pools.map((pool, index) => [pool, lists[index] ?? []]));
}
