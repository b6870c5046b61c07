import { decideWatch } from '../domain/watch.js';
import type { Activities } from '../workflow/contract.js';
import type { WithOrchestrations } from './dependencies.js';

/** While agents only work or wait for a job, nobody waits for us: a slower pace will do. */
const calmFactor = 3;
const raisesAtOnce = 32;

/**
 * See {@link Activities}. The same number of calls for one waiting request as for a thousand: one list of agents, and
 * one list of tasks for each Batch job that has any (a profile's job of the day).
 */
export const watchPool =
  ({ store, registry, compute, orchestrations, config, log }: WithOrchestrations) =>
  async (input: Activities['watchPool']['input']): Promise<Activities['watchPool']['output']> => {
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
    );
    const told = new Map(Object.entries(decision.told));
    for (let from = 0; from < decision.raise.length; from += raisesAtOnce) {
      await Promise.all(
        decision.raise.slice(from, from + raisesAtOnce).map(async ({ requestId, situation }) => {
          try {
            const heard = await orchestrations.raise(requestId, situation);
            if (!heard)
              log.warn(`Request ${requestId} has no running orchestration to hear of ${situation.kind}.`);
          } catch (error) {
            // The next round tells it again; meanwhile the others must hear of theirs.
            told.delete(requestId);
            log.warn(
              `Request ${requestId} could not be told of ${situation.kind}: ` +
                (error instanceof Error ? error.message : String(error)),
            );
          }
        }),
      );
    }
    const hasty = requests.some(({ state }) => state !== 'online' && state !== 'busy');
    const nextMs = config.watchSeconds * 1_000 * (hasty ? 1 : calmFactor);
    return { alive: requests.length, nextMs, told: Object.fromEntries(told) };
  };
