import * as z from 'zod';
import { TransientError } from '../domain/failure.js';
import { type Answer, type DevOpsRest, decode } from './devops-rest.js';

export const Pools = z.object({
  value: z.array(z.object({ id: z.number(), name: z.string(), poolType: z.string().optional() })),
});

/** Agent pools by name. */
export interface AgentPools {
  /** @returns its id. */
  readonly find: (name: string) => Promise<number | undefined>;
  /**
   * Calls something of a pool; a pool that was deleted and made again has another id than the one we know.
   *
   * @returns undefined if there is no such pool.
   */
  readonly inPool: (name: string, send: (poolId: number) => Promise<Answer>) => Promise<Answer | undefined>;
}

export function createAgentPools({ get }: DevOpsRest): AgentPools {
  const poolIds = new Map<string, number>();

  async function find(name: string): Promise<number | undefined> {
    const cached = poolIds.get(name);
    if (cached !== undefined) return cached;
    const what = `Agent pool ${name} can't be looked up`;
    const answer = await get(what, `?poolName=${encodeURIComponent(name)}`);
    // The service's filter also finds names that only begin alike.
    const pool = decode(Pools, answer, what).value.find(
      each => sameName(each.name, name) && each.poolType !== 'deployment',
    );
    if (pool) poolIds.set(name, pool.id);
    return pool?.id;
  }

  async function inPool(
    name: string,
    send: (poolId: number) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    for (const isLast of [false, true]) {
      const wasCached = poolIds.has(name);
      const poolId = await find(name);
      if (poolId === undefined) return undefined;
      const answer = await send(poolId);
      if (answer.status !== 404) return answer;
      poolIds.delete(name);
      if (isLast || !wasCached) return undefined;
    }
    return undefined;
  }

  return { find, inPool };
}

export const poolMissing = (devOpsPool: string): TransientError =>
  new TransientError(
    'AgentPoolMissing',
    'registration',
    `Azure DevOps has no agent pool named ${devOpsPool} that we may see. Create it, or correct the profile's devOpsPool.`,
  );

export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
