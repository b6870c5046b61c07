import { isDeadLetter } from '../../shared/domain/dead-letter.js';
import { type AgentRequest, isEnded, pipelineWaits } from '../../shared/domain/request.js';
import type { LiveRequest, RequestStore, StoredRequest, UnreadableRow } from '../../shared/ports.js';
import { type Knobs, withKnobs } from './knobs.js';

interface Row {
  readonly request: AgentRequest;
  readonly etag: string;
  readonly message: Uint8Array;
}

/** What several processes see of one table. */
export interface FakeTable {
  readonly rows: Map<string, Row>;
  version: number;
}

export interface FakeRequestStore extends RequestStore, Knobs<Omit<RequestStore, 'remembered'>> {
  /** Another process has it open as well: what it remembers is its own. */
  readonly table: FakeTable;
  /** What is stored, live and ended, in no order. */
  readonly requests: () => readonly AgentRequest[];
  /** What `unreadable` tells; a row in it is left out of the live ones. */
  readonly broken: UnreadableRow[];
}

/** @param table shared with the stores of other processes. */
export function createFakeRequestStore(table: FakeTable = { rows: new Map(), version: 0 }): FakeRequestStore {
  const { rows } = table;
  const remembered = new Map<string, StoredRequest>();
  const broken: UnreadableRow[] = [];

  const remember = ({ request, etag }: StoredRequest): StoredRequest => {
    const { requestId, state } = request;
    if (isEnded(state)) remembered.delete(requestId);
    else remembered.set(requestId, { request, etag });
    return { request, etag };
  };
  const put = (request: AgentRequest, message: Uint8Array): StoredRequest => {
    table.version += 1;
    // A row is never what a caller has in hand; frozen, it can be given to all of them without a copy each.
    const row = { request: frozen(structuredClone(request)), etag: `v${table.version}`, message };
    rows.set(request.requestId, row);
    return remember(row);
  };
  const isLive = (requestId: string): boolean => {
    const row = rows.get(requestId);
    return row !== undefined && !isEnded(row.request.state);
  };

  const store: Omit<RequestStore, 'remembered'> = {
    insert: async (request, message) => {
      if (rows.has(request.requestId)) return 'exists';
      put(request, message);
      return 'inserted';
    },
    reopen: async (next, message) => {
      const generation = rows.get(next.requestId)?.request.generation ?? 0;
      if (generation >= next.generation || isLive(next.requestId)) return 'exists';
      put(next, message);
      return 'inserted';
    },

    get: async requestId => {
      const row = rows.get(requestId);
      return row && remember(row);
    },

    message: async requestId => rows.get(requestId)?.message,

    replace: async (stored, next) => {
      const row = rows.get(next.requestId);
      if (row?.etag === stored.etag) return put(next, row.message);
      remembered.delete(next.requestId);
      return 'changed';
    },

    list: async ({ state, profile, failureCode, deadLetters, tag, top, continuation }) => {
      const after = continuation === undefined ? '' : decode(continuation);
      if (after === undefined) return undefined;
      const found = [...rows.values()]
        .map(({ request }) => request)
        .filter(request => state === undefined || request.state === state)
        .filter(request => profile === undefined || request.profile === profile)
        .filter(request => failureCode === undefined || request.failure?.code === failureCode)
        .filter(request => tag === undefined || request.tags[tag.name] === tag.value)
        .filter(request => !deadLetters || isDeadLetter(request))
        .filter(request => positionOf(request) > after)
        .toSorted((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1));
      const requests = found.slice(0, top);
      const last = requests.at(-1);
      return { requests, continuation: last && found.length > top ? encode(positionOf(last)) : undefined };
    },

    live: async devOpsPool =>
      [...rows.values()]
        .map(({ request }) => request)
        .filter(({ state }) => !isEnded(state))
        .filter(request => devOpsPool === undefined || request.devOpsPool === devOpsPool)
        .filter(({ requestId }) => !broken.some(({ rowKey }) => rowKey === `live~${requestId}`))
        .map(toLive),

    unreadable: async () => [...broken],
  };
  return withKnobs(store, {
    table,
    broken,
    remembered: (requestId: string) => remembered.get(requestId),
    requests: () => [...rows.values()].map(({ request }) => request),
  });
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.values(value).forEach(frozen);
    Object.freeze(value);
  }
  return value;
}

const toLive = (request: AgentRequest): LiveRequest => ({
  requestId: request.requestId,
  profile: request.profile,
  state: request.state,
  attempt: request.attempt,
  agentName: request.agentName,
  batch: request.batch,
  cancelRequestedAt: request.cancelRequestedAt,
  generation: request.generation,
  devOpsPool: request.devOpsPool,
  onlineAt: request.onlineAt,
  taskStartedAt: request.taskStartedAt,
  pipelineWaits: pipelineWaits(request),
  createdAt: request.createdAt,
  updatedAt: request.updatedAt,
  startClaimedAt: request.startClaimedAt,
  deferredAt: request.deferredAt,
});

/** Newest first, as text. */
const positionOf = ({ createdAt, requestId }: AgentRequest): string =>
  `${9_999_999_999_999 - Date.parse(createdAt)}~${requestId}`;

const encode = (position: string): string => Buffer.from(position).toString('base64url');

function decode(continuation: string): string | undefined {
  const position = Buffer.from(continuation, 'base64url').toString('utf8');
  return /^\d{13}~/.test(position) && encode(position) === continuation ? position : undefined;
}
