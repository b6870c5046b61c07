import type { BatchServiceClient } from '@azure/batch';
import type { AbortSignalLike } from '@azure/ms-rest-js';
import * as z from 'zod';
import type { Failure } from '../domain/failure.js';
import type { BatchPoolView } from '../ports.js';
import { batchFacts, classifyBatchError } from './batch-errors.js';
import { findPoolProblem, poolDeleting, ResizeErrors, resizeProblem } from './batch-pool-problem.js';

const Count = z
  .number()
  .nullish()
  .transform(count => count ?? 0);
const Pool = z.object({
  state: z.string().nullish(),
  currentDedicatedNodes: Count,
  currentLowPriorityNodes: Count,
  targetDedicatedNodes: Count,
  targetLowPriorityNodes: Count,
  resizeErrors: ResizeErrors,
});
const Counts = z
  .object({
    idle: Count,
    running: Count,
    creating: Count,
    starting: Count,
    rebooting: Count,
    reimaging: Count,
    waitingForStartTask: Count,
    unusable: Count,
    startTaskFailed: Count,
    offline: Count,
    unknown: Count,
  })
  .nullish();
const PoolCounts = z.object({ poolId: z.string(), dedicated: Counts, lowPriority: Counts });
type PoolCounts = z.infer<typeof PoolCounts>;

const columns =
  'id,state,currentDedicatedNodes,currentLowPriorityNodes,targetDedicatedNodes,targetLowPriorityNodes,resizeErrors';
/** As many as the service gives at once. */
const countsAtOnce = 10;

/** @throws whatever the client throws. */
export async function viewPools(
  client: BatchServiceClient,
  poolIds: readonly string[],
  call: () => { abortSignal: AbortSignalLike },
): Promise<readonly BatchPoolView[]> {
  if (poolIds.length === 0) return [];
  const counts = countNodes(client, call);
  // Whichever of them fails first is told; the other must not go unheard.
  const [views] = await Promise.all([
    Promise.all(poolIds.map(async poolId => viewPool(client, poolId, counts, call))),
    counts,
  ]);
  return views;
}

async function countNodes(
  client: BatchServiceClient,
  call: () => { abortSignal: AbortSignalLike },
): Promise<ReadonlyMap<string, PoolCounts>> {
  const found = new Map<string, PoolCounts>();
  let page = await client.account.listPoolNodeCounts({
    ...call(),
    accountListPoolNodeCountsOptions: { maxResults: countsAtOnce },
  });
  for (;;) {
    for (const each of page) {
      const pool = PoolCounts.parse(each);
      found.set(pool.poolId.toLowerCase(), pool);
    }
    if (!page.odatanextLink) return found;
    page = await client.account.listPoolNodeCountsNext(page.odatanextLink, call());
  }
}

async function viewPool(
  client: BatchServiceClient,
  poolId: string,
  counting: Promise<ReadonlyMap<string, PoolCounts>>,
  call: () => { abortSignal: AbortSignalLike },
): Promise<BatchPoolView> {
  let pool: z.infer<typeof Pool>;
  try {
    pool = Pool.parse(await client.pool.get(poolId, { ...call(), poolGetOptions: { select: columns } }));
  } catch (error) {
    if (batchFacts(error).status !== 404) throw error;
    return { poolId, nodes: undefined, problem: poolNotFound(poolId) };
  }
  const { dedicated, lowPriority } = (await counting).get(poolId.toLowerCase()) ?? {};
  const sum = (...names: readonly (keyof NonNullable<typeof dedicated>)[]): number =>
    names.reduce((total, name) => total + (dedicated?.[name] ?? 0) + (lowPriority?.[name] ?? 0), 0);
  const nodes = {
    current: pool.currentDedicatedNodes + pool.currentLowPriorityNodes,
    target: pool.targetDedicatedNodes + pool.targetLowPriorityNodes,
    idle: sum('idle'),
    running: sum('running'),
    starting: sum('creating', 'starting', 'rebooting', 'reimaging', 'waitingForStartTask'),
    unusable: sum('unusable', 'startTaskFailed', 'offline', 'unknown'),
  };
  const { idle, running, starting, unusable } = nodes;
  const problem =
    pool.state === 'deleting' ? poolDeleting(poolId) : resizeProblem(poolId, pool.resizeErrors ?? []);
  // Only the nodes themselves say why they are broken.
  const isBroken = unusable > 0 && idle + running + starting === 0;
  return {
    poolId,
    nodes,
    problem: problem ?? (isBroken ? await findPoolProblem(client, poolId, call) : undefined),
  };
}

function poolNotFound(poolId: string): Failure | undefined {
  const error = { statusCode: 404, code: 'PoolNotFound' };
  const outcome = classifyBatchError(error, 'nodeAllocation', `Batch pool ${poolId} can't be used`);
  return outcome.kind === 'permanent' ? outcome.failure : undefined;
}
