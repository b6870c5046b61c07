import { odata, type TransactionAction } from '@azure/data-tables';
import * as z from 'zod';
import { isDeadLetter } from '../domain/dead-letter.js';
import { type Stage, TransientError } from '../domain/failure.js';
import { type AgentRequest, isEnded, type RequestState } from '../domain/request.js';
import type { LiveRequest, RequestFilter, RequestStore, StoredRequest } from '../ports.js';
import { openTable } from './open-table.js';
import {
  liveColumns,
  requestColumns,
  toColumns,
  toLiveRequest,
  toRequest,
  UnreadableRowError,
} from './request-row.js';
import { factsOf } from './service-errors.js';
import type { StorageAccount } from './storage-account.js';
import { storageError } from './storage-errors.js';

export interface TableRequestStoreOptions {
  readonly account: StorageAccount;
  /** Default `AgentRequests`. */
  readonly tableName?: string;
}

/**
 * One partition, so that a request changes place in one transaction:
 *
 *     live~{requestId}                  the truth while a request lives
 *     ended~{inverted}~{requestId}      the whole request once it has ended, newest first
 *     request~{requestId}               where its ended row is; empty once it lives again
 *
 * An end is written in two steps: the live row gets the end state, guarded by its ETag, and then is filed. Whoever
 * meets a live row in an end state files it, so a process that is killed in between loses nothing.
 *
 * The `request~` row is also the lock of filing: a transaction can't check the ETag of a row that it deletes, so a
 * late filing could remove a row that was reopened meanwhile. It is read before the live row and must be unchanged.
 */
const partition = 'requests';
const liveKey = (requestId: string): string => `live~${requestId}`;
const pointerKey = (requestId: string): string => `request~${requestId}`;
const endedKey = (request: Pick<AgentRequest, 'requestId' | 'createdAt'>): string =>
  `ended~${positionOf(request)}`;

/** Sorts newest first as text; 13 digits until the year 2286. */
const positionOf = ({ requestId, createdAt }: Pick<AgentRequest, 'requestId' | 'createdAt'>): string =>
  `${String(9_999_999_999_999 - Date.parse(createdAt)).padStart(13, '0')}~${requestId}`;

const Position = z.string().regex(/^\d{13}~[a-z0-9][a-z0-9-]{0,39}$/);
const Etag = z.object({ etag: z.string().min(1) });
const Pointer = z.object({ etag: z.string().min(1), endedKey: z.string() });
const WithMessage = z.object({ message: z.instanceof(Uint8Array) });

const maxPageSize = 1_000;
const callTimeoutMs = 10_000;
/** Each turn means that somebody else moved the row just now; more than a few in a row means that we are wrong. */
const maxTurns = 5;

