import { isEnded } from '../domain/request.js';
import type { Clock, RequestDigest, RequestSurvey } from '../ports.js';

/** What this process knows of the requests that live, and of those that were asked for of late. */
export interface RecentRequests {
  /**
   * @param since ISO 8601: all that was asked for then or later, and all that lives.
   * @throws TransientError when storage can't be reached.
   */
  look(since: string): Promise<{ readonly requests: readonly RequestDigest[]; readonly truncated: boolean }>;
}

/** What is read again because the clocks of those who write differ, and writes take a moment. */
const overlapMs = 15_000;
/** A row that somebody has removed by hand is never told of as a change. */
const allAgainMs = 10 * 60_000;

interface Covered {
  /** All that was asked for then or later is known. */
  readonly since: string;
  readonly lookedAt: number;
  /** When everything was read for the last time. */
  readonly readAt: number;
}

/**
 * Ended requests change no more in anything that is counted, so they are remembered, and a look asks only for what has
 * changed since the last one: two storage transactions, plus one for each thousand rows that did.
 *
 * @param atMost so many requests are remembered, some 0.5 KB each.
 */
export function recentRequests(
  survey: RequestSurvey,
  clock: Pick<Clock, 'now'>,
  atMost = 50_000,
): RecentRequests {
  let known = new Map<string, RequestDigest>();
  let covered: Covered | undefined;
  let truncated = false;
  let looking: Promise<unknown> = Promise.resolve();

  const keep = (digest: RequestDigest): void => {
    const before = known.get(digest.requestId);
    // Filed between two reads, or begun again: the later word counts.
    if (before && before.updatedAt > digest.updatedAt) return;
    known.set(digest.requestId, digest);
  };

  async function readAll(since: string, now: number): Promise<void> {
    // The live ones first: one that ends meanwhile is then seen twice rather than never.
    const live = await survey.digests({ which: 'live', atMost });
    const ended = await survey.digests({ which: 'ended', askedSince: since, atMost });
    known = new Map();
    truncated = live.more || ended.more;
    for (const digest of [...live.requests, ...ended.requests]) keep(digest);
    covered = { since, lookedAt: now, readAt: now };
  }

  async function readNews(since: string, before: Covered, now: number): Promise<void> {
    const changedSince = new Date(before.lookedAt - overlapMs).toISOString();
    // One that has lived for long may end now, and must not stay among those that live.
    const askedSince = [...known.values()].reduce(
      (oldest, { state, createdAt }) => (!isEnded(state) && createdAt < oldest ? createdAt : oldest),
      before.since,
    );
    const live = await survey.digests({ which: 'live', changedSince, atMost });
    const ended = await survey.digests({ which: 'ended', askedSince, changedSince, atMost });
    const older =
      since < before.since
        ? await survey.digests({ which: 'ended', askedSince: since, askedUntil: before.since, atMost })
        : undefined;
    for (const digest of [...live.requests, ...ended.requests, ...(older?.requests ?? [])]) keep(digest);
    truncated ||= live.more || ended.more || older?.more === true;
    covered = { ...before, since: since < before.since ? since : before.since, lookedAt: now };
  }

  async function refresh(since: string): Promise<void> {
    const now = clock.now().getTime();
    const isStale = covered !== undefined && now - covered.readAt > allAgainMs;
    if (!covered || isStale || known.size > atMost) await readAll(since, now);
    else await readNews(since, covered, now);
  }

  return {
    look: async since => {
      // One after the other: each goes on from what the one before has read.
      const mine = looking.then(async () => refresh(since));
      looking = mine.catch(() => undefined);
      await mine;
      const requests = [...known.values()].filter(
        ({ state, createdAt }) => !isEnded(state) || createdAt >= since,
      );
      return { requests: requests.slice(0, atMost), truncated: truncated || requests.length > atMost };
    },
  };
}
