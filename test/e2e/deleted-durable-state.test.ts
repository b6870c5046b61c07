import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { deleteTaskHub } from '../../scripts/chaos/task-hub.js';
import { batchTasks } from '../../scripts/demo/batch-tasks.js';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi, statesOf } from './support/agents-api.js';
import { endsWithOneAgent } from './support/one-agent.js';
import { accepted, type PipelineOptions, type Pipelines, pipelinesOf } from './support/pipelines.js';
import { clearQueue, letTimePass, runNow } from './support/reconcile.js';
import { misbehave } from './support/stand-ins.js';
import { stateInTable } from './support/storage.js';
import { changeBatchPool, openWorld, pools } from './support/world.js';

/** The table of requests is the truth: without the state of any orchestration every request reaches its end. */
let world: { stack: Stack; api: AgentsApi; pipelines: Pipelines };
let end: () => Promise<void>;

const deleted = suite('the Durable state is deleted while requests live');

deleted.before(async () => {
  const opened = await openWorld({
    profiles: {
      brief: {
        devOpsPool: pools.hasty,
        batchPool: 'batchLinux',
        image: 'azdo-agent:ubuntu-24.04-azdo',
        idleMinutes: 0.1,
      },
    },
  });
  const { stack } = opened;
  ({ end } = opened);
  world = { stack, api: agentsApi(stack), pipelines: pipelinesOf(stack) };
});
deleted.after(async () => end());

interface Runs {
  readonly starting: string;
  readonly online: string;
  readonly busy: string;
  readonly provisioning: string;
}

/** A request in each state that one can be held in. */
async function runsInEveryState(): Promise<Runs> {
  const { stack, api, pipelines } = world;
  const start = async (state: string, options: PipelineOptions): Promise<string> => {
    const { runId } = await pipelines.start(options);
    await api.until(await pipelines.requestId(runId), state);
    return runId;
  };
  await changeBatchPool(stack, 'batchWindows', { maxNodes: 0, idleMs: 0 });
  const [starting, busy] = await Promise.all([
    start('starting', {
      pool: pools.windows,
      body: { profile: 'windows', capabilities: { TEST_BUILD: '$(Build.BuildId)' } },
    }),
    start('busy', { script: 'sleep 5' }),
  ]);
  // Nobody sends it a job.
  const online = await start('online', { script: null, body: { profile: 'brief' } });
  await misbehave(stack, 'batch', { call: 'POST */tasks', when: 'none', holdMs: 2_000, count: 1 });
  const provisioning = await start('provisioning', {});
  const taskId = `${await pipelines.requestId(provisioning)}-1`;
  await waitFor('its task', async () => (await batchTasks(stack)).some(task => task.includes(taskId)));
  return { starting, online, busy, provisioning };
}

async function allEndWell({ online, ...others }: Runs, ...more: readonly string[]): Promise<void> {
  const { api, pipelines } = world;
  await changeBatchPool(world.stack, 'batchWindows', { maxNodes: 2, idleMs: 60_000 });
  const runs = [...Object.values(others), ...more];
  const unused = await api.end(await pipelines.requestId(online), 40_000);
  for (const runId of runs) await api.end(await pipelines.requestId(runId), 40_000);
  assert.equal(statesOf(unused), ['accepted', 'provisioning', 'starting', 'online', 'expired']);
  assert.is(unused.attempt, 1);
  assert.equal(accepted(await pipelines.end(online)), ['succeeded']);
  for (const runId of runs) await endsWithOneAgent(world, runId);
}

async function states(runs: Runs): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [state, runId] of Object.entries(runs)) {
    found[state] = await stateInTable(world.stack, await world.pipelines.requestId(String(runId)));
  }
  return found;
}

const inTheirStates = { starting: 'starting', online: 'online', busy: 'busy', provisioning: 'provisioning' };

deleted('under a running host: all go on, with the one agent and the one answer that they had', async () => {
  const { stack } = world;
  const runs = await runsInEveryState();
  await deleteTaskHub(stack);
  assert.equal(await states(runs), inTheirStates);
  await waitFor('the host to notice', () => /The task hub was deleted/.test(stack.output('host')));
  await letTimePass(stack);
  await runNow(stack, 'reconcile');
  await allEndWell(runs);
});

deleted('while the host is dead, with the messages of accepted requests', async () => {
  const { stack, pipelines } = world;
  const runs = await runsInEveryState();
  const { runId } = await pipelines.start();
  const requestId = await pipelines.requestId(runId);
  await stack.kill('host');
  assert.equal(await states(runs), inTheirStates);
  assert.ok(['accepted', 'provisioning'].includes((await stateInTable(stack, requestId)) ?? ''));
  await deleteTaskHub(stack);
  await clearQueue(stack, 'agent-requests');
  await letTimePass(stack);
  await stack.start('host');
  await allEndWell(runs, runId);
});

deleted.run();
