import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCalls } from '../../scripts/bench/counting/counts.js';
import { Executions } from '../../scripts/bench/counting/executions.js';
import { instanceCosts } from '../../scripts/bench/counting/histories.js';
import { freeNodes } from '../../scripts/bench/counting/nodes.js';
import {
  registerDummyAgent,
  requestIdOf,
  startRun,
  untilSucceeded,
} from '../../scripts/bench/counting/pipelines.js';
import { type AppName, openWorld } from '../../scripts/bench/world.js';
import { batchTasks } from '../../scripts/demo/batch-tasks.js';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { makeTempFolder } from '../support/temp-folder.js';
import { waitFor } from '../support/wait-for.js';

const contenders = suite('the other contenders of the bench');
const signal = new AbortController().signal;

async function inWorldOf(
  app: AppName,
  work: (stack: Stack, executions: Executions) => Promise<void>,
): Promise<void> {
  const folder = await makeTempFolder('bench-');
  try {
    const executions = new Executions();
    const stack = await openWorld({
      app,
      folder: folder.path,
      settings: { WatchSeconds: '0.2' },
      onEvent: executions.onEvent,
    });
    try {
      await freeNodes(stack, 1);
      await work(stack, executions);
    } finally {
      await stack.stop();
    }
  } finally {
    await folder.remove();
  }
}

contenders('article: a call makes a task whose agent runs the job, and that is all', async () => {
  await inWorldOf('article', async (stack, executions) => {
    await registerDummyAgent(stack);
    const runId = await startRun(stack, 'article');
    await untilSucceeded(stack, runId, signal);

    assert.equal(executions.counts(), { ProvideAzDOAgent: 1 });
    const { batch, devops } = await readCalls(stack, 'article');
    assert.equal(batch, { 'POST /jobs': 1, 'POST /jobs/:jobId/tasks': 1 });
    assert.equal(devops, {});
    // Nobody follows it up.
    const requestId = await requestIdOf(stack, runId);
    await waitFor('the task to be over', async () => /completed/.test((await batchTasks(stack)).join()));
    assert.equal(await batchTasks(stack), [`AzDoLinux/${requestId} (completed)`]);
  });
});

contenders(
  'monitor: an orchestration looks until the agent is online, tells the pipeline, tidies up',
  async () => {
    await inWorldOf('monitor', async (stack, executions) => {
      const runId = await startRun(stack, 'monitor');
      await untilSucceeded(stack, runId, signal);
      await waitFor('the task to be removed', () => executions.of('removeAgentTask') > 0);
      assert.equal(await batchTasks(stack), []);

      const requestId = (await requestIdOf(stack, runId)) ?? '';
      const [cost] = await waitFor('its end', async () => instanceCosts(stack, [requestId]));
      const looks = executions.of('lookAtAgent');
      assert.is(
        cost?.activities,
        looks + 3,
        'one activity each to create, to tell and to remove, and its looks',
      );
      const { devops } = await readCalls(stack, 'monitor');
      const told = Object.entries(devops).filter(([call]) => call.endsWith('/events'));
      assert.equal(
        told.map(([, times]) => times),
        [1],
      );
    });
  },
);

contenders.run();
