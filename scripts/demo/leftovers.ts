import { TableClient } from '@azure/data-tables';
import { QueueServiceClient } from '@azure/storage-queue';
import * as z from 'zod';
import type { Stack } from '../local/stack/stack.js';
import { batchTasks } from './batch-tasks.js';

const agentsSchema = z.object({ value: z.array(z.looseObject({ name: z.string(), status: z.string() })) });
const poolsSchema = z.object({ value: z.array(z.looseObject({ id: z.number(), name: z.string() })) });

/**
 * Looks at everything that a request makes, each where it lives.
 *
 * @returns a sentence for everything that is still there and should not be.
 */
export async function findLeftovers(stack: Stack): Promise<readonly string[]> {
  const [tasks, agents, messages, rows] = await Promise.all([
    leftTasks(stack),
    leftAgents(stack),
    leftMessages(stack),
    leftRows(stack),
  ]);
  return [...tasks, ...agents, ...messages, ...rows];
}

const leftTasks = async (stack: Stack): Promise<readonly string[]> =>
  (await batchTasks(stack)).map(task => `Batch task ${task} is still there.`);

async function leftAgents(stack: Stack): Promise<readonly string[]> {
  const authorization = `Basic ${Buffer.from(`:${stack.pat}`).toString('base64')}`;
  const get = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => {
    const response = await fetch(new URL(path, stack.settings['AzDOUrl']), { headers: { authorization } });
    return schema.parse(await response.json());
  };
  const pools = await get('_apis/distributedtask/pools', poolsSchema);
  const left = await Promise.all(
    pools.value.map(async pool => {
      const agents = await get(`_apis/distributedtask/pools/${pool.id}/agents`, agentsSchema);
      return agents.value
        .filter(({ name }) => !name.includes('placeholder'))
        .map(({ name, status }) => `Agent ${name} is still registered in ${pool.name} (${status}).`);
    }),
  );
  return left.flat();
}

async function leftMessages(stack: Stack): Promise<readonly string[]> {
  const service = QueueServiceClient.fromConnectionString(stack.settings['AzureWebJobsStorage'] ?? '');
  const left: string[] = [];
  for await (const { name } of service.listQueues({ prefix: 'agent-requests' })) {
    const { approximateMessagesCount } = await service.getQueueClient(name).getProperties();
    if (approximateMessagesCount) left.push(`Queue ${name} still has ${approximateMessagesCount} messages.`);
  }
  return left;
}

async function leftRows(stack: Stack): Promise<readonly string[]> {
  const table = TableClient.fromConnectionString(
    stack.settings['AzureWebJobsStorage'] ?? '',
    'AgentRequests',
    {
      allowInsecureConnection: true,
    },
  );
  const left: string[] = [];
  for await (const row of table.listEntities()) {
    if (row.rowKey?.startsWith('live~')) left.push(`Row ${row.rowKey} is still among the live ones.`);
    if (JSON.stringify(row).includes('sealedToken'))
      left.push(`Row ${row.rowKey ?? '?'} still has a sealed token.`);
  }
  return left;
}
