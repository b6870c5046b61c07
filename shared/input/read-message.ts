import type { Config } from '../config.js';
import { shorten } from '../domain/failure.js';
import type { FieldError } from './field-error.js';
import { readWanted, type Wanted } from './new-request.js';
import {
  decodeUtf8,
  parseJson,
  type QueueMessage,
  queueMessageSchema,
  type Readable,
} from './request-body.js';

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
  const parsed = parseJson(jsonText(bytes), queueMessageSchema);
  const readable = parsed.ok ? parsed.value : parsed.readable;
  const wanted = readable && readWanted(config, readable, false);
  const errors = [
    ...(parsed.ok ? [] : parsed.errors),
    ...(readable ? forbidden(config, readable) : []),
    ...(wanted && !wanted.ok ? wanted.errors : []),
  ];
  if (parsed.ok && wanted?.ok && errors.length === 0) {
    return { kind: 'message', message: parsed.value, wanted: wanted.value };
  }
  const reason = errors.map(({ name, detail }) => `${name || 'the message'} ${detail}`).join('; ');
  return {
    kind: 'invalid',
    code: !readable
      ? 'MessageNotJson'
      : errors.some(({ name }) => name === 'version')
        ? 'MessageVersionUnknown'
        : 'MessageInvalid',
    // A message of a thousand unknown fields names them all, which no row and no dead letter could hold.
    reason: readable ? shorten(reason, reasonLimit) : 'it is neither JSON nor base64 of JSON',
    requestId: readable?.requestId,
    replyQueue: allowed(config, readable?.replyQueue),
  };
}

const reasonLimit = 1_000;

/** What a message may not say, although an HTTP body may or another installation's message might. */
function forbidden(config: Config, { callback, replyQueue }: Readable): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (callback)
    errors.push({ in: 'body', name: 'callback', detail: 'can not be true: no pipeline waits for a message' });
  if (replyQueue !== undefined && !allowed(config, replyQueue)) {
    errors.push({ in: 'body', name: 'replyQueue', detail: `"${replyQueue}" is not among ReplyQueues` });
  }
  return errors;
}

/** Base64 is tried only where the text can't be JSON: a JSON text never looks like base64 of one. */
function jsonText(bytes: Uint8Array): string | undefined {
  const text = decodeUtf8(bytes);
  // Command lines break base64 into lines.
  const trimmed = text?.replaceAll(/\s/g, '') ?? '';
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(trimmed) || trimmed.length % 4 !== 0) return text;
  const decoded = decodeUtf8(Buffer.from(trimmed, 'base64'))?.trim();
  return decoded?.startsWith('{') ? decoded : text;
}

const allowed = ({ replyQueues }: Config, name: string | undefined): string | undefined =>
  name !== undefined && replyQueues.includes(name) ? name : undefined;
