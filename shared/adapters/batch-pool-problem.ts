import type { BatchServiceClient } from '@azure/batch';
import type { AbortSignalLike } from '@azure/ms-rest-js';
import * as z from 'zod';
import { type Failure, shorten } from '../domain/failure.js';

const NamedValues = z.array(z.object({ name: z.string().nullish(), value: z.string().nullish() })).nullish();
const Problem = z.object({ code: z.string().nullish(), message: z.string().nullish(), values: NamedValues });
type Problem = z.infer<typeof Problem>;
export const ResizeErrors = z.array(Problem).nullish();
const Pool = z.object({ state: z.string().nullish(), resizeErrors: ResizeErrors });
const Node = z.object({
  state: z.string().nullish(),
  errors: z.array(Problem).nullish(),
  startTaskInfo: z.object({ failureInfo: Problem.nullish() }).nullish(),
});
type Node = z.infer<typeof Node>;

/** States of a node that will run no task before somebody has mended it. */
const unusableStates: ReadonlySet<string> = new Set(['unusable', 'starttaskfailed', 'offline', 'unknown']);
/** A preempted node is being replaced: it says nothing about the others. */
const goneStates: ReadonlySet<string> = new Set(['preempted', 'leavingpool']);

/**
 * What keeps a pool from running tasks, in two calls whatever its size.
 *
 * @param call options of a call.
 * @throws whatever the client throws; a pool that does not exist is a 404.
 */
export async function findPoolProblem(
  client: BatchServiceClient,
  poolId: string,
  call: () => { abortSignal: AbortSignalLike },
): Promise<Failure | undefined> {
  const pool = Pool.parse(
    await client.pool.get(poolId, { ...call(), poolGetOptions: { select: 'id,state,resizeErrors' } }),
  );
  if (pool.state === 'deleting') return poolDeleting(poolId);
  const problem = resizeProblem(poolId, pool.resizeErrors ?? []);
  if (problem) return problem;
  const page = await client.computeNode.list(poolId, {
    ...call(),
    computeNodeListOptions: { select: 'id,state,errors,startTaskInfo', maxResults: 1_000 },
  });
  return nodesUnusable(poolId, z.array(Node).parse([...page]));
}

export const poolDeleting = (poolId: string): Failure => ({
  code: 'PoolMissing',
  stage: 'nodeAllocation',
  message: `Batch pool ${poolId} is being deleted. Correct the profile's batchPool, or create the pool again.`,
  retryable: false,
});

/** What keeps a pool from growing, if anything does. */
export function resizeProblem(poolId: string, [error]: readonly Problem[]): Failure | undefined {
  if (!error) return undefined;
  const isQuota = /quota/i.test(error.code ?? '');
  return {
    code: isQuota ? 'QuotaReached' : 'PoolResizeFailed',
    stage: 'nodeAllocation',
    message:
      `Batch pool ${poolId} can't get the nodes it needs: ${inWords(error)} ` +
      (isQuota
        ? "Have the Batch account's core quota raised, or make the pool smaller."
        : "Check the pool's virtual network, image and virtual machine size."),
    retryable: true,
  };
}

function nodesUnusable(poolId: string, nodes: readonly Node[]): Failure | undefined {
  const present = nodes.filter(({ state }) => !goneStates.has(state?.toLowerCase() ?? ''));
  const unusable = present.filter(({ state }) => unusableStates.has(state?.toLowerCase() ?? ''));
  if (present.length === 0 || unusable.length < present.length) return undefined;
  const [first] = unusable;
  const why = first?.startTaskInfo?.failureInfo ?? first?.errors?.[0];
  return {
    code: 'NodesUnusable',
    stage: 'nodeAllocation',
    message:
      `No node of Batch pool ${poolId} is usable (of ${present.length}; the first is ${first?.state ?? '?'}).` +
      `${why ? ` ${inWords(why)}` : ''} Check the pool's start task and image, and reboot or remove the nodes.`,
    retryable: true,
  };
}

/** The service's own words, as a sentence. */
function inWords({ code, message, values }: Problem): string {
  const details = (values ?? []).map(({ name, value }) => `${name ?? ''}: ${value ?? ''}`).join('; ');
  const text = shorten(
    [message?.split('\n', 1)[0]?.trim(), details].filter(Boolean).join(' ') || 'no reason given',
    300,
  );
  return `${code ? `${code}: ` : ''}${/[.!?…]$/.test(text) ? text : `${text}.`}`;
}
