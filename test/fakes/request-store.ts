import { isDeadLetter } from '../../shared/domain/dead-letter.js';
import { type AgentRequest, isEnded, pipelineWaits } from '../../shared/domain/request.js';
import type { LiveRequest, RequestStore, StoredRequest, UnreadableRow } from '../../shared/ports.js';
import { type Knobs, withKnobs } from './knobs.js';

interface Row {
  readonly request: AgentRequest;
  readonly etag: string;
  readonly message: Uint8Array;
}

export interface FakeRequestStore extends RequestStore, Knobs<RequestStore> {
  /** What is stored, live and ended, in no order. */
  readonly requests: () => readonly AgentRequest[];
  /** What `unreadable` tells; a row in it is left out of the live ones. */
  readonly broken: UnreadableRow[];
}

export function createFakeRequestStore(): FakeRequestStore {
  const rows = new Map<string, Row>();
  const broken: UnreadableRow[] = [];
  let version = 0;

  const put = (request: AgentRequest, message: Uint8Array): StoredRequest => {
    version += 1;
    const row = { request: structuredClone(request), etag: `v${version}`, message };
    rows.set(request.requestId, row);
    return { request: structuredClone(request), etag: row.etag };
  };
  const isLive = (requestId: string): boolean => {
    const row = rows.get(requestId);
    return row !== undefined && !isEnded(row.request.state);
  };
  const insert = (request: AgentRequest, message: Uint8Array): 'inserted' | 'exists' => {
    if (isLive(request.requestId)) return 'exists';
    put(request, message);
    return 'inserted';
  };

  const store: RequestStore = {
    insert: async (request, message) => (rows.has(request.requestId) ? 'exists' : insert(request, message)),
    reopen: async (next, message) =>
      (rows.get(next.requestId)?.request.generation ?? 0) >= next.generation
        ? 'exists'
        : insert(next, message),

    get: async requestId => {
      const row = rows.get(requestId);
      return row && { request: structuredClone(row.request), etag: row.etag };
    },

    message: async requestId => rows.get(requestId)?.message,

    replace: async (stored, next) => {
      const row = rows.get(next.requestId);
      return row?.etag === stored.etag ? put(next, row.message) : 'changed';
    },

    list: async ({ state, profile, failureCode, deadLetters, top, continuation }) => {
      const after = continuation === undefined ? '' : decode(continuation);
      if (after === undefined) return undefined;
      const found = [...rows.values()]
        .map(({ request }) => structuredClone(request))
        .filter(request => state === undefined || request.state === state)
        .filter(request => profile === undefined || request.profile === profile)
        .filter(request => failureCode === undefined || request.failure?.code === failureCode)
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
    broken,
    requests: () => [...rows.values()].map(({ request }) => structuredClone(request)),
  });
}

const toLive = (request: AgentRequest): LiveRequest => ({
  requestId: request.requestId,
  profile: request.profile,
  state: request.state,
  attempt: request.attempt,
  agentName: request.agentName,
  batch: structuredClone(request.batch),
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
