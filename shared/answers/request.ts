import * as z from 'zod';
import { stages } from '../domain/failure.js';
import { requestStates } from '../domain/request.js';
import type { ShownRequest } from '../domain/view.js';

/**
 * What the API answers, as schemas: the OpenAPI file is made of them, the command line reads answers with them, and
 * tests hold every answer against them.
 */

const time = z.iso.datetime();
const milliseconds = z.number().min(0).nullable();

export const failureSchema = z.strictObject({
  code: z.string(),
  stage: z.enum(stages),
  message: z.string(),
  retryable: z.boolean(),
});

export const historyEntrySchema = z.strictObject({
  state: z.enum(requestStates),
  at: time,
  attempt: z.int().min(0),
  detail: z.string(),
});

/** A request as it is shown, over HTTP and on reply queues. */
export const shownRequestSchema = z.strictObject({
  requestId: z.string(),
  profile: z.string(),
  state: z.enum(requestStates),
  attempt: z.int().min(0),
  agentName: z.string().nullable(),
  devOpsPool: z.string(),
  batch: z.strictObject({ poolId: z.string(), jobId: z.string(), taskId: z.string() }).nullable(),
  createdAt: time,
  updatedAt: time,
  onlineAt: time.nullable(),
  endedAt: time.nullable(),
  timings: z.strictObject({
    queuedMs: milliseconds,
    provisioningMs: milliseconds,
    startingMs: milliseconds,
    toOnlineMs: milliseconds,
  }),
  failure: failureSchema.nullable(),
  history: z.array(historyEntrySchema),
  tags: z.record(z.string(), z.string()),
  links: z.strictObject({
    self: z.string(),
    pipeline: z.string().nullable(),
    /** What the failure means and how to mend it; anonymous, for whoever reads it in a pipeline's log. */
    help: z.string().nullable(),
  }),
}) satisfies z.ZodType<ShownRequest>;

export const requestPageSchema = z.strictObject({
  requests: z.array(shownRequestSchema),
  continuation: z.string().nullable(),
});

/** One line of some request's life, for whoever follows them all. */
export const eventSchema = historyEntrySchema.extend({
  requestId: z.string(),
  profile: z.string(),
  agentName: z.string().nullable(),
  failureCode: z.string().nullable(),
});

/** `GET /api/events?after=&wait=`: what has happened since, the oldest first; ask again with `next`. */
export const eventsSchema = z.strictObject({ events: z.array(eventSchema), next: z.string() });
export type Events = z.infer<typeof eventsSchema>;
