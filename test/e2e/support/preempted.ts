import * as z from 'zod';
import type { Stack } from '../../../scripts/local/stack/stack.js';

const BatchPool = z.object({ nodes: z.array(z.object({ id: z.string() })) });

/** The nodes of a pool as the cloud has them when it takes Spot nodes away. */
export async function preempted(
  stack: Stack,
  pool: string,
): Promise<readonly { readonly id: string; readonly state: 'preempted' }[]> {
  const shown = await fetch(`${stack.url('batch')}/_local/pools/${pool}`);
  return BatchPool.parse(await shown.json()).nodes.map(({ id }) => ({ id, state: 'preempted' }));
}
