import { randomUUID } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import pLimit from 'p-limit';
import { startStack } from '../../local/stack/stack.js';

/** The bare work on a backlog: what any system that keeps each request once and takes its message once must do at least. */
export interface FloorDrain {
  /** All rows inserted and all messages sent, in seconds. */
  readonly fillSeconds: number;
  /** All messages received and deleted, in seconds. */
  readonly drainSeconds: number;
}

/** As many as the service gives at once. */
const atOnce = 32;

/**
 * Inserts a row and sends a message for each of so many requests, then receives and deletes all messages; with the SDKs
 * of the product, on an instance of the same storage that does nothing else.
 *
 * @throws when not every message came back exactly once.
 */
export async function measureFloorDrain(
  folder: string,
  count: number,
  signal: AbortSignal,
): Promise<FloorDrain> {
  const stack = await startStack({ dataDir: folder, parts: ['storage'], signal });
  try {
    const connection = stack.settings['AzureWebJobsStorage'] ?? '';
    const table = TableClient.fromConnectionString(connection, 'BenchFloor', {
      allowInsecureConnection: true,
    });
    const queue = new QueueClient(connection, 'bench-floor');
    await Promise.all([table.createTable(), queue.create()]);
    const limit = pLimit(atOnce);

    const fillBegan = performance.now();
    await Promise.all(
      Array.from({ length: count }, () =>
        limit(async () => {
          signal.throwIfAborted();
          const requestId = randomUUID();
          await table.createEntity({
            partitionKey: 'requests',
            rowKey: `live~${requestId}`,
            requestId,
            ...row,
          });
          await queue.sendMessage(JSON.stringify({ version: 1, profile: 'ubuntu', requestId }));
        }),
      ),
    );
    const drainBegan = performance.now();
    const seen = new Set<string>();
    let received = 0;
    while (received < count) {
      signal.throwIfAborted();
      const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: atOnce });
      await Promise.all(
        receivedMessageItems.map(async ({ messageId, popReceipt }) =>
          queue.deleteMessage(messageId, popReceipt),
        ),
      );
      for (const { messageId } of receivedMessageItems) seen.add(messageId);
      received += receivedMessageItems.length;
      if (receivedMessageItems.length === 0)
        throw new Error(`The floor got ${received} of ${count} messages.`);
    }
    if (seen.size !== count) throw new Error(`The floor got ${seen.size} messages of ${count}.`);
    return {
      fillSeconds: (drainBegan - fillBegan) / 1_000,
      drainSeconds: (performance.now() - drainBegan) / 1_000,
    };
  } finally {
    await stack.stop();
  }
}

/** About 1 KB, as a new request has it. */
const row = {
  profile: 'ubuntu',
  state: 'accepted',
  devOpsPool: 'AzDOUbuntu',
  image: 'registry.local/azdo-agent:ubuntu-24.04-azdo',
  createdAt: '2026-01-31T10:00:00.000Z',
  history: JSON.stringify([{ state: 'accepted', at: '2026-01-31T10:00:00.000Z', attempt: 0, detail: '' }]),
  pipeline: 'x'.repeat(600),
} as const;
