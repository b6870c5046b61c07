import type { Clock, LiveRequest, RequestStore } from '../ports.js';

/** All live requests as one listing found them. */
export interface LiveListing {
  /** Counts the listings of this process, from 1, in the order of their beginning. */
  readonly number: number;
  /** When it began, in milliseconds since 1970: what changed later may or may not be in it. */
  readonly startedAt: number;
  readonly rows: readonly LiveRequest[];
}

/**
 * Listings of the live requests that many questions share: a burst of a thousand questions costs two or three listings.
 * At most one is on its way at a time.
 */
export interface LiveListings {
  /** The latest that has come back. */
  latest(): LiveListing | undefined;
  /** The number of the one that was begun last; 0 when there was none. */
  begun(): number;
  /**
   * The one that is on its way, or a new one.
   *
   * @throws TransientError when storage can't be reached.
   */
  next(): Promise<LiveListing>;
  /**
   * One that begins after this call, so that it holds all that is written already.
   *
   * @throws TransientError when storage can't be reached.
   */
  fresh(): Promise<LiveListing>;
}

export function createLiveListings({
  store,
  clock,
}: {
  readonly store: Pick<RequestStore, 'live'>;
  readonly clock: Pick<Clock, 'now'>;
}): LiveListings {
  let latest: LiveListing | undefined;
  let begun = 0;
  let running: Promise<LiveListing> | undefined;

  const list = async (): Promise<LiveListing> => {
    begun += 1;
    const number = begun;
    const startedAt = clock.now().getTime();
    latest = { number, startedAt, rows: await store.live() };
    return latest;
  };
  const next = (): Promise<LiveListing> => {
    running ??= list().finally(() => {
      running = undefined;
    });
    return running;
  };
  const fresh = async (): Promise<LiveListing> => {
    // Its failure is told to those who wait for it. All who wait for its end share the next.
    await running?.catch(() => undefined);
    return next();
  };

  return {
    latest: () => latest,
    begun: () => begun,
    next,
    fresh,
  };
}
