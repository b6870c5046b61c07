import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newReconcileMemory } from '../../shared/dispatch/reconcile-memory.js';
import { sweep } from '../../shared/dispatch/sweep.js';
import { placeholderNameOf } from '../../shared/domain/names.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import type { TaskView } from '../../shared/domain/situation.js';
import { someRequest } from '../fakes/requests.js';
import { createWorld, haveRequest, linuxPool, type World, windowsPool } from '../fakes/world.js';

const jobId = 'agents-ubuntu-20260131';
const putTask = (world: World, taskId: string, changes: Partial<TaskView> = {}): void =>
  world.compute.put({ jobId, taskId, state: 'running', ...changes });
const tasksOf = (world: World): readonly string[] => world.compute.tasks().map(({ taskId }) => taskId);
const agentsOf = (world: World, pool = linuxPool): readonly string[] =>
  world.registry.agents(pool).map(({ name }) => name);

async function haveEnded(world: World, requestId: string, attempt = 1): Promise<AgentRequest> {
  const request = someRequest({ requestId, state: 'expired', attempt, endedAt: '2026-01-31T10:01:00.000Z' });
  await world.store.insert(request, new Uint8Array());
  return request;
}

const test = suite('sweep');

test('removes a task and a registration that an ended request left, once it has seen them twice', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  await haveEnded(world, 'task');
  await haveEnded(world, 'agent');
  putTask(world, 'task-1');
  world.registry.put(linuxPool, 'agent-1', { online: true });
  await sweep(world, memory);
  assert.equal([tasksOf(world), agentsOf(world)], [['task-1'], ['agent-1']]);
  await sweep(world, memory);
  assert.equal([tasksOf(world), agentsOf(world)], [[], []]);
  const log = world.log.lines.join('\n');
  assert.match(
    log,
    `warn: Batch task task-1 in job ${jobId} was left over from request task; it is removed.`,
  );
  assert.match(log, `warn: Agent agent-1 in pool ${linuxPool} was left over from request agent`);
});

test('a restart of the host begins to count anew', async () => {
  const world = createWorld();
  await haveEnded(world, 'r-1');
  putTask(world, 'r-1-1');
  await sweep(world, newReconcileMemory());
  await sweep(world, newReconcileMemory());
  assert.equal(tasksOf(world), ['r-1-1']);
});

test('removes the registration before the task, so that no job is sent to what is about to go', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  await haveEnded(world, 'r-1');
  putTask(world, 'r-1-1');
  world.registry.put(linuxPool, 'r-1-1', { online: true });
  await sweep(world, memory);
  world.compute.beforeNext('deleteTask', () => assert.equal(agentsOf(world), []));
  await sweep(world, memory);
  assert.equal(tasksOf(world), []);
});

test('leaves a task as long as a job runs on its agent, however late that is noticed', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  await haveEnded(world, 'r-1');
  putTask(world, 'r-1-1');
  world.registry.put(linuxPool, 'r-1-1', { online: true, busy: true });
  for (let round = 0; round < 3; round += 1) await sweep(world, memory);
  assert.equal([tasksOf(world), agentsOf(world)], [['r-1-1'], ['r-1-1']]);

  world.registry.put(linuxPool, 'r-1-1', { busy: false });
  world.registry.beforeNext('removeAgent', () => world.registry.put(linuxPool, 'r-1-1', { busy: true }));
  await sweep(world, memory);
  assert.equal([tasksOf(world), agentsOf(world)], [['r-1-1'], ['r-1-1']]);

  world.registry.put(linuxPool, 'r-1-1', { busy: false });
  await sweep(world, memory);
  assert.equal([tasksOf(world), agentsOf(world)], [[], []]);
});

test('leaves what lives, what is foreign and what only looks alike', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  await haveRequest(world, 'online', { requestId: 'lives' });
  await haveEnded(world, 'shared', 1);
  putTask(world, 'stranger-1');
  putTask(world, 'shared-1', { madeHere: false });
  putTask(world, 'shared-2');
  putTask(world, 'of-somebody');
  world.compute.put({ jobId: 'nightly', taskId: 'shared-1', state: 'running' });
  for (const name of ['build-server-1', 'stranger-1', 'shared-2', placeholderNameOf('linux')]) {
    world.registry.put(linuxPool, name);
  }
  world.registry.put(windowsPool, 'shared-1');
  const before = [tasksOf(world), agentsOf(world), agentsOf(world, windowsPool)];
  for (let round = 0; round < 4; round += 1) await sweep(world, memory);
  assert.equal([tasksOf(world), agentsOf(world), agentsOf(world, windowsPool)], before);
  assert.equal(world.registry.callsOf('removeAgent'), []);
  assert.equal(world.compute.callsOf('deleteTask'), []);
});

