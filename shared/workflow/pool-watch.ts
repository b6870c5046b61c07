import type { OrchestrationContext, Task } from 'durable-functions';
import { longestPauseMs } from '../domain/backoff.js';
import { call, later, pause, StepFailedError } from './call.js';
import { decodeWatchInput, type WatchStatus, wakeEvent } from './contract.js';

/** A request that is just being accepted would else find a watch that has just decided to end. */
const emptyRoundsBeforeEnd = 2;
const afterFailureMs = 15_000;

/**
 * Watches one Azure DevOps pool for all of its requests: one look a round, whatever their number. Eternal by
 * continueAsNew while anything lives, so its history stays short.
 */
export function* poolWatch(context: OrchestrationContext): Generator<Task, void, unknown> {
  const { devOpsPool, told = {}, memory, emptyRounds = 0 } = decodeWatchInput(context.df.getInput());
  // Said anew each round: a wake that nobody waits for would be kept, and end a later pause.
  context.df.setCustomStatus({ resting: false } satisfies WatchStatus);
  try {
    const seen = yield* call(
      context,
      'watchPool',
      { devOpsPool, told, memory },
      { tries: 3, stage: 'registration' },
    );
    const empty = seen.alive === 0 ? emptyRounds + 1 : 0;
    if (empty >= emptyRoundsBeforeEnd) return;
    if (seen.calm === true) yield* rest(context, seen.nextMs);
    else yield* pause(context, seen.nextMs);
    context.df.continueAsNew({ devOpsPool, told: seen.told, memory: seen.memory, emptyRounds: empty });
  } catch (error) {
    if (!(error instanceof StepFailedError)) throw error;
    // A service is away. The watch must outlive that: whoever waits depends on it.
    yield* pause(context, Math.min(longestPauseMs, Math.max(afterFailureMs, error.retryAfterMs ?? 0)));
    context.df.continueAsNew({ devOpsPool, told, memory, emptyRounds: 0 });
  }
}

/** While nobody waits the pauses are long, and whoever comes ends one: its agent may be there before it is over. */
function* rest(context: OrchestrationContext, ms: number): Generator<Task, void, unknown> {
  context.df.setCustomStatus({ resting: true } satisfies WatchStatus);
  const timer = context.df.createTimer(later(context, ms));
  yield context.df.Task.any([timer, context.df.waitForExternalEvent(wakeEvent)]);
  if (!timer.isCompleted) timer.cancel();
}
