import { BatchServiceClient, BatchSharedKeyCredentials } from '@azure/batch';
import pLimit from 'p-limit';
import { createTableRequestStore } from '../../../shared/adapters/table-request-store.js';
import { agentNameOf } from '../../../shared/domain/names.js';
import { type AgentRequest, acceptedRequest } from '../../../shared/domain/request.js';
import type { RequestStore } from '../../../shared/ports.js';
import type { Stack } from '../../local/stack/stack.js';
import { agentPool, batchPool } from '../world.js';

/** As many tasks as Batch takes in one call. */
const tasksAtOnce = 100;
const rowsAtOnce = 32;

/**
 * Writes requests that wait for their agents, as the product itself does, without an orchestration: nothing happens to
 * them, so none is missed. Their tasks come first, or the watch would take the agents for gone.
 *
 * @param jobId Batch job of the day, which must be there
 * @param first number of the first, for ids that do not repeat
 */
export async function seedWaiting(
  { settings }: Pick<Stack, 'settings'>,
  jobId: string,
  first: number,
  count: number,
  signal: AbortSignal,
): Promise<void> {
  const requests = Array.from({ length: count }, (_, index) =>
    waitingRequest(`seeded-${first + index}`, jobId),
  );
  const batch = new BatchServiceClient(
    new BatchSharedKeyCredentials(settings['BatchAccountName'] ?? '', settings['BatchAccountKey'] ?? ''),
    settings['BatchAccountUrl'] ?? '',
  );
  for (let start = 0; start < count; start += tasksAtOnce) {
    signal.throwIfAborted();
    const tasks = requests.slice(start, start + tasksAtOnce).map(({ agentName, image }) => ({
      id: agentName ?? '',
      commandLine: '',
      containerSettings: { imageName: image },
    }));
    const { value = [] } = await batch.task.addCollection(jobId, tasks);
    const refused = value.find(({ status }) => status !== 'success');
    if (refused) throw new Error(`Task ${refused.taskId} was not taken: ${refused.error?.code ?? '?'}.`);
  }

  const store = storeOf(settings);
  const limit = pLimit(rowsAtOnce);
  await Promise.all(
    requests.map(async request =>
      limit(async () => {
        signal.throwIfAborted();
        await store.insert(request, Buffer.from('{"version":1}'));
      }),
    ),
  );
}

/** How many requests wait for their agents, by the table's own word. */
export async function countWaiting({ settings }: Pick<Stack, 'settings'>): Promise<number> {
  const live = await storeOf(settings).live(agentPool);
  return live.filter(({ state }) => state === 'starting').length;
}

const storeOf = (settings: Stack['settings']): RequestStore =>
  createTableRequestStore({ account: { connectionString: settings['AzureWebJobsStorage'] ?? '' } });

function waitingRequest(requestId: string, jobId: string): AgentRequest {
  const at = new Date().toISOString();
  const agentName = agentNameOf(requestId, 1);
  return {
    ...acceptedRequest(requestId, at, 'It was seeded by the bench.'),
    profile: 'ubuntu',
    state: 'starting',
    attempt: 1,
    devOpsPool: agentPool,
    image: 'registry.local/azdo-agent:ubuntu-24.04-azdo',
    agentName,
    batch: { poolId: batchPool, jobId, taskId: agentName },
    timeoutMinutes: 120,
    startClaimedAt: at,
  };
}
