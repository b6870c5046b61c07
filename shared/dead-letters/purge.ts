import { changeRequest } from '../change-request.js';
import { isDeadLetter } from '../domain/dead-letter.js';
import { note } from '../domain/lifecycle.js';
import { inBatches } from '../in-batches.js';
import { type DeadLetterResult, noDeadLetter } from './result.js';
import { type SweepDependencies, sweepQueue } from './sweep-queue.js';

const atOnce = 8;

/**
 * Is done with dead letters: they are listed no more and leave the queue. The requests themselves stay to be read.
 *
 * @returns one result for each id.
 * @throws TransientError when storage can't be reached; what was purged by then is.
 */
export const purge =
  (dependencies: SweepDependencies) =>
  async (requestIds: readonly string[]): Promise<readonly DeadLetterResult[]> => {
    const results = await inBatches([...new Set(requestIds)], atOnce, async requestId =>
      purgeOne(dependencies, requestId),
    );
    await sweepQueue(dependencies);
    return results;
  };

async function purgeOne(
  { store, clock, log }: SweepDependencies,
  requestId: string,
): Promise<DeadLetterResult> {
  const before = (await store.get(requestId))?.request;
  if (!before || !isDeadLetter(before)) return noDeadLetter(requestId, before);
  const at = clock.now().toISOString();
  const after = await changeRequest(store, before, row =>
    isDeadLetter(row) ? note({ ...row, purgedAt: at }, at, 'Purged by an operator.') : undefined,
  );
  if (after?.purgedAt === undefined) return noDeadLetter(requestId, (await store.get(requestId))?.request);
  log.info(`Request ${requestId}: its dead letter is purged.`, { requestId });
  return { requestId, outcome: 'purged', detail: 'It is listed no more; the request stays to be read.' };
}
