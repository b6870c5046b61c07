import type { TransactionAction } from '@azure/data-tables';
import * as z from 'zod';
import { type AgentRequest, isEnded } from '../domain/request.js';
import type { StoredRequest } from '../ports.js';
import type { FilingKey, RememberedRequests } from './remembered-requests.js';
import { endedKey, liveKey, partition, pointerKey } from './request-keys.js';
import { toColumns, toRequest } from './request-row.js';
import { etagOf, isLostRace, maxTurns, type RequestTable, type Row, tooFast } from './request-table.js';

/** Where the rows of a request are, and how they change place. */
export interface RequestPlaces {
  /** Finds a request's row, wherever it is, and files it on the way if that is due. */
  find(
    requestId: string,
    select: readonly string[] | undefined,
  ): Promise<{ readonly row: Row; readonly rowKey: string } | undefined>;
  /**
   * Moves a live row in an end state to where ended requests are kept.
   *
   * @returns nothing if it was not there to be moved: somebody else was faster.
   */
  file(requestId: string): Promise<StoredRequest | undefined>;
  /** The same for an end that was written just now, without reading anything where what is remembered allows it. */
  fileOwn(ended: AgentRequest): Promise<StoredRequest | undefined>;
  /** Whether its end is being filed by this process. */
  isFiling(requestId: string): boolean;
}

const WithMessage = z.object({ message: z.instanceof(Uint8Array) });

/**
 * An end is written in two steps: the live row gets the end state, guarded by its ETag, and then is filed. Whoever
 * meets a live row in an end state files it, so a process that is killed in between loses nothing.
 *
 * The `request~` row is also the lock of filing: a transaction can't check the ETag of a row that it deletes, so a
 * late filing could remove a row that was reopened meanwhile. Its version must be from before the live row was read or
 * written, and must be unchanged: a live row in an end state is changed by nobody.
 */
export function requestPlaces(table: RequestTable, remembered: RememberedRequests): RequestPlaces {
  const filing = new Set<string>();

  async function move(
    request: AgentRequest,
    message: Uint8Array | undefined,
    pointer: string | undefined,
  ): Promise<StoredRequest | undefined> {
    const { requestId } = request;
    const rowKey = endedKey(request);
    const pointing = { partitionKey: partition, rowKey: pointerKey(requestId), endedKey: rowKey };
    const actions: TransactionAction[] = [
      [
        'upsert',
        { partitionKey: partition, rowKey, ...toColumns(request), ...(message ? { message } : {}) },
        'Replace',
      ],
      pointer === undefined ? ['create', pointing] : ['update', pointing, 'Replace', { etag: pointer }],
      ['delete', { partitionKey: partition, rowKey: liveKey(requestId) }],
    ];
    try {
      const [etag] = await table.write(actions);
      return { request, etag: etagOf({ etag }) };
    } catch (error) {
      if (isLostRace(error)) return undefined;
      throw error;
    } finally {
      remembered.forget(requestId);
    }
  }

  async function file(requestId: string): Promise<StoredRequest | undefined> {
    // This order is the guard: if the pointer is unchanged in the end, then the live row was the latest one.
    const pointer = await table.readPointer(requestId);
    const row = await table.read(liveKey(requestId));
    if (!row) return undefined;
    const request = toRequest(row, table.where(liveKey(requestId)));
    return isEnded(request.state) ? move(request, messageOf(row), pointer?.etag) : undefined;
  }

  const byMemory = async (
    ended: AgentRequest,
    key: FilingKey | undefined,
  ): Promise<StoredRequest | undefined> => key && move(ended, key.message, key.pointer);

  return {
    file,

    fileOwn: async ended => {
      const { requestId } = ended;
      filing.add(requestId);
      try {
        return (await byMemory(ended, remembered.filingKey(requestId))) ?? (await file(requestId));
      } finally {
        filing.delete(requestId);
      }
    },

    isFiling: requestId => filing.has(requestId),

    find: async (requestId, select) => {
      let seen: string | undefined;
      for (let turn = 0; turn < maxTurns; turn += 1) {
        const live = await table.read(liveKey(requestId), select);
        if (live && !isEnded(toRequest(live, table.where(liveKey(requestId))).state)) {
          return { row: live, rowKey: liveKey(requestId) };
        }
        if (live) {
          await file(requestId);
          continue;
        }
        // Read second: whatever was filed before the live row was missed has a pointer by now.
        const pointer = await table.readPointer(requestId);
        if (!pointer) return undefined;
        const ended = pointer.endedKey === '' ? undefined : await table.read(pointer.endedKey, select);
        if (ended) return { row: ended, rowKey: pointer.endedKey };
        if (pointer.etag === seen) {
          // It has not moved in between, so somebody removed its row by hand: the id is free again.
          await table.removePointer(requestId, pointer.etag);
          return undefined;
        }
        seen = pointer.etag;
      }
      throw tooFast(requestId);
    },
  };
}

/** The message that a row holds, if it was read with it. */
export const messageOf = (row: Row): Uint8Array | undefined => {
  const parsed = WithMessage.safeParse(row);
  return parsed.success ? parsed.data.message : undefined;
};
