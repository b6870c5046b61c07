import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi, statesOf } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { accepted, type Pipelines, pipelinesOf } from './support/pipelines.js';
import { callsOf, countOf, misbehave, resetCalls } from './support/stand-ins.js';
import { changeBatchPool, openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;
let pipelines: Pipelines;

const ends = suite('the end of a request');

ends.before(async () => {
  ({ stack, end } = await openWorld({
    profiles: {
      brief: {
        devOpsPool: pools.hasty,
        batchPool: 'batchLinux',
        image: 'azdo-agent:ubuntu-24.04-azdo',
        idleMinutes: 0.05,
      },
    },
  }));
  api = agentsApi(stack);
  pipelines = pipelinesOf(stack);
});
ends.after(async () => end());
ends.after.each(async () => {
  await misbehave(stack, 'devops');
  await misbehave(stack, 'batch');
  await changeBatchPool(stack, 'batchLinux', { maxNodes: 2 });
  await resetCalls(stack);
});

ends('expired: online, but no job came in time', async () => {
  const { request } = await api.ask({ profile: 'brief' });
  const ended = await api.end(request.requestId);
  assert.equal(statesOf(ended), ['accepted', 'provisioning', 'starting', 'online', 'expired']);
  assert.is(ended.history.at(-1)?.detail, 'Online, but no job came within 3 s.');
  const idleMs = Date.parse(ended.endedAt ?? '') - Date.parse(ended.onlineAt ?? '');
  assert.ok(idleMs >= 3_000, `taken back after ${idleMs} ms`);
  await nothingLeft(stack);
});

ends('cancelled as soon as it was accepted', async () => {
  const { request } = await api.ask({});
  assert.is((await api.cancel(request.requestId)).status, 202);
  const ended = await api.end(request.requestId);
  assert.is(ended.state, 'cancelled');
  assert.is(ended.onlineAt, null);
  await nothingLeft(stack);
});

ends('cancelled while it starts: the waiting pipeline is told so', async () => {
  await changeBatchPool(stack, 'batchLinux', { maxNodes: 0 });
  const { runId } = await pipelines.start();
  const requestId = await pipelines.requestId(runId);
  await api.until(requestId, 'starting');
  await api.cancel(requestId);
  assert.is((await api.end(requestId)).state, 'cancelled');
  const run = await pipelines.end(runId);
  assert.is(run.result, 'failed');
  assert.equal(accepted(run), ['failed']);
  const said = /^No agent: the request was cancelled before its agent was online\. .* Request \S+: http\S+$/;
  assert.ok(
    run.issues.some(({ message }) => said.test(message)),
    JSON.stringify(run.issues),
  );
  await nothingLeft(stack);
});

ends('cancelled while it is online', async () => {
  const { request } = await api.ask({});
  await api.until(request.requestId, 'online');
  await api.cancel(request.requestId);
  assert.is((await api.end(request.requestId)).state, 'cancelled');
  await nothingLeft(stack);
});

ends('cancelled while its job runs: the job ends with its agent', async () => {
  const { runId } = await pipelines.start({ script: 'sleep 60' });
  const requestId = await pipelines.requestId(runId);
  await api.until(requestId, 'busy');
  await api.cancel(requestId);
  assert.is((await api.end(requestId)).state, 'cancelled');
  const run = await pipelines.end(runId);
  assert.is.not(run.result, 'succeeded');
  await nothingLeft(stack);
});

ends('cancelled because the run was: its completion met a plan that is over', async () => {
  await changeBatchPool(stack, 'batchLinux', { maxNodes: 0 });
  const { runId } = await pipelines.start();
  const requestId = await pipelines.requestId(runId);
  await api.until(requestId, 'starting');
  await pipelines.cancel(runId);
  await changeBatchPool(stack, 'batchLinux', { maxNodes: 2 });
  const ended = await api.end(requestId);
  assert.is(ended.state, 'cancelled');
  assert.match(ended.history.at(-1)?.detail ?? '', /^The pipeline run is over, so its agent is taken back: /);
  assert.equal(accepted(await pipelines.get(runId)), []);
  await nothingLeft(stack);
});

ends('completed, though a pipeline that never waited refused our completion', async () => {
  // It sends the headers and does not say that it does not wait.
  const { runId } = await pipelines.start({ waitForCompletion: false, script: 'sleep 2', demands: [] });
  const requestId = await pipelines.requestId(runId);
  const ended = await api.end(requestId);
  const run = await pipelines.end(runId);
  assert.is(run.result, 'succeeded');
  assert.is(run.job?.agentName, `${requestId}-1`);
  assert.is(ended.state, 'completed');
  assert.equal(accepted(run), []);
  assert.ok(
    ended.history.some(({ detail }) => detail.startsWith('The pipeline did not take our completion: ')),
  );
  await nothingLeft(stack);
});

ends('is followed by a next generation when a pipeline asks anew under the same id', async () => {
  const body = { requestId: 'release-7', capabilities: { TEST_BUILD: '$(Build.BuildId)' } };
  const first = await pipelines.start({ body });
  await pipelines.requestId(first.runId);
  assert.is((await api.end('release-7')).agentName, 'release-7-1');
  const firstRun = await pipelines.end(first.runId);
  const second = await pipelines.start({ body });
  const secondRun = await pipelines.end(second.runId);
  const ended = await waitFor('the end of the second generation', async () => {
    const shown = await api.get('release-7');
    return shown.agentName === 'release-7-2' && shown.endedAt !== null && shown;
  });
  assert.is(ended.state, 'completed');
  assert.is(firstRun.job?.agentName, 'release-7-1');
  assert.is(secondRun.job?.agentName, 'release-7-2');
  assert.is(ended.history.filter(({ state }) => state === 'completed').length, 2, 'one history of both');
  assert.is(countOf(await callsOf(stack, 'batch'), 'POST', '/tasks'), 2);
  await nothingLeft(stack);
});

ends('stays as it is when the same id is asked for by one that does not wait', async () => {
  const before = await api.get('release-7');
  const { status, request } = await api.ask({ requestId: 'release-7' });
  assert.is(status, 200);
  assert.equal(request, before);
  assert.is(countOf(await callsOf(stack, 'batch'), 'POST', '/tasks'), 0);
});

ends.run();
