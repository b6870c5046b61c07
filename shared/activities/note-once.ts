import { changeRequest } from '../change-request.js';
import type { Failure } from '../domain/failure.js';
import { note } from '../domain/lifecycle.js';
import type { AgentRequest } from '../domain/request.js';
import type { RequestStore } from '../ports.js';

/**
 * Adds what holds a request up to its history: once an attempt, told apart by its code, however often it is met.
 *
 * @param at the request as it was met; it is left alone when it has moved on.
 * @param now ISO 8601, UTC.
 * @returns the request as it is now, or undefined if it has begun anew.
 */
export async function noteOnce(
  store: RequestStore,
  at: Pick<AgentRequest, 'requestId' | 'generation' | 'attempt' | 'state'>,
  { code, message }: Failure,
  now: string,
): Promise<AgentRequest | undefined> {
  const beginning = `${code}: `;
  return changeRequest(store, at, row => {
    const isThere = row.state === at.state && row.attempt === at.attempt;
    const isNoted = row.history.some(
      entry => entry.attempt === at.attempt && entry.state === at.state && entry.detail.startsWith(beginning),
    );
    return isThere && !isNoted ? note(row, now, `${beginning}${message}`) : undefined;
  });
}
