import { TableClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import * as z from 'zod';

/** Retries are ours: an SDK that repeats a write whose first answer got lost turns success into a conflict. */
export const openQueue = (connection: string, queueName: string): QueueClient =>
  new QueueClient(connection, queueName, { retryOptions: { maxTries: 1 } });

export const openTable = (connection: string, tableName: string): TableClient =>
  TableClient.fromConnectionString(connection, tableName, {
    allowInsecureConnection: true,
    retryOptions: { maxRetries: 0 },
  });

/** HTTP status of a storage error; undefined when no answer came, so that what happened is not known. */
export function storageStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

const TableAnswer = z.object({
  statusCode: z.literal(404),
  details: z.object({ odataError: z.object({ code: z.literal(['TableNotFound', 'TableBeingDeleted']) }) }),
});

/** True when not only a row is missing but the table that it would be in. */
export const isTableMissing = (error: unknown): boolean => TableAnswer.safeParse(error).success;

/** True when the same call may succeed later: no answer, throttled, or a fault of the server. */
export function isTransient(error: unknown): boolean {
  const status = storageStatus(error);
  return status === undefined || status === 408 || status === 429 || status >= 500;
}

export const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
