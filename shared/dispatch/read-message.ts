import * as z from 'zod';
import { readWanted, type Wanted } from '../api/new-request.js';
import type { FieldError } from '../api/problem.js';
import { parseJson, type QueueMessage, queueMessageSchema } from '../api/request-body.js';
import type { Config } from '../config.js';
import { requestIdPattern } from '../domain/names.js';

export type ReadMessage =
  | { readonly kind: 'message'; readonly message: QueueMessage; readonly wanted: Wanted }
  | {
      readonly kind: 'invalid';
      readonly code: 'MessageNotJson' | 'MessageVersionUnknown' | 'MessageInvalid';
      readonly reason: string;
      /** What could be read all the same, so that the sender finds and hears of it. */
      readonly requestId?: string | undefined;
      readonly replyQueue?: string | undefined;
    };

/**
 * Understands a queue message: JSON text, or base64 of it, as the storage SDKs of other languages send it.
 *
 * @param bytes the message as it came.
 */
export function readMessage(config: Config, bytes: Uint8Array): ReadMessage {
  const text = jsonText(new TextDecoder().decode(bytes));
  const parsed = parseJson(text, queueMessageSchema);
  const errors: FieldError[] = parsed.ok ? [] : [...parsed.errors];
  const readable = parsed.ok ? undefined : salvage(text);
  if (parsed.ok) {
    const { message, errors: more } = checkAgainst(config, parsed.value);
    if (message) return message;
    errors.push(...more);
  }
  const isJson = errors.every(error => error.detail !== 'must be JSON');
  return {
    kind: 'invalid',
    code: !isJson
      ? 'MessageNotJson'
      : errors.some(({ name }) => name === 'version')
        ? 'MessageVersionUnknown'
        : 'MessageInvalid',
    reason: isJson
      ? errors.map(({ name, detail }) => `${name || 'the message'} ${detail}`).join('; ')
      : 'it is neither JSON nor base64 of JSON',
    requestId: parsed.ok ? parsed.value.requestId : readable?.requestId,
    replyQueue: allowed(config, parsed.ok ? parsed.value.replyQueue : readable?.replyQueue),
  };
}

function checkAgainst(
  config: Config,
  message: QueueMessage,
): { readonly message?: ReadMessage; readonly errors: readonly FieldError[] } {
  const { version: _, replyQueue, ...body } = message;
  const errors: FieldError[] = [];
  if (body.callback)
    errors.push({ in: 'body', name: 'callback', detail: 'can not be true: no pipeline waits for a message' });
  if (replyQueue !== undefined && !config.replyQueues.includes(replyQueue)) {
    errors.push({ in: 'body', name: 'replyQueue', detail: `"${replyQueue}" is not among ReplyQueues` });
  }
  const wanted = readWanted(config, body, false);
  if (!wanted.ok) errors.push(...wanted.errors);
  return wanted.ok && errors.length === 0
    ? { message: { kind: 'message', message, wanted: wanted.value }, errors }
    : { errors };
}

/** Base64 is tried only where the text can't be JSON: a JSON text never looks like base64 of one. */
function jsonText(text: string): string {
  const trimmed = text.trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(trimmed) || trimmed.length % 4 !== 0) return text;
  const decoded = Buffer.from(trimmed, 'base64').toString('utf8').trim();
  return decoded.startsWith('{') ? decoded : text;
}

/** What can be read of a message that is wrong elsewhere. */
const salvageSchema = z.looseObject({
  requestId: z.string().regex(requestIdPattern).optional().catch(undefined),
  replyQueue: z.string().optional().catch(undefined),
});

function salvage(text: string): z.infer<typeof salvageSchema> | undefined {
  const parsed = parseJson(text, salvageSchema);
  return parsed.ok ? parsed.value : undefined;
}

const allowed = ({ replyQueues }: Config, name: string | undefined): string | undefined =>
  name !== undefined && replyQueues.includes(name) ? name : undefined;
