import type { Failure } from './failure.js';
import type { AgentRequest } from './request.js';

/** The storage service takes no larger message. */
const messageLimitBytes = 64 * 1024;

type Carried = { readonly message: string } | { readonly messageBase64: string };

/** A message in the queue of dead letters. */
export type DeadLetterMessage = {
  readonly version: 1;
  readonly requestId: string;
  readonly generation: number;
  readonly profile: string;
  /** ISO 8601, UTC. */
  readonly deadLetteredAt: string;
  readonly failure: Failure;
} & (Carried | { readonly messageInTable: true });

/**
 * The message that tells of a failed request. It carries the original byte for byte: as text where the bytes are
 * text, else in base64; where that would be too large for a queue it stays in the table only, and the message says so.
 */
export function deadLetterMessage(
  request: Pick<AgentRequest, 'requestId' | 'generation' | 'profile'> &
    Partial<Pick<AgentRequest, 'traceparent'>>,
  failure: Failure,
  original: Uint8Array,
  at: string,
): string {
  const envelope = {
    version: 1 as const,
    requestId: request.requestId,
    generation: request.generation,
    profile: request.profile,
    deadLetteredAt: at,
    failure,
    ...(request.traceparent === undefined ? {} : { traceparent: request.traceparent }),
  };
  const inTable = JSON.stringify({ ...envelope, messageInTable: true } satisfies DeadLetterMessage);
  if (original.length > messageLimitBytes) return inTable;
  const whole = JSON.stringify({ ...envelope, ...carried(original) } satisfies DeadLetterMessage);
  return new TextEncoder().encode(whole).length <= messageLimitBytes ? whole : inTable;
}

/** Requests that were given up and wait for an operator to redrive or purge them. */
export const isDeadLetter = ({ state, purgedAt }: Pick<AgentRequest, 'state' | 'purgedAt'>): boolean =>
  state === 'deadLettered' && purgedAt === undefined;

/** The original as JSON can carry it: text where the bytes are text, else base64. */
export function carried(original: Uint8Array): Carried {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(original);
  const again = new TextEncoder().encode(text);
  const same = again.length === original.length && again.every((byte, index) => byte === original[index]);
  return same ? { message: text } : { messageBase64: btoa(String.fromCharCode(...original)) };
}
