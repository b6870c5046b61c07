import { BatchServiceClient, BatchSharedKeyCredentials } from '@azure/batch';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { startLocalBatch } from '../../scripts/local/batch/server.js';
import { createBatchCompute } from '../../shared/adapters/batch-compute.js';
import type { BatchPlace } from '../../shared/domain/request.js';
import type { AgentTask } from '../../shared/ports.js';
import { outcomeOf } from '../adapters/outcome.js';
import { pool, Scratch, until } from '../local/batch/support.js';
import { computeContract } from './compute.js';
import { fail } from './fail.js';

const scratch = new Scratch();
const node = (code: string): string[] => [process.execPath, '--input-type=module', '--eval', code];
const batch = await startLocalBatch({
  dataDir: scratch.file('data'),
  runner: 'process',
  killGraceMs: 500,
  pools: [pool({ id: 'linux', taskSlotsPerNode: 8 })],
  images: [
    { image: 'test/endless:*', command: node('setInterval(() => {}, 1000)') },
    {
      image: 'test/ends:*',
      command: node(
        'process.stderr.write(process.env.OUTPUT + "\\n"); console.log(process.cwd()); process.exitCode = Number(process.env.EXIT_CODE)',
      ),
    },
  ],
});
const makeCompute = (accountKey = batch.key, installation: string | undefined = 'a1b2c3') =>
  createBatchCompute({
    accountUrl: batch.url,
    auth: { accountName: batch.account, accountKey },
    installation,
  });

async function control(method: string, route: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${batch.url}/_local/${route}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) fail(`${route} was answered ${response.status}: ${await response.text()}`);
  return response.status === 204 ? undefined : response.json();
}
const changePool = (id: string, change: object): Promise<unknown> => control('PUT', `pools/${id}`, change);
const Pool = z.object({ nodes: z.array(z.object({ id: z.string(), state: z.string() })) });

let made = 0;

computeContract('local Batch', async () => {
  // The account is shared: each test has a profile, and so a job, of its own.
  made += 1;
  const profile = `profile-${made}`;
  const compute = makeCompute();
  const task = (taskId: string, image: string, environment: Record<string, string>): AgentTask => ({
    profile,
    day: '20260131',
    poolId: 'linux',
    taskId,
    image,
    os: 'linux',
    slots: 1,
    environment,
    maxWallClockMinutes: 10,
  });
  const untilState = async (place: BatchPlace, state: string): Promise<void> => {
    await until(
      () => compute.getTask(place),
      seen => seen?.state === state,
    );
  };
  return {
    compute,
    endless: taskId => task(taskId, 'test/endless:1', {}),
    withNode: async () => {
      // A node comes for a task, and stays a while when that is over.
      await changePool('one', { maxNodes: 1, idleMs: 60_000 });
      const brief = { ...task('r-9-1', 'test/ends:1', { EXIT_CODE: '0', OUTPUT: '' }), poolId: 'one' };
      const answer = await compute.createTask({ ...brief, profile: `${profile}-one` });
      if (answer.kind === 'rejected') fail(answer.failure.message);
      await untilState(answer.batch, 'completed');
      await compute.deleteTask(answer.batch);
      return 'one';
    },
    troubled: async () => {
      await changePool('full', {
        resizeErrors: [{ code: 'AccountCoreQuotaReached', message: 'There are no more cores.' }],
      });
      return 'full';
    },
    untilRunning: place => untilState(place, 'running'),
    runToEnd: async (taskId, exitCode, output) => {
      const environment = { EXIT_CODE: String(exitCode), OUTPUT: output };
      const answer = await compute.createTask(task(taskId, 'test/ends:1', environment));
      if (answer.kind === 'rejected') fail(answer.failure.message);
      await untilState(answer.batch, 'completed');
      return answer.batch;
    },
  };
});

const test = suite('compute: what only a service can do');

test('a key that is not the right one is told as such', async () => {
  const compute = makeCompute(Buffer.from('another key').toString('base64'));
  const answer = await compute.createTask({
    profile: 'p',
    day: '20260131',
    poolId: 'linux',
    taskId: 't',
    image: 'test/ends:1',
    os: 'linux',
    slots: 1,
    environment: {},
    maxWallClockMinutes: 1,
  });
  assert.is(answer.kind === 'rejected' && answer.failure.code, 'BatchAuthenticationFailed');
});

