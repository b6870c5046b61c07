import type { BatchServiceClient, BatchServiceModels } from '@azure/batch';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { LocalBatch } from '../../../scripts/local/batch/server.js';
import { clientOf, pool, Scratch, scriptTask, startBatch, taskIn, until } from './support.js';

const scratch = new Scratch();
let batch: LocalBatch;
let client: BatchServiceClient;

const faults = suite('tasks that go wrong as they are told to');

faults.before(async () => {
  batch = await startBatch(scratch.file('data'), {
    seed: 1,
    pools: [
      pool({ id: 'batchLinux', taskSlotsPerNode: 20 }),
      pool({ id: 'single', taskSlotsPerNode: 1, maxNodes: 3 }),
    ],
  });
  client = clientOf(batch);
  await client.job.add({ id: 'Job', poolInfo: { poolId: 'batchLinux' } });
  await client.job.add({ id: 'Single', poolInfo: { poolId: 'single' } });
});
faults.after.each(() => put());
faults.after(async () => {
  await batch.close();
  scratch.remove();
});

const sleeper = scratch.script('sleep', 'setTimeout(() => {}, 60000)');
const quick = scratch.script('quick', 'process.stdout.write(process.env.AZDO_LOCAL_FAULT ?? "")');

async function put(...rules: readonly object[]): Promise<void> {
  const answer = await control('PUT', '/task-faults', rules);
  assert.is(answer.status, 204, await answer.text());
}
const control = (method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(`${batch.url}/_local${path}`, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });

async function run(taskId: string, script: string): Promise<BatchServiceModels.TaskGetResponse> {
  await client.task.add('Job', scriptTask(taskId, script));
  return taskIn(client, 'Job', taskId, 'completed');
}
const endOf = ({ executionInfo }: BatchServiceModels.TaskGetResponse) => ({
  exitCode: executionInfo?.exitCode,
  code: executionInfo?.failureInfo?.code,
});

const Bites = z.array(z.object({ task: z.string(), does: z.string() }));

faults('an image that can not be pulled, so often, and by its name', async () => {
  await put({ does: 'failToStart', image: '*/node:*', task: 'pull-*', count: 1 });
  const failed = await run('pull-1', quick);
  assert.equal(endOf(failed), { exitCode: undefined, code: 'ContainerInvalidImage' });
  assert.is(failed.executionInfo?.failureInfo?.category, 'userError');
  assert.equal(endOf(await run('pull-2', quick)), { exitCode: 0, code: undefined });
  assert.equal(Bites.parse(await (await control('GET', '/task-faults/bites')).json()), [
    { task: 'pull-1', does: 'failToStart' },
  ]);
  await put({ does: 'failToStart', code: 'DiskFull' });
  assert.is(endOf(await run('full', quick)).code, 'DiskFull');
});

faults('a wall clock that is over, and processes that are killed', async () => {
  await put({ does: 'wallClock', task: 'clock' }, { does: 'kill', task: 'oom' });
  assert.is(endOf(await run('clock', sleeper)).code, 'TaskEnded');
  assert.equal(endOf(await run('oom', sleeper)), { exitCode: 137, code: 'FailureExitCode' });
});

faults('a node that is taken away while it runs a task, which runs again elsewhere', async () => {
  await put({ does: 'preemptNode', job: 'Single', count: 1 });
  await client.task.add('Single', scriptTask('moved', sleeper));
  const bites = await until(
    async () => Bites.parse(await (await control('GET', '/task-faults/bites?after=2')).json()),
    all => all.some(({ does }) => does === 'preemptNode'),
  );
  assert.ok(bites.length > 0);
  const states = async () => {
    const { nodes } = z
      .object({ nodes: z.array(z.object({ id: z.string(), state: z.string() })) })
      .parse(await (await control('GET', '/pools/single')).json());
    return nodes;
  };
  const lost = await until(states, nodes => nodes.some(({ state }) => state === 'preempted'));
  const again = await until(
    () => client.task.get('Single', 'moved'),
    task =>
      task.state === 'running' &&
      lost.every(({ id, state }) => state !== 'preempted' || id !== task.nodeInfo?.nodeId),
  );
  assert.is(again.executionInfo?.requeueCount, 0);

  // By hand, and only a busy one.
  const answer = await control('POST', '/pools/single/nodes', { state: 'unusable', busy: true });
  assert.equal(await answer.json(), { nodes: [again.nodeInfo?.nodeId] });
  assert.is((await client.computeNode.get('single', again.nodeInfo?.nodeId ?? '')).state, 'unusable');
  await client.task.deleteMethod('Single', 'moved');
});

faults('the local agent is told by its environment', async () => {
  await put({ does: 'dieInJob', afterMs: 5, task: 'told' });
  await run('told', quick);
  const { readableStreamBody } = await client.file.getFromTask('Job', 'told', 'stdout.txt');
  let told = '';
  for await (const chunk of readableStreamBody ?? []) told += chunk.toString();
  assert.equal(JSON.parse(told), { does: 'dieInJob', afterMs: 5 });
});

faults('rules that can not be understood are refused', async () => {
  for (const rule of [
    { does: 'vanish' },
    { does: 'kill', when: 'now' },
    { does: 'failToStart', code: 'Sloth' },
  ]) {
    assert.is((await control('PUT', '/task-faults', [rule])).status, 400);
  }
});

faults.run();
