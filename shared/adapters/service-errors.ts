import * as z from 'zod';

/**
 * What all adapters ask of an error, whichever SDK threw it. They look at the shape and never at the class: an SDK
 * may be installed twice, and then `instanceof` is false for the very error that it means.
 */
const Thrown = z.object({
  statusCode: z.number().int().optional().catch(undefined),
  code: z.string().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
  details: z
    .object({ odataError: z.object({ code: z.string() }) })
    .optional()
    .catch(undefined),
});

export interface ThrownFacts {
  /** Absent when no answer came. */
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly name: string | undefined;
  /** Only the first line of it: services append request ids and stack traces. */
  readonly message: string | undefined;
}

export function factsOf(error: unknown): ThrownFacts {
  const parsed = Thrown.safeParse(error);
  if (!parsed.success) return { status: undefined, code: undefined, name: undefined, message: undefined };
  const { statusCode, name, message, details } = parsed.data;
  // Table storage tells the code in the body only, and its client leaves it there.
  const code = parsed.data.code ?? details?.odataError.code;
  return { status: statusCode, code, name, message: message?.split('\n', 1)[0]?.trim() };
}

/** Answers that say "not now" rather than "no". */
export const isTransientStatus = (status: number): boolean =>
  status === 408 || status === 429 || status >= 500;

/**
 * What a person can do about a call that got no answer.
 *
 * @param code as Node.js gives it, e.g. `ECONNREFUSED`.
 */
export function describeNoAnswer(code: string | undefined): string {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `its name can't be resolved (${code}); check the address in the settings and the DNS of the network`;
    case 'ECONNREFUSED':
      return `nothing listens at its address (${code})`;
    case 'CERT_HAS_EXPIRED':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return `its certificate is not trusted (${code})`;
    case undefined:
      return 'it gave no answer in time';
    default:
      return `the connection failed (${code})`;
  }
}

/**
 * Reads the header `Retry-After`.
 *
 * @param value seconds or an HTTP date.
 * @returns milliseconds from `now`, never negative; undefined if there is none or it is nonsense.
 */
export function retryAfterMs(value: string | null | undefined, now: Date): number | undefined {
  const text = value?.trim();
  if (!text) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1_000);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}
