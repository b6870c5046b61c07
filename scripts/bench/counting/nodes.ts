import * as z from 'zod';
import type { Stack } from '../../local/stack/stack.js';
import { batchPool } from '../world.js';

const Pool = z.object({ nodes: z.array(z.unknown()) });

/** No node comes, and those that idle go: whoever asks for an agent waits. */
export const holdNodes = async (stack: Pick<Stack, 'url'>): Promise<void> =>
  changePool(stack, { maxNodes: 0, bootMs: 0, idleMs: 0 });

/** @param agents that many can run at once. */
export const freeNodes = async (stack: Pick<Stack, 'url'>, agents: number): Promise<void> =>
  changePool(stack, { maxNodes: agents, bootMs: 0, idleMs: 0, taskSlotsPerNode: 1 });

export async function nodeCount(stack: Pick<Stack, 'url'>): Promise<number> {
  const response = await fetch(`${stack.url('batch')}/_local/pools/${batchPool}`);
  return Pool.parse(await response.json()).nodes.length;
}

async function changePool(stack: Pick<Stack, 'url'>, change: object): Promise<void> {
  const response = await fetch(`${stack.url('batch')}/_local/pools/${batchPool}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(change),
  });
  if (!response.ok) throw new Error(`The Batch pool was not changed: ${await response.text()}`);
}
