import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lookAtAgent } from '../../shared/activities/look-at-agent.js';
import { settleEnd } from '../../shared/activities/settle-end.js';
import { watchPool } from '../../shared/activities/watch-pool.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import type { Situation } from '../../shared/domain/situation.js';
import type { Told } from '../../shared/domain/watch.js';
import type { Activities, Settled } from '../../shared/workflow/contract.js';
import {
  agentsToken,
  createWorld,
  haveRequest,
  linuxPool,
  type World,
  waitingPipeline,
  windowsPool,
} from '../fakes/world.js';

const ref = { requestId: 'r-1', generation: 1, attempt: 1 } as const;

const watch = suite('watchPool');

const look = (world: World, told: Told = {}): Promise<Activities['watchPool']['output']> =>
  watchPool(world)({ devOpsPool: linuxPool, told });

async function many(world: World, count: number, changes: Partial<AgentRequest> = {}): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const requestId = `r-${index}`;
    await haveRequest(world, 'starting', { requestId, ...changes });
    world.orchestrations.running.set(requestId, {});
  }
}

const callsOut = (world: World): readonly string[] =>
  [...world.registry.calls, ...world.compute.calls]
    .map(({ method }) => method)
    .filter(method => method !== 'createTask');

watch('costs the same calls for one waiting request as for a thousand', async () => {
  for (const count of [1, 1_000]) {
    const world = createWorld();
    await many(world, count);
    // The first look finds that the tasks have got their nodes, which is told once; then there is only waiting.
    const { told } = await look(world);
    const rowsRead = world.store.callsOf('get').length;
    const seen = await look(world, told);
    assert.is(seen.alive, count);
    assert.equal(callsOut(world).toSorted(), ['listAgents', 'listAgents', 'listTasks', 'listTasks']);
    assert.is(world.store.callsOf('live').length, 2);
    assert.is(world.store.callsOf('get').length, rowsRead);
  }
});

watch('tells a pipeline that waits once that a node runs its container', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', { ...waitingPipeline(world) });
  const { told } = await look(world);
  await look(world, told);
  const lines = world.pipeline.callsOf('tell').map(call => JSON.stringify(call));
  assert.is(lines.filter(line => line.includes('A node runs the container of agent')).length, 1);
});

watch('asks nothing of anybody while there is nothing to see', async () => {
  const world = createWorld();
  const memory = { lookedAt: world.clock.now().getTime(), batchPools: {} };
  assert.equal(await look(world), { alive: 0, nextMs: 5_000 * 3, told: {}, memory });
  await haveRequest(world, 'accepted', { requestId: 'a' });
  await haveRequest(world, 'busy', { requestId: 'w', devOpsPool: windowsPool });
  assert.equal(await look(world), { alive: 1, nextMs: 5_000, told: {}, memory });
  assert.equal(callsOut(world), []);
});

watch('tells each of many requests its own news, once', async () => {
  const world = createWorld();
  await many(world, 100);
  for (let index = 0; index < 100; index += 2)
    world.registry.put(linuxPool, `R-${index}-1`, { online: true });
  const first = await look(world);
  assert.is(world.orchestrations.raised.length, 50);
  assert.ok(world.orchestrations.raised.every(({ situation }) => situation.kind === 'agentOnline'));
  assert.is(new Set(world.orchestrations.raised.map(({ requestId }) => requestId)).size, 50);
  await look(world, first.told);
  assert.is(world.orchestrations.raised.length, 50, 'the same news was told twice');
});

watch('repeats news that had no effect for some rounds: an event may get lost', async () => {
  const world = createWorld();
  await many(world, 1);
  world.registry.put(linuxPool, 'r-0-1', { online: true });
  let { told } = await look(world);
  let rounds = 0;
  while (world.orchestrations.raised.length < 2 && rounds < 20) {
    ({ told } = await look(world, told));
    rounds += 1;
  }
  assert.is(rounds, 7);
});

watch(
  'one request that can not be told does not keep the others from hearing, and is told next time',
  async () => {
    const world = createWorld();
    await many(world, 40);
    for (let index = 0; index < 40; index += 1)
      world.registry.put(linuxPool, `r-${index}-1`, { online: true });
    world.orchestrations.failNext('raise', new Error('Its history is broken.'));
    const first = await look(world);
    assert.is(world.orchestrations.raised.length, 39);
    assert.match(world.log.lines.join('\n'), /could not be told of agentOnline: Its history is broken/);
    await look(world, first.told);
    assert.is(new Set(world.orchestrations.raised.map(({ requestId }) => requestId)).size, 40);
    assert.is(world.orchestrations.raised.length, 40);
  },
);

watch('says that a request has no orchestration, for reconcile to help', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting');
  world.registry.put(linuxPool, 'r-1-1', { online: true });
  await look(world);
  assert.match(world.log.lines.join('\n'), /r-1 has no running orchestration to hear of agentOnline/);
});

