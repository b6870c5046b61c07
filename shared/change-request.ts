import { TransientError } from './domain/failure.js';
import { IllegalChangeError } from './domain/lifecycle.js';
import type { AgentRequest } from './domain/request.js';
import type { RequestStore } from './ports.js';

const maxConflicts = 8;

/**
 * Decides, writes, and begins anew when somebody else wrote in between.
 *
 * What this process remembers of the row will do for a decision to write: storage refuses it if the row has changed
 * since. That there is nothing to write is believed of a row only that was read for it.
 *
 * @param decide the next state of the row, or undefined to leave it as it is. It may be called several times, and what
 *   it says of a row that is out of date is forgotten: it has no effects, and what it notes it notes each time.
 * @returns the row as it is now, or undefined if the generation that `ref` means is not there any more.
 */
export async function changeRequest(
  store: Pick<RequestStore, 'get' | 'remembered' | 'replace'>,
  ref: Pick<AgentRequest, 'requestId' | 'generation'>,
  decide: (request: AgentRequest) => AgentRequest | undefined,
): Promise<AgentRequest | undefined> {
  const remembered = store.remembered(ref.requestId);
  if (remembered?.request.generation === ref.generation) {
    const next = unlessIllegal(() => decide(remembered.request));
    const replaced = next && (await store.replace(remembered, next));
    if (replaced && replaced !== 'changed') return replaced.request;
  }
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

/** A change that is illegal for a row that is out of date may be due for the row as it is. */
function unlessIllegal<T>(decide: () => T): T | undefined {
  try {
    return decide();
  } catch (error) {
    if (error instanceof IllegalChangeError) return undefined;
    throw error;
  }
}
