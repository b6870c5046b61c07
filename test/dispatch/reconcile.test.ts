import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reconcile } from '../../shared/dispatch/reconcile.js';
import { newReconcileMemory } from '../../shared/dispatch/reconcile-memory.js';
import { someRequest } from '../fakes/requests.js';
import { createWorld, haveRequest, linuxPool, type World, windowsPool } from '../fakes/world.js';

const input = {
  requestId: 'r-1',
  generation: 1,
  firstAttempt: 1,
  attempt: 1,
  attempts: 3,
  timeoutMs: 1,
  idleMs: 1,
  callback: false,
};

const started = (world: World): readonly string[] =>
  world.orchestrations
    .callsOf('startLifecycle')
    .map(({ args }) => String(args[0]))
    .toSorted();

const agentNames = (world: World, pool: string): readonly string[] =>
  world.registry.agents(pool).map(({ name }) => name);

const test = suite('reconcile');

test('starts again what has no orchestration, at the attempt where it was', async () => {
  for (const state of ['accepted', 'provisioning', 'starting', 'online', 'busy'] as const) {
    const world = createWorld();
    await haveRequest(world, state, { attempt: 2, startClaimedAt: '2026-01-31T10:00:00.000Z' });
    world.clock.advance(61_000);
    await reconcile(world, newReconcileMemory())();
    assert.equal(started(world), ['r-1'], state);
    assert.equal(world.orchestrations.running.get('r-1'), {
      ...input,
      attempt: 2,
      timeoutMs: 1_800_000,
      idleMs: 600_000,
    });
    assert.match(world.log.lines.join('\n'), /r-1 had no orchestration/);
  }
});

test('starts what lost its message sooner than it doubts what has begun, the oldest first', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', { requestId: 'younger', createdAt: '2026-01-31T10:00:00.500Z' });
  await haveRequest(world, 'accepted', { requestId: 'older', createdAt: '2026-01-31T10:00:00.100Z' });
  await haveRequest(world, 'starting', { requestId: 'begun', startClaimedAt: '2026-01-31T10:00:00.000Z' });
  world.clock.advance(19_000);
  await reconcile(world, newReconcileMemory())();
  assert.equal(started(world), []);
  world.clock.advance(2_000);
  await reconcile(world, newReconcileMemory())();
  const inOrder = world.orchestrations.callsOf('startLifecycle').map(({ args }) => String(args[0]));
  assert.equal(inOrder, ['older', 'younger']);
});

test('leaves alone what runs, what moved just now, and what has ended', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', { requestId: 'runs', startClaimedAt: '2026-01-31T10:00:00.000Z' });
  world.orchestrations.running.set('runs', { ...input, requestId: 'runs' });
  await world.store.insert(someRequest({ requestId: 'ended', state: 'expired' }), new Uint8Array());
  world.clock.advance(61_000);
  const now = world.clock.now().toISOString();
  await haveRequest(world, 'accepted', { requestId: 'new', createdAt: now });
  await haveRequest(world, 'accepted', { requestId: 'claimed', startClaimedAt: now });
  const before = world.store.requests();
  await reconcile(world, newReconcileMemory())();
  assert.equal(started(world), []);
  assert.equal(world.store.requests(), before);
});

test('one request that can not be helped does not stop the others', async () => {
  const world = createWorld();
  for (const requestId of ['a', 'b', 'c', 'd']) await haveRequest(world, 'accepted', { requestId });
  world.clock.advance(61_000);
  world.store.failNext('get', new Error('This row is broken.'));
  world.orchestrations.failNext('startLifecycle', new Error('This one can not be started.'));
  await reconcile(world, newReconcileMemory())();
  assert.is(world.orchestrations.running.size, 2);
  assert.match(world.log.lines.join('\n'), /could not be reconciled: This row is broken/);
  assert.match(world.log.lines.join('\n'), /could not be reconciled: This one can not/);
  assert.equal(agentNames(world, windowsPool), ['azdo-batch-agents-placeholder-windows']);
});

test('a watch that can not be ensured stops nothing else', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', { requestId: 'a' });
  await haveRequest(world, 'accepted', { requestId: 'b', devOpsPool: windowsPool });
  world.clock.advance(61_000);
  world.orchestrations.failNext('ensureWatch', new Error('The task hub is away.'));
  await reconcile(world, newReconcileMemory())();
  assert.is(world.orchestrations.watched.size, 1);
  assert.equal(started(world), ['a', 'b']);
});

test('every quiet request has its turn, however many run well', async () => {
  const world = createWorld();
  const startClaimedAt = '2026-01-31T10:00:00.000Z';
  for (let index = 0; index < 450; index += 1) {
    const requestId = `r-${String(index).padStart(3, '0')}`;
    await world.store.insert(someRequest({ requestId, state: 'busy', startClaimedAt }), new Uint8Array());
    if (index < 449) world.orchestrations.running.set(requestId, { ...input, requestId });
  }
  for (let minute = 0; minute < 5 && started(world).length === 0; minute += 1) {
    world.clock.advance(61_000);
    await reconcile(world, newReconcileMemory())();
    const { length } = world.orchestrations.callsOf('runningLifecycle');
    if (started(world).length === 0)
      assert.ok(length <= 200 * (minute + 1), 'no more than 200 are looked at in one round');
  }
  assert.equal(started(world), ['r-449']);
});

