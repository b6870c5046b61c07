import * as z from 'zod';
import { type DeadLetterResult, deadLetterOutcomes } from '../dead-letters/result.js';
import type { DeadLetterMessage } from '../domain/dead-letter.js';
import type { ShownRequest } from '../domain/view.js';
import { failureSchema, shownRequestSchema } from './request.js';

const message = z
  .string()
  .describe('The message that the request came as, byte for byte, where the bytes are text.');
const messageBase64 = z.base64().describe('The bytes of the message where they are no text.');

export interface DeadLetterPage {
  readonly deadLetters: readonly ShownRequest[];
  readonly continuation: string | null;
}

/** `GET /api/deadletters` */
export const deadLetterPageSchema = z.strictObject({
  deadLetters: z.array(shownRequestSchema),
  continuation: z.string().nullable().describe('Ask again with it for the next page; null: there is none.'),
}) satisfies z.ZodType<DeadLetterPage>;

export interface ShownDeadLetter extends ShownRequest {
  readonly message?: string | undefined;
  readonly messageBase64?: string | undefined;
}

/** `GET /api/deadletters/{requestId}`: the request, and the message that it came as. */
export const shownDeadLetterSchema = shownRequestSchema.extend({
  message: message.optional(),
  messageBase64: messageBase64.optional(),
}) satisfies z.ZodType<ShownDeadLetter>;

const deadLetterResultSchema = z.strictObject({
  requestId: z.string(),
  outcome: z
    .enum(deadLetterOutcomes)
    .describe(
      '`redriven`: it begins again · `redrivable`: it would, in a dry run · `purged`: now, or before · `alive` and `ended`: ' +
        'nothing to do · `notFound` · `refused`: it stays a dead letter, for the reason in `detail`.',
    ),
  detail: z.string(),
}) satisfies z.ZodType<DeadLetterResult>;

export interface DeadLetterResults {
  readonly results: readonly DeadLetterResult[];
}

/** `POST /api/deadletters/{redrive|purge}`: one result for each id, in their order. */
export const deadLetterResultsSchema = z.strictObject({
  results: z.array(deadLetterResultSchema),
}) satisfies z.ZodType<DeadLetterResults>;

const letter = {
  version: z.literal(1),
  requestId: z.string(),
  generation: z
    .int()
    .min(1)
    .describe('How often the request was asked for anew after it had ended; 1 at first.'),
  profile: z.string().describe('Empty where the message could not be understood.'),
  deadLetteredAt: z.iso.datetime(),
  failure: failureSchema,
};

/** What comes to the queue `agent-requests-deadletter`. */
export const deadLetterMessageSchema = z.union([
  z.strictObject({ ...letter, message }),
  z.strictObject({ ...letter, messageBase64 }),
  z.strictObject({
    ...letter,
    messageInTable: z
      .literal(true)
      .describe('The message is too large for a queue: `GET /api/deadletters/{requestId}` shows it.'),
  }),
]) satisfies z.ZodType<DeadLetterMessage>;
