import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lookAtAgent } from '../../shared/activities/look-at-agent.js';
import { settleEnd } from '../../shared/activities/settle-end.js';
import { watchPool } from '../../shared/activities/watch-pool.js';
import { changeRequest } from '../../shared/change-request.js';
import { type Failure, TransientError } from '../../shared/domain/failure.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import type { Situation } from '../../shared/domain/situation.js';
import type { Told } from '../../shared/domain/watch.js';
import type { Activities, Settled } from '../../shared/workflow/contract.js';
import { createFakeRequestStore } from '../fakes/request-store.js';
import { somePipeline } from '../fakes/requests.js';
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

watch('tells a pipeline that waits of a node and of a container at once, each once', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', { ...waitingPipeline(world) });
  let told: Told = {};
  for (const state of ['active', 'active', 'preparing', 'preparing', 'running', 'running'] as const) {
    world.compute.change('r-1-1', { state });
    world.clock.advance(3_000);
    ({ told } = await look(world, told));
  }
  assert.equal(world.pipeline.lines, [
    'Agent r-1-1 has its node, image is being pulled (9.0 s so far).',
    'Image pulled, container of agent r-1-1 started, waiting for it to come online (15 s so far).',
  ]);
});

watch('hears that a run is over when it tells of a container', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', { ...waitingPipeline(world) });
  world.orchestrations.running.set('r-1', {});
  world.pipeline.endPlan(somePipeline.planId);
  await look(world);
  assert.equal(
    world.orchestrations.raised.map(({ situation }) => situation.kind),
    ['runOver'],
  );
});

watch('asks nothing of anybody while there is nothing to see', async () => {
  const world = createWorld();
  const memory = { lookedAt: world.clock.now().getTime(), batchPools: {} };
  assert.equal(await look(world), { alive: 0, nextMs: 5_000 * 3, calm: true, told: {}, memory });
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
    const seen = await look(world);
    assert.is(seen.nextMs, nextMs, state);
    assert.is(seen.calm, nextMs === 6_000 || undefined, state);
  }
});

watch.run();

const progress = suite('watchPool: what waits hears from it');
type Seen = Activities['watchPool']['output'];

/** Looks again and again for so long, as the orchestration does. */
async function lookFor(world: World, ms: number, first?: Seen): Promise<Seen> {
  const until = world.clock.now().getTime() + ms;
  let seen = first ?? (await look(world));
  while (world.clock.now().getTime() < until) {
    world.clock.advance(seen.nextMs);
    seen = await watchPool(world)({ devOpsPool: linuxPool, told: seen.told, memory: seen.memory });
  }
  return seen;
}
const quota: Failure = {
  code: 'QuotaReached',
  stage: 'nodeAllocation',
  message: 'No more cores.',
  retryable: true,
};

progress('a pipeline that waits gets a line about every 40 s, with what it waits for', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', { requestId: 'earlier', createdAt: '2026-01-31T09:59:00.000Z' });
  await haveRequest(world, 'starting', waitingPipeline(world));
  for (const taskId of ['earlier-1', 'r-1-1']) world.compute.change(taskId, { state: 'active' });
  let seen = await lookFor(world, 400_000);
  const lines = world.pipeline.lines.filter(line => line.includes('Waiting for a node'));
  assert.ok(lines.length >= 9 && lines.length <= 11, `${lines.length} lines`);
  assert.match(lines[1] ?? '', /^Waiting for a node, 1 ahead in Batch pool batchLinux \(\d+ s so far\)\.$/);
  for (const [state, words] of [
    ['preparing', /^Agent r-1-1 has its node, image is being pulled \(\d+ s so far\)\.$/],
    ['running', /^Container of agent r-1-1 runs, waiting for it to come online \(\d+ s so far\)\.$/],
  ] as const) {
    world.compute.change('r-1-1', { state });
    seen = await lookFor(world, 45_000, seen);
    assert.match(world.pipeline.lines.at(-1) ?? '', words);
  }
  assert.equal(world.orchestrations.raised, []);
});

progress(
  'a request that waits for a place hears how many are ahead of it, and what the limit is',
  async () => {
    const world = createWorld({
      env: {
        AgentProfiles: JSON.stringify({
          ubuntu: { devOpsPool: linuxPool, batchPool: 'batchLinux', image: 'azdo-agent:x', maxAlive: 2 },
        }),
      },
    });
    const deferredAt = '2026-01-31T10:00:01.000Z';
    for (const requestId of ['a', 'b']) await haveRequest(world, 'busy', { requestId });
    for (const [requestId, createdAt] of [
      ['c', '2026-01-31T09:57:00.000Z'],
      ['d', '2026-01-31T09:58:00.000Z'],
      ['e', '2026-01-31T10:00:09.000Z'],
    ] as const) {
      await haveRequest(world, 'accepted', { requestId, createdAt, deferredAt });
    }
    await haveRequest(world, 'accepted', { ...waitingPipeline(world), deferredAt });
    await lookFor(world, 60_000);
    assert.match(
      world.pipeline.lines.at(-1) ?? '',
      /^Waiting for a free place, 2 ahead: profile ubuntu allows 2 agents at once \(\d+ s so far\)\.$/,
    );
  },
);