test('starts everything again within two minutes of losing all orchestrations, whatever its state', async () => {
  const world = createWorld();
  const states = ['accepted', 'provisioning', 'starting', 'online', 'busy'] as const;
  const memory = newReconcileMemory();
  for (let index = 0; index < 1_000; index += 1) {
    const at = new Date(Date.parse('2026-01-31T10:00:00.000Z') + index * 50).toISOString();
    await world.store.insert(
      someRequest({
        requestId: `r-${index}`,
        state: states[index % states.length] ?? 'busy',
        startClaimedAt: at,
        updatedAt: at,
      }),
      new Uint8Array(),
    );
  }
  world.clock.advance(50_000);
  for (let round = 0; round < 3; round += 1) {
    await reconcile(world, memory)();
    world.clock.advance(20_000);
  }
  assert.is(new Set(started(world)).size, 1_000);
  assert.is(started(world).length, 1_000, 'none was started twice');
});

test('of two rounds at the same time on two hosts only one starts what was lost', async () => {
  const world = createWorld();
  for (const state of ['accepted', 'provisioning', 'starting', 'online', 'busy'] as const) {
    await haveRequest(world, state, { requestId: state, startClaimedAt: '2026-01-31T10:00:00.000Z' });
  }
  world.clock.advance(61_000);
  await Promise.all([1, 2, 3].map(async () => reconcile(world, newReconcileMemory())()));
  assert.equal(started(world), ['accepted', 'busy', 'online', 'provisioning', 'starting']);
});

test('leaves a round out while the last one goes on', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  world.store.beforeNext('live', async () => reconcile(world, memory)());
  await reconcile(world, memory)();
  assert.is(world.store.callsOf('live').length, 2, 'one for the requests, one for the sweep');
  assert.match(world.log.lines.join('\n'), /still at its last round/);
});

test('sweeps every other round, and no part that fails stops another or the next round', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  const sweeps = (): number => world.compute.callsOf('listJobs').length;
  world.store.failNext('live', new Error('The table is away.'), 2);
  world.store.failNext('unreadable', new Error('The table is away.'));
  await reconcile(world, memory)();
  assert.equal(agentNames(world, windowsPool), ['azdo-batch-agents-placeholder-windows']);
  assert.is(world.log.lines.filter(line => line.startsWith('error: ')).length, 3);
  for (let round = 0; round < 4; round += 1) await reconcile(world, memory)();
  assert.is(sweeps(), 3);
});

test('tells once of a row that can not be read, and takes care of the others', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  await haveRequest(world, 'accepted', { requestId: 'sound' });
  world.store.broken.push({ rowKey: 'live~bad', why: "Row live~bad can't be read: column state: x." });
  world.clock.advance(61_000);
  for (let round = 0; round < 3; round += 1) await reconcile(world, memory)();
  assert.equal(started(world), ['sound']);
  const told = world.log.lines.filter(line => line.includes('live~bad'));
  assert.is(told.length, 1);
  assert.match(
    told[0] ?? '',
    /^error: Row live~bad can't be read: column state: x\. .*Mend the row live~bad, or delete it.*: 1\.$/,
  );
});

test('watches every pool with live requests, once', async () => {
  const world = createWorld();
  for (const requestId of ['a', 'b']) await haveRequest(world, 'starting', { requestId });
  await haveRequest(world, 'accepted', { requestId: 'c', devOpsPool: windowsPool });
  await reconcile(world, newReconcileMemory())();
  assert.equal([...world.orchestrations.watched].toSorted(), [linuxPool, windowsPool]);
  assert.is(world.orchestrations.callsOf('ensureWatch').length, 2);
});

test('gives every pool its placeholder, though one pool is missing', async () => {
  const world = createWorld({ env: { AzDOUbuntuPool: 'No such pool' } });
  await reconcile(world, newReconcileMemory())();
  await reconcile(world, newReconcileMemory())();
  assert.equal(agentNames(world, windowsPool), ['azdo-batch-agents-placeholder-windows']);
  assert.match(world.log.lines.join('\n'), /Profile ubuntu: pool No such pool could not be given/);
  assert.equal([...world.orchestrations.watched], []);
});

test('a thousand requests that wait for a free place cost no more than its share of each round', async () => {
  const world = createWorld();
  for (let index = 0; index < 1_000; index += 1) {
    const requestId = `r-${index}`;
    const moment = '2026-01-31T10:00:00.000Z';
    await haveRequest(world, 'accepted', { requestId, startClaimedAt: moment, deferredAt: moment });
    world.orchestrations.running.set(requestId, input);
  }
  world.clock.advance(61_000);
  await reconcile(world, newReconcileMemory())();
  assert.equal(started(world), []);
  assert.is(world.store.callsOf('get').length, 200);
  assert.is(world.orchestrations.callsOf('runningLifecycle').length, 200);
  assert.is(world.store.callsOf('replace').length, 0);
});

test.run();
