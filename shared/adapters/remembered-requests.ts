import { LRUCache } from 'lru-cache';
import type { StoredRequest } from '../ports.js';

/**
 * What it takes to file a request without reading it: if its pointer is unchanged since before its live row was read
 * or written, it still lives the life that it came into with this message.
 */
export interface FilingKey {
  /** The version of the pointer. */
  readonly pointer: string;
  readonly message: Uint8Array;
}

interface Remembered {
  /** Absent once it turned out to be out of date. */
  readonly stored: StoredRequest | undefined;
  readonly filing: FilingKey | undefined;
}

/**
 * What this process last read or wrote of each live request. Others write as well, so it may be out of date at any
 * time: it saves a read where storage checks the version, and decides nothing by itself.
 */
export interface RememberedRequests {
  get(requestId: string): StoredRequest | undefined;
  filingKey(requestId: string): FilingKey | undefined;
  /** A request that we brought to life. */
  began(stored: StoredRequest, filing: FilingKey): void;
  /** Its latest version; how to file it stays as it was. */
  saw(stored: StoredRequest): void;
  /** Somebody else has changed it. */
  outdated(requestId: string): void;
  forget(requestId: string): void;
  /** Something that is another as soon as anything is remembered or forgotten of the request. */
  moment(requestId: string): unknown;
}

/** Some five thousand requests. */
const maxBytes = 32 * 1024 * 1024;
const bytesOfAnEntry = 512;

export function rememberRequests(): RememberedRequests {
  const known = new LRUCache<string, Remembered>({
    maxSize: maxBytes,
    sizeCalculation: ({ stored, filing }) =>
      bytesOfAnEntry + (filing?.message.length ?? 0) + 2 * (stored ? JSON.stringify(stored).length : 0),
  });
  return {
    get: requestId => known.get(requestId)?.stored,
    filingKey: requestId => known.get(requestId)?.filing,
    began: (stored, filing) => void known.set(stored.request.requestId, { stored, filing }),
    saw: stored => {
      const { requestId } = stored.request;
      known.set(requestId, { stored, filing: known.peek(requestId)?.filing });
    },
    outdated: requestId => {
      const before = known.peek(requestId);
      if (before) known.set(requestId, { ...before, stored: undefined });
    },
    forget: requestId => void known.delete(requestId),
    moment: requestId => known.peek(requestId),
  };
}
