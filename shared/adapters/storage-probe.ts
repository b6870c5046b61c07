import { randomBytes } from 'node:crypto';
import { odata } from '@azure/data-tables';
import type { StorageProbe } from '../ports/probes.js';
import { openTable } from './open-table.js';
import { factsOf } from './service-errors.js';
import type { StorageAccount } from './storage-account.js';
import { storageError } from './storage-errors.js';
import { openQueueService } from './storage-queue.js';

export interface StorageProbeOptions {
  readonly queues: StorageAccount;
  readonly tables: StorageAccount;
  /** Default `AgentRequests`. */
  readonly tableName?: string;
}

/** Not the partition of requests, so that no list and no look at a pool ever meets the row. */
const partition = 'doctor';
const callTimeoutMs = 5_000;
/** Should the process die in between, the message goes by itself. */
const messageSeconds = 60;

const abortSignal = (): AbortSignal => AbortSignal.timeout(callTimeoutMs);
/** A queue that was removed can't be made again for half a minute, so each try has one of its own. */
const unique = (): string => `${Date.now().toString(36)}-${randomBytes(5).toString('hex')}`;

const staleMs = 10 * 60_000;
/** Storage may do late what nobody waited for; what a try has left behind that way goes with a later one. */
const isStale = (name: string): boolean => Date.now() - Number.parseInt(name, 36) > staleMs;
const queuePrefix = 'agent-requests-doctor-';

export function createStorageProbe({
  queues,
  tables,
  tableName = 'AgentRequests',
}: StorageProbeOptions): StorageProbe {
  const step = async <T>(what: string, action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (error) {
      throw storageError(error, 'intake', what);
    }
  };

  return {
    useQueue: async () => {
      const service = openQueueService(queues);
      const name = `${queuePrefix}${unique()}`;
      const queue = service.getQueueClient(name);
      await step(`Queue ${name} can't be made`, async () =>
        queue.createIfNotExists({ abortSignal: abortSignal() }),
      );
      try {
        const { messageId, popReceipt } = await step(`Queue ${name} took no message`, async () =>
          queue.sendMessage('{"doctor":true}', {
            messageTimeToLive: messageSeconds,
            abortSignal: abortSignal(),
          }),
        );
        const { peekedMessageItems } = await step(`Queue ${name} can't be looked into`, async () =>
          queue.peekMessages({ abortSignal: abortSignal() }),
        );
        await step(`A message in queue ${name} can't be removed`, async () =>
          queue.deleteMessage(messageId, popReceipt, { abortSignal: abortSignal() }),
        );
        if (peekedMessageItems.length !== 1) {
          throw storageError(
            { statusCode: 404 },
            'intake',
            `The message that was put into queue ${name} is not there`,
          );
        }
      } finally {
        await step(`Queue ${name} can't be removed`, async () =>
          queue.deleteIfExists({ abortSignal: abortSignal() }),
        );
      }
      await step(`Queues ${queuePrefix}… can't be listed`, async () => {
        for await (const { name: left } of service.listQueues({
          prefix: queuePrefix,
          abortSignal: abortSignal(),
        })) {
          if (isStale(left.slice(queuePrefix.length))) await service.deleteQueue(left);
        }
      });
    },

    useTable: async () => {
      const table = openTable(tables, tableName);
      const rowKey = unique();
      const write = async (): Promise<unknown> =>
        table.createEntity({ partitionKey: partition, rowKey }, { abortSignal: abortSignal() });
      await step(`Table ${tableName} takes no row`, async () => {
        try {
          await write();
        } catch (error) {
          if (factsOf(error).code !== 'TableNotFound') throw error;
          // As the first request does.
          await table.createTable({ abortSignal: abortSignal() });
          await write();
        }
      });
      try {
        await step(`A row of table ${tableName} can't be read`, async () =>
          table.getEntity(partition, rowKey, { abortSignal: abortSignal() }),
        );
      } finally {
        await step(`A row of table ${tableName} can't be removed`, async () =>
          table.deleteEntity(partition, rowKey, { abortSignal: abortSignal() }),
        );
      }
      await step(`Rows of table ${tableName} can't be listed`, async () => {
        const queryOptions = { filter: odata`PartitionKey eq ${partition}` };
        for await (const { rowKey: left } of table.listEntities({
          queryOptions,
          abortSignal: abortSignal(),
        })) {
          if (left !== undefined && isStale(left)) await table.deleteEntity(partition, left);
        }
      });
    },

    queueExists: async name =>
      step(`Queue ${name} can't be looked for`, async () => {
        try {
          await openQueueService(queues).getQueueClient(name).getProperties({ abortSignal: abortSignal() });
          return true;
        } catch (error) {
          if (factsOf(error).code === 'QueueNotFound') return false;
          throw error;
        }
      }),
  };
}
