import * as z from 'zod';

/** What requests of a pool wait for. */
const waitReasons = [
  /** Accepted and not begun, though there is a free place. */
  'start',
  /** All places of its profile (`maxAlive`) are taken. */
  'freePlace',
  /** The Batch task is being made. */
  'task',
  /** The Batch pool has no free node. */
  'node',
  /** The node gets ready or pulls the image. */
  'container',
  /** The container runs; its agent has not registered. */
  'registration',
] as const;

const time = z.iso.datetime();
const count = z.int().min(0);

/** One agent pool together with one Batch pool: what a profile brings together. */
export const poolSchema = z.strictObject({
  devOpsPool: z.string(),
  batchPool: z.string(),
  profiles: z.array(z.string()),
  os: z.enum(['linux', 'windows']),
  /** Accepted or being made: nothing of them is in Batch yet. */
  waiting: count,
  /** They have a Batch task and no agent yet. */
  starting: count,
  online: count,
  busy: count,
  /** When the request was asked for that has waited longest for its agent. */
  oldestWaitingSince: time.nullable(),
  waits: z.array(
    z.strictObject({
      reason: z.enum(waitReasons),
      count,
      oldestSince: time,
      /** A sentence, e.g. which limit, or what Batch says. */
      detail: z.string(),
    }),
  ),
  /** As Batch tells it; null when Batch can't be asked now. */
  nodes: z
    .strictObject({
      current: count,
      target: count,
      idle: count,
      running: count,
      starting: count,
      unusable: count,
    })
    .nullable(),
  /** What keeps the Batch pool from running tasks. */
  problem: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  /** When the pool watch last looked; null when it never did or is not needed now. */
  lastWatchAt: time.nullable(),
});

/** `GET /api/pools` */
export const poolsSchema = z.strictObject({ at: time, pools: z.array(poolSchema) });
export type Pool = z.infer<typeof poolSchema>;
export type Pools = z.infer<typeof poolsSchema>;
