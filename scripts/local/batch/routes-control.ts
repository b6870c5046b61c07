import type { FastifyInstance } from 'fastify';
import * as z from 'zod';

import { FormulaError } from '../autoscale/formula.js';
import { chance } from '../faults/chance.js';
import { BitesQuery } from '../faults/routes.js';
import type { Engine } from './engine.js';
import { idKey, PoolConfig, type PoolRecord } from './records.js';
import { TaskFault } from './task-faults.js';

/**
 * What the cloud does to pools and nobody can ask it for: only this server has it, under `/_local/`.
 *
 *     GET    /_local/pools        every pool with its settings and nodes
 *     GET    /_local/pools/{id}   one of them
 *     PUT    /_local/pools/{id}   change settings (bootMs, maxNodes, idleMs, resizeErrors, …) and nodes, or add the pool
 *     DELETE /_local/pools/{id}   delete the pool; its tasks wait for one of the same name
 *     POST   /_local/pools/{id}/nodes   take away, break or mend nodes by chance:
 *                                 { state: preempted | unusable | idle, count: 1, busy: only those with tasks }
 *     GET    /_local/tasks        what became of each task, the deleted ones too (task-log.ts); ?after=N: those after number N
 *     GET    /_local/task-faults  the rules for tasks in force (task-faults.ts), with what each has `seen` and `bitten`
 *     PUT    /_local/task-faults  replace them; [] ends all misbehaviour
 *     GET    /_local/task-faults/bites   which tasks were met, oldest first; ?after=N: those after number N
 */
export function controlRoutes(server: FastifyInstance, engine: Engine): void {
  server.get('/_local/pools', async () => engine.pools.list().map(shown));

  server.get<{ Params: { id: string } }>('/_local/pools/:id', async (request, reply) => {
    const pool = engine.pools.list().find(({ config }) => idKey(config.id) === idKey(request.params.id));
    return pool ? shown(pool) : reply.code(404).send({ error: `There is no pool ${request.params.id}.` });
  });

  server.put<{ Params: { id: string } }>('/_local/pools/:id', async (request, reply) => {
    const parsed = PoolChange.safeParse(request.body);
    if (!parsed.success) return reply.code(400).send({ error: z.prettifyError(parsed.error) });
    const { nodes, ...settings } = parsed.data;
    const changes = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
    const { id } = request.params;
    const kept = engine.store.pools.get(idKey(id));
    const config = PoolConfig.safeParse({ ...(kept ? kept.config : { id }), ...changes });
    if (!config.success) return reply.code(400).send({ error: z.prettifyError(config.error) });
    const unknown = nodes.find(node => !kept?.nodes.some(known => known.id === node.id));
    if (unknown) return reply.code(404).send({ error: `There is no node ${unknown.id} in pool ${id}.` });
    const problem = await formulaProblem(engine, config.data.autoScaleFormula);
    if (problem !== undefined) return reply.code(400).send({ error: problem });
    const pool = engine.store.pools.get(idKey(id)) ?? engine.pools.add(config.data);
    engine.pools.change(pool, changes);
    for (const node of nodes) engine.pools.setNodeState(engine.pools.get(id), node.id, node.state);
    engine.enqueueForPool(id);
    return shown(engine.pools.get(id));
  });

  let drawn = 0;
  server.post<{ Params: { id: string } }>('/_local/pools/:id/nodes', async (request, reply) => {
    const parsed = NodesChange.safeParse(request.body);
    if (!parsed.success) return reply.code(400).send({ error: z.prettifyError(parsed.error) });
    const { state, count, busy } = parsed.data;
    const pool = engine.pools.list().find(({ config }) => idKey(config.id) === idKey(request.params.id));
    if (!pool) return reply.code(404).send({ error: `There is no pool ${request.params.id}.` });
    drawn += 1;
    // By position: the ids of nodes differ from run to run.
    const chosen = pool.nodes
      .map((node, index) => ({ node, luck: chance(engine.taskFaults.seed, 'node', drawn, index) }))
      .filter(({ node }) => node.state !== state && node.state !== 'preempted')
      .filter(({ node }) => !busy || [...engine.store.runs.values()].some(({ nodeId }) => nodeId === node.id))
      .toSorted((one, other) => one.luck - other.luck)
      .slice(0, count);
    for (const { node } of chosen)
      engine.pools.setNodeState(engine.pools.get(pool.config.id), node.id, state);
    return { nodes: chosen.map(({ node }) => node.id) };
  });

  server.get('/_local/tasks', async (request, reply) => {
    const query = BitesQuery.safeParse(request.query);
    if (!query.success) return reply.code(400).send({ error: z.prettifyError(query.error) });
    return engine.taskLog.after(query.data.after);
  });
  server.get('/_local/task-faults', async () => engine.taskFaults.list());
  server.put('/_local/task-faults', async (request, reply) => {
    const parsed = z.array(TaskFault).safeParse(request.body);
    if (!parsed.success) return reply.code(400).send({ error: z.prettifyError(parsed.error) });
    engine.taskFaults.replace(parsed.data);
    return reply.code(204).send();
  });
  server.get('/_local/task-faults/bites', async (request, reply) => {
    const query = BitesQuery.safeParse(request.query);
    if (!query.success) return reply.code(400).send({ error: z.prettifyError(query.error) });
    return engine.taskFaults.bites(query.data.after);
  });

  server.delete<{ Params: { id: string } }>('/_local/pools/:id', async (request, reply) => {
    const pool = engine.pools.list().find(({ config }) => idKey(config.id) === idKey(request.params.id));
    if (!pool) return reply.code(404).send({ error: `There is no pool ${request.params.id}.` });
    engine.pools.remove(pool);
    return reply.code(204).send();
  });
}

async function formulaProblem(engine: Engine, formula: string | undefined): Promise<string | undefined> {
  try {
    await engine.pools.scaling.prepare(formula);
    return undefined;
  } catch (error) {
    if (error instanceof FormulaError) return error.message;
    throw error;
  }
}

const NodesChange = z.strictObject({
  state: z.enum(['preempted', 'unusable', 'idle']),
  count: z.int().min(1).default(1),
  busy: z.boolean().default(false),
});

const PoolChange = z.strictObject({
  // Without the defaults of a whole configuration: what is not named stays as it is.
  os: z.enum(['linux', 'windows']).optional(),
  vmSize: z.string().optional(),
  taskSlotsPerNode: z.int().min(1).max(256).optional(),
  nodeFillType: z.enum(['spread', 'pack']).optional(),
  maxNodes: z.int().min(0).max(1000).optional(),
  bootMs: z.int().min(0).optional(),
  idleMs: z.int().min(0).optional(),
  lowPriority: z.boolean().optional(),
  autoScaleFormula: z.string().optional(),
  autoScaleEvaluationMs: z.int().min(1_000).optional(),
  sampleMs: z.int().min(10).optional(),
  sampleDelayMs: z.int().min(0).optional(),
  resizeErrors: z.array(z.object({ code: z.string(), message: z.string() })).optional(),
  nodes: z
    .array(z.strictObject({ id: z.string(), state: z.enum(['unusable', 'preempted', 'idle']) }))
    .default([]),
});

const shown = ({ config, nodes }: PoolRecord): Record<string, unknown> => ({ ...config, nodes });
