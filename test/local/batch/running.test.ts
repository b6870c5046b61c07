import { readdirSync, readFileSync } from 'node:fs';

import type { BatchServiceClient, BatchServiceModels } from '@azure/batch';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';

import type { LocalBatch } from '../../../scripts/local/batch/server.js';
import {
  clientOf,
  pool,
  processLives,
  Scratch,
  scriptTask,
  startBatch,
  statusOf,
  taskIn,
  textOf,
  until,
} from './support.js';

/** Tasks really run: what they get, how they end, and that nothing of them is left. */

const scratch = new Scratch();
let batch: LocalBatch;
let client: BatchServiceClient;

const running = suite('running tasks');

running.before(async () => {
  batch = await startBatch(scratch.file('data'), {
    pools: [
      pool({ id: 'batchLinux', taskSlotsPerNode: 20 }),
      pool({ id: 'small', taskSlotsPerNode: 2, maxNodes: 1 }),
      pool({ id: 'slow', bootMs: 300 }),
      pool({ id: 'brief', idleMs: 50 }),
      pool({ id: 'spot', lowPriority: true, maxNodes: 1 }),
      pool({ id: 'broken', maxNodes: 1 }),
    ],
  });
  client = clientOf(batch);
  await client.job.add({
    id: 'Job',
    poolInfo: { poolId: 'batchLinux' },
    commonEnvironmentSettings: [
      { name: 'COMMON', value: 'of the job' },
      { name: 'BOTH', value: 'job' },
    ],
  });
});
running.after(async () => {
  await batch.close();
  scratch.remove();
});

const sleeper = scratch.script('sleep', 'setTimeout(() => {}, 60000)');
const exitWith = (code: number): string => scratch.script(`exit-${code}`, `process.exit(${code})`);

const stdoutOf = async (jobId: string, taskId: string): Promise<string> =>
  textOf(await client.file.getFromTask(jobId, taskId, 'stdout.txt'));

const run = async (
  task: BatchServiceModels.TaskAddParameter,
  jobId = 'Job',
): Promise<BatchServiceModels.TaskGetResponse> => {
  await client.task.add(jobId, task);
  return taskIn(client, jobId, task.id, 'completed');
};

const pidIn = async (jobId: string, taskId: string): Promise<number[]> => {
  const text = await until(
    () => stdoutOf(jobId, taskId).catch(() => ''),
    output => output.endsWith('\n'),
  );
  return text.trim().split(' ').map(Number);
};

const Printed = z.object({ env: z.record(z.string(), z.string()), cwd: z.string() });

running("a task gets Batch's environment, its job's, its own, and nothing of the server's", async () => {
  process.env['LOCAL_BATCH_TEST_LEAK'] = 'leaked';
  const print = scratch.script(
    'print',
    'console.log(JSON.stringify({ env: process.env, cwd: process.cwd() }))',
  );
  const task = await run(
    scriptTask('Env', print, {
      environmentSettings: [
        { name: 'OWN', value: "a 'quoted'\nvalue" },
        { name: 'BOTH', value: 'task' },
      ],
    }),
  );
  delete process.env['LOCAL_BATCH_TEST_LEAK'];
  assert.is(task.executionInfo?.exitCode, 0);
  assert.is(task.executionInfo?.result, 'success');
  assert.is(task.executionInfo?.failureInfo, undefined);
  const { env, cwd } = Printed.parse(JSON.parse(await stdoutOf('Job', 'Env')));
  assert.is(env['OWN'], "a 'quoted'\nvalue");
  assert.is(env['BOTH'], 'task');
  assert.is(env['COMMON'], 'of the job');
  assert.is(env['AZ_BATCH_ACCOUNT_NAME'], 'localbatch');
  assert.is(env['AZ_BATCH_ACCOUNT_URL'], `${batch.url}/`);
  assert.is(env['AZ_BATCH_POOL_ID'], 'batchLinux');
  assert.is(env['AZ_BATCH_NODE_ID'], task.nodeInfo?.nodeId);
  assert.is(env['AZ_BATCH_JOB_ID'], 'Job');
  assert.is(env['AZ_BATCH_TASK_ID'], 'Env');
  assert.is(env['AZ_BATCH_TASK_WORKING_DIR'], cwd);
  assert.ok(cwd.startsWith(env['AZ_BATCH_TASK_DIR'] ?? 'none'));
  assert.is(env['LOCAL_BATCH_TEST_LEAK'], undefined);
});

