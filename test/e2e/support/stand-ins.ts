import * as z from 'zod';
import type { Stack } from '../../../scripts/local/stack/stack.js';

type StandIn = 'batch' | 'devops';

const Calls = z.record(z.string(), z.number());
const Agents = z.object({
  value: z.array(z.looseObject({ id: z.number(), name: z.string(), status: z.string() })),
});
const Pools = z.object({ value: z.array(z.looseObject({ id: z.number(), name: z.string() })) });

/** Calls that a stand-in got since the last reset, by method and route. */
export async function callsOf(stack: Stack, part: StandIn): Promise<Record<string, number>> {
  return Calls.parse(await (await fetch(`${stack.url(part)}/_local/calls`)).json());
}

export async function resetCalls(stack: Stack): Promise<void> {
  for (const part of ['batch', 'devops'] as const) {
    await fetch(`${stack.url(part)}/_local/calls`, { method: 'DELETE' });
  }
}

/** How often calls whose `METHOD route` ends so were made. */
export const countOf = (calls: Readonly<Record<string, number>>, method: string, routeEnd: string): number =>
  Object.entries(calls)
    .filter(([name]) => name.startsWith(`${method} `) && name.endsWith(routeEnd))
    .reduce((sum, [, count]) => sum + count, 0);

export interface Fault {
  /** What it is told by in the list of rules. */
  readonly name?: string;
  readonly call: string;
  /** Regular expression that the body of the request must match. */
  readonly content?: string;
  readonly when?: 'before' | 'commit' | 'none';
  readonly status?: number;
  readonly delayMs?: number;
  readonly holdMs?: number;
  readonly count?: number;
  readonly after?: number;
  readonly body?: unknown;
}

/** Makes a stand-in misbehave; no faults end all misbehaviour. */
export async function misbehave(stack: Stack, part: StandIn, ...faults: readonly Fault[]): Promise<void> {
  const response = await fetch(`${stack.url(part)}/_local/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(faults),
  });
  if (!response.ok) throw new Error(`The ${part} did not take the faults: ${await response.text()}`);
}

/** Agents that are registered in a pool of Azure DevOps. */
export async function agentsIn(
  stack: Stack,
  poolName: string,
): Promise<readonly { readonly name: string; readonly status: string }[]> {
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(new URL(`_apis/distributedtask/${path}`, stack.settings['AzDOUrl']), {
      headers: { authorization: `Basic ${Buffer.from(`:${stack.pat}`).toString('base64')}` },
    });
    return response.json();
  };
  const pool = Pools.parse(await get('pools')).value.find(({ name }) => name === poolName);
  if (!pool) throw new Error(`There is no agent pool ${poolName}.`);
  return Agents.parse(await get(`pools/${pool.id}/agents`)).value;
}

/** Registers an agent that never connects, as somebody's own machine would be. */
export async function registerAgent(stack: Stack, poolName: string, name: string): Promise<void> {
  const headers = {
    authorization: `Basic ${Buffer.from(`:${stack.pat}`).toString('base64')}`,
    'content-type': 'application/json',
  };
  const root = new URL('_apis/distributedtask/pools', stack.settings['AzDOUrl']);
  const found = Pools.parse(await (await fetch(root, { headers })).json()).value;
  const pool = found.find(each => each.name === poolName);
  if (!pool) throw new Error(`There is no agent pool ${poolName}.`);
  const response = await fetch(`${root.href}/${pool.id}/agents`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name, version: '4.0.0', osDescription: 'Linux', systemCapabilities: {} }),
  });
  if (!response.ok) throw new Error(`Agent ${name} was not registered: ${await response.text()}`);
}