progress(
  'whose task has just begun to run hears that, and not in the same moment that it waits',
  async () => {
    for (let rounds = 1; rounds <= 9; rounds += 1) {
      const world = createWorld();
      await haveRequest(world, 'starting', waitingPipeline(world));
      world.compute.change('r-1-1', { state: 'active' });
      const seen = await lookFor(world, rounds * 5_000);
      const before = world.pipeline.lines.length;
      world.compute.change('r-1-1', { state: 'running' });
      await lookFor(world, 5_000, seen);
      assert.match(world.pipeline.lines.slice(before).join('\n'), /^Image pulled, container of agent .*$/);
    }
  },
);

progress('a run that is over is noticed within a minute, however slowly the pool is watched', async () => {
  for (const state of ['accepted', 'provisioning', 'starting'] as const) {
    for (const WatchSeconds of ['5', '300']) {
      const world = createWorld({ env: { WatchSeconds } });
      await haveRequest(world, state, waitingPipeline(world));
      world.orchestrations.running.set('r-1', {});
      const seen = await lookFor(world, 120_000);
      assert.equal(world.orchestrations.raised, []);
      world.pipeline.endPlan(somePipeline.planId);
      await lookFor(world, 59_000 - seen.nextMs, seen);
      const [raised] = world.orchestrations.raised;
      assert.equal(raised?.situation, {
        kind: 'runOver',
        attempt: state === 'accepted' ? 0 : 1,
        reason: 'TaskOrchestrationPlanTerminatedException',
      });
    }
  }
});

progress('nobody is told who does not wait, or waits no more', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', { requestId: 'reply' });
  await haveRequest(world, 'online', { requestId: 'released', ...waitingPipeline(world, 'released') });
  const answered = { pipeline: somePipeline, callback: { acknowledgedAt: '2026-01-31T10:00:00.000Z' } };
  await haveRequest(world, 'starting', { requestId: 'answered', ...answered });
  await lookFor(world, 120_000);
  assert.equal(world.pipeline.calls, []);
});

progress('a thousand that wait are told evenly, at the same number of calls to the services', async () => {
  const world = createWorld();
  for (let index = 0; index < 1_000; index += 1) {
    const requestId = `build-${index}`;
    await haveRequest(world, 'starting', { requestId, ...waitingPipeline(world, requestId) });
    world.compute.change(`${requestId}-1`, { state: 'active' });
  }
  let seen = await look(world);
  const before = callsOut(world).length;
  for (let round = 0; round < 8; round += 1) {
    const told = world.pipeline.lines.length;
    world.clock.advance(5_000);
    seen = await watchPool(world)({ devOpsPool: linuxPool, told: seen.told, memory: seen.memory });
    const lines = world.pipeline.lines.length - told;
    assert.ok(lines > 60 && lines < 200, `${lines} lines in one round`);
  }
  assert.is(world.pipeline.lines.length, 1_000);
  assert.is(callsOut(world).length - before, 8 * 2 + 1, 'two lists a round, and the pool once');
  assert.equal(world.store.callsOf('get'), [], 'what was written here need not be read to be told');
});

progress('is told as the listing shows it, whatever else the process remembers', async () => {
  const changes: Readonly<Record<string, (row: AgentRequest, world: World) => AgentRequest>> = {
    'a pipeline joined': (row, world) => ({ ...row, ...waitingPipeline(world) }),
    'it got further': (row, world) => ({ ...row, ...waitingPipeline(world), agentName: 'r-1-7' }),
  };
  for (const [what, change] of Object.entries(changes)) {
    const world = createWorld();
    await haveRequest(world, 'starting', what === 'a pipeline joined' ? {} : waitingPipeline(world));
    const store = createFakeRequestStore(world.store.table);
    await store.get('r-1');
    const later = '2026-01-31T10:00:02.000Z';
    await changeRequest(world.store, ref, row => ({
      ...change(row, world),
      ...(what === 'it got further' ? { updatedAt: later } : {}),
    }));
    await look({ ...world, store });
    const agentName = what === 'it got further' ? 'r-1-7' : 'r-1-1';
    assert.match(world.pipeline.lines.join('\n'), new RegExp(agentName), what);
  }
});

progress('one line that can not be sent does not keep the others from theirs', async () => {
  const world = createWorld();
  for (let index = 0; index < 20; index += 1) {
    const requestId = `r-${index}`;
    await haveRequest(world, 'accepted', { requestId, ...waitingPipeline(world, requestId) });
  }
  // Another process: it has to read what it tells.
  const store = createFakeRequestStore(world.store.table);
  store.failNext('get', new Error('Its row is broken.'));
  await lookFor({ ...world, store }, 41_000);
  assert.ok(world.pipeline.lines.length >= 19, `${world.pipeline.lines.length} lines`);
  assert.match(world.log.lines.join('\n'), /its progress could not be told: Its row is broken/);
});