running('a task goes through its states, each with its time', async () => {
  await client.task.add('Job', scriptTask('states', sleeper));
  const live = await taskIn(client, 'Job', 'states', 'running');
  assert.is(live.previousState, 'preparing');
  assert.ok(live.executionInfo?.startTime instanceof Date);
  assert.is(live.executionInfo?.endTime, undefined);
  assert.is(live.executionInfo?.containerInfo?.state, 'running');
  await client.task.terminate('Job', 'states');
  const ended = await taskIn(client, 'Job', 'states', 'completed');
  assert.is(ended.previousState, 'running');
  assert.is(ended.executionInfo?.failureInfo?.code, 'TaskEnded');
  assert.is(ended.executionInfo?.exitCode, 143);
});

running('a failed exit is told with its code', async () => {
  const { executionInfo } = await run(scriptTask('fails', exitWith(3)));
  assert.is(executionInfo?.exitCode, 3);
  assert.is(executionInfo?.result, 'failure');
  assert.is(executionInfo?.failureInfo?.code, 'FailureExitCode');
  assert.is(executionInfo?.failureInfo?.category.toLowerCase(), 'usererror');
});

running('a failed exit is retried as often as asked', async () => {
  const retried = scriptTask('retried', exitWith(4), { constraints: { maxTaskRetryCount: 2 } });
  const { executionInfo } = await run(retried);
  assert.is(executionInfo?.retryCount, 2);
  assert.ok(executionInfo?.lastRetryTime instanceof Date);
  assert.is(executionInfo?.exitCode, 4);
});

running('over its wall clock, a task is ended', async () => {
  const { executionInfo } = await run(
    scriptTask('clock', sleeper, { constraints: { maxWallClockTime: 'PT0.3S' } }),
  );
  assert.is(executionInfo?.failureInfo?.code, 'TaskEnded');
  const ranMs = Number(executionInfo?.endTime) - Number(executionInfo?.startTime);
  assert.ok(ranMs >= 290 && ranMs < 3_000, `it ran for ${ranMs} ms`);
});

running('an image that nothing stands for', async () => {
  const { executionInfo } = await run({
    id: 'image',
    commandLine: '',
    containerSettings: { imageName: 'nothing:1' },
  });
  assert.is(executionInfo?.failureInfo?.code, 'ContainerInvalidImage');
  assert.is(executionInfo?.failureInfo?.category.toLowerCase(), 'usererror');
  assert.match(executionInfo?.failureInfo?.details?.[0]?.value ?? '', /nothing:1/);
  assert.is(executionInfo?.exitCode, undefined);
});

running('without an image, the command line runs as it is, in no shell', async () => {
  const task = await run({ id: 'plain', commandLine: `${process.execPath} -p "'$HOME'"` });
  assert.is(task.executionInfo?.exitCode, 0);
  assert.is(await stdoutOf('Job', 'plain'), '$HOME\n');
});

running('a program that is not there', async () => {
  const { executionInfo } = await run({ id: 'program', commandLine: 'no-such-program at all' });
  assert.is(executionInfo?.failureInfo?.code, 'CommandProgramNotFound');
  assert.is(executionInfo?.result, 'failure');
});

