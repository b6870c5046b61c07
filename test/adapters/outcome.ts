import { type Failure, TransientError } from '../../shared/domain/failure.js';
import type { Rejected } from '../../shared/ports.js';

export type Outcome =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'rejected'; readonly failure: Failure }
  | { readonly kind: 'transient'; readonly failure: Failure; readonly retryAfterMs: number | undefined };

/** What a caller of a port learns: a value, a rejection, or that it should try again. Anything else is a defect. */
export async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    const value = await call;
    return isRejected(value) ? { kind: 'rejected', failure: value.failure } : { kind: 'done', value };
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    return { kind: 'transient', failure: error.failure, retryAfterMs: error.retryAfterMs };
  }
}

const isRejected = (value: unknown): value is Rejected =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'rejected';

/** In a word, for tables: `rejected PoolMissing nodeAllocation`. */
export const inWords = (outcome: Outcome): string =>
  outcome.kind === 'done' ? 'done' : `${outcome.kind} ${outcome.failure.code} ${outcome.failure.stage}`;
