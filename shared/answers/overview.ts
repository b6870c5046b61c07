import * as z from 'zod';
import { requestStates } from '../domain/request.js';

const time = z.iso.datetime();
const count = z.int().min(0);

/**
 * `GET /api/overview?hours=24&profile=&tag=NAME=VALUE`: numbers over everything that lives and all that was asked for
 * in the last hours.
 */
export const overviewSchema = z.strictObject({
  at: time,
  since: time,
  counts: z.partialRecord(z.enum(requestStates), count),
  /** How long it took from being asked for to online. */
  timeToOnline: z.strictObject({
    count,
    p50Ms: z.number().nullable(),
    p95Ms: z.number().nullable(),
    maxMs: z.number().nullable(),
    /** `upToMs` null: longer than the bucket before; each counts only what is in no bucket before it. */
    buckets: z.array(z.strictObject({ upToMs: z.number().nullable(), count })),
  }),
  /** Ended with it; the most frequent first. */
  failures: z.array(z.strictObject({ code: z.string(), count, lastAt: time, lastRequestId: z.string() })),
  profiles: z.array(z.string()),
  /** Tags that occur, for a filter: the most frequent values of each. */
  tags: z.record(z.string(), z.array(z.string())),
  /** There are more rows than are counted in one look. */
  truncated: z.boolean(),
});
export type Overview = z.infer<typeof overviewSchema>;
