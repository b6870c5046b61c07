import { suite } from 'uvu';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { type AgentsApi, agentsApi } from './support/agents-api.js';
import { endsWithOneAgent } from './support/one-agent.js';
import { type Pipelines, pipelinesOf } from './support/pipelines.js';
import { openWorld } from './support/world.js';

let world: { stack: Stack; api: AgentsApi; pipelines: Pipelines };
let end: () => Promise<void>;

const parts = suite('a request finishes all the same');

parts.before(async () => {
  const opened = await openWorld();
  const { stack } = opened;
  ({ end } = opened);
  world = { stack, api: agentsApi(stack), pipelines: pipelinesOf(stack) };
});
parts.after(async () => end());

/** Long enough for several rounds of the watch to find nobody there. */
const awayMs = 1_000;

for (const part of ['batch', 'devops', 'storage'] as const) {
  for (const state of ['starting', 'busy'] as const) {
    parts(`when the ${part} is killed while it is ${state}`, async () => {
      const { stack, api, pipelines } = world;
      const { runId } = await pipelines.start(state === 'busy' ? { script: 'sleep 3' } : {});
      const requestId = await pipelines.requestId(runId);
      await api.until(requestId, state);
      await stack.kill(part);
      await new Promise(resolve => setTimeout(resolve, awayMs));
      await stack.start(part);
      await endsWithOneAgent(world, runId);
    });
  }
}

parts.run();
