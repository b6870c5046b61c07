import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { type AgentsApi, agentsApi } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { accepted, type Pipelines, pipelinesOf } from './support/pipelines.js';
import { openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;
let pipelines: Pipelines;

const skew = suite('clocks that differ');

skew.before(async () => {
  ({ stack, end } = await openWorld({
    profiles: {
      once: {
        devOpsPool: pools.hasty,
        batchPool: 'batchLinux',
        image: 'azdo-agent:ubuntu-24.04-azdo',
        attempts: 1,
      },
    },
    args: { devops: ['--skew', '600'], batch: ['--skew', '-600'] },
  }));
  api = agentsApi(stack);
  pipelines = pipelinesOf(stack);
});
skew.after(async () => end());

skew('Azure DevOps ten minutes ahead and Batch ten minutes behind change nothing', async () => {
  const { runId } = await pipelines.start();
  const request = await api.end(await pipelines.requestId(runId));
  assert.is(request.state, 'completed');
  assert.equal(accepted(await pipelines.end(runId)), ['succeeded']);
  for (const [name, ms] of Object.entries(request.timings)) {
    assert.ok(ms === null || (ms >= 0 && ms < 30_000), `${name} is ${ms}`);
  }
  await nothingLeft(stack);
});

skew('a node whose clock is past the expiry of its agent is told by the failure', async () => {
  await fetch(`${stack.url('batch')}/_local/task-faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ does: 'skewClock', seconds: 4 * 3_600 }]),
  });
  const { request } = await api.ask({ profile: 'once' });
  const ended = await api.end(request.requestId);
  assert.is(ended.state, 'deadLettered');
  assert.is(ended.failure?.code, 'AgentStartFailed');
  assert.match(
    ended.failure?.message ?? '',
    /exit code 13 .*to be started before .*by the clock of this node/s,
  );
});

skew.run();
