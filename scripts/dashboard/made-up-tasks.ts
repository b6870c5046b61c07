import { setTimeout as sleep } from 'node:timers/promises';
import { openBatchClient } from '../../shared/adapters/batch-client.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import type { Stack } from '../local/stack/stack.js';

/**
 * The Batch tasks of made-up requests that live. They are agents that run and never register, so that nobody changes
 * what was made up. Those that are online have a node, then whoever has waited longest.
 */
export async function makeTasks(
  { url, settings, pat }: Pick<Stack, 'url' | 'settings' | 'pat'>,
  requests: readonly AgentRequest[],
): Promise<void> {
  const told = await fetch(`${url('batch')}/_local/task-faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ does: 'neverRegister' }]),
  });
  if (!told.ok) throw new Error(`The agents were not told to stay unregistered: ${await told.text()}`);
  const client = openBatchClient({
    accountUrl: settings['BatchAccountUrl'] ?? '',
    auth: {
      accountName: settings['BatchAccountName'] ?? '',
      accountKey: settings['BatchAccountKey'] ?? '',
    },
  });
  const jobs = new Set<string>();
  const oldestFirst = requests.toReversed();
  const living = [
    ...oldestFirst.filter(({ state }) => state === 'online' || state === 'busy'),
    ...oldestFirst.filter(({ state }) => state === 'starting'),
  ];
  for (const { batch, image, devOpsPool } of living) {
    if (!batch) continue;
    if (!jobs.has(batch.jobId)) {
      await client.job.add({ id: batch.jobId, poolInfo: { poolId: batch.poolId } });
      jobs.add(batch.jobId);
    }
    const environment = {
      AZDO_URL: settings['AzDOUrl'] ?? '',
      AZDO_POOL: devOpsPool,
      AZDO_AGENT: batch.taskId,
      AZDO_TOKEN: pat,
    };
    await client.task.add(batch.jobId, {
      id: batch.taskId,
      commandLine: '',
      containerSettings: { imageName: image },
      environmentSettings: Object.entries(environment).map(([name, value]) => ({ name, value })),
    });
  }
  // Nodes come one by one.
  await sleep(3_000);
}
