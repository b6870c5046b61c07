import { odata } from '@azure/data-tables';
import * as z from 'zod';
import { isDeadLetter } from '../domain/dead-letter.js';
import { type AgentRequest, isEnded } from '../domain/request.js';
import type { LiveRequest, RequestFilter, RequestPage, UnreadableRow } from '../ports.js';
import {
  decodeContinuation,
  encodeContinuation,
  endedRange,
  liveRange,
  positionOf,
  rowKeyOf,
} from './request-keys.js';
import type { RequestPlaces } from './request-places.js';
import { liveColumns, requestColumns, toLiveRequest, toRequest, UnreadableRowError } from './request-row.js';
import type { RequestTable } from './request-table.js';

/** Ended rows that one call looks through for a tag. */
const scannedAtMost = 2_000;

const hasTag = ({ tags }: AgentRequest, tag: RequestFilter['tag']): boolean =>
  tag === undefined || (Object.hasOwn(tags, tag.name) && tags[tag.name] === tag.value);

/** Many requests at a time. A row that can't be read is noted and left out, so that it hides no other. */
export interface RequestLists {
  /** @returns undefined for a continuation that is not ours. */
  list(filter: RequestFilter): Promise<RequestPage | undefined>;
  live(devOpsPool: string | undefined): Promise<readonly LiveRequest[]>;
  unreadable(): readonly UnreadableRow[];
}

/**
 * When the live requests of one page were asked for. They lie in the table by their ids, so the newest can only be found
 * by looking at all; but ten thousand times two columns are there in a quarter of a second, and whole rows in two.
 *
 * @returns undefined when there are no more than a page of them.
 */
async function spanOfPage(
  rows: AsyncIterable<Record<string, unknown>>,
  after: string,
  top: number,
): Promise<string | undefined> {
  const page: { readonly position: string; readonly createdAt: string }[] = [];
  for await (const row of rows) {
    const parsed = Placed.safeParse(row);
    const position = parsed.success ? positionOf(parsed.data) : '';
    if (parsed.success && position > after) page.push({ position, createdAt: parsed.data.createdAt });
  }
  if (page.length <= top) return undefined;
  page.sort((a, b) => (a.position < b.position ? -1 : 1));
  const [newest, oldest] = [page[0]?.createdAt ?? '', page[top]?.createdAt ?? ''];
  return odata`createdAt ge ${oldest} and createdAt le ${newest}`;
}

const Placed = z.object({ requestId: z.string(), createdAt: z.iso.datetime() });

export function requestLists(
  table: RequestTable,
  { file, isFiling }: Pick<RequestPlaces, 'file' | 'isFiling'>,
): RequestLists {
  const unreadable = new Map<string, string>();

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

  return {
    unreadable: () => [...unreadable].map(([rowKey, why]) => ({ rowKey, why })),

    live: async devOpsPool => {
      const filter = [liveRange(), ...(devOpsPool === undefined ? [] : [odata`devOpsPool eq ${devOpsPool}`])];
      const live: LiveRequest[] = [];
      const met = new Set<string>();
      for await (const row of table.rows(filter.join(' and '), liveColumns)) {
        met.add(rowKeyOf(row));
        const request = await sift(rowKeyOf(row), async () => {
          const decoded = toLiveRequest(row, table.where(rowKeyOf(row)));
          // One that was left between the two steps of its end would stay out of the list of ended ones for ever.
          if (isEnded(decoded.state) && !isFiling(decoded.requestId)) await file(decoded.requestId);
          return decoded;
        });
        if (request && !isEnded(request.state)) live.push(request);
      }
      // What somebody has removed meanwhile is no trouble any more.
      const isGone = (rowKey: string): boolean => rowKey.startsWith('live~') && !met.has(rowKey);
      if (devOpsPool === undefined)
        for (const rowKey of unreadable.keys()) if (isGone(rowKey)) unreadable.delete(rowKey);
      return live;
    },

    list: async filter => {
      const { profile, failureCode, deadLetters, tag, top, continuation } = filter;
      const state = deadLetters ? 'deadLettered' : filter.state;
      const after = continuation === undefined ? '' : decodeContinuation(continuation);
      if (after === undefined) return undefined;
      const wanted = [
        ...(state === undefined ? [] : [odata`state eq ${state}`]),
        ...(profile === undefined ? [] : [odata`profile eq ${profile}`]),
        ...(failureCode === undefined ? [] : [odata`failureCode eq ${failureCode}`]),
      ];
      const found = new Map<string, AgentRequest>();
      /** Where the look at the ended ones broke off, if it did. */
      let until: string | undefined;
      const read = (row: Record<string, unknown>): Promise<AgentRequest | undefined> =>
        sift(rowKeyOf(row), () => toRequest(row, table.where(rowKeyOf(row))));
      // The live ones first: a request that ends meanwhile is then seen twice rather than never.
      if (state === undefined || !isEnded(state)) {
        const ofLive = [liveRange(), ...wanted].join(' and ');
        // Those with the tag may lie anywhere, and no filter of the service sees into tags.
        const span =
          tag === undefined
            ? await spanOfPage(table.rows(ofLive, ['requestId', 'createdAt']), after, top)
            : undefined;
        const readLive = async (rows: AsyncIterable<Record<string, unknown>>): Promise<boolean> => {
          let all = true;
          for await (const row of rows) {
            const request = await read(row);
            if (!request) all = false;
            else if (hasTag(request, tag) && positionOf(request) > after)
              found.set(request.requestId, request);
          }
          return all;
        };
        const allRead = await readLive(
          table.rows(span === undefined ? ofLive : `${ofLive} and ${span}`, requestColumns),
        );
        // One that can't be read had a place on the page, and others have to fill it.
        if (!allRead && span !== undefined) await readLive(table.rows(ofLive, requestColumns));
      }
      if (state === undefined || isEnded(state)) {
        let ended = 0;
        let scanned = 0;
        let position = '';
        const ofEnded = [endedRange(after), ...wanted].join(' and ');
        // No filter of the service sees into the tags: there rows are looked through, so many in a call.
        const pageSize = tag ? undefined : top + 1;
        for await (const row of table.rows(ofEnded, requestColumns, pageSize)) {
          if (tag && scanned === scannedAtMost) {
            until = position;
            break;
          }
          scanned += 1;
          position = rowKeyOf(row).slice('ended~'.length);
          const request = await read(row);
          if (!request || !hasTag(request, tag)) continue;
          // Not left to the service: rows from before there was such a column would match no comparison with it.
          if (deadLetters && !isDeadLetter(request)) continue;
          found.set(request.requestId, request);
          ended += 1;
          // One more than is shown tells whether there is a next page.
          if (ended > top) break;
        }
      }
      const sorted = [...found.values()].toSorted((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1));
      // What is further on is for the next page, lest it came before what was not looked at yet.
      const reached = sorted.filter(request => until === undefined || positionOf(request) <= until);
      const requests = reached.slice(0, top);
      const last = requests.at(-1);
      const next = last && reached.length > top ? positionOf(last) : until;
      return { requests, continuation: next === undefined ? undefined : encodeContinuation(next) };
    },
  };
}
