import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { poolsSchema } from '../../shared/answers/pools.js';
import { TransientError } from '../../shared/domain/failure.js';
import { showPools } from '../../shared/operations/show-pools.js';
import { createFakeClock } from '../fakes/clock.js';
import { createWorld, haveRequest, linuxPool, type World, windowsPool } from '../fakes/world.js';

/** Its clock stands still, so that nothing is late by itself. */
const open = (env?: Record<string, string>): World =>
  createWorld({ clock: createFakeClock('2026-01-31T11:00:00.000Z', 'wait'), ...(env ? { env } : {}) });
const look = async (world: World) => (await showPools(world)(world.orchestrations)).pools;
const away = new TransientError('BatchUnavailable', 'nodeAllocation', 'Azure Batch is away.');
const at = (minute: number): string => new Date(Date.UTC(2026, 0, 31, 10, minute)).toISOString();

const pools = suite('GET /api/pools');

pools('shows every pair of pools that profiles name, with nothing in them', async () => {
  const world = open();
  const answer = await showPools(world)(world.orchestrations);
  assert.equal(poolsSchema.parse(answer), answer);
  assert.equal(
    answer.pools.map(({ devOpsPool, batchPool, profiles, os }) => [devOpsPool, batchPool, profiles, os]),
    [
      [linuxPool, 'batchLinux', ['ubuntu'], 'linux'],
      [windowsPool, 'batchWindows', ['windows'], 'windows'],
    ],
  );
  for (const pool of answer.pools) {
    assert.equal([pool.waiting, pool.starting, pool.online, pool.busy, pool.waits], [0, 0, 0, 0, []]);
    assert.equal([pool.oldestWaitingSince, pool.problem, pool.lastWatchAt], [null, null, null]);
  }
});

pools('says of each request that waits what it waits for, and since when', async () => {
  const world = open();
  await haveRequest(world, 'accepted', { requestId: 'a', createdAt: at(9) });
  await haveRequest(world, 'provisioning', { requestId: 'b', createdAt: at(8) });
  const tasks = { c: 'active', d: 'active', e: 'preparing', f: 'running', g: 'completed' } as const;
  for (const [index, [requestId, state]] of Object.entries(tasks).entries()) {
    await haveRequest(world, 'starting', { requestId, createdAt: at(index) });
    world.compute.change(`${requestId}-1`, { state });
  }
  await haveRequest(world, 'online', { requestId: 'h' });
  await haveRequest(world, 'busy', { requestId: 'i' });
  world.compute.nodes.set('batchLinux', {
    current: 2,
    target: 3,
    idle: 0,
    running: 2,
    starting: 1,
    unusable: 0,
  });
  world.orchestrations.watched.add(linuxPool);
  world.orchestrations.lookedAt.set(linuxPool, at(59));
  const [pool] = await look(world);
  assert.equal([pool?.waiting, pool?.starting, pool?.online, pool?.busy], [2, 5, 1, 1]);
  assert.is(pool?.oldestWaitingSince, at(0));
  assert.is(pool?.lastWatchAt, at(59));
  assert.equal(
    pool?.waits.map(({ reason, count, oldestSince }) => [reason, count, oldestSince]),
    [
      ['start', 1, at(9)],
      ['task', 1, at(8)],
      ['node', 2, at(0)],
      ['container', 1, at(2)],
      ['registration', 2, at(3)],
    ],
  );
  assert.match(
    pool?.waits[2]?.detail ?? '',
    'No node of Batch pool batchLinux is free: it has 2 of 3, and more',
  );
});

pools('tells who waits for a free place from who is about to start', async () => {
  const profile = { devOpsPool: linuxPool, batchPool: 'batchLinux', image: 'i', maxAlive: 2 };
  const world = open({ AgentProfiles: JSON.stringify({ ubuntu: profile }) });
  await haveRequest(world, 'busy', { requestId: 'a' });
  for (const [index, requestId] of ['b', 'c', 'd'].entries()) {
    await haveRequest(world, 'accepted', { requestId, createdAt: at(index) });
  }
  const [pool] = await look(world);
  assert.equal(
    pool?.waits.map(({ reason, count }) => [reason, count]),
    [
      ['start', 1],
      ['freePlace', 2],
    ],
  );
  assert.match(pool?.waits[1]?.detail ?? '', 'Profile ubuntu allows 2 agents at once (maxAlive), and has 1.');

  const one = open({ AgentProfiles: JSON.stringify({ ubuntu: { ...profile, maxAlive: 1 } }) });
  await haveRequest(one, 'busy', { requestId: 'a' });
  await haveRequest(one, 'accepted', { requestId: 'b' });
  assert.match((await look(one))[0]?.waits[0]?.detail ?? '', 'allows 1 agent at once');
});

