import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { noteRunningApp } from '../../scripts/running-app.js';
import { agents, type Ran } from '../support/agents-command.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { accepted, type Pipelines, pipelinesOf } from './support/pipelines.js';
import { runNow } from './support/reconcile.js';
import { send, waitingIn } from './support/storage.js';
import { changeBatchPool, openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;
let pipelines: Pipelines;

const deadLetters = 'agent-requests-deadletter';
const poison = 'agent-requests-poison';
const poisoned = '{ "version": 1,  "requestId": "poisoned", "profile": "late" }';

const operator = suite('an operator with dead letters');

operator.before(async () => {
  const late = { batchPool: 'latePool', image: 'azdo-agent:ubuntu-24.04-azdo', idleMinutes: 0.05 };
  ({ stack, end } = await openWorld({
    profiles: {
      late: { ...late, devOpsPool: pools.ubuntu },
      patient: { ...late, devOpsPool: pools.hasty },
    },
  }));
  api = agentsApi(stack);
  pipelines = pipelinesOf(stack);
  await noteRunningApp(stack.dataDir, { url: stack.url('host'), pid: process.pid });
});
operator.after(async () => end());

const deadletters = async (...args: readonly string[]): Promise<Ran> =>
  agents(['deadletters', ...args, '--data', stack.dataDir]);

operator('mends what was wrong and redrives: the agents come, and no pipeline is called twice', async () => {
  const [waiting, other] = await Promise.all([
    pipelines.start({ body: { profile: 'late' } }),
    pipelines.start({
      body: { profile: 'patient', callback: false },
      waitForCompletion: false,
      pool: pools.hasty,
      demands: [],
    }),
  ]);
  const waitingId = await pipelines.requestId(waiting.runId);
  const otherId = await pipelines.requestId(other.runId);
  for (const id of [waitingId, otherId]) {
    assert.is((await api.end(id)).failure?.code, 'PoolMissing');
  }
  assert.equal(accepted(await pipelines.end(waiting.runId)), ['failed']);
  assert.is(await waitingIn(stack, deadLetters), 2);

  const listed = await deadletters('list', '--code', 'PoolMissing');
  assert.is(listed.exitCode, 0, listed.stderr);
  for (const id of [waitingId, otherId]) assert.match(listed.stdout, id);
  const shown = await deadletters('show', waitingId);
  assert.match(shown.stdout, /PoolMissing \(nodeAllocation\): [^]*latePool/);
  assert.match(shown.stdout, `"requestId":"${waitingId}"`);

  const dry = await deadletters('redrive', '--all', '--code', 'PoolMissing', '--dry-run');
  assert.match(dry.stdout, '2 requests: 2 redrivable.');
  assert.is((await api.get(waitingId)).state, 'deadLettered');
  assert.is(await waitingIn(stack, deadLetters), 2);

  await changeBatchPool(stack, 'latePool', { bootMs: 0 });
  const redriven = await deadletters('redrive', '--all', '--code', 'PoolMissing');
  assert.is(redriven.exitCode, 0, redriven.stderr);
  assert.match(redriven.stdout, '2 requests: 2 redriven.');
  assert.is(await waitingIn(stack, deadLetters), 0);
  assert.is((await deadletters('redrive', waitingId)).exitCode, 0, 'once more is no failure');

  // The one pipeline waits for a job no more, the other's job is still queued.
  const [expired, completed] = await Promise.all([api.end(waitingId), api.end(otherId)]);
  assert.is(expired.state, 'expired', JSON.stringify(expired.history, undefined, 1));
  assert.is(completed.state, 'completed', JSON.stringify(completed.history, undefined, 1));
  for (const request of [expired, completed]) {
    assert.is(request.attempt, 2);
    assert.is(request.history.filter(({ detail }) => detail.startsWith('Redriven')).length, 1);
  }
  const { job } = await pipelines.end(other.runId);
  assert.is(job?.agentName, `${otherId}-2`);
  const told = await pipelines.get(waiting.runId);
  assert.is(told.request.completions.length, 1, 'the pipeline was called again');
});

operator(
  'finds in the list what the host gave up delivering, redrives or purges it, and nothing is left',
  async () => {
    // What the host does with a message that it has delivered too often.
    await send(stack, poison, poisoned);
    await runNow(stack, 'drainPoison');
    const request = await api.until('poisoned', 'deadLettered');
    assert.is(request.failure?.code, 'DeliveryFailed');
    const shown = await deadletters('show', 'poisoned', '--json');
    const { message } = z.looseObject({ message: z.string() }).parse(JSON.parse(shown.stdout));
    assert.is(message, poisoned);
    assert.is((await deadletters('redrive', 'poisoned')).exitCode, 0);
    await api.until('poisoned', ['online', 'expired']);
    await api.cancel('poisoned');
    await api.end('poisoned');

    await send(stack, 'agent-requests', 'nonsense');
    const nonsense = await waitFor('the nonsense to be refused', async () => {
      const { requests } = await api.list('?state=deadLettered');
      return requests[0]?.requestId;
    });
    const refused = await deadletters('redrive', nonsense, 'nobody');
    assert.is(refused.exitCode, 1);
    assert.match(refused.stdout, /refused: Its message can not be understood[^]*nobody {2}notFound/);
    assert.is((await deadletters('purge', nonsense, '--yes')).exitCode, 0);
    assert.is((await deadletters('list')).stdout, '');
    assert.is((await api.get(nonsense)).state, 'deadLettered', 'the request stays to be read');
    await nothingLeft(stack);
  },
);

operator.run();
