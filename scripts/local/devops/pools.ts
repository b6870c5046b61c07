import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { poolExists, poolNotFound } from './errors.js';
import type { Pool } from './rows.js';
import { now, type State } from './state.js';
import { decode, list, number } from './wire.js';

const PoolQuery = z.object({ poolName: z.string().optional(), poolIds: z.string().optional() });
const NewPool = z.object({ name: z.string().trim().min(1).max(128) });

export function findPool(state: State, id: unknown): Pool {
  const poolId = decode(number, id, 'The pool id');
  const pool = state.pools.get(poolId);
  if (!pool) throw poolNotFound(poolId);
  return pool;
}

export function poolNamed(state: State, name: string): Pool | undefined {
  return state.pools.all().find(pool => pool.name.toLowerCase() === name.toLowerCase());
}

export function createPool(state: State, name: string): Pool {
  if (poolNamed(state, name)) throw poolExists(name);
  const id = state.next('pool');
  return state.pools.put(id, { id, name, createdOn: now() });
}

export function addPoolRoutes(server: FastifyInstance, state: State): void {
  const view = (pool: Pool) => ({
    id: pool.id,
    name: pool.name,
    size: state.agentsInPool(pool.id).length,
    poolType: 'automation',
    isHosted: false,
    isLegacy: false,
    autoProvision: false,
    autoUpdate: false,
    autoSize: true,
    options: 'none',
    createdOn: pool.createdOn,
  });

  server.get('/pools', async request => {
    const query = decode(PoolQuery, request.query, 'The query');
    const wanted = query.poolName === undefined ? undefined : nameFilter(query.poolName);
    const ids = query.poolIds?.split(',').map(Number);
    const pools = state.pools
      .all()
      .filter(pool => (wanted?.test(pool.name) ?? true) && (ids?.includes(pool.id) ?? true));
    return list(pools.map(view));
  });

  server.get<{ Params: { poolId: string } }>('/pools/:poolId', async request =>
    view(findPool(state, request.params.poolId)),
  );

  server.post('/pools', async request =>
    view(createPool(state, decode(NewPool, request.body, 'The agent pool').name)),
  );
}

/** As the service filters: the whole name in any case, where `*` stands for any run of characters. */
function nameFilter(text: string): RegExp {
  const parts = text.split('*').map(part => part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 'i');
}
