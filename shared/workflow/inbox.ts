import type { OrchestrationContext, Task } from 'durable-functions';
import type { Situation } from '../domain/situation.js';
import { decodeSituation, situationEvent } from './contract.js';

export interface Inbox {
  /**
   * Waits for news.
   *
   * @param until give up then; absent: wait for as long as it takes.
   * @returns undefined when the time was up.
   */
  next(until?: Date): Generator<Task, Situation | undefined, unknown>;
  /** Gives news back that was not waited for; it comes again before any other. */
  putBack(news: readonly Situation[]): void;
}

/**
 * The events of one orchestration, in order and without loss.
 *
 * A wait that loses against a timer stays open in the SDK, and takes the next event if no newer wait is open then. So
 * the losers are kept, and looked at before a new wait is opened.
 */
export function openInbox(context: OrchestrationContext): Inbox {
  const losers: Task[] = [];
  const kept: Situation[] = [];
  return {
    putBack: news => void kept.push(...news),

    *next(until) {
      const before = kept.shift();
      if (before) return before;

      const late = losers.findIndex(wait => wait.isCompleted);
      if (late >= 0) return decodeSituation(losers.splice(late, 1)[0]?.result);

      const wait = context.df.waitForExternalEvent(situationEvent);
      if (!until) return decodeSituation(yield wait);

      const timer = context.df.createTimer(until);
      yield context.df.Task.any([wait, timer]);
      // A timer that is left running would keep the orchestration alive until it fires.
      if (!timer.isCompleted) timer.cancel();
      if (wait.isCompleted) return decodeSituation(wait.result);
      losers.push(wait);
      return undefined;
    },
  };
}
