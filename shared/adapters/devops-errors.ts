import * as z from 'zod';
import { factsOf, isTransientStatus, retryAfterMs, type ThrownFacts } from './service-errors.js';

/** What `azure-devops-node-api` puts on the errors that it throws. */
const DevOpsThrown = z.object({
  result: z.object({ typeKey: z.string() }).optional().catch(undefined),
  responseHeaders: z.object({ 'retry-after': z.string() }).optional().catch(undefined),
  rateLimit: z
    .object({
      retryAfter: z.number().optional().catch(undefined),
      /** When what we used up counts no more, in seconds since the epoch. */
      reset: z.number().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

export interface DevOpsFacts extends ThrownFacts {
  /** The name of the exception in the service, e.g. `TaskAgentNotFoundException`. */
  readonly typeKey: string | undefined;
  readonly retryAfterMs: number | undefined;
}

export function devOpsFacts(error: unknown): DevOpsFacts {
  const parsed = DevOpsThrown.safeParse(error);
  const { result, responseHeaders, rateLimit } = parsed.data ?? {};
  // The client reads the header as a number only, and keeps all headers only of an answer that was JSON.
  const seconds = rateLimit?.retryAfter;
  const header = responseHeaders?.['retry-after'] ?? (seconds === undefined ? undefined : String(seconds));
  const now = new Date();
  const facts = factsOf(error);
  // Blocked, and no word of how long: until there is room again.
  const reset = facts.status === 429 ? rateLimit?.reset : undefined;
  const untilReset = reset === undefined ? undefined : Math.max(0, reset * 1_000 - now.getTime());
  return { ...facts, typeKey: result?.typeKey, retryAfterMs: retryAfterMs(header, now) ?? untilReset };
}

/** No answer, or one that says "not now". A redirect is an answer: to the sign-in page. */
export const isTransient = ({ status }: ThrownFacts): boolean =>
  status === undefined || isTransientStatus(status);

/**
 * Azure DevOps answers a token that it does not accept with 401, with a redirect to its sign-in page or with that
 * page itself and status 203; one that may not do a thing with 403.
 */
export const isAuthStatus = (status: number | undefined): boolean =>
  status === 203 || status === 302 || status === 401 || status === 403;

/** Why a call failed, in a few words for a sentence. */
export function describeAnswer({ status, typeKey, message }: DevOpsFacts): string {
  if (typeKey !== undefined) return `${status ?? ''} ${typeKey}`.trim();
  return status === undefined ? (message ?? 'no answer') : String(status);
}