progress('what keeps a Batch pool from running tasks is told, and noted once an attempt', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', waitingPipeline(world));
  await haveRequest(world, 'starting', { requestId: 'other' });
  for (const taskId of ['r-1-1', 'other-1']) world.compute.change(taskId, { state: 'active' });
  world.compute.poolProblems.set('batchLinux', quota);
  const seen = await lookFor(world, 300_000);
  assert.match(
    world.pipeline.lines.at(-1) ?? '',
    /so far\)\. Held up: no more cores \(QuotaReached\)\. Ask the platform team to have the quota/,
  );
  for (const { requestId, history } of world.store.requests()) {
    const notes = history.filter(({ detail }) => detail === 'QuotaReached: No more cores.');
    assert.is(notes.length, 1, requestId);
  }
  assert.ok(world.compute.callsOf('poolProblem').length <= 11, 'asked more than twice a minute');

  world.compute.poolProblems.clear();
  await lookFor(world, 80_000, seen);
  assert.not.match(world.pipeline.lines.at(-1) ?? '', /QuotaReached/);
  assert.equal(world.orchestrations.raised, []);
});

progress('a Batch pool that is deleted ends what waits in it', async () => {
  const world = createWorld();
  await many(world, 3);
  for (let index = 0; index < 3; index += 1) world.compute.change(`r-${index}-1`, { state: 'active' });
  world.compute.change('r-2-1', { state: 'running' });
  world.compute.missingPools.add('batchLinux');
  await lookFor(world, 40_000);
  assert.equal(
    world.orchestrations.raised.map(({ requestId, situation }) => `${requestId} ${situation.kind}`),
    ['r-0 poolMissing', 'r-1 poolMissing'],
  );
});

progress('Batch that is away says nothing about its pools', async () => {
  const world = createWorld();
  await many(world, 1);
  world.compute.change('r-0-1', { state: 'active' });
  world.compute.failNext('poolProblem', new TransientError('BatchUnavailable', 'nodeAllocation', 'Away.'), 9);
  const seen = await lookFor(world, 90_000);
  assert.equal(world.orchestrations.raised, []);
  assert.is(seen.memory?.batchPools['batchLinux']?.problem, undefined);
});

progress('an agent whose node was lost is given up', async () => {
  const world = createWorld();
  for (const state of ['online', 'busy'] as const) {
    await haveRequest(world, state, { requestId: state });
    world.orchestrations.running.set(state, {});
    world.compute.change(`${state}-1`, { state: 'active', previousState: 'running' });
  }
  await look(world);
  assert.equal(
    world.orchestrations.raised.map(({ requestId, situation }) => `${requestId} ${situation.kind}`),
    ['online nodeLost', 'busy nodeLost'],
  );
});

progress.run();

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

looking(
  'asks what keeps the Batch pool from running a task that still waits, if it can be asked',
  async () => {
    const world = createWorld();
    await haveRequest(world, 'starting');
    world.compute.change('r-1-1', { state: 'active' });
    world.compute.poolProblems.set('batchLinux', quota);
    assert.equal(await lookAtAgent(world)(ref), { situation: undefined, task: 'active', problem: quota });
    world.compute.failNext('poolProblem', new Error('away'));
    assert.equal(await lookAtAgent(world)(ref), { situation: undefined, task: 'active' });
    world.compute.change('r-1-1', { state: 'running' });
    assert.equal(await lookAtAgent(world)(ref), { situation: undefined, task: 'running' });
  },
);

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

settling('an agent whose node was lost had run its job or is NodePreempted', async () => {
  const lost: Situation = { kind: 'nodeLost', attempt: 1, ranJob: false };
  const world = createWorld();
  await haveRequest(world, 'online');
  const settled = await settle(world, lost);
  assert.equal(settled.kind === 'lost' && [settled.failure.code, settled.failure.retryable], [
    'NodePreempted',
    true,
  ]);
  world.registry.put(linuxPool, 'r-1-1', { ranJob: true }, 'failed');
  assert.equal(await settle(world, lost), { kind: 'ranJob' });

  for (const [result, kind] of [
    [undefined, 'lost'],
    ['failed', 'lost'],
    ['succeeded', 'ranJob'],
    ['canceled', 'ranJob'],
  ] as const) {
    const busy = createWorld();
    await haveRequest(busy, 'busy');
    if (result) busy.registry.put(linuxPool, 'r-1-1', { busy: false, ranJob: true }, result);
    assert.is((await settle(busy, { ...lost, ranJob: result !== undefined })).kind, kind, result);
  }
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
