import type { TransactionAction } from '@azure/data-tables';
import type { Stage } from '../domain/failure.js';
import { type AgentRequest, isEnded, type RequestState } from '../domain/request.js';
import type { RequestStore, StoredRequest } from '../ports.js';
import { rememberRequests } from './remembered-requests.js';
import { endedKey, liveKey, partition, pointerKey } from './request-keys.js';
import { requestLists } from './request-lists.js';
import { messageOf, requestPlaces } from './request-places.js';
import { requestColumns, toColumns, toRequest } from './request-row.js';
import { etagOf, isLostRace, isMissing, maxTurns, openRequestTable } from './request-table.js';
import { factsOf } from './service-errors.js';
import type { StorageAccount } from './storage-account.js';

export interface TableRequestStoreOptions {
  readonly account: StorageAccount;
  /** Default `AgentRequests`. */
  readonly tableName?: string;
}

export function createTableRequestStore(options: TableRequestStoreOptions): RequestStore {
  const table = openRequestTable(options.account, options.tableName ?? 'AgentRequests');
  const remembered = rememberRequests();
  const places = requestPlaces(table, remembered);
  const lists = requestLists(table, places);
  /** Requests that are being inserted: of a thousand repeats at once only one has to ask storage. */
  const inserting = new Map<string, Promise<'inserted' | 'exists'>>();

  const get = async (requestId: string): Promise<StoredRequest | undefined> => {
    const before = remembered.moment(requestId);
    const found = await places.find(requestId, requestColumns);
    if (!found) return undefined;
    const stored = { request: toRequest(found.row, table.where(found.rowKey)), etag: etagOf(found.row) };
    // What was written while we read may be later than what we have read.
    const isLatest = remembered.moment(requestId) === before;
    if (isLatest && found.rowKey === liveKey(requestId)) remembered.saw(stored);
    return stored;
  };

  /** @param pointing leaves an empty pointer, and fails if somebody has made or changed it. */
  const bringToLife = async (
    request: AgentRequest,
    message: Uint8Array,
    pointing: TransactionAction,
    ...more: readonly TransactionAction[]
  ): Promise<void> => {
    const live = {
      partitionKey: partition,
      rowKey: liveKey(request.requestId),
      ...toColumns(request),
      message,
    };
    const [etag, pointer] = await table.write([['create', live], pointing, ...more]);
    if (isEnded(request.state)) return;
    remembered.began({ request, etag: etagOf({ etag }) }, { pointer: etagOf({ etag: pointer }), message });
  };

  const insert = async (request: AgentRequest, message: Uint8Array): Promise<'inserted' | 'exists'> => {
    try {
      await bringToLife(request, message, ['create', emptyPointer(request.requestId)]);
      return 'inserted';
    } catch (error) {
      if (factsOf(error).code === 'EntityAlreadyExists') return 'exists';
      throw error;
    }
  };

  return {
    insert: async (request, message) => {
      const { requestId } = request;
      for (;;) {
        const earlier = inserting.get(requestId);
        if (!earlier) break;
        // If that one fails nothing is known of the request.
        const found = await earlier.catch(() => undefined);
        if (found) return 'exists';
      }
      const inserted = table
        .use('intake', `Request ${requestId} can't be stored`, () => insert(request, message))
        .finally(() => inserting.delete(requestId));
      inserting.set(requestId, inserted);
      return inserted;
    },

    get: requestId => table.use('intake', `Request ${requestId} can't be read`, () => get(requestId)),

    remembered: requestId => remembered.get(requestId),

    message: requestId =>
      table.use('intake', `The message of request ${requestId} can't be read`, async () => {
        const found = await places.find(requestId, undefined);
        return found && messageOf(found.row);
      }),

    replace: (stored, next) =>
      table.use(stageOf[next.state], `Request ${next.requestId} can't be updated`, async () => {
        const { requestId } = next;
        const wasFiled = isEnded(stored.request.state);
        const rowKey = wasFiled ? endedKey(stored.request) : liveKey(requestId);
        let replaced: StoredRequest;
        try {
          // Merged, so that the message stays where it is without being read.
          const [etag] = await table.write([
            [
              'update',
              { partitionKey: partition, rowKey, ...toColumns(next) },
              'Merge',
              { etag: stored.etag },
            ],
          ]);
          replaced = { request: next, etag: etagOf({ etag }) };
        } catch (error) {
          if (!isMissing(error) && factsOf(error).status !== 412) throw error;
          remembered.outdated(requestId);
          return 'changed';
        }
        if (wasFiled) return replaced;
        if (!isEnded(next.state)) {
          remembered.saw(replaced);
          return replaced;
        }
        // It lives no more, whatever becomes of its filing.
        remembered.outdated(requestId);
        const filed = (await places.fileOwn(next)) ?? (await get(requestId));
        // Filed by somebody who met it first: still our change, unless the request has moved on since.
        const isOurs = filed?.request.state === next.state && filed.request.updatedAt === next.updatedAt;
        return isOurs ? filed : 'changed';
      }),

    reopen: (next, message) =>
      table.use('intake', `Request ${next.requestId} can't be begun again`, async () => {
        const { requestId } = next;
        for (let turn = 0; turn < maxTurns; turn += 1) {
          const pointer = await table.readPointer(requestId);
          const live = await table.read(liveKey(requestId), requestColumns);
          if (live && !isEnded(toRequest(live, table.where(liveKey(requestId))).state)) return 'exists';
          if (live) {
            await places.file(requestId);
            continue;
          }
          const key = pointer?.endedKey ?? '';
          const ended = key === '' ? undefined : await table.read(key, requestColumns);
          // Begun again by another, and ended since: a second such generation would repeat its agents' names.
          if (ended && toRequest(ended, table.where(key)).generation >= next.generation) return 'exists';
          const empty = emptyPointer(requestId);
          try {
            await bringToLife(
              next,
              message,
              pointer ? ['update', empty, 'Replace', { etag: pointer.etag }] : ['create', empty],
              ...(ended
                ? [['delete', { partitionKey: partition, rowKey: key }] satisfies TransactionAction]
                : []),
            );
            return 'inserted';
          } catch (error) {
            if (!isLostRace(error)) throw error;
          }
        }
        return 'exists';
      }),

    list: filter => table.use('intake', "The list of requests can't be read", () => lists.list(filter)),

    live: devOpsPool => table.use('intake', "The live requests can't be read", () => lists.live(devOpsPool)),

    unreadable: async () => lists.unreadable(),
  };
}

const emptyPointer = (requestId: string) => ({
  partitionKey: partition,
  rowKey: pointerKey(requestId),
  endedKey: '',
});

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
