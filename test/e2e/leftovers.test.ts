import { BatchServiceClient, BatchSharedKeyCredentials } from '@azure/batch';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { batchTasks } from '../../scripts/demo/batch-tasks.js';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi } from './support/agents-api.js';
import { runNow } from './support/reconcile.js';
import { agentsIn, registerAgent } from './support/stand-ins.js';
import { changeBatchPool, openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;
let batch: BatchServiceClient;

const leftovers = suite('what requests have left behind');

leftovers.before(async () => {
  ({ stack, end } = await openWorld());
  api = agentsApi(stack);
  const { settings } = stack;
  batch = new BatchServiceClient(
    new BatchSharedKeyCredentials(settings['BatchAccountName'] ?? '', settings['BatchAccountKey'] ?? ''),
    settings['BatchAccountUrl'] ?? '',
    { noRetryPolicy: true },
  );
  await changeBatchPool(stack, 'batchLinux', { maxNodes: 0 });
});
leftovers.after(async () => end());

/** @returns the Batch job that an ended request was in, and the name of its agent. */
async function haveEnded(): Promise<{ readonly jobId: string; readonly name: string }> {
  const { requestId } = (await api.ask({})).request;
  const { batch: place, agentName } = await api.until(requestId, 'starting');
  assert.is((await api.cancel(requestId)).status, 202);
  assert.is((await api.end(requestId)).state, 'cancelled');
  return { jobId: place?.jobId ?? '?', name: agentName ?? '?' };
}

const plantTask = (jobId: string, id: string) =>
  batch.task.add(jobId, {
    id,
    commandLine: '',
    containerSettings: { imageName: 'azdo-agent:ubuntu-24.04-azdo' },
  });
const plantJob = (id: string) => batch.job.add({ id, poolInfo: { poolId: 'batchLinux' } });
const dayBefore = (days: number): string =>
  new Date(Date.now() - days * 24 * 60 * 60_000).toISOString().slice(0, 10).replaceAll('-', '');

leftovers('goes, and nothing else does', async () => {
  const [task, agent, living] = await Promise.all([haveEnded(), haveEnded(), api.ask({})]);
  const { batch: place } = await api.until(living.request.requestId, 'starting');
  await plantTask(task.jobId, task.name);
  await registerAgent(stack, pools.ubuntu, agent.name);
  await registerAgent(stack, pools.ubuntu, 'build-server-1');
  await plantJob('nightly');
  await plantTask('nightly', task.name);
  const past = `agents-ubuntu-${dayBefore(2)}`;
  const old = `agents-ubuntu-${dayBefore(9)}`;
  const strange = `agents-smith-${dayBefore(2)}`;
  for (const jobId of [past, old, strange]) await plantJob(jobId);

  const names = async (): Promise<readonly string[]> =>
    (await agentsIn(stack, pools.ubuntu)).map(({ name }) => name).toSorted();
  const tasks = async (): Promise<readonly string[]> =>
    (await batchTasks(stack)).map(each => each.split(' ')[0] ?? '').toSorted();
  const jobs = async (): Promise<ReadonlyMap<string, string>> =>
    new Map((await batch.job.list()).map(({ id, state }) => [id ?? '', state ?? '']));
  await waitFor('the leftovers to be removed', async () => {
    await runNow(stack, 'reconcile');
    const [left, agents, found] = [await tasks(), await names(), await jobs()];
    return !left.includes(`${task.jobId}/${task.name}`) && !agents.includes(agent.name) && !found.has(old);
  });
  // And however often it looks again.
  for (let round = 0; round < 2; round += 1) await runNow(stack, 'reconcile');
  const kept = [`nightly/${task.name}`, `${place?.jobId ?? '?'}/${place?.taskId ?? '?'}`];
  assert.equal(await tasks(), kept.toSorted());
  assert.equal(await names(), ['azdo-batch-agents-placeholder-linux', 'build-server-1']);
  const found = await jobs();
  assert.equal(
    [past, strange, 'nightly', task.jobId].map(jobId => found.get(jobId)),
    ['completed', 'active', 'active', 'active'],
  );
  assert.is((await api.get(living.request.requestId)).state, 'starting');
  const output = stack.output('host');
  assert.match(output, `Batch task ${task.name} in job ${task.jobId} was left over`);
  assert.match(output, `Agent ${agent.name} in pool ${pools.ubuntu} was left over`);
  assert.is(output.match(/was left over/g)?.length, 2);
});

leftovers.run();
