import type { Config } from '../config.js';
import { shorten } from '../domain/failure.js';
import type { FieldError } from './field-error.js';
import { readWanted, type Wanted } from './new-request.js';
import { checkValue, decodeUtf8, readJson } from './read-json.js';
import {
  type BundledMessage,
  bundledMessageSchema,
  bundleSchema,
  type QueueMessage,
  queueMessageSchema,
  type Readable,
} from './request-body.js';

/** One message that is understood. */
export interface UnderstoodMessage {
  readonly kind: 'message';
  readonly message: QueueMessage;
  readonly wanted: Wanted;
}

/** One message of a bundle, as if it had come alone. */
export interface UnderstoodInBundle extends UnderstoodMessage {
  readonly message: BundledMessage;
  /** Its own JSON text. */
  readonly bytes: Uint8Array;
}

export interface InvalidMessage {
  readonly kind: 'invalid';
  readonly code: 'MessageNotJson' | 'MessageVersionUnknown' | 'MessageInvalid';
  readonly reason: string;
  /** What could be read all the same, so that the sender finds and hears of it. */
  readonly requestId?: string | undefined;
  readonly replyQueue?: string | undefined;
  readonly traceparent?: string | undefined;
}

export interface Bundle {
  readonly kind: 'bundle';
  readonly messages: readonly UnderstoodInBundle[];
}

/**
 * Understands a queue message: JSON text, or base64 of it, as the storage SDKs of other languages send it.
 *
 * @param bytes the message as it came.
 * @returns a bundle only if all that is in it is right.
 */
export function readMessage(config: Config, bytes: Uint8Array): UnderstoodMessage | Bundle | InvalidMessage {
  const json = readJson(jsonText(bytes));
  if (!json.ok) {
    return { kind: 'invalid', code: 'MessageNotJson', reason: 'it is neither JSON nor base64 of JSON' };
  }
  if (isBundle(json.value)) return readBundle(config, json.value, json.forbidden);
  const parsed = checkValue(json.value, queueMessageSchema, json.forbidden);
  const readable = parsed.ok ? parsed.value : parsed.readable;
  const wanted = readable && readWanted(config, readable, false);
  const errors = [
    ...(parsed.ok ? [] : parsed.errors),
    ...(readable ? forbiddenIn(config, readable) : []),
    ...(wanted && !wanted.ok ? wanted.errors : []),
  ];
  if (parsed.ok && wanted?.ok && errors.length === 0) {
    return { kind: 'message', message: parsed.value, wanted: wanted.value };
  }
  return invalid(config, errors, readable);
}

const isBundle = (value: unknown): value is { readonly requests: unknown } =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'requests');

function readBundle(
  config: Config,
  value: { readonly requests: unknown },
  forbidden: readonly FieldError[],
): Bundle | InvalidMessage {
  const bundle = checkValue(value, bundleSchema, forbidden);
  const errors: FieldError[] = bundle.ok ? [] : [...bundle.errors];
  const messages: UnderstoodInBundle[] = [];
  for (const [index, each] of bundle.ok ? bundle.value.requests.entries() : []) {
    const parsed = checkValue(each, bundledMessageSchema, []);
    const wanted = parsed.ok ? readWanted(config, parsed.value, false) : undefined;
    const found = [
      ...(parsed.ok ? forbiddenIn(config, parsed.value) : parsed.errors),
      ...(wanted && !wanted.ok ? wanted.errors : []),
    ];
    errors.push(...found.map(error => ({ ...error, name: placed(`requests.${index}`, error.name) })));
    if (parsed.ok && wanted?.ok && found.length === 0) {
      const bytes = new TextEncoder().encode(JSON.stringify(each));
      messages.push({ kind: 'message', message: parsed.value, wanted: wanted.value, bytes });
    }
  }
  if (errors.length === 0) return { kind: 'bundle', messages };
  return invalid(config, errors, bundle.ok ? {} : bundle.readable);
}

const placed = (place: string, name: string): string => (name === '' ? place : `${place}.${name}`);

function invalid(
  config: Config,
  errors: readonly FieldError[],
  readable: Readable | undefined,
): InvalidMessage {
  const reason = errors.map(({ name, detail }) => `${name || 'the message'} ${detail}`).join('; ');
  return {
    kind: 'invalid',
    code: errors.some(({ name }) => name === 'version') ? 'MessageVersionUnknown' : 'MessageInvalid',
    // A message of a thousand unknown fields names them all, which no row and no dead letter could hold.
    reason: shorten(reason, reasonLimit),
    requestId: readable?.requestId,
    replyQueue: allowed(config, readable?.replyQueue),
    traceparent: readable?.traceparent,
  };
}

const reasonLimit = 1_000;

/** What a message may not say, although an HTTP body may or another installation's message might. */
function forbiddenIn(config: Config, { callback, replyQueue }: Readable): readonly FieldError[] {
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