test('removes what is left of an earlier attempt and of a request that has no row any more', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  await haveRequest(world, 'starting', { attempt: 2 });
  putTask(world, 'r-1-1', { state: 'completed' });
  putTask(world, 'forgotten-1', { madeHere: true });
  world.registry.put(linuxPool, 'forgotten-1', { online: true });
  await sweep(world, memory);
  await sweep(world, memory);
  assert.equal([tasksOf(world), agentsOf(world)], [['r-1-2'], []]);
});

test('leaves everything of a request whose row can not be read', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  await haveRequest(world, 'online');
  world.store.broken.push({ rowKey: 'live~r-1', why: 'Row live~r-1 is broken.' });
  await sweep(world, memory);
  world.store.failNext('get', new Error('Row live~r-1 is broken.'), 9);
  await sweep(world, memory);
  assert.equal([tasksOf(world), agentsOf(world)], [['r-1-1'], ['r-1-1']]);
});

test('reads the requests last: what is made while it lists is nobody’s leftover', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  putTask(world, 'r-1-1', { madeHere: true });
  for (let round = 0; round < 3; round += 1) {
    // It was asked for and its task made between the rounds; only a list read too early would miss its row.
    world.store.beforeNext('live', async () => {
      if (round === 0)
        await world.store.insert(someRequest({ state: 'provisioning', attempt: 1 }), new Uint8Array());
    });
    await sweep(world, memory);
  }
  assert.equal(tasksOf(world), ['r-1-1']);
});

test('removes nothing and ends no job when any list can not be had', async () => {
  for (const [port, method] of [
    ['compute', 'listJobs'],
    ['compute', 'listTasks'],
    ['registry', 'poolExists'],
    ['registry', 'listAgents'],
    ['store', 'live'],
  ] as const) {
    const world = createWorld();
    world.clock.advance(48 * 60 * 60_000);
    const memory = newReconcileMemory();
    await haveEnded(world, 'r-1');
    putTask(world, 'r-1-1', { state: 'completed' });
    await sweep(world, memory);
    world.compute.jobs.set(jobId, { jobId, state: 'active', marked: true });
    const fake: { failNext(name: string, error: Error): void } = world[port];
    fake.failNext(method, new Error('It is away.'));
    try {
      await sweep(world, memory);
      assert.unreachable(`${method} failed`);
    } catch (error) {
      assert.match(String(error), 'It is away');
    }
    assert.equal(tasksOf(world), ['r-1-1'], method);
    assert.is(world.compute.jobs.get(jobId)?.state, 'active', method);
    await sweep(world, memory);
    assert.equal(tasksOf(world), [], method);
  }
});

test('goes on where one removal fails, and is bounded', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  await haveEnded(world, 'r', 9999);
  for (let n = 1; n <= 30; n += 1) putTask(world, `r-${n}`);
  await sweep(world, memory);
  world.compute.failNext('deleteTask', new Error('Batch is away.'));
  await sweep(world, memory);
  assert.is(tasksOf(world).length, 11, '20 were tried, one of them in vain');
  assert.match(
    world.log.lines.join('\n'),
    /error: What is left of agent r-\d+ could not be removed: Batch is away/,
  );
  await sweep(world, memory);
  assert.is(tasksOf(world).length, 0);
});

test('costs the same however many agents of others there are', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  for (let n = 1; n <= 50; n += 1) world.registry.put(linuxPool, `server-${String(n).padStart(3, 'x')}-1`);
  for (let round = 0; round < 6; round += 1) await sweep(world, memory);
  assert.is(world.store.callsOf('get').length, 50, 'each was asked for once');
  world.clock.advance(61 * 60_000);
  await sweep(world, memory);
  assert.is(world.store.callsOf('get').length, 100, 'and again after an hour');
  assert.is(world.registry.callsOf('listAgents').length, 7 * 2);
  assert.is(world.compute.callsOf('listJobs').length, 7);
});

test('ends a job of a past day that has nothing to run, and deletes it a week later', async () => {
  const world = createWorld();
  const memory = newReconcileMemory();
  await haveRequest(world, 'busy');
  const other = { jobId: 'nightly-20260131', state: 'active', marked: false } as const;
  world.compute.jobs.set(other.jobId, other);
  const day = 24 * 60 * 60_000;
  world.clock.advance(day);
  await sweep(world, memory);
  assert.is(world.compute.jobs.get(jobId)?.state, 'active', 'a request of its day lives');
  const stored = await world.store.get('r-1');
  if (stored) await world.store.replace(stored, { ...stored.request, state: 'completed' });
  world.compute.change('r-1-1', { state: 'completed' });
  await sweep(world, memory);
  assert.is(world.compute.jobs.get(jobId)?.state, 'ended');
  await sweep(world, memory);
  world.clock.advance(6 * day);
  await sweep(world, memory);
  assert.is(world.compute.jobs.has(jobId), true);
  world.clock.advance(day);
  await sweep(world, memory);
  assert.equal([...world.compute.jobs.values()], [other]);
});

test.run();
