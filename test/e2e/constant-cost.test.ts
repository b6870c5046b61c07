import { EventEmitter, once } from 'node:events';
import pLimit from 'p-limit';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { watchIdOf } from '../../shared/domain/names.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi } from './support/agents-api.js';
import { instance } from './support/durable.js';
import { callsOf, resetCalls } from './support/stand-ins.js';
import { changeBatchPool, openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;
/** Tells each round of the watch when it is over. */
const watch = new EventEmitter();

const cost = suite('requests that wait');

cost.before(async () => {
  ({ stack, end } = await openWorld({
    settings: { WatchSeconds: '0.5' },
    onEvent: event => {
      if (event.type === 'line' && event.line.includes("Executed 'Functions.watchPool'")) watch.emit('round');
    },
  }));
  api = agentsApi(stack);
  // No node ever comes, so every request stays where it is: starting.
  await changeBatchPool(stack, 'batchLinux', { maxNodes: 0 });
});
cost.after(async () => end());

async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round += 1) await once(watch, 'round');
}

/** All calls that both services got in so many rounds of the watch. */
async function callsIn(count: number): Promise<Readonly<Record<string, Record<string, number>>>> {
  await rounds(1);
  await resetCalls(stack);
  await rounds(count);
  const batch = await callsOf(stack, 'batch');
  // Now and then each pool that somebody waits in is asked how it is, once for all of them.
  for (const route of ['GET /pools/:poolId', 'GET /pools/:poolId/nodes']) {
    assert.ok((batch[route] ?? 0) <= 2, `${route}: ${batch[route] ?? 0} calls`);
    delete batch[route];
  }
  return { batch, devops: await callsOf(stack, 'devops') };
}

async function ask(count: number): Promise<readonly string[]> {
  const limit = pLimit(12);
  const asked = await Promise.all(
    Array.from({ length: count }, () =>
      limit(async () => (await api.ask({ profile: 'ubuntu' })).request.requestId),
    ),
  );
  await waitFor(
    `${count} requests to be starting`,
    async () => {
      const { requests } = await api.list('?state=starting&top=200');
      const starting = new Set(requests.map(({ requestId }) => requestId));
      return asked.every(id => starting.has(id));
    },
    { timeoutMs: 40_000, everyMs: 300 },
  );
  return asked;
}

cost('cost the same calls a round for one as for two hundred, and their histories do not grow', async () => {
  const [first = ''] = await ask(1);
  // It is said to be starting by an activity, whose end is in the history a moment later.
  const early = await waitFor('the first request to wait', async () => {
    const { historyEvents } = await instance(stack, first);
    return historyEvents.some(({ EventType }) => EventType === 'TimerCreated') && historyEvents;
  });
  const callsForOne = await callsIn(5);

  await ask(199);
  const callsForMany = await callsIn(5);
  assert.equal(callsForMany, callsForOne);
  assert.equal(callsForOne, {
    batch: { 'GET /jobs/:jobId/tasks': 5 },
    devops: { 'GET /local/_apis/distributedtask/pools/:poolId/agents': 5 },
  });

  const late = await instance(stack, first);
  assert.is(late.runtimeStatus, 'Running');
  assert.equal(late.historyEvents, early);
  const { historyEvents } = await instance(stack, watchIdOf(pools.ubuntu));
  assert.ok(historyEvents.length <= 4, `the watch's own history has ${historyEvents.length} events`);
  assert.is((await api.list('?state=starting&top=200')).requests.length, 200);
});

cost.run();