watch('tells of a cancellation, a lost task and an end', async () => {
  const world = createWorld();
  await many(world, 1, { cancelRequestedAt: '2026-01-31T10:00:00.000Z' });
  await haveRequest(world, 'busy', { requestId: 'ended' });
  world.compute.change('ended-1', { state: 'completed', exitCode: 0 });
  const lost = await haveRequest(world, 'starting', { requestId: 'lost' });
  if (lost.batch) await world.compute.deleteTask(lost.batch);
  for (const requestId of ['ended', 'lost']) world.orchestrations.running.set(requestId, {});
  await look(world);
  assert.equal(
    world.orchestrations.raised
      .map(({ requestId, situation }) => `${requestId} ${situation.kind}`)
      .toSorted(),
    ['ended taskEnded', 'lost agentGone', 'r-0 cancel'],
  );
});

watch('hurries only while somebody waits for an agent', async () => {
  for (const [state, nextMs] of [
    ['accepted', 2_000],
    ['provisioning', 2_000],
    ['starting', 2_000],
    ['online', 6_000],
    ['busy', 6_000],
  ] as const) {
    const world = createWorld({ env: { WatchSeconds: '2' } });
    await haveRequest(world, state);
    assert.is((await look(world)).nextMs, nextMs, state);
  }
});

watch.run();

const looking = suite('lookAtAgent');

looking('tells what has changed and how far the task is', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting');
  assert.equal(await lookAtAgent(world)(ref), { situation: undefined, task: 'running' });
  world.registry.put(linuxPool, 'r-1-1', { online: true });
  assert.equal(await lookAtAgent(world)(ref), {
    situation: { kind: 'agentOnline', attempt: 1 },
    task: 'running',
  });
});

looking('has nothing to tell of another attempt or generation, or before there is an agent', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting');
  const nothing = { situation: undefined, task: undefined };
  assert.equal(await lookAtAgent(world)({ ...ref, attempt: 2 }), nothing);
  assert.equal(await lookAtAgent(world)({ ...ref, generation: 2 }), nothing);
  assert.equal(await lookAtAgent(world)({ ...ref, requestId: 'nobody' }), nothing);
  assert.is(callsOut(world).length, 0);
});

looking.run();

const settling = suite('settleEnd');

const ended: Situation = { kind: 'taskEnded', attempt: 1, ranJob: false, exitCode: 0 };
const settle = (world: World, situation: Situation, wasOnline = true): Promise<Settled> =>
  settleEnd(world)({ ...ref, situation, wasOnline });

settling('believes an agent that is seen to have run its job, and the jobs of its pool', async () => {
  const world = createWorld();
  await haveRequest(world, 'online');
  assert.equal(await settle(world, { ...ended, exitCode: 1, ranJob: true }), { kind: 'ranJob' });
  world.registry.put(linuxPool, 'r-1-1', { ranJob: true });
  world.registry.drop(linuxPool, 'r-1-1');
  assert.equal(await settle(world, { kind: 'agentGone', attempt: 1, ranJob: false }), { kind: 'ranJob' });
});

settling('where jobs can not be seen, only an online agent that ended well ran one', async () => {
  const world = createWorld();
  await haveRequest(world, 'online', { devOpsPool: linuxPool });
  const blind: World = {
    ...world,
    registry: new Proxy(world.registry, {
      get: (target, name): unknown => (name === 'ranJob' ? async () => undefined : Reflect.get(target, name)),
    }),
  };
  assert.equal(await settle(blind, ended), { kind: 'ranJob' });
  assert.is((await settle(blind, ended, false)).kind, 'lost');
  assert.is((await settle(blind, { ...ended, exitCode: 1 })).kind, 'lost');
  assert.is((await settle(blind, { kind: 'agentGone', attempt: 1, ranJob: false })).kind, 'lost');
});

settling('names why an agent was lost, with its last words but without its token', async () => {
  const world = createWorld();
  await haveRequest(world, 'online');
  world.compute.change(
    'r-1-1',
    { state: 'completed', exitCode: 1 },
    `config failed: --token ${agentsToken} refused`,
  );
  const settled = await settle(world, { ...ended, exitCode: 1 });
  if (settled.kind !== 'lost') throw new Error(settled.kind);
  assert.is(settled.failure.code, 'AgentStartFailed');
  assert.match(settled.failure.message, /exit code 1.*config failed: --token \*\*\* refused/);
  assert.not.match(JSON.stringify(settled), new RegExp(agentsToken));
});

settling('an agent that nobody can ask about any more is lost', async () => {
  assert.is((await settle(createWorld(), ended)).kind, 'lost');
});

settling('what is no end is a mistake of its caller', async () => {
  const world = createWorld();
  await haveRequest(world, 'online');
  try {
    await settle(world, { kind: 'agentOnline', attempt: 1 });
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /agentOnline is not the end of an agent/);
  }
});

settling.run();