export function createTableRequestStore(options: TableRequestStoreOptions): RequestStore {
  const tableName = options.tableName ?? 'AgentRequests';
  const table = openTable(options.account, tableName);
  const where = (rowKey: string): string => `${rowKey} in table ${tableName}`;
  const unreadable = new Map<string, string>();
  let creating: Promise<void> | undefined;

  /** Decodes one row among many; one that can't be read is noted and left out. */
  async function sift<T>(rowKey: string, decode: () => T | Promise<T>): Promise<T | undefined> {
    try {
      const value = await decode();
      unreadable.delete(rowKey);
      return value;
    } catch (error) {
      if (!(error instanceof UnreadableRowError)) throw error;
      unreadable.set(rowKey, error.message);
      return undefined;
    }
  }

  /** Does something with the table, which is made when it turns out to be missing: at first use or after a deletion. */
  async function use<T>(stage: Stage, what: string, action: () => Promise<T>): Promise<T> {
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
  }

  const read = async (
    rowKey: string,
    select?: readonly string[],
  ): Promise<Record<string, unknown> | undefined> => {
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

  const readPointer = async (requestId: string): Promise<z.infer<typeof Pointer> | undefined> => {
    const row = await read(pointerKey(requestId));
    return row && Pointer.parse(row);
  };

  async function* rows(
    filter: string,
    select: readonly string[],
    pageSize = maxPageSize,
  ): AsyncGenerator<Record<string, unknown>> {
    const entities = table.listEntities({
      queryOptions: { filter, select: ['RowKey', ...select] },
      abortSignal: AbortSignal.timeout(3 * callTimeoutMs),
    });
    for await (const page of entities.byPage({ maxPageSize: pageSize })) yield* page;
  }

  /**
   * Moves a live row in an end state to where ended requests are kept.
   *
   * @returns nothing if it was not there to be moved: somebody else was faster.
   */
  async function file(requestId: string): Promise<StoredRequest | undefined> {
    // This order is the guard: if the pointer is unchanged in the end, then the live row was the latest one.
    const pointer = await readPointer(requestId);
    const row = await read(liveKey(requestId));
    if (!row) return undefined;
    const request = toRequest(row, where(liveKey(requestId)));
    if (!isEnded(request.state)) return undefined;
    const key = endedKey(request);
    const pointing = { partitionKey: partition, rowKey: pointerKey(requestId), endedKey: key };
    const actions: TransactionAction[] = [
      [
        'upsert',
        { partitionKey: partition, rowKey: key, ...toColumns(request), ...messageOf(row) },
        'Replace',
      ],
      pointer ? ['update', pointing, 'Replace', { etag: pointer.etag }] : ['create', pointing],
      ['delete', { partitionKey: partition, rowKey: liveKey(requestId) }],
    ];
    try {
      await table.submitTransaction(actions, { abortSignal: timeout() });
    } catch (error) {
      if (isLostRace(error)) return undefined;
      throw error;
    }
    const ended = await read(key, requestColumns);
    return ended && { request: toRequest(ended, where(key)), etag: Etag.parse(ended).etag };
  }

  /** Finds a request's row, wherever it is, and files it on the way if that is due. */
  async function find(
    requestId: string,
    select: readonly string[] | undefined,
  ): Promise<{ row: Record<string, unknown>; rowKey: string } | undefined> {
    let missed = false;
    for (let turn = 0; turn < maxTurns; turn += 1) {
      const [live, pointer] = await Promise.all([read(liveKey(requestId), select), readPointer(requestId)]);
      if (live && !isEnded(toRequest(live, where(liveKey(requestId))).state)) {
        return { row: live, rowKey: liveKey(requestId) };
      }
      if (live) {
        await file(requestId);
      } else if (pointer && pointer.endedKey !== '') {
        const row = await read(pointer.endedKey, select);
        if (row) return { row, rowKey: pointer.endedKey };
      } else if (missed) {
        return undefined;
      } else {
        // Two reads are not one moment: a row that is just being moved can be missed by both.
        missed = true;
      }
    }
    throw new TransientError(
      'StorageUnavailable',
      'intake',
      `Request ${requestId} is changing too fast to be read.`,
    );
  }

  const get = async (requestId: string): Promise<StoredRequest | undefined> => {
    const found = await find(requestId, requestColumns);
    return found && { request: toRequest(found.row, where(found.rowKey)), etag: Etag.parse(found.row).etag };
  };

  const insert = async (request: AgentRequest, message: Uint8Array): Promise<'inserted' | 'exists'> => {
    try {
      await table.createEntity(liveEntity(request, message), { abortSignal: timeout() });
      return 'inserted';
    } catch (error) {
      if (factsOf(error).status === 409) return 'exists';
      throw error;
    }
  };

  return {
    insert: (request, message) =>
      use('intake', `Request ${request.requestId} can't be stored`, () => insert(request, message)),

    get: requestId => use('intake', `Request ${requestId} can't be read`, () => get(requestId)),

    message: requestId =>
      use('intake', `The message of request ${requestId} can't be read`, async () => {
        const found = await find(requestId, undefined);
        return found && messageOf(found.row).message;
      }),

    replace: (stored, next) =>
      use(stageOf[next.state], `Request ${next.requestId} can't be updated`, async () => {
        const wasFiled = isEnded(stored.request.state);
        const rowKey = wasFiled ? endedKey(stored.request) : liveKey(next.requestId);
        let etag: string | undefined;
        try {
          // Merged, so that the message stays where it is without being read.
          const answer = await table.updateEntity(
            { partitionKey: partition, rowKey, ...toColumns(next) },
            'Merge',
            {
              etag: stored.etag,
              abortSignal: timeout(),
            },
          );
          etag = answer.etag;
        } catch (error) {
          if (isMissing(error) || factsOf(error).status === 412) return 'changed';
          throw error;
        }
        if (wasFiled || !isEnded(next.state)) return { request: next, etag: Etag.parse({ etag }).etag };
        const filed = (await file(next.requestId)) ?? (await get(next.requestId));
        // Filed by somebody who met it first: still our change, unless the request has moved on since.
        const isOurs = filed?.request.state === next.state && filed.request.updatedAt === next.updatedAt;
        return isOurs ? filed : 'changed';
      }),

    reopen: (next, message) =>
      use('intake', `Request ${next.requestId} can't be begun again`, async () => {
        for (let turn = 0; turn < maxTurns; turn += 1) {
          const pointer = await readPointer(next.requestId);
          const live = await read(liveKey(next.requestId), requestColumns);
          if (live && !isEnded(toRequest(live, where(liveKey(next.requestId))).state)) return 'exists';
          if (live) {
            await file(next.requestId);
            continue;
          }
          if (!pointer) return insert(next, message);
          const ended = pointer.endedKey === '' ? undefined : await read(pointer.endedKey, requestColumns);
          // Begun again by another, and ended since: a second such generation would repeat its agents' names.
          if (ended && toRequest(ended, where(pointer.endedKey)).generation >= next.generation)
            return 'exists';
          const actions: TransactionAction[] = [
            ['create', liveEntity(next, message)],
            [
              'update',
              { partitionKey: partition, rowKey: pointerKey(next.requestId), endedKey: '' },
              'Replace',
              { etag: pointer.etag },
            ],
          ];
          if (pointer.endedKey !== '') {
            actions.push(['delete', { partitionKey: partition, rowKey: pointer.endedKey }]);
          }
          try {
            await table.submitTransaction(actions, { abortSignal: timeout() });
            return 'inserted';
          } catch (error) {
            if (!isLostRace(error)) throw error;
          }
        }
        return 'exists';
      }),

    list: filter => use('intake', "The list of requests can't be read", () => listRequests(filter)),

    live: devOpsPool =>
      use('intake', "The live requests can't be read", async () => {
        const filter = [
          liveRange(),
          ...(devOpsPool === undefined ? [] : [odata`devOpsPool eq ${devOpsPool}`]),
        ];
        const live: LiveRequest[] = [];
        const met = new Set<string>();
        for await (const row of rows(filter.join(' and '), liveColumns)) {
          met.add(rowKeyOf(row));
          const request = await sift(rowKeyOf(row), async () => {
            const decoded = toLiveRequest(row, where(rowKeyOf(row)));
            // One that was left between the two steps of its end would stay out of the list of ended ones for ever.
            if (isEnded(decoded.state)) await file(decoded.requestId);
            return decoded;
          });
          if (request && !isEnded(request.state)) live.push(request);
        }
        // What somebody has removed meanwhile is no trouble any more.
        const isGone = (rowKey: string): boolean => rowKey.startsWith('live~') && !met.has(rowKey);
        if (devOpsPool === undefined)
          for (const rowKey of unreadable.keys()) if (isGone(rowKey)) unreadable.delete(rowKey);
        return live;
      }),

    unreadable: async () => [...unreadable].map(([rowKey, why]) => ({ rowKey, why })),
  };

  async function listRequests(filter: RequestFilter) {
    const { profile, failureCode, deadLetters, top, continuation } = filter;
    const state = deadLetters ? 'deadLettered' : filter.state;
    const after = continuation === undefined ? '' : decodeContinuation(continuation);
    if (after === undefined) return undefined;
    const wanted = [
      ...(state === undefined ? [] : [odata`state eq ${state}`]),
      ...(profile === undefined ? [] : [odata`profile eq ${profile}`]),
      ...(failureCode === undefined ? [] : [odata`failureCode eq ${failureCode}`]),
    ];
    const found = new Map<string, AgentRequest>();
    // The live ones first: a request that ends meanwhile is then seen twice rather than never.
    if (state === undefined || !isEnded(state)) {
      for await (const row of rows([liveRange(), ...wanted].join(' and '), requestColumns)) {
        const request = await sift(rowKeyOf(row), () => toRequest(row, where(rowKeyOf(row))));
        if (request && positionOf(request) > after) found.set(request.requestId, request);
      }
    }
    if (state === undefined || isEnded(state)) {
      let ended = 0;
      for await (const row of rows([endedRange(after), ...wanted].join(' and '), requestColumns, top + 1)) {
        const request = await sift(rowKeyOf(row), () => toRequest(row, where(rowKeyOf(row))));
        if (!request) continue;
        // Not left to the service: rows from before there was such a column would match no comparison with it.
        if (deadLetters && !isDeadLetter(request)) continue;
        found.set(request.requestId, request);
        ended += 1;
        // One more than is shown tells whether there is a next page.
        if (ended > top) break;
      }
    }
    const sorted = [...found.values()].toSorted((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1));
    const requests = sorted.slice(0, top);
    const last = requests.at(-1);
    return {
      requests,
      continuation: last && sorted.length > top ? encodeContinuation(positionOf(last)) : undefined,
    };
  }
}

const liveEntity = (request: AgentRequest, message: Uint8Array) => ({
  partitionKey: partition,
  rowKey: liveKey(request.requestId),
  ...toColumns(request),
  message,
});

const messageOf = (row: Record<string, unknown>): { message?: Uint8Array } => {
  const parsed = WithMessage.safeParse(row);
  return parsed.success ? { message: parsed.data.message } : {};
};

/** `~` sorts after every character of a request id. */
const liveRange = (): string =>
  odata`PartitionKey eq ${partition} and RowKey ge ${'live~'} and RowKey lt ${'live~~'}`;

/** `:` sorts after every digit. */
const endedRange = (after: string): string =>
  odata`PartitionKey eq ${partition} and RowKey gt ${`ended~${after}`} and RowKey lt ${'ended~:'}`;

const encodeContinuation = (position: string): string => Buffer.from(position).toString('base64url');

function decodeContinuation(continuation: string): string | undefined {
  const parsed = Position.safeParse(Buffer.from(continuation, 'base64url').toString('utf8'));
  return parsed.success && encodeContinuation(parsed.data) === continuation ? parsed.data : undefined;
}

const rowKeyOf = (row: Record<string, unknown>): string => z.string().catch('?').parse(row['rowKey']);

const timeout = (): AbortSignal => AbortSignal.timeout(callTimeoutMs);

function isMissing(error: unknown): boolean {
  const { status, code } = factsOf(error);
  return status === 404 && code !== 'TableNotFound';
}

/** Somebody else moved one of the rows of a transaction. */
const isLostRace = (error: unknown): boolean =>
  isMissing(error) || factsOf(error).status === 409 || factsOf(error).status === 412;

/** Which step of a request suffers when its row can't be written. */
const stageOf: Readonly<Record<RequestState, Stage>> = {
  accepted: 'intake',
  provisioning: 'createTask',
  starting: 'registration',
  online: 'online',
  busy: 'online',
  completed: 'callback',
  expired: 'callback',
  cancelled: 'callback',
  deadLettered: 'callback',
};
