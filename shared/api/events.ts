import type { Events } from '../answers/request.js';
import type { FieldError } from '../input/field-error.js';
import { decodeCursor, encodeCursor } from '../operations/event-cursor.js';
import type { EventFeed } from '../operations/events.js';
import type { Clock } from '../ports.js';
import type { ApiRequest } from './api-request.js';
import { type ApiResponse, invalidRequest, json } from './problem.js';
import { toNumber } from './read-query.js';

interface EventsDependencies {
  readonly feed: EventFeed;
  readonly clock: Clock;
}

/** Shorter than any gateway's patience. */
const longestWaitSeconds = 25;
const lookAgainMs = 1_000;

/** `GET events?after=&wait=`: what has happened since, as soon as something has, or when the time is up. */
export const showEvents =
  ({ feed, clock }: EventsDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const errors: FieldError[] = [];
    const wait = call.query.get('wait');
    const seconds = wait === null ? 0 : toNumber(wait);
    if (!(seconds <= longestWaitSeconds)) {
      const detail = `must be a number of seconds from 0 to ${longestWaitSeconds}`;
      errors.push({ in: 'query', name: 'wait', detail });
    }
    const after = call.query.get('after');
    const given = after === null ? undefined : decodeCursor(after);
    if (after !== null && !given) {
      errors.push({
        in: 'query',
        name: 'after',
        detail: 'must be the "next" that events were answered with',
      });
    }
    if (errors.length > 0) return invalidRequest(errors);

    const until = clock.now().getTime() + seconds * 1_000;
    let cursor = given ?? (await feed.start());
    for (;;) {
      const { events, next } = await feed.after(cursor);
      cursor = next;
      const leftMs = until - clock.now().getTime();
      if (events.length > 0 || leftMs <= 0) {
        return json(200, { events: [...events], next: encodeCursor(next) } satisfies Events);
      }
      await clock.sleep(Math.min(lookAgainMs, leftMs));
    }
  };
