import * as z from 'zod';
import { type Stage, TransientError } from '../domain/failure.js';
import { type CoalescedWrites, coalesceWrites } from './coalesced-writes.js';
import { openTable } from './open-table.js';
import { partition, pointerKey } from './request-keys.js';
import { factsOf } from './service-errors.js';
import type { StorageAccount } from './storage-account.js';
import { storageError } from './storage-errors.js';

const Etag = z.string().min(1);
const Pointer = z.object({ etag: Etag, endedKey: z.string() });
/** Where a request's ended row is, and at which version that was read; empty while it lives. */
export type Pointer = z.infer<typeof Pointer>;
export type Row = Record<string, unknown>;

/** The table of requests, row by row. What it throws is for {@link RequestTable.use} to classify. */
export interface RequestTable extends CoalescedWrites {
  /** Names a row in an error. */
  where(rowKey: string): string;
  /** Does something with the table, which is made when it turns out to be missing: at first use or after a deletion. */
  use<T>(stage: Stage, what: string, action: () => Promise<T>): Promise<T>;
  read(rowKey: string, select?: readonly string[]): Promise<Row | undefined>;
  readPointer(requestId: string): Promise<Pointer | undefined>;
  /** Removes a pointer that points nowhere, unless it has changed since it was read. */
  removePointer(requestId: string, etag: string): Promise<void>;
  rows(filter: string, select: readonly string[], pageSize?: number): AsyncGenerator<Row>;
}

const maxPageSize = 1_000;
const callTimeoutMs = 10_000;
const timeout = (): AbortSignal => AbortSignal.timeout(callTimeoutMs);

export function openRequestTable(account: StorageAccount, tableName: string): RequestTable {
  const table = openTable(account, tableName);
  let creating: Promise<void> | undefined;

  const read: RequestTable['read'] = async (rowKey, select) => {
    try {
      return await table.getEntity(partition, rowKey, {
        abortSignal: timeout(),
        ...(select ? { queryOptions: { select: [...select] } } : {}),
      });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };

  return {
    where: rowKey => `${rowKey} in table ${tableName}`,
    ...coalesceWrites(table),

    use: async (stage, what, action) => {
      try {
        return await action();
      } catch (error) {
        if (factsOf(error).code !== 'TableNotFound') throw storageError(error, stage, what);
      }
      try {
        creating ??= table.createTable({ abortSignal: timeout() }).finally(() => {
          creating = undefined;
        });
        await creating;
        return await action();
      } catch (error) {
        throw storageError(error, stage, what);
      }
    },

    read,

    readPointer: async requestId => {
      const row = await read(pointerKey(requestId));
      return row && Pointer.parse(row);
    },

    removePointer: async (requestId, etag) => {
      try {
        await table.deleteEntity(partition, pointerKey(requestId), { etag, abortSignal: timeout() });
      } catch (error) {
        if (!isLostRace(error)) throw error;
      }
    },

    rows: async function* rows(filter, select, pageSize = maxPageSize) {
      const entities = table.listEntities({
        queryOptions: { filter, select: ['RowKey', ...select] },
        abortSignal: AbortSignal.timeout(3 * callTimeoutMs),
      });
      for await (const page of entities.byPage({ maxPageSize: pageSize })) yield* page;
    },
  };
}

/** The version of a row that was read, or that a write has told. */
export const etagOf = (row: { readonly etag?: unknown }): string => Etag.parse(row.etag);

export function isMissing(error: unknown): boolean {
  const { status, code } = factsOf(error);
  return status === 404 && code !== 'TableNotFound';
}

/** Somebody else moved one of the rows of a write. */
export const isLostRace = (error: unknown): boolean =>
  isMissing(error) || factsOf(error).status === 409 || factsOf(error).status === 412;

/** Each turn means that somebody else moved the row just now; more than a few in a row means that we are wrong. */
export const maxTurns = 5;

export const tooFast = (requestId: string): TransientError =>
  new TransientError('StorageUnavailable', 'intake', `Request ${requestId} is changing too fast to be read.`);
