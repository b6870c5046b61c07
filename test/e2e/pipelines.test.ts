import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import type { Stack } from '../../scripts/local/stack/stack.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi, Shown, statesOf } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { accepted, type Pipelines, pipelinesOf } from './support/pipelines.js';
import { agentsIn, callsOf, countOf, misbehave, resetCalls } from './support/stand-ins.js';
import { openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;
let pipelines: Pipelines;

const wholeLife = ['accepted', 'provisioning', 'starting', 'online', 'busy', 'completed'];

const pipeline = suite('a pipeline that asks for an agent');

pipeline.before(async () => {
  ({ stack, end } = await openWorld());
  api = agentsApi(stack);
  pipelines = pipelinesOf(stack);
});
pipeline.after(async () => end());
pipeline.after.each(async () => {
  await misbehave(stack, 'devops');
  await resetCalls(stack);
});

pipeline('gets one, its job runs on exactly that agent, and nothing is left', async () => {
  // Slow to set variables: a completion that does not wait for them would start the job without.
  await misbehave(stack, 'devops', { call: 'PATCH *records', when: 'none', delayMs: 300 });
  const { runId } = await pipelines.start({
    script: 'echo "told: $(agentName) $(requestId), built on: $AZDO_AGENT"',
    body: {
      capabilities: { TEST_BUILD: '$(Build.BuildId)' },
      attempt: '$(System.StageAttempt).$(System.JobAttempt)',
    },
  });
  const requestId = await pipelines.requestId(runId);
  const live = await waitFor('a live line in the log of the waiting run', async () => {
    const { state, log } = await pipelines.get(runId);
    return state === 'waiting' && log.find(line => line.includes('is queued in Batch pool'));
  });
  assert.match(live, `Agent ${requestId}-1 is queued in Batch pool batchLinux; waiting for a node.`);

  const request = await api.end(requestId);
  const run = await pipelines.end(runId);
  assert.equal(statesOf(request), wholeLife);
  assert.is(request.agentName, `${requestId}-1`);
  assert.is(request.failure, null);
  assert.is(run.result, 'succeeded');
  assert.is(run.job?.agentName, request.agentName);
  assert.is(run.variables['agentName'], request.agentName);
  assert.is(run.variables['requestId'], requestId);
  assert.equal(accepted(run), ['succeeded']);
  assert.is(run.request.completions.length, 1);
  const online = new RegExp(`Agent ${requestId}-1 is online after [\\d.]+ s, in agent pool ${pools.ubuntu}`);
  const log = run.log.join('\n');
  assert.match(log, `told: ${requestId}-1 ${requestId}, built on: ${requestId}-1`);
  assert.ok(run.log.some(line => online.test(line)));
  await nothingLeft(stack);
});

pipeline('of the article gets one without waiting, kept alive by a placeholder agent', async () => {
  const { runId } = await pipelines.start({
    route: '/api/ProvideAzDOAgent',
    body: { AgentOSType: 'windows-latest', AgentBuildType: 'full' },
    waitForCompletion: false,
    pool: pools.windows,
    demands: [],
  });
  const requestId = await pipelines.requestId(runId);
  const run = await pipelines.end(runId);
  const request = await api.end(requestId);
  assert.is(request.profile, 'windows');
  assert.is(request.history[0]?.detail, 'Asked for by a pipeline that does not wait.');
  assert.equal(statesOf(request), wholeLife);
  assert.is(run.result, 'succeeded');
  assert.is(run.job?.agentName, request.agentName);
  // Nobody waits, so nobody is told.
  assert.equal(run.request.completions, []);
  await nothingLeft(stack);
  const left = await agentsIn(stack, pools.windows);
  assert.equal(
    left.map(({ name, status }) => `${name} ${status}`),
    ['azdo-batch-agents-placeholder-windows offline'],
  );
});

pipeline('of the Windows profile gets a Windows agent', async () => {
  const { runId } = await pipelines.start({
    body: { profile: 'windows', capabilities: { TEST_BUILD: '$(Build.BuildId)' } },
    pool: pools.windows,
  });
  const request = await api.end(await pipelines.requestId(runId));
  const run = await pipelines.end(runId);
  assert.is(request.batch?.poolId, 'batchWindows');
  assert.is(request.devOpsPool, pools.windows);
  assert.is(run.job?.agentName, request.agentName);
  assert.is(run.result, 'succeeded');
});

pipeline('whose call is delivered again and again makes one Batch task and one agent', async () => {
  const { runId } = await pipelines.start();
  const requestId = await pipelines.requestId(runId);
  const atOnce = await Promise.all(Array.from({ length: 5 }, () => pipelines.redeliver(runId)));
  await api.until(requestId, ['starting', 'online', 'busy']);
  for (const { status, body } of [...atOnce, await pipelines.redeliver(runId)]) {
    assert.is(status, 202);
    assert.match(body, `"requestId":"${requestId}"`);
  }
  const request = await api.end(requestId);
  const run = await pipelines.end(runId);
  assert.is(request.attempt, 1);
  assert.is(run.request.completions.length, 1);
  assert.is(countOf(await callsOf(stack, 'batch'), 'POST', '/tasks'), 1);
  await nothingLeft(stack);
});

pipeline('that does not wait and whose call is delivered again after the end starts nothing', async () => {
  const { runId } = await pipelines.start({
    waitForCompletion: false,
    body: { callback: false, capabilities: { TEST_BUILD: '$(Build.BuildId)' } },
    demands: [],
  });
  const requestId = await pipelines.requestId(runId);
  const request = await api.end(requestId);
  await pipelines.end(runId);
  const again = await Promise.all(Array.from({ length: 3 }, () => pipelines.redeliver(runId)));
  for (const { status, body } of again) {
    assert.is(status, 200);
    assert.equal(Shown.parse(JSON.parse(body)), request);
  }
  assert.is(countOf(await callsOf(stack, 'batch'), 'POST', '/tasks'), 1);
});

pipeline('that asks at the same moment as another gets an agent of its own', async () => {
  const runs = await Promise.all([pipelines.start(), pipelines.start()]);
  const ids = await Promise.all(runs.map(async ({ runId }) => pipelines.requestId(runId)));
  const requests = await Promise.all(ids.map(async id => api.end(id)));
  const ended = await Promise.all(runs.map(async ({ runId }) => pipelines.end(runId)));
  assert.is(new Set(ids).size, 2);
  assert.equal(
    ended.map(({ job }) => job?.agentName),
    requests.map(({ agentName }) => agentName),
  );
  assert.is(countOf(await callsOf(stack, 'batch'), 'POST', '/tasks'), 2);
  await nothingLeft(stack);
});

pipeline.run();