test('tells a task of another installation from one that nobody has marked', async () => {
  const ours = makeCompute();
  const seen: unknown[] = [];
  for (const [taskId, compute] of [
    ['ours-1', ours],
    ['theirs-1', makeCompute(batch.key, 'd4e5f6')],
    [
      'unmarked-1',
      createBatchCompute({
        accountUrl: batch.url,
        auth: { accountName: batch.account, accountKey: batch.key },
      }),
    ],
  ] as const) {
    const answer = await compute.createTask({
      profile: 'marks',
      day: '20260131',
      poolId: 'linux',
      taskId,
      image: 'test/endless:1',
      os: 'linux',
      slots: 1,
      environment: {},
      maxWallClockMinutes: 1,
    });
    if (answer.kind === 'rejected') fail(answer.failure.message);
    seen.push((await ours.getTask(answer.batch))?.madeHere);
    await ours.deleteTask(answer.batch);
  }
  assert.equal(seen, [true, false, undefined]);
});

test('lists no jobs that are named otherwise', async () => {
  const client = new BatchServiceClient(new BatchSharedKeyCredentials(batch.account, batch.key), batch.url);
  await client.job.add({ id: 'nightly-20260131', poolInfo: { poolId: 'linux' } });
  await client.job.add({ id: 'agents-smith-20260131', poolInfo: { poolId: 'linux' } });
  const jobs = await makeCompute().listJobs();
  assert.is(
    jobs.find(({ jobId }) => jobId === 'nightly-20260131'),
    undefined,
  );
  assert.is(jobs.find(({ jobId }) => jobId === 'agents-smith-20260131')?.marked, false);
});

const endless = (profile: string, taskId: string, poolId = 'linux'): AgentTask => ({
  profile,
  day: '20260131',
  poolId,
  taskId,
  image: 'test/endless:1',
  os: 'linux',
  slots: 1,
  environment: {},
  maxWallClockMinutes: 10,
});

for (const [name, fault] of [
  ['500', { status: 500 }],
  ['429', { status: 429, headers: { 'Retry-After': '2' } }],
  ['a lost connection', { status: 0 }],
] as const) {
  for (const call of ['POST /jobs', 'POST */tasks']) {
    test(`${call} that took effect and was answered with ${name} is found the second time`, async () => {
      made += 1;
      const task = endless(`committed-${made}`, 'r-1-1');
      const compute = makeCompute();
      await control('PUT', 'faults', [{ call, when: 'commit', count: 1, ...fault }]);
      const first = await outcomeOf(compute.createTask(task));
      assert.is(first.kind, 'transient');
      if (name === '429') assert.is(first.kind === 'transient' && first.retryAfterMs, 2_000);
      const second = await compute.createTask(task);
      if (second.kind === 'rejected') fail(second.failure.message);
      assert.is(second.batch.jobId, `agents-${task.profile}-20260131`);
      assert.is((await compute.listTasks([second.batch.jobId])).length, 1);
      const next = await compute.listTasks([`${second.batch.jobId}-1`]);
      assert.equal(next, [], 'a second agent in the next job');
      await compute.deleteTask(second.batch);
    });
  }
}

test('a task whose node is preempted waits again, and tells that it ran before', async () => {
  await changePool('spot', { lowPriority: true, bootMs: 0, maxNodes: 1 });
  const compute = makeCompute();
  const created = await compute.createTask(endless('spot', 'r-1-1', 'spot'));
  if (created.kind === 'rejected') fail(created.failure.message);
  await until(
    () => compute.getTask(created.batch),
    task => task?.state === 'running' && task.startedAt !== undefined,
  );
  const { nodes } = Pool.parse(await control('GET', 'pools/spot'));
  await changePool('spot', {
    maxNodes: 0,
    nodes: nodes.map(({ id }) => ({ id, state: 'preempted' })),
  });
  const again = await until(
    () => compute.getTask(created.batch),
    task => task?.state === 'active',
  );
  assert.equal([again?.previousState, again?.startedAt], ['running', undefined]);
  assert.is(await compute.poolProblem('spot'), undefined, 'a preempted node is being replaced');
  await compute.deleteTask(created.batch);
});

test('a pool whose nodes are all unusable is told as that', async () => {
  await changePool('broken', { bootMs: 0, maxNodes: 1 });
  const compute = makeCompute();
  const created = await compute.createTask(endless('broken', 'r-1-1', 'broken'));
  if (created.kind === 'rejected') fail(created.failure.message);
  await until(
    () => compute.getTask(created.batch),
    task => task?.state === 'running',
  );
  const { nodes } = Pool.parse(await control('GET', 'pools/broken'));
  await changePool('broken', { nodes: nodes.map(({ id }) => ({ id, state: 'unusable' })) });
  const problem = await compute.poolProblem('broken');
  assert.is(problem?.code, 'NodesUnusable');
  assert.match(problem?.message ?? '', /UnusableNode: The node can no longer run tasks\./);
  await compute.deleteTask(created.batch);
});

test.after(async () => {
  await batch.close();
  scratch.remove();
});
test.run();
