import { TableClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import * as z from 'zod';
import type { Stack } from '../../../scripts/local/stack/stack.js';

const connection = (stack: Stack): string => stack.settings['AzureWebJobsStorage'] ?? '';

const queueOf = (stack: Stack, name: string): QueueClient => new QueueClient(connection(stack), name);

/** Puts a message into a queue as it is, as another system does. */
export async function send(stack: Stack, queue: string, text: string): Promise<void> {
  const client = queueOf(stack, queue);
  await client.createIfNotExists();
  await client.sendMessage(text);
}

/** Takes the messages that wait in a queue. */
export async function take(stack: Stack, queue: string): Promise<readonly string[]> {
  const client = queueOf(stack, queue);
  await client.createIfNotExists();
  const texts: string[] = [];
  for (;;) {
    const { receivedMessageItems } = await client.receiveMessages({ numberOfMessages: 32 });
    if (receivedMessageItems.length === 0) return texts;
    for (const message of receivedMessageItems) {
      texts.push(message.messageText);
      await client.deleteMessage(message.messageId, message.popReceipt);
    }
  }
}

/** Counts what waits in a queue; 0 when there is none of the name. */
export async function waitingIn(stack: Stack, queue: string): Promise<number> {
  const client = queueOf(stack, queue);
  if (!(await client.exists())) return 0;
  return (await client.getProperties()).approximateMessagesCount ?? 0;
}

const Row = z.looseObject({ rowKey: z.string() });

/** Every row of a table, as it lies there; none when the table is missing. */
export async function rowsOf(stack: Stack, table: string): Promise<readonly z.infer<typeof Row>[]> {
  const client = TableClient.fromConnectionString(connection(stack), table, {
    allowInsecureConnection: true,
  });
  const rows: z.infer<typeof Row>[] = [];
  try {
    for await (const row of client.listEntities()) rows.push(Row.parse(row));
  } catch (error) {
    if (!(error instanceof Error && 'statusCode' in error && error.statusCode === 404)) throw error;
  }
  return rows;
}

/** What the table says of a live request, without asking the app. */
export async function stateInTable(stack: Stack, requestId: string): Promise<string | undefined> {
  const row = (await rowsOf(stack, 'AgentRequests')).find(({ rowKey }) => rowKey === `live~${requestId}`);
  return row === undefined ? undefined : z.string().parse(row['state']);
}
