import type { Pools } from '../answers/pools.js';
import type { Config } from '../config.js';
import type { Clock, Compute, LiveRequest, Orchestrations, RequestStore } from '../ports.js';
import { describePools } from './describe-pools.js';
import { inTime } from './in-time.js';
import { kept } from './kept.js';

export interface PoolsDependencies {
  readonly config: Config;
  readonly store: Pick<RequestStore, 'live'>;
  readonly compute: Pick<Compute, 'listTasks' | 'poolViews'>;
  readonly clock: Clock;
}

/** Pages and command lines ask every few seconds, each of them. */
const keptMs = 2_000;
/** Without Batch the answer says less, and comes all the same. */
const patienceMs = 3_000;

/**
 * What waits in each pool, and why: a storage transaction for each thousand live requests, one for each agent pool
 * that has any, and of Batch one list for each job of theirs, one for the nodes of all pools and one for each pool.
 */
export function showPools({
  config,
  store,
  compute,
  clock,
}: PoolsDependencies): (orchestrations: Pick<Orchestrations, 'watch'>) => Promise<Pools> {
  const ask = async <T>(what: () => Promise<T>): Promise<T | undefined> => {
    const answer = await inTime(clock, patienceMs, what);
    return answer.kind === 'done' ? answer.value : undefined;
  };
  return kept(clock, keptMs, async orchestrations => {
    const live = await store.live();
    const placed = live.flatMap(({ batch }) => batch ?? []);
    const starting = live.filter(({ state }) => state === 'starting').flatMap(({ batch }) => batch ?? []);
    const batchPools = distinct([
      ...[...config.profiles.values()].map(({ batchPool }) => batchPool),
      ...placed.map(({ poolId }) => poolId),
    ]);
    const [tasks, views, watchedAt] = await Promise.all([
      ask(async () => compute.listTasks(distinct(starting.map(({ jobId }) => jobId)))),
      ask(async () => compute.poolViews(batchPools)),
      ask(async () => lastWatches(orchestrations, live)),
    ]);
    const seen = { live, tasks, batchPools: views, watchedAt: watchedAt ?? new Map<string, string>() };
    return { at: clock.now().toISOString(), pools: [...describePools(config, seen)] };
  });
}

async function lastWatches(
  orchestrations: Pick<Orchestrations, 'watch'>,
  live: readonly LiveRequest[],
): Promise<ReadonlyMap<string, string>> {
  const pools = distinct(live.map(({ devOpsPool }) => devOpsPool));
  const watches = await Promise.all(pools.map(async pool => orchestrations.watch(pool)));
  return new Map(
    pools.flatMap((pool, index) => {
      const lookedAt = watches[index]?.lookedAt;
      return lookedAt === undefined ? [] : [[pool, lookedAt] as const];
    }),
  );
}

const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)];
