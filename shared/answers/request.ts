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
  code: z.string().describe('A stable word, e.g. `PoolMissing`; new ones may come.'),
  stage: z.enum(stages).describe('Where in its life the request failed.'),
  message: z.string().describe('A sentence for the person who reads it: what happened and what to do.'),
  retryable: z.boolean().describe('Whether another attempt may succeed without anybody changing anything.'),
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
  attempt: z
    .int()
    .min(0)
    .describe('Attempts to provide its agent so far; the last of them is the present one.'),
  agentName: z.string().nullable().describe('Of the agent of the latest attempt.'),
  devOpsPool: z.string().describe('The agent pool that the agent registers in.'),
  batch: z
    .strictObject({ poolId: z.string(), jobId: z.string(), taskId: z.string() })
    .nullable()
    .describe('Where its task runs; null while there is none.'),
  createdAt: time,
  updatedAt: time,
  onlineAt: time.nullable(),
  endedAt: time.nullable(),
  timings: z
    .strictObject({
      queuedMs: milliseconds,
      provisioningMs: milliseconds,
      startingMs: milliseconds,
      toOnlineMs: milliseconds,
    })
    .describe('Milliseconds in each step of the latest attempt; null while the step is not over.'),
  failure: failureSchema.nullable().describe('Why it failed, or what went wrong last.'),
  history: z.array(historyEntrySchema).describe('All that happened to it, the oldest first.'),
  tags: z.record(z.string(), z.string()),
  links: z.strictObject({
    self: z.string(),
    pipeline: z.string().nullable().describe('The plan of the pipeline run that asked.'),
    help: z
      .string()
      .nullable()
      .describe(
        'What the failure means and how to mend it; takes no key, for whoever reads it in the log of a run.',
      ),
  }),
}) satisfies z.ZodType<ShownRequest>;

export interface ShownRequestPage {
  readonly requests: readonly ShownRequest[];
  readonly continuation: string | null;
}

export const requestPageSchema = z.strictObject({
  requests: z.array(shownRequestSchema),
  continuation: z.string().nullable().describe('Ask again with it for the next page; null: there is none.'),
}) satisfies z.ZodType<ShownRequestPage>;

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