pools('shows the pools of live requests whose profile is gone or names another', async () => {
  const world = open();
  await haveRequest(world, 'starting', { requestId: 'a', profile: 'gone', devOpsPool: 'Private Linux 2' });
  await haveRequest(world, 'accepted', { requestId: 'b', profile: 'gone' });
  assert.equal(
    (await look(world)).map(({ devOpsPool, batchPool, profiles, waiting, starting }) => [
      devOpsPool,
      batchPool,
      profiles,
      waiting,
      starting,
    ]),
    [
      [linuxPool, 'batchLinux', ['ubuntu'], 0, 0],
      [windowsPool, 'batchWindows', ['windows'], 0, 0],
      ['Private Linux 2', 'batchLinux', [], 0, 1],
      [linuxPool, '', [], 1, 0],
    ],
  );
});

pools('tells what keeps a Batch pool from running tasks, and it is what they wait for', async () => {
  const world = open();
  await haveRequest(world, 'starting');
  world.compute.change('r-1-1', { state: 'active' });
  const problem = {
    code: 'QuotaReached',
    stage: 'nodeAllocation',
    message: 'No cores.',
    retryable: true,
  } as const;
  world.compute.poolProblems.set('batchLinux', problem);
  world.compute.missingPools.add('batchWindows');
  const [linux, windows] = await look(world);
  assert.equal(linux?.problem, { code: 'QuotaReached', message: 'No cores.' });
  assert.is(linux?.waits[0]?.detail, 'No cores.');
  assert.equal([windows?.nodes, windows?.problem?.code], [null, 'PoolMissing']);
});

pools('says less, and says it all the same, while Batch or the orchestrations can not be asked', async () => {
  const world = open();
  await haveRequest(world, 'starting');
  world.compute.failNext('listTasks', away);
  world.compute.failNext('poolViews', away);
  world.orchestrations.failNext('watch', new Error('The task hub is away.'));
  const [pool] = await look(world);
  assert.equal([pool?.starting, pool?.nodes, pool?.lastWatchAt], [1, null, null]);
  assert.match(pool?.waits[0]?.detail ?? '', 'Azure Batch can not be asked now');

  // No answer at all.
  world.compute.beforeNext('poolViews', async () => new Promise(() => {}));
  const slow = look(world);
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  world.clock.advance(3_000);
  assert.is((await slow)[0]?.nodes, null);
});

pools('does not answer as if nothing lived when storage is away', async () => {
  const world = open();
  world.store.failNext('live', new TransientError('StorageUnavailable', 'intake', 'Storage is away.'));
  const show = showPools(world);
  const seen: unknown = await show(world.orchestrations).catch((error: unknown) => error);
  assert.instance(seen, TransientError);
  assert.is((await show(world.orchestrations)).pools.length, 2, 'a failure is not kept');
});

pools('asks once for all who ask within two seconds', async () => {
  const world = open();
  await haveRequest(world, 'starting');
  await haveRequest(world, 'online', { requestId: 'r-2' });
  const show = showPools(world);
  const count = (): number[] => [
    world.store.callsOf('live').length,
    world.compute.callsOf('listTasks').length,
    world.compute.callsOf('poolViews').length,
    world.orchestrations.callsOf('watch').length,
  ];
  await Promise.all(Array.from({ length: 20 }, async () => show(world.orchestrations)));
  await show(world.orchestrations);
  assert.equal(count(), [1, 1, 1, 1]);
  world.clock.advance(2_000);
  await show(world.orchestrations);
  assert.equal(count(), [2, 2, 2, 2]);
});

pools.run();
