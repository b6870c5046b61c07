import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OrchestrationHandler } from 'durable-functions';
import { agentAlone } from '../../scripts/local/batch/agent-image.js';
import { defaultImages } from '../../scripts/local/batch/images.js';
import { EventType, type HistoryEvent } from '../../scripts/local/host/durable/events.js';
import { Store } from '../../scripts/local/host/durable/store.js';
import { createLog } from '../../scripts/local/host/log.js';
import { openTable } from '../../scripts/local/host/storage.js';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { root } from '../../scripts/root.js';
import { watchIdOf } from '../../shared/domain/names.js';
import { agentLifecycle } from '../../shared/workflow/agent-lifecycle.js';
import { lifecycleName, watchName } from '../../shared/workflow/contract.js';
import { poolWatch } from '../../shared/workflow/pool-watch.js';
import { makeTempFolder } from '../support/temp-folder.js';
import { waitFor } from '../support/wait-for.js';
import { actionsOn } from '../workflow/replay.js';
import { agentsApi } from './support/agents-api.js';
import { pipelinesOf } from './support/pipelines.js';
import { preempted } from './support/preempted.js';
import { changeBatchPool, openWorld, pools } from './support/world.js';

/**
 * Records what the host really hands to our orchestrations, for test/workflow/recorded-histories.test.ts. Run by hand,
 * `node dist/test/e2e/record-histories.js [NAME…]`, when an orchestration is new: a recording stays as it is for as long
 * as instances of its time may be running, so name what is to be recorded.
 */
const wanted = process.argv.slice(2);
const folder = join(root, 'test', 'histories');

const handlers: Readonly<Record<string, OrchestrationHandler>> = {
  [lifecycleName]: agentLifecycle,
  [watchName]: poolWatch,
};

/** What an episode adds after the orchestrator has answered. */
const answers: readonly number[] = [
  EventType.TaskScheduled,
  EventType.TimerCreated,
  EventType.ExecutionCompleted,
  EventType.OrchestratorCompleted,
];

/** A history as the last episode got it: without what the orchestrator answered to it. */
function asHanded(events: readonly HistoryEvent[]): object[] {
  const last = events.findLastIndex(({ EventType: type }) => type === EventType.OrchestratorStarted);
  const before = events.slice(0, last).map(event => ({ ...event, IsPlayed: true }));
  const told = events.slice(last).filter(({ EventType: type }) => !answers.includes(type));
  return [...before, ...told.map(event => ({ ...event, IsPlayed: false }))];
}

async function record(
  stack: Stack,
  name: string,
  instanceId: string,
  isWhole: (events: readonly HistoryEvent[]) => boolean,
): Promise<void> {
  const table = openTable(stack.settings['AzureWebJobsStorage'] ?? '', 'AzDOBatchAgentsInstances');
  const store = new Store(table, createLog({ default: 'warning' }), () => {});
  const { record: instance, events } = await waitFor(`the history of ${instanceId}`, async () => {
    const stored = await store.read(instanceId);
    return stored && isWhole(stored.events) && stored;
  });
  if (wanted.length > 0 && !wanted.includes(name)) return;
  const handler = handlers[instance.name];
  if (!handler) throw new Error(`${instanceId} is of an unknown orchestration, ${instance.name}.`);
  const input: unknown = JSON.parse(instance.input ?? 'null');
  const history: Record<string, unknown>[] = asHanded(events).map(event => ({ ...event }));
  const { actions } = await actionsOn(handler, instanceId, input, history);
  const recording = { orchestration: instance.name, instanceId, input, history, actions };
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(recording, undefined, 2)}\n`);
  console.log(`${name}.json: ${history.length} events, ${actions.length} actions`);
}

const hasEnded = (events: readonly HistoryEvent[]): boolean =>
  events.some(({ EventType: type }) => type === EventType.ExecutionCompleted);
/** The watch between two rounds: it has looked, and waits for the next. */
const hasLooked = (events: readonly HistoryEvent[]): boolean =>
  events.some(({ EventType: type }) => type === EventType.TimerCreated);

/** Fails the first time that it is started, and is the agent from then on. */
const lateAgent = `
  const { existsSync, writeFileSync } = require('node:fs');
  const [marker, agent] = process.argv.slice(1);
  if (existsSync(marker)) import(agent);
  else {
    writeFileSync(marker, '');
    console.error('The proxy is not there yet.');
    process.exitCode = 3;
  }`;

await mkdir(folder, { recursive: true });
const temp = await makeTempFolder('histories-');
const images = join(temp.path, 'images.json');
await writeFile(
  images,
  JSON.stringify([
    {
      image: '*late-agent:*',
      command: [process.execPath, '-e', lateAgent, join(temp.path, 'marker'), agentAlone.at(-1)],
    },
    ...defaultImages,
  ]),
);
const { stack, end } = await openWorld({
  profiles: {
    spot: { devOpsPool: pools.hasty, batchPool: 'spot', image: 'azdo-agent:ubuntu-24.04-azdo' },
    late: { devOpsPool: pools.hasty, batchPool: 'batchLinux', image: 'late-agent:1' },
  },
  args: {
    batch: ['--images', images, '--runner', 'process'],
    devops: ['--lock', '2', '--offline-after', '1'],
  },
});
try {
  const api = agentsApi(stack);
  const pipelines = pipelinesOf(stack);
  await changeBatchPool(stack, 'spot', { lowPriority: true, bootMs: 0 });
  const lost = await pipelines.start({
    script: 'sleep 60',
    pool: pools.hasty,
    body: { requestId: 'node-lost', profile: 'spot', capabilities: { TEST_BUILD: '$(Build.BuildId)' } },
  });
  await api.until('node-lost', 'busy');
  await changeBatchPool(stack, 'spot', { maxNodes: 0, nodes: await preempted(stack, 'spot') });
  await pipelines.end(lost.runId);
  await record(stack, 'agent-lifecycle-node-lost', 'node-lost', hasEnded);

  const over = await pipelines.start({ script: null, body: { requestId: 'run-over', profile: 'spot' } });
  await api.until('run-over', 'starting');
  await pipelines.cancel(over.runId);
  await record(stack, 'agent-lifecycle-run-over', 'run-over', hasEnded);

  const happy = await pipelines.start({
    script: 'sleep 3',
    body: { requestId: 'happy', capabilities: { TEST_BUILD: '$(Build.BuildId)' } },
  });
  await api.until('happy', 'busy');
  await record(stack, 'pool-watch-round', watchIdOf(pools.ubuntu), hasLooked);
  await pipelines.end(happy.runId);
  await record(stack, 'agent-lifecycle-happy', 'happy', hasEnded);

  const late = await pipelines.start({
    script: 'sleep 3',
    pool: pools.hasty,
    body: { requestId: 'second-attempt', profile: 'late', capabilities: { TEST_BUILD: '$(Build.BuildId)' } },
  });
  await pipelines.end(late.runId);
  await record(stack, 'agent-lifecycle-second-attempt', 'second-attempt', hasEnded);
} finally {
  await end();
  await temp.remove();
}
