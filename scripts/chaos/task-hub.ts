import { TableServiceClient } from '@azure/data-tables';
import type { Stack } from '../local/stack/stack.js';

/**
 * Deletes the tables that Durable Functions keeps its state in, as a person does by mistake.
 *
 * @throws when there are none.
 */
export async function deleteTaskHub(stack: Pick<Stack, 'settings'>): Promise<void> {
  const service = TableServiceClient.fromConnectionString(stack.settings['AzureWebJobsStorage'] ?? '', {
    allowInsecureConnection: true,
  });
  let deleted = 0;
  for await (const { name } of service.listTables()) {
    if (name === undefined || !/(Instances|History)$/.test(name)) continue;
    await service.deleteTable(name);
    deleted += 1;
  }
  if (deleted === 0) throw new Error('There is no table of a task hub.');
}