running('deleting a running task ends its processes, grandchildren and other groups too', async () => {
  const family = scratch.script(
    'family',
    `import { spawn } from 'node:child_process';
     process.on('SIGTERM', () => {});
     const idle = ['-e', "process.on('SIGTERM', () => {}); setTimeout(() => {}, 60000)"];
     const child = spawn(process.execPath, idle, { stdio: 'ignore' });
     const stranger = spawn(process.execPath, idle, { stdio: 'ignore', detached: true });
     console.log(process.pid, child.pid, stranger.pid);
     setTimeout(() => {}, 60000);`,
  );
  await client.task.add('Job', scriptTask('family', family));
  const pids = await pidIn('Job', 'family');
  assert.ok(pids.length === 3 && pids.every(processLives));
  await client.task.deleteMethod('Job', 'family');
  await until(
    () => pids.filter(processLives),
    alive => alive.length === 0,
  );
  assert.not((await client.task.list('Job')).some(({ id }) => id === 'family'));
});

running('a deleted task can be added again before the old one has ended', async () => {
  const stubborn = scratch.script(
    'stubborn',
    `process.on('SIGTERM', () => {}); console.log(process.pid, 0); setTimeout(() => {}, 60000);`,
  );
  await client.task.add('Job', scriptTask('again', stubborn));
  const [first = 0] = await pidIn('Job', 'again');
  await client.task.deleteMethod('Job', 'again');
  const task = await run(scriptTask('again', scratch.script('second', `console.log('second')`)));
  assert.is(task.executionInfo?.exitCode, 0);
  assert.is(await stdoutOf('Job', 'again'), 'second\n');
  await until(
    () => processLives(first),
    lives => !lives,
  );
});

running('what a task left in the background ends with it', async () => {
  const leaver = scratch.script(
    'leaver',
    `import { spawn } from 'node:child_process';
     const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
     child.unref();
     console.log(child.pid, 0);`,
  );
  await run(scriptTask('leaver', leaver));
  const [child = 0] = await pidIn('Job', 'leaver');
  await until(
    () => processLives(child),
    lives => !lives,
  );
});

running('a task whose watcher is lost runs again, and not beside itself', async () => {
  const pids = scratch.script(
    'watched',
    'console.log(process.pid, process.ppid); setTimeout(() => {}, 60000)',
  );
  await client.task.add('Job', scriptTask('watched', pids));
  const [first = 0, wrapper = 0] = await pidIn('Job', 'watched');
  process.kill(wrapper, 'SIGKILL');
  await until(
    () => stdoutOf('Job', 'watched').catch(() => ''),
    text => text !== '' && !text.startsWith(`${first} `),
  );
  assert.not(processLives(first));
  assert.is((await client.task.get('Job', 'watched')).executionInfo?.retryCount, 0);
  await client.task.deleteMethod('Job', 'watched');
});

running('slots are honoured, and the next takes the place of the first to end', async () => {
  await client.job.add({ id: 'slots', poolInfo: { poolId: 'small' } });
  for (const id of ['a', 'b', 'c']) await client.task.add('slots', scriptTask(id, sleeper));
  await taskIn(client, 'slots', 'a', 'running');
  await taskIn(client, 'slots', 'b', 'running');
  assert.is((await client.task.get('slots', 'c')).state, 'active');
  assert.equal((await client.job.getTaskCounts('slots')).taskCounts, {
    active: 1,
    running: 2,
    completed: 0,
    succeeded: 0,
    failed: 0,
  });
  await client.task.terminate('slots', 'a');
  await taskIn(client, 'slots', 'c', 'running');
  await client.job.deleteMethod('slots');
});

running('a node boots before its first task, and shows it', async () => {
  await client.job.add({ id: 'boot', poolInfo: { poolId: 'slow' } });
  const added = Date.now();
  await client.task.add('boot', scriptTask('t', exitWith(0)));
  const [node] = await until(
    () => client.computeNode.list('slow'),
    nodes => nodes.length > 0,
  );
  assert.is(node?.state, 'starting');
  const waiting = await client.pool.get('slow');
  assert.is(waiting.allocationState, 'resizing');
  assert.is((await client.task.get('boot', 't')).state, 'active');
  const { executionInfo } = await taskIn(client, 'boot', 't', 'completed');
  assert.ok(Number(executionInfo?.startTime) - added >= 290, 'it started before its node had booted');
  assert.is((await client.pool.get('slow')).currentDedicatedNodes, 1);
});

