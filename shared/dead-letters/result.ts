import type { AgentRequest } from '../domain/request.js';
import { isEnded } from '../domain/request.js';

export const deadLetterOutcomes = [
  'redriven',
  /** In a dry run: it would be redriven. */
  'redrivable',
  /** Now, or before: it can't be redriven any more. */
  'purged',
  /** Nothing to do: the request lives, perhaps because it was redriven before. */
  'alive',
  /** Nothing to do: the request has ended otherwise. */
  'ended',
  'notFound',
  /** It stays a dead letter, for the reason in `detail`. */
  'refused',
] as const;

/** What became of one dead letter that somebody wanted redriven or purged. */
export interface DeadLetterResult {
  readonly requestId: string;
  readonly outcome: (typeof deadLetterOutcomes)[number];
  /** A sentence for the person who asked. */
  readonly detail: string;
}

/** The answer about a request that is no dead letter. */
export function noDeadLetter(requestId: string, request: AgentRequest | undefined): DeadLetterResult {
  if (!request) {
    return { requestId, outcome: 'notFound', detail: `No agent request has the id "${requestId}".` };
  }
  const again = request.generation > 1 ? `, as generation ${request.generation}` : '';
  if (!isEnded(request.state)) {
    return { requestId, outcome: 'alive', detail: `It is alive: ${request.state}${again}.` };
  }
  if (request.purgedAt !== undefined) {
    return { requestId, outcome: 'purged', detail: `It was purged at ${request.purgedAt}.` };
  }
  return { requestId, outcome: 'ended', detail: `It has ended: ${request.state}${again}.` };
}
