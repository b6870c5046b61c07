import type { Config } from '../config.js';
import { isOrphan, type Suspect } from '../domain/orphans.js';
import type { AgentRequest } from '../domain/request.js';
import type { AgentView } from '../domain/situation.js';
import type { AgentRegistry, Clock, Compute, Log, RequestStore } from '../ports.js';
import type { ReconcileMemory } from './reconcile-memory.js';
import { unhindered } from './unhindered.js';

export interface SweepDependencies {
  readonly config: Config;
  readonly store: Pick<RequestStore, 'live' | 'get'>;
  readonly compute: Compute;
  readonly registry: Pick<AgentRegistry, 'poolExists' | 'listAgents' | 'removeAgent'>;
  readonly clock: Clock;
  readonly log: Log;
}

const removalsAtMost = 20;
const readsAtMost = 60;
/** Another team's agents are named like ours by chance; they must not cost a read each time. */
const strangerForMs = 60 * 60_000;

/**
 * Removes suspects that an earlier sweep has seen, too, and that are proven to be ours.
 *
 * @param agents all agents by pool, as they were listed.
 */
export async function removeOrphans(
  dependencies: SweepDependencies,
  memory: ReconcileMemory,
  suspects: readonly Suspect[],
  agents: ReadonlyMap<string, readonly AgentView[]>,
): Promise<void> {
  const { log } = dependencies;
  const seenTwice = suspects.filter(suspect => memory.suspects.has(keyOf(suspect)));
  memory.suspects = new Set(suspects.map(keyOf));
  // Tasks first: each takes the registration of its agent with it.
  const sorted = seenTwice.toSorted((one, other) => other.thing.kind.localeCompare(one.thing.kind));
  const rows = rowReader(dependencies, memory);
  const removed = new Set<string>();
  let tried = 0;
  for (const suspect of sorted) {
    if (tried >= removalsAtMost) return;
    if (removed.has(suspect.name)) continue;
    await unhindered(
      log,
      `What is left of agent ${suspect.name} could not be removed`,
      async () => {
        const row = await rows(suspect);
        if (row === 'unknown' || !isOrphan(suspect, row)) return;
        tried += 1;
        if (await remove(dependencies, suspect, row, agents)) removed.add(suspect.name);
      },
      { requestId: suspect.requestId },
    );
  }
}

const keyOf = ({ name, thing }: Suspect): string =>
  thing.kind === 'task' ? `task ${thing.task.jobId} ${name}` : `agent ${thing.devOpsPool} ${name}`;

/** @returns a reader of the row that a suspect's name speaks of; it gives `unknown` once it has read enough. */
function rowReader(
  { store, clock }: SweepDependencies,
  { strangers }: ReconcileMemory,
): (suspect: Suspect) => Promise<AgentRequest | undefined | 'unknown'> {
  const now = clock.now().getTime();
  for (const [requestId, until] of strangers) if (until <= now) strangers.delete(requestId);
  let reads = 0;
  return async ({ requestId, thing }) => {
    // A task with our mark goes when there is no row: that must be so now.
    const isMarked = thing.kind === 'task' && thing.task.madeHere === true;
    if (!isMarked && strangers.has(requestId)) return undefined;
    if (reads >= readsAtMost) return 'unknown';
    reads += 1;
    const row = (await store.get(requestId))?.request;
    if (!row) strangers.set(requestId, now + strangerForMs);
    return row;
  };
}

/**
 * The registration goes first, so that no job is sent to an agent whose container is about to end.
 *
 * @returns false if a job runs on the agent: then everything stays until that is over.
 */
async function remove(
  { compute, registry, log }: SweepDependencies,
  suspect: Suspect,
  row: AgentRequest | undefined,
  agents: ReadonlyMap<string, readonly AgentView[]>,
): Promise<boolean> {
  const { requestId, name, thing } = suspect;
  const pools = [...agents].filter(([, listed]) => listed.some(agent => isNamed(agent, name)));
  if (pools.some(([, listed]) => listed.some(agent => isNamed(agent, name) && agent.busy))) return false;
  // It may have registered after the list was made.
  const late = row && !pools.some(([pool]) => pool === row.devOpsPool) ? [row.devOpsPool] : [];
  for (const pool of thing.kind === 'task' ? [...pools.map(([each]) => each), ...late] : [thing.devOpsPool]) {
    if ((await registry.removeAgent(pool, name)) === 'busy') return false;
  }
  if (thing.kind === 'task') {
    const { jobId, taskId } = thing.task;
    await compute.deleteTask({ poolId: '', jobId, taskId });
    log.warn(`Batch task ${taskId} in job ${jobId} was left over from request ${requestId}; it is removed.`, {
      requestId,
    });
  } else {
    log.warn(
      `Agent ${name} in pool ${thing.devOpsPool} was left over from request ${requestId}; its registration is removed.`,
      { requestId },
    );
  }
  return true;
}

const isNamed = (agent: AgentView, name: string): boolean => agent.name.toLowerCase() === name.toLowerCase();
