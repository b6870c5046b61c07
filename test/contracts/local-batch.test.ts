import { BatchServiceClient, BatchSharedKeyCredentials } from '@azure/batch';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startLocalBatch } from '../../scripts/local/batch/server.js';
import { createBatchCompute } from '../../shared/adapters/batch-compute.js';
import type { BatchPlace } from '../../shared/domain/request.js';
import type { AgentTask } from '../../shared/ports.js';
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

test.after(async () => {
  await batch.close();
  scratch.remove();
});
test.run();
