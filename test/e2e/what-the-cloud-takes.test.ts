import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi, type Shown } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { accepted, type Pipelines, pipelinesOf } from './support/pipelines.js';
import { preempted } from './support/preempted.js';
import { agentsIn, callsOf, countOf, resetCalls } from './support/stand-ins.js';
import { take } from './support/storage.js';
import { changeBatchPool, openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;
let pipelines: Pipelines;

const profile = (batchPool: string, more: object = {}): object => ({
  devOpsPool: pools.hasty,
  batchPool,
  image: 'azdo-agent:ubuntu-24.04-azdo',
  ...more,
});

const taken = suite('an agent that the cloud takes away, or never gives');

taken.before(async () => {
  ({ stack, end } = await openWorld({
    profiles: {
      spot: profile('spot'),
      doomed: profile('doomed'),
      full: profile('full'),
    },
    args: { devops: ['--lock', '2', '--offline-after', '1'] },
  }));
  api = agentsApi(stack);
  pipelines = pipelinesOf(stack);
  await changeBatchPool(stack, 'spot', { lowPriority: true, bootMs: 0 });
  await changeBatchPool(stack, 'doomed', { maxNodes: 0 });
  await changeBatchPool(stack, 'full', {
    resizeErrors: [{ code: 'AccountLowPriorityCoreQuotaReached', message: 'No Spot cores are left.' }],
  });
});
taken.after(async () => end());
taken.after.each(async () => resetCalls(stack));

/** Takes the nodes of a pool away; others come in their place at once. */
const preempt = async (pool: string): Promise<void> =>
  changeBatchPool(stack, pool, { nodes: await preempted(stack, pool) });

const details = ({ history }: Shown): string => history.map(({ detail }) => detail).join('\n');

taken('comes again as another attempt when its node is lost before its job', async () => {
  const { request } = await api.ask({ profile: 'spot' });
  const { requestId } = request;
  await api.until(requestId, 'online');
  await preempt('spot');
  const again = await waitFor('the second agent', async () => {
    const shown = await api.get(requestId);
    return shown.attempt === 2 && shown.state === 'online' && shown;
  });
  assert.match(details(again), /Attempt 1 failed with NodePreempted/);
  assert.is(countOf(await callsOf(stack, 'batch'), 'POST', '/tasks'), 2);
  const agents = (await agentsIn(stack, pools.hasty)).map(({ name }) => name);
  assert.equal(
    agents.filter(name => name.startsWith(requestId)),
    [`${requestId}-2`],
    'the task that Batch ran again brought its agent up again',
  );
  await api.cancel(requestId);
  await api.end(requestId);
  await nothingLeft(stack);
});

taken('ends with its job as NodePreempted when its node is lost during it', async () => {
  const { runId } = await pipelines.start({
    pool: pools.hasty,
    script: 'sleep 60',
    body: { profile: 'spot', capabilities: { TEST_BUILD: '$(Build.BuildId)' } },
  });
  const requestId = await pipelines.requestId(runId);
  await api.until(requestId, 'busy');
  await preempt('spot');
  const ended = await api.end(requestId);
  assert.is(ended.state, 'completed');
  assert.is(ended.failure?.code, 'NodePreempted');
  assert.match(ended.history.at(-1)?.detail ?? '', /^NodePreempted: /);
  assert.is(ended.attempt, 1);
  const run = await pipelines.end(runId);
  assert.is.not(run.result, 'succeeded');
  assert.equal(accepted(run), ['succeeded'], 'the pipeline is told once');
  await nothingLeft(stack);
});

taken('is not waited for in a Batch pool that is deleted', async () => {
  const { runId } = await pipelines.start({ body: { profile: 'doomed' }, script: null });
  const requestId = await pipelines.requestId(runId);
  await api.until(requestId, 'starting');
  await fetch(`${stack.url('batch')}/_local/pools/doomed`, { method: 'DELETE' });
  const ended = await api.end(requestId);
  assert.equal([ended.state, ended.failure?.code], ['deadLettered', 'PoolMissing']);
  assert.match(ended.failure?.message ?? '', /doomed.*batchPool/);
  const run = await pipelines.end(runId);
  assert.is(run.result, 'failed');
  assert.is((await take(stack, 'agent-requests-deadletter')).length, 1);
  await nothingLeft(stack);
});

taken('waits in a pool that can not grow: the pipeline and the history are told why', async () => {
  const { runId } = await pipelines.start({ body: { profile: 'full' }, script: null });
  const requestId = await pipelines.requestId(runId);
  const line = /Waiting for a node, none ahead in Batch pool full \(\d.* so far\)\. Held up: /;
  await waitFor('the reason in the log of the run', async () => {
    const { log } = await pipelines.get(runId);
    return log.some(
      each => line.test(each) && /No Spot cores are left.*\(QuotaReached\)\. Ask the platform/.test(each),
    );
  });
  const shown = await api.get(requestId);
  assert.is(shown.state, 'starting');
  assert.is(shown.history.filter(({ detail }) => detail.startsWith('QuotaReached: ')).length, 1);

  // Its agent comes late enough for a round of the watch to see its container.
  await fetch(`${stack.url('batch')}/_local/task-faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ does: 'registerLate', pool: 'full', afterMs: 1_500 }]),
  });
  await changeBatchPool(stack, 'full', { resizeErrors: [] });
  await api.until(requestId, 'online');
  const { log } = await pipelines.end(runId);
  const agent = `${requestId}-1`;
  const told = [
    `Request ${requestId}: asking for an agent of profile full, attempt 1 of 3.`,
    `Agent ${agent} is queued in Batch pool full; waiting for a node.`,
    'Waiting for a node, none ahead in Batch pool full (',
    `Image pulled, container of agent ${agent} started, waiting for it to come online (`,
    `Agent ${agent} is online after `,
  ].map(words => log.findIndex(each => each.includes(words)));
  assert.equal(
    told,
    [...told].filter(at => at >= 0).toSorted((one, other) => one - other),
    log.join('\n'),
  );
  await api.cancel(requestId);
  assert.is((await api.end(requestId)).state, 'cancelled');
  await nothingLeft(stack);
});

taken('is not made any more for a run that was cancelled while it waited', async () => {
  await changeBatchPool(stack, 'doomed', { maxNodes: 0 });
  const { runId } = await pipelines.start({ body: { profile: 'doomed' }, script: null });
  const requestId = await pipelines.requestId(runId);
  await api.until(requestId, 'starting');
  await pipelines.cancel(runId);
  const ended = await api.end(requestId);
  assert.is(ended.state, 'cancelled');
  assert.match(ended.history.at(-1)?.detail ?? '', /^The pipeline run is over, so its agent is taken back: /);
  assert.equal(accepted(await pipelines.get(runId)), []);
  await nothingLeft(stack);
});

taken.run();
