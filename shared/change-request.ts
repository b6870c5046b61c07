import { TransientError } from './domain/failure.js';
import type { AgentRequest } from './domain/request.js';
import type { RequestStore } from './ports.js';

const maxConflicts = 8;

/**
 * Reads, decides, writes, and begins anew when somebody else wrote in between.
 *
 * @param decide the next state of the row, or undefined to leave it as it is.
 * @returns the row as it is now, or undefined if the generation that `ref` means is not there any more.
 */
export async function changeRequest(
  store: RequestStore,
  ref: Pick<AgentRequest, 'requestId' | 'generation'>,
  decide: (request: AgentRequest) => AgentRequest | undefined,
): Promise<AgentRequest | undefined> {
  for (let conflicts = 0; conflicts < maxConflicts; conflicts += 1) {
    const stored = await store.get(ref.requestId);
    if (stored?.request.generation !== ref.generation) return undefined;
    const next = decide(stored.request);
    if (!next) return stored.request;
    const replaced = await store.replace(stored, next);
    if (replaced !== 'changed') return replaced.request;
  }
  throw new TransientError(
    'RequestContended',
    'intake',
    `Request ${ref.requestId} was changed by others ${maxConflicts} times in a row.`,
  );
}
