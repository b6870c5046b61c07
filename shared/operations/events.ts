import type { Events } from '../answers/request.js';
import { agentNameOf } from '../domain/names.js';
import { isEnded } from '../domain/request.js';
import type { Clock, RequestLife, RequestSurvey } from '../ports.js';
import { type EventCursor, markOf, marksAtMost } from './event-cursor.js';
import { kept } from './kept.js';

type Event = Events['events'][number];

export interface EventFeed {
  /** Begins now. */
  start(): Promise<EventCursor>;
  /**
   * What has happened since, the oldest first, and where to go on.
   *
   * @throws TransientError when storage can't be reached.
   */
  after(cursor: EventCursor): Promise<{ readonly events: readonly Event[]; readonly next: EventCursor }>;
}

/**
 * Lines of different hosts arrive out of order: each clock is a little off, and a write takes a moment. So much is
 * looked at again, and what was told of is left out.
 */
const overlapMs = 10_000;
/** Where more happens than a cursor can remember, lines are told of only once no earlier one is to be expected. */
const settledMs = 2_000;
/** In one answer, but for those of one moment, which are never parted. */
const eventsAtMost = 500;
/** Whoever comes back later than that goes on from so long ago. */
const cursorKeepsMs = 60 * 60_000;
/** The oldest of the live requests changes slowly, and one that is too old is only less cheap. */
const oldestKeptMs = 60_000;
const rowsAtMost = 20_000;
const clockSkewMs = 60_000;

/**
 * The life of all requests as one stream. A look costs two storage transactions, plus one for each thousand rows that
 * have changed in the last seconds; once a minute the live requests are read, a transaction for each thousand.
 */
export function eventFeed(survey: RequestSurvey, clock: Pick<Clock, 'now'>): EventFeed {
  const oldestLive = kept(clock, oldestKeptMs, async () => {
    const now = clock.now().getTime();
    const { requests } = await survey.digests({ which: 'live', atMost: rowsAtMost });
    return (
      requests.reduce((oldest, { createdAt }) => Math.min(oldest, Date.parse(createdAt)), now) - clockSkewMs
    );
  });

  return {
    start: async () => {
      // Before the time: whatever lives then is not older.
      const oldest = await oldestLive();
      return { toldUntil: clock.now().getTime(), told: new Set(), oldest };
    },

    after: async given => {
      const now = clock.now().getTime();
      const cursor =
        given.toldUntil < now - cursorKeepsMs ? { ...given, toldUntil: now - cursorKeepsMs } : given;
      const oldest = await oldestLive();
      const changedSince = new Date(cursor.toldUntil).toISOString();
      // The live ones first: one that ends meanwhile is then seen twice rather than never.
      const live = await survey.lives({ which: 'live', changedSince, atMost: rowsAtMost });
      const ended = await survey.lives({
        which: 'ended',
        changedSince,
        askedSince: new Date(cursor.oldest).toISOString(),
        atMost: rowsAtMost,
      });
      const lines = linesAfter(cursor.toldUntil, [...live.requests, ...ended.requests]);
      const news = lines.filter(({ mark }) => !cursor.told.has(mark));
      const chosen = choose(news, cursor.told.size, now);
      const isWhole = chosen.length === news.length;
      return {
        events: chosen.map(({ event }) => event),
        next: {
          ...comeTo(cursor, lines, chosen, news[chosen.length], now),
          // What is still to be told may be of requests that have ended since.
          oldest: isWhole ? Math.max(cursor.oldest, oldest) : cursor.oldest,
        },
      };
    },
  };
}

interface Line {
  readonly at: number;
  readonly mark: string;
  readonly event: Event;
}

/** The oldest first; those of one moment in the order of their requests, and of each as it was written. */
function linesAfter(time: number, requests: readonly RequestLife[]): readonly Line[] {
  const latest = new Map<string, RequestLife>();
  for (const request of requests) {
    const before = latest.get(request.requestId);
    if (!before || before.updatedAt <= request.updatedAt) latest.set(request.requestId, request);
  }
  const lines = [...latest.values()].flatMap(request =>
    request.history.map((entry): Line => {
      const { requestId, profile, state, failureCode, history } = request;
      // An earlier generation may have ended so, too, with another failure.
      const isItsEnd = isEnded(state) && entry.state === state && entry.attempt === history.at(-1)?.attempt;
      return {
        at: Date.parse(entry.at),
        mark: markOf({ requestId, ...entry }),
        event: {
          ...entry,
          requestId,
          profile,
          agentName: entry.attempt === 0 ? null : agentNameOf(requestId, entry.attempt),
          failureCode: isItsEnd ? (failureCode ?? null) : null,
        },
      };
    }),
  );
  return lines.filter(({ at }) => at > time).toSorted((one, other) => one.at - other.at || order(one, other));
}

const order = ({ event: { requestId: one } }: Line, { event: { requestId: other } }: Line): number =>
  one === other ? 0 : one < other ? -1 : 1;

/** @returns the first of the news, all that are of one moment or none of them. */
function choose(news: readonly Line[], remembered: number, now: number): readonly Line[] {
  if (remembered + news.length <= marksAtMost) return news;
  const settled = news.filter(({ at }) => at <= now - settledMs);
  const last = settled.slice(0, eventsAtMost).at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  return settled.filter(({ at }) => at <= last);
}

/** @param left the first line that could not be told of yet. */
function comeTo(
  cursor: EventCursor,
  lines: readonly Line[],
  chosen: readonly Line[],
  left: Line | undefined,
  now: number,
): Pick<EventCursor, 'toldUntil' | 'told'> {
  const beforeLeft = left === undefined ? Number.POSITIVE_INFINITY : left.at - 1;
  const isTold = new Set([...cursor.told, ...chosen.map(({ mark }) => mark)]);
  const told = lines.filter(({ mark }) => isTold.has(mark));
  // What can't be remembered is not looked at again.
  const tooMany = told[told.length - marksAtMost - 1]?.at ?? 0;
  const toldUntil = Math.max(cursor.toldUntil, Math.min(Math.max(now - overlapMs, tooMany), beforeLeft));
  return {
    toldUntil,
    told: new Set(told.filter(({ at }) => at > toldUntil).map(({ mark }) => mark)),
  };
}
