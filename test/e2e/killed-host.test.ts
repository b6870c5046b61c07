import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { batchTasks } from '../../scripts/demo/batch-tasks.js';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi } from './support/agents-api.js';
import { endsWithOneAgent } from './support/one-agent.js';
import { accepted, type Pipelines, pipelinesOf } from './support/pipelines.js';
import { callsOf, countOf, misbehave, resetCalls } from './support/stand-ins.js';
import { stateInTable } from './support/storage.js';
import { changeBatchPool, openWorld } from './support/world.js';

/** Each test kills the host with `kill -9` in one state of a request and starts it again. */
let world: { stack: Stack; api: AgentsApi; pipelines: Pipelines };
let end: () => Promise<void>;

const killed = suite('a host that is killed and started again');

killed.before(async () => {
  const opened = await openWorld();
  const { stack } = opened;
  ({ end } = opened);
  world = { stack, api: agentsApi(stack), pipelines: pipelinesOf(stack) };
});
killed.after(async () => end());
killed.after.each(async () => {
  const { stack } = world;
  // A test that failed with its host dead must not take the others with it.
  if (stack.pid('host') === undefined) await stack.start('host');
  await misbehave(stack, 'batch');
  await misbehave(stack, 'devops');
  await changeBatchPool(stack, 'batchLinux', { maxNodes: 2 });
  await resetCalls(stack);
});

/** The state in which a request was when its host was killed. */
async function killHost(requestId: string): Promise<string | undefined> {
  await world.stack.kill('host');
  return stateInTable(world.stack, requestId);
}

killed('when the request is accepted finishes it', async () => {
  // Nothing holds a request in this state for long, so a kill may come too late; then it is tried with another.
  for (let tries = 1; ; tries += 1) {
    const { runId } = await world.pipelines.start();
    const state = await killHost(await world.pipelines.requestId(runId));
    await world.stack.start('host');
    await endsWithOneAgent(world, runId);
    if (state === 'accepted') return;
    assert.ok(tries < 5, `it was ${String(state)} each time`);
    await resetCalls(world.stack);
  }
});

killed('while it makes the Batch task finds the one that it made', async () => {
  // Batch makes the task, but its answer is still on its way when the host dies.
  await misbehave(world.stack, 'batch', { call: 'POST */tasks', when: 'none', holdMs: 3_000, count: 1 });
  const { runId } = await world.pipelines.start();
  const requestId = await world.pipelines.requestId(runId);
  await waitFor('the task', async () => (await batchTasks(world.stack)).length > 0);
  assert.is(await killHost(requestId), 'provisioning');
  await world.stack.start('host');
  await endsWithOneAgent(world, runId);
});

killed('while the agent starts goes on waiting for it', async () => {
  await changeBatchPool(world.stack, 'batchLinux', { maxNodes: 0 });
  const { runId } = await world.pipelines.start();
  const requestId = await world.pipelines.requestId(runId);
  await world.api.until(requestId, 'starting');
  assert.is(await killHost(requestId), 'starting');
  await changeBatchPool(world.stack, 'batchLinux', { maxNodes: 2 });
  await world.stack.start('host');
  await endsWithOneAgent(world, runId);
});

killed('while it releases the pipeline has it released once', async () => {
  // Azure DevOps takes the completion, but its answer is still on its way when the host dies.
  await misbehave(world.stack, 'devops', { call: 'POST */events', when: 'none', holdMs: 3_000, count: 1 });
  const { runId } = await world.pipelines.start({ script: 'sleep 2' });
  const requestId = await world.pipelines.requestId(runId);
  await waitFor('the completion', async () => accepted(await world.pipelines.get(runId)).length > 0);
  assert.is(await killHost(requestId), 'online');
  await world.stack.start('host');
  await endsWithOneAgent(world, runId);
});

killed('while the job runs lets it run to its end', async () => {
  const { runId } = await world.pipelines.start({ script: 'sleep 3' });
  const requestId = await world.pipelines.requestId(runId);
  await world.api.until(requestId, 'busy');
  assert.is(await killHost(requestId), 'busy');
  await world.stack.start('host');
  const { history } = await endsWithOneAgent(world, runId);
  assert.is(history.at(-1)?.detail, 'The agent ran its job and ended.');
});

killed('while it cleans up cleans up all the same', async () => {
  await misbehave(world.stack, 'batch', {
    call: 'DELETE */tasks/:taskId',
    when: 'none',
    holdMs: 3_000,
    count: 1,
  });
  const { runId } = await world.pipelines.start();
  const requestId = await world.pipelines.requestId(runId);
  await waitFor(
    'the deletion of the task',
    async () => countOf(await callsOf(world.stack, 'batch'), 'DELETE', '/tasks/:taskId') > 0,
  );
  const state = await killHost(requestId);
  assert.ok(state === 'busy' || state === 'online', `it was ${String(state)}`);
  await world.stack.start('host');
  await endsWithOneAgent(world, runId);
});

killed.run();
