import type { FastifyInstance } from 'fastify';

import { readFormulaOf } from './autoscale.js';
import { durationMs } from './duration.js';
import type { Engine } from './engine.js';
import { nodes, poolNodeCounts, pools } from './entities.js';
import { BatchError } from './errors.js';
import { answer, checkConditions, type NodeRoute, type PoolRoute, pathOf } from './http.js';
import { decode, EnableAutoScale, EvaluateAutoScale } from './model.js';
import { listPage, type Query, single } from './odata-list.js';
import type { NodeRecord, PoolRecord } from './records.js';
import { nodeCountsView, nodeView, poolView } from './views.js';

/** In the service, what a pool that is not told otherwise is evaluated at. */
const defaultEvaluationMs = 900_000;

export function poolRoutes(server: FastifyInstance, engine: Engine): void {
  const viewOf = (pool: PoolRecord): Record<string, unknown> => poolView(pool, engine.url);
  const viewOfNode = (pool: PoolRecord, node: NodeRecord): Record<string, unknown> => {
    const runs = [...engine.store.runs.values()].filter(({ nodeId }) => nodeId === node.id);
    return nodeView(pool, node, runs, engine.url);
  };

  server.get<{ Querystring: Query }>('/pools', async (request, reply) => {
    const items = engine.pools.list().map((pool, order) => ({ order, view: () => viewOf(pool) }));
    return answer(reply, 200, undefined, listPage(pools, items, request.query, engine.url, pathOf(request)));
  });

  server.get<{ Querystring: Query }>('/nodecounts', async (request, reply) => {
    const items = engine.pools.list().map((pool, order) => ({ order, view: () => nodeCountsView(pool) }));
    // The only list of the service with pages of ten.
    const query = { maxresults: '10', ...request.query };
    return answer(reply, 200, undefined, listPage(poolNodeCounts, items, query, engine.url, pathOf(request)));
  });

  server.get<PoolRoute>('/pools/:poolId', async (request, reply) => {
    const pool = engine.pools.get(request.params.poolId);
    return answer(reply, 200, pool, single(pools, viewOf(pool), request.query, engine.url));
  });

  server.head<PoolRoute>('/pools/:poolId', async (request, reply) =>
    answer(reply, 200, engine.pools.get(request.params.poolId)),
  );

  server.post<PoolRoute>('/pools/:poolId/evaluateautoscale', async (request, reply) => {
    const { autoScaleFormula } = decode(EvaluateAutoScale, request.body);
    const pool = engine.pools.get(request.params.poolId);
    if (pool.config.autoScaleFormula === undefined) {
      throw new BatchError('OperationNotValidOnPool', [
        { key: 'Reason', value: 'Automatic scaling is not enabled on the pool.' },
      ]);
    }
    return answer(reply, 200, pool, {
      'odata.metadata': `${engine.url}/$metadata#Microsoft.Azure.Batch.Protocol.Entities.AutoScaleRun`,
      ...(await engine.pools.scaling.tryFormula(autoScaleFormula, pool, Date.now())),
    });
  });

  server.post<PoolRoute>('/pools/:poolId/enableautoscale', async (request, reply) => {
    const { autoScaleFormula, autoScaleEvaluationInterval } = decode(EnableAutoScale, request.body);
    const { config } = engine.pools.get(request.params.poolId);
    const isNew = config.autoScaleFormula === undefined;
    if (autoScaleFormula === undefined && (isNew || autoScaleEvaluationInterval === undefined)) {
      throw new BatchError('MissingRequiredProperty', [{ key: 'PropertyName', value: 'autoScaleFormula' }]);
    }
    if (autoScaleFormula !== undefined) {
      await readFormulaOf(autoScaleFormula);
      await engine.pools.scaling.prepare(autoScaleFormula);
    }
    const pool = engine.pools.get(request.params.poolId);
    checkConditions(request, pool);
    const interval =
      durationMs(autoScaleEvaluationInterval ?? '') ?? (isNew ? defaultEvaluationMs : undefined);
    engine.pools.change(pool, {
      ...(autoScaleFormula !== undefined && { autoScaleFormula }),
      ...(interval !== undefined && { autoScaleEvaluationMs: interval }),
    });
    return answer(reply, 200, engine.pools.get(request.params.poolId));
  });

  server.post<PoolRoute>('/pools/:poolId/disableautoscale', async (request, reply) => {
    const pool = engine.pools.get(request.params.poolId);
    if (pool.config.autoScaleFormula !== undefined)
      engine.pools.change(pool, { autoScaleFormula: undefined });
    return answer(reply, 200, engine.pools.get(request.params.poolId));
  });

  server.get<PoolRoute>('/pools/:poolId/nodes', async (request, reply) => {
    const pool = engine.pools.get(request.params.poolId);
    const items = pool.nodes.map((node, order) => ({ order, view: () => viewOfNode(pool, node) }));
    return answer(reply, 200, undefined, listPage(nodes, items, request.query, engine.url, pathOf(request)));
  });

  server.get<NodeRoute>('/pools/:poolId/nodes/:nodeId', async (request, reply) => {
    const pool = engine.pools.get(request.params.poolId);
    const node = pool.nodes.find(({ id }) => id === request.params.nodeId);
    if (!node) throw new BatchError('NodeNotFound');
    return answer(reply, 200, undefined, single(nodes, viewOfNode(pool, node), request.query, engine.url));
  });
}
