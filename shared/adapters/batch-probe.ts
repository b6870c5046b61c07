import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { BatchProbe } from '../ports/probes.js';
import {
  type BatchClientOptions,
  batchCall,
  batchError,
  isMissing,
  openBatchClient,
} from './batch-client.js';
import { batchFacts } from './batch-errors.js';
import { findPoolProblem } from './batch-pool-problem.js';
import { product } from './product.js';

const columns =
  'id,state,allocationState,virtualMachineConfiguration,taskSlotsPerNode,enableAutoScale,currentDedicatedNodes,' +
  'currentLowPriorityNodes,targetDedicatedNodes,targetLowPriorityNodes';
const Pool = z.object({
  state: z.string().default('?'),
  allocationState: z.string().default('?'),
  virtualMachineConfiguration: z
    .object({ nodeAgentSKUId: z.string().optional(), containerConfiguration: z.unknown().optional() })
    .optional(),
  taskSlotsPerNode: z.number().default(1),
  enableAutoScale: z.boolean().default(false),
  currentDedicatedNodes: z.number().default(0),
  currentLowPriorityNodes: z.number().default(0),
  targetDedicatedNodes: z.number().default(0),
  targetLowPriorityNodes: z.number().default(0),
});

/** Tries of Azure Batch that leave nothing behind. */
export function createBatchProbe(options: BatchClientOptions): BatchProbe {
  const client = openBatchClient(options);

  return {
    signIn: async () => {
      try {
        const answer = await client.pool.list({
          ...batchCall(),
          poolListOptions: { maxResults: 1, select: 'id' },
        });
        // oxlint-disable-next-line no-underscore-dangle -- where the client keeps the headers
        const at = Date.parse(answer._response.headers.get('date') ?? '');
        return { serviceTime: Number.isNaN(at) ? undefined : new Date(at) };
      } catch (error) {
        throw batchError(error, 'createTask', "Azure Batch can't be used");
      }
    },

    pool: async poolId => {
      try {
        const pool = Pool.parse(
          await client.pool.get(poolId, { ...batchCall(), poolGetOptions: { select: columns } }),
        );
        const { virtualMachineConfiguration: machine } = pool;
        const sku = machine?.nodeAgentSKUId;
        return {
          state: pool.state,
          allocationState: pool.allocationState,
          os: sku === undefined ? undefined : /windows/i.test(sku) ? 'windows' : 'linux',
          takesContainers: Boolean(machine?.containerConfiguration),
          slotsPerNode: pool.taskSlotsPerNode,
          scales: pool.enableAutoScale,
          currentNodes: pool.currentDedicatedNodes + pool.currentLowPriorityNodes,
          targetNodes: pool.targetDedicatedNodes + pool.targetLowPriorityNodes,
          problem: await findPoolProblem(client, poolId, batchCall),
        };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw batchError(error, 'nodeAllocation', `Batch pool ${poolId} can't be read`);
      }
    },

    makeJob: async poolId => {
      // No name of an agents' job: no list of ours begins with it. Empty, it ends at once by itself, so that it counts
      // against no quota even if this process dies before it is removed.
      const jobId = `doctor-${randomBytes(6).toString('hex')}`;
      try {
        await client.job.add(
          {
            id: jobId,
            displayName: product.productName,
            poolInfo: { poolId },
            onAllTasksComplete: 'terminatejob',
          },
          batchCall(),
        );
      } catch (error) {
        // It may have been made all the same, and only its answer was lost.
        await client.job.deleteMethod(jobId, batchCall()).catch(() => undefined);
        throw batchError(error, 'createTask', `A job on Batch pool ${poolId} can't be made`);
      }
      try {
        await client.job.deleteMethod(jobId, batchCall());
      } catch (error) {
        const { status, code } = batchFacts(error);
        if (status === 404 || code === 'JobBeingDeleted') return;
        throw batchError(error, 'createTask', `Batch job ${jobId} can't be removed again; delete it by hand`);
      }
    },
  };
}
