import * as z from 'zod';
import { readDocument } from './document.js';
import { day, type Trace, traceOf } from './trace.js';

/** What `npm run -s agents -- list --json` prints, as far as it says when agents were needed. */
const Requests = z.object({
  requests: z
    .array(
      z.object({
        createdAt: z.iso.datetime(),
        onlineAt: z.iso.datetime().nullish(),
        endedAt: z.iso.datetime().nullish(),
      }),
    )
    .min(1, 'There is no request in it.'),
});

/**
 * Makes a trace of real requests. A job ran from its agent being online to the end of the request; requests that have not
 * ended, or never had an agent, count as jobs of half a minute: they took a place in the queue, too.
 *
 * @throws InputError
 */
export function readRequests(file: string, text: string): Trace {
  const { requests } = readDocument(file, text, Requests);
  const created = requests.map(({ createdAt }) => Date.parse(createdAt));
  const startsAt = Math.floor(created.reduce((one, other) => Math.min(one, other)) / day) * day;
  const last = created.reduce((one, other) => Math.max(one, other)) - startsAt;
  return traceOf(
    file,
    requests.map(({ createdAt, onlineAt, endedAt }) => ({
      at: Date.parse(createdAt) - startsAt,
      runs: Math.max(30_000, onlineAt && endedAt ? Date.parse(endedAt) - Date.parse(onlineAt) : 0),
      slots: 1,
    })),
    { startsAt, lasts: (Math.floor(last / day) + 1) * day },
  );
}
