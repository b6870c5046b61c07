import type { Config } from '../config.js';
import { isWaiting } from '../domain/admission.js';
import type { AgentRequest } from '../domain/request.js';
import type { Clock } from '../ports.js';
import type { LiveListing, LiveListings } from './live-listings.js';

export interface BacklogFull {
  readonly kind: 'full';
  readonly profile: string;
  readonly waiting: number;
  readonly maxWaiting: number;
}

/** Keeps the requests of a profile that wait for an agent to its `maxWaiting`. */
export interface BacklogGate {
  /**
   * Keeps a new request unless too many wait already.
   *
   * @param keep writes it down; called at most once.
   * @throws what `keep` throws, and nothing else: a limit that can't be checked must not fail a call.
   */
  enter<Kept extends 'inserted' | 'exists'>(
    request: Pick<AgentRequest, 'requestId' | 'generation' | 'profile'>,
    keep: () => Promise<Kept>,
  ): Promise<Kept | BacklogFull>;
}

/** How old a listing may be while the limit is far off, and at most so old it is a reason to refuse. */
const calmMs = 10_000;
/** How old it may be close to the limit, and how often one is begun at most. */
const closeMs = 1_000;
const closeShare = 0.9;
/** After this long without a call what is known says nothing any more. */
const forgottenMs = 60_000;
/** A limit that a listing shows in one page is worth waiting for; far above, the first call need not be exact. */
const smallLimit = 1_000;
/** A caller waits no longer than this for a listing, so that an answer never takes 3 s. */
const patienceMs = 1_500;

interface Entered {
  readonly key: string;
  readonly profile: string;
  /** The listings that were begun by the time it was written; undefined until then. */
  writtenAfter: number | undefined;
  /** No listing has it yet. */
  isUnseen: boolean;
}

/** One a process. What it lets in is counted at once; what others let in is seen with the next listing. */
export function createBacklogGate({
  config,
  listings,
  clock,
}: {
  readonly config: Pick<Config, 'profiles'>;
  readonly listings: LiveListings;
  readonly clock: Pick<Clock, 'now'>;
}): BacklogGate {
  const entered = new Set<Entered>();
  let seen = 0;
  let live: ReadonlySet<string> = new Set();
  /** Kept up with every entry: counting anew for each call of a burst would grow with its square. */
  const waitingOf = new Map<string, number>();
  let triedAt = Number.NEGATIVE_INFINITY;
  let refreshing: Promise<void> | undefined;

  /** Counts once for each listing: there may be thousands of rows, and this is asked for every call. */
  function look(listing: LiveListing | undefined): void {
    if (!listing || listing.number <= seen) return;
    seen = listing.number;
    live = new Set(listing.rows.map(keyOf));
    waitingOf.clear();
    for (const row of listing.rows) if (isWaiting(row)) count(row.profile, 1);
    for (const entry of entered) {
      if (entry.writtenAfter !== undefined && entry.writtenAfter < listing.number) entered.delete(entry);
      else setUnseen(entry);
    }
  }

  const count = (profile: string, more: number): void =>
    void waitingOf.set(profile, (waitingOf.get(profile) ?? 0) + more);

  function setUnseen(entry: Entered): void {
    entry.isUnseen = !live.has(entry.key);
    if (entry.isUnseen) count(entry.profile, 1);
  }

  function takeBack(entry: Entered): void {
    look(listings.latest());
    if (entered.delete(entry) && entry.isUnseen) count(entry.profile, -1);
  }

  function waiting(profile: string): number {
    look(listings.latest());
    return waitingOf.get(profile) ?? 0;
  }

  const age = (): number =>
    clock.now().getTime() - (listings.latest()?.startedAt ?? Number.NEGATIVE_INFINITY);

  /** Has the live requests listed, at most once a second; whoever comes meanwhile waits for the same listing. */
  async function refresh(): Promise<void> {
    const now = clock.now().getTime();
    if (!refreshing && now - triedAt < closeMs) return;
    if (!refreshing) triedAt = now;
    refreshing ??= list().finally(() => {
      refreshing = undefined;
    });
    await refreshing;
  }

  async function list(): Promise<void> {
    try {
      await listings.next();
    } catch {
      // Storage is away: the call itself meets that and tells it. The limit is not worth an error.
    }
  }

  /** Makes sure that what is known is good enough for this profile, and waits only if it matters. */
  async function lookAround(profile: string, maxWaiting: number): Promise<void> {
    const known = waiting(profile);
    const isUnknown = age() > forgottenMs && maxWaiting < smallLimit;
    if (isUnknown || (known >= maxWaiting && age() > closeMs)) {
      await within(patienceMs, refresh());
    } else if (age() > (known >= maxWaiting * closeShare ? closeMs : calmMs)) {
      void refresh();
    }
  }

  return {
    enter: async (request, keep) => {
      const maxWaiting = config.profiles.get(request.profile)?.maxWaiting;
      if (maxWaiting === undefined) return keep();
      await lookAround(request.profile, maxWaiting);
      const known = waiting(request.profile);
      if (known >= maxWaiting && age() <= calmMs) {
        return { kind: 'full', profile: request.profile, waiting: known, maxWaiting };
      }

      const entry: Entered = {
        key: keyOf(request),
        profile: request.profile,
        writtenAfter: undefined,
        isUnseen: false,
      };
      entered.add(entry);
      setUnseen(entry);
      try {
        const kept = await keep();
        if (kept === 'exists') takeBack(entry);
        return kept;
      } finally {
        // Also when it failed: it may have been written all the same, which the next listing shows.
        entry.writtenAfter = listings.begun();
      }
    },
  };
}

const keyOf = ({ requestId, generation }: Pick<AgentRequest, 'requestId' | 'generation'>): string =>
  `${requestId}#${generation}`;

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>(resolve => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, patience]);
  clearTimeout(timer);
}