running('an idle node leaves', async () => {
  await client.job.add({ id: 'leave', poolInfo: { poolId: 'brief' } });
  await client.task.add('leave', scriptTask('t', exitWith(0)));
  await taskIn(client, 'leave', 't', 'completed');
  await until(
    () => client.pool.get('brief'),
    ({ currentDedicatedNodes }) => currentDedicatedNodes === 0,
  );
});

const control = (path: string, method: string, body?: unknown): Promise<Response> =>
  fetch(`${batch.url}/_local/pools/${path}`, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });

running("a preempted node's task runs again elsewhere, and no count tells", async () => {
  await client.job.add({ id: 'preempt', poolInfo: { poolId: 'spot' } });
  const pids = scratch.script('pids', 'console.log(process.pid, 0); setTimeout(() => {}, 60000)');
  await client.task.add('preempt', scriptTask('t', pids));
  const [first = 0] = await pidIn('preempt', 't');
  const before = await taskIn(client, 'preempt', 't', 'running');
  const id = before.nodeInfo?.nodeId;
  assert.is((await control('spot', 'PUT', { nodes: [{ id, state: 'preempted' }] })).status, 200);
  const again = await until(
    () => client.task.get('preempt', 't'),
    ({ state, nodeInfo }) => state === 'running' && nodeInfo?.nodeId !== id,
  );
  assert.not(processLives(first));
  assert.is(again.executionInfo?.requeueCount, 0);
  assert.is(again.executionInfo?.retryCount, 0);
  assert.is((await client.computeNode.get('spot', id ?? '')).state, 'preempted');
  await client.job.deleteMethod('preempt');
});

running('the control API breaks nodes, stops growth, and removes and adds pools', async () => {
  await client.job.add({ id: 'broken', poolInfo: { poolId: 'broken' } });
  const resizeErrors = [{ code: 'AllocationFailed', message: 'no capacity' }];
  await control('broken', 'PUT', { resizeErrors });
  assert.equal((await client.pool.get('broken')).resizeErrors, resizeErrors);
  await client.task.add('broken', scriptTask('t', sleeper));
  await control('broken', 'PUT', { resizeErrors: [] });
  const { nodeInfo } = await taskIn(client, 'broken', 't', 'running');
  await control('broken', 'PUT', { nodes: [{ id: nodeInfo?.nodeId, state: 'unusable' }] });
  await taskIn(client, 'broken', 't', 'active');
  const [node] = await client.computeNode.list('broken');
  assert.is(node?.state, 'unusable');
  assert.is(node?.errors?.[0]?.code, 'UnusableNode');

  assert.is((await control('broken', 'DELETE')).status, 204);
  assert.is((await client.pool.exists('broken')).body, false);
  assert.is((await client.task.get('broken', 't')).state, 'active');
  assert.is((await control('broken', 'PUT', { bootMs: 1, maxNodes: 3 })).status, 200);
  await taskIn(client, 'broken', 't', 'running');
  assert.is((await control('broken', 'PUT', { colour: 'red' })).status, 400);
  await client.job.deleteMethod('broken');
});

running('a job on a missing pool is accepted and never runs', async () => {
  await client.job.add({ id: 'missing', poolInfo: { poolId: 'nowhere' } });
  await client.task.add('missing', scriptTask('t', exitWith(0)));
  await run(scriptTask('meanwhile', exitWith(0)));
  assert.is((await client.task.get('missing', 't')).state, 'active');
});

running('disabling a job puts its tasks back and counts it; enabling runs them again', async () => {
  await client.job.add({ id: 'pause', poolInfo: { poolId: 'batchLinux' } });
  await client.task.add('pause', scriptTask('t', sleeper));
  await taskIn(client, 'pause', 't', 'running');
  await client.job.disable('pause', 'requeue');
  const { executionInfo } = await taskIn(client, 'pause', 't', 'active');
  assert.is(executionInfo?.requeueCount, 1);
  await until(
    () => client.job.get('pause'),
    ({ state }) => state === 'disabled',
  );
  await client.job.enable('pause');
  await taskIn(client, 'pause', 't', 'running');
  await client.job.deleteMethod('pause');
});

