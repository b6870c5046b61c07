import type { LiveRequest } from '../ports.js';
import type { WatchMemory } from '../workflow/contract.js';
import type { Dependencies } from './dependencies.js';

type BatchPools = WatchMemory['batchPools'];

/** A pool's state changes over minutes; a quick watch, as in a demo, asks more often. */
const askEveryMs = 30_000;
const askEveryRounds = 6;

/**
 * Asks each Batch pool that requests wait in how it is: a few calls a pool and half a minute, however many wait.
 *
 * @param before what was answered in earlier rounds.
 */
export async function askBatchPools(
  { compute, clock, config, log }: Pick<Dependencies, 'compute' | 'clock' | 'config' | 'log'>,
  requests: readonly LiveRequest[],
  before: BatchPools = {},
): Promise<BatchPools> {
  const starting = requests.filter(({ state }) => state === 'starting');
  const poolIds = [...new Set(starting.flatMap(({ batch }) => batch?.poolId ?? []))];
  const now = clock.now().getTime();
  const everyMs = Math.min(askEveryMs, askEveryRounds * config.watchSeconds * 1_000);
  const asked = poolIds.map(async (poolId): Promise<[string, BatchPools[string]]> => {
    const known = before[poolId];
    // First asked about half a minute after the first request began to wait: most agents are online by then.
    if (!known) return [poolId, { askedAt: now }];
    if (now - known.askedAt < everyMs) return [poolId, known];
    try {
      const problem = await compute.poolProblem(poolId);
      if (problem) log.warn(`${problem.code}: ${problem.message}`, { code: problem.code, batchPool: poolId });
      return [poolId, { askedAt: now, ...(problem ? { problem } : {}) }];
    } catch (error) {
      // Batch is away, which says nothing about the pool.
      const why = error instanceof Error ? error.message : String(error);
      log.warn(`Batch pool ${poolId} can't be asked: ${why}`, { batchPool: poolId });
      return [poolId, { ...known, askedAt: now }];
    }
  });
  return Object.fromEntries(await Promise.all(asked));
}