running('terminating a job ends its running tasks and leaves the waiting as they are', async () => {
  await client.job.add({ id: 'end', poolInfo: { poolId: 'small' } });
  for (const id of ['a', 'b', 'c']) await client.task.add('end', scriptTask(id, sleeper));
  await taskIn(client, 'end', 'a', 'running');
  await taskIn(client, 'end', 'b', 'running');
  await client.job.terminate('end');
  await until(
    () => client.job.get('end'),
    ({ state }) => state === 'completed',
  );
  assert.is((await client.task.get('end', 'a')).executionInfo?.failureInfo?.code, 'TaskEnded');
  assert.is((await client.task.get('end', 'c')).state, 'active');
  await client.job.deleteMethod('end');
});

running('a job ends when its last task has, and when a task fails as it was told to watch for', async () => {
  await client.job.add({ id: 'last', poolInfo: { poolId: 'batchLinux' } });
  await client.task.add('last', scriptTask('t', exitWith(0)));
  await client.job.patch('last', { onAllTasksComplete: 'terminatejob' });
  const last = await until(
    () => client.job.get('last'),
    ({ state }) => state === 'completed',
  );
  assert.is(last.executionInfo?.terminateReason, 'AllTasksComplete');

  await client.job.add({
    id: 'watch',
    poolInfo: { poolId: 'batchLinux' },
    onTaskFailure: 'performexitoptionsjobaction',
  });
  const exitConditions = { exitCodes: [{ code: 9, exitOptions: { jobAction: 'terminate' as const } }] };
  await client.task.add('watch', scriptTask('t', exitWith(9), { exitConditions }));
  const watched = await until(
    () => client.job.get('watch'),
    ({ state }) => state === 'completed',
  );
  assert.is(watched.executionInfo?.terminateReason, 'TaskFailed');
});

running('a deleted job leaves no file and no process', async () => {
  await client.job.add({ id: 'gone', poolInfo: { poolId: 'batchLinux' } });
  const pids = scratch.script('gone', 'console.log(process.pid, 0); setTimeout(() => {}, 60000)');
  await client.task.add('gone', scriptTask('t', pids));
  const [pid = 0] = await pidIn('gone', 't');
  await client.job.deleteMethod('gone');
  await until(
    () =>
      client.job.get('gone').then(
        () => true,
        () => false,
      ),
    exists => !exists,
  );
  assert.not(processLives(pid));
  assert.not(readdirSync(scratch.file('data/workitems')).includes('gone'));
});

running('files are kept for the retention time, not longer', async () => {
  await run(scriptTask('kept', exitWith(0), { constraints: { retentionTime: 'PT0.2S' } }));
  await until(
    () => statusOf(client.file.getPropertiesFromTask('Job', 'kept', 'stdout.txt')),
    status => status === 409,
  );
  assert.not(readdirSync(scratch.file('data/workitems/job')).includes('kept'));
});

running('no value of an environment is in a file that others may read, or on a command line', async () => {
  const secret = 'c4nary-t0ken';
  await client.task.add(
    'Job',
    scriptTask('secret', sleeper, { environmentSettings: [{ name: 'AZDO_TOKEN', value: secret }] }),
  );
  await taskIn(client, 'Job', 'secret', 'running');
  if (process.platform === 'linux') {
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
      const line = ((): string => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        } catch {
          return '';
        }
      })();
      assert.not(line.includes(secret), `on the command line of ${pid}`);
    }
  }
  const holders = readdirSync(scratch.file('data'), { recursive: true, withFileTypes: true })
    .filter(
      entry => entry.isFile() && readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8').includes(secret),
    )
    .map(({ name }) => name);
  assert.equal(holders, ['journal.jsonl']);
  await client.task.deleteMethod('Job', 'secret');
});

running.run();
