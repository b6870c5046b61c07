import {
  ActionType,
  inputText,
  type OrchestratorAnswer,
  type OrchestratorFailure,
  valueText,
} from './actions.js';
import { hasNumber, scheduledBy } from './asked.js';
import type { BegunEpisode } from './begin-episode.js';
import { type KnownNames, problemOf } from './check-actions.js';
import { EventType, type FailureDetails, type HistoryEvent } from './events.js';
import { type Execution, fold } from './execution.js';

/** Azure's limit on a custom status, in UTF-16 code units of its JSON. */
const customStatusLimit = 8 * 1024;

export type Outcome =
  | { readonly kind: 'running' }
  | { readonly kind: 'completed'; readonly output: string | null }
  | { readonly kind: 'failed'; readonly output: string; readonly failureDetails: FailureDetails | undefined }
  | { readonly kind: 'continueAsNew'; readonly input: string | null };

export interface EndedEpisode {
  /** The whole episode, ready to be appended to the history. */
  readonly events: readonly HistoryEvent[];
  readonly outcome: Outcome;
  /** JSON text; undefined: none was set. */
  readonly customStatus: string | null;
}

/** Turns the orchestrator's answer into the events that the episode adds to the history. */
export function endEpisode(
  orchestrator: string,
  execution: Execution,
  executionId: string,
  begun: BegunEpisode,
  answer: OrchestratorAnswer,
  known: KnownNames,
): EndedEpisode {
  const at = begun.now.toISOString();
  const base = fold(execution, [...begun.told, ...begun.followUps]);
  const numbered = answer.actions.filter(hasNumber);
  const problem = problemOf(answer.actions, numbered, base.asked, known);
  if (problem !== undefined) {
    return failEpisode(orchestrator, begun, {
      error: problem,
      customStatus: answer.customStatus,
      failureDetails: undefined,
    });
  }

  const canceled: number[] = [];
  for (const [index, { number, kind }] of base.asked.entries()) {
    const action = numbered[index];
    if (kind === 'timer' && action?.actionType === ActionType.CreateTimer && action.isCanceled) {
      if (base.timers.has(number)) canceled.push(number);
    }
  }
  const events: HistoryEvent[] = [...begun.told, ...begun.followUps];
  let next = base.next;
  for (const action of numbered.slice(base.asked.length)) {
    events.push(scheduledBy(action, next, executionId, at));
    if (action.actionType === ActionType.CreateTimer && action.isCanceled) canceled.push(next);
    next += 1;
  }
  const customStatus = valueText(answer.customStatus);
  if (customStatus !== null && customStatus.length > customStatusLimit) {
    return failEpisode(orchestrator, begun, {
      error: `The custom status is larger than 16 KB of UTF-16 text (${customStatus.length * 2} bytes).`,
      customStatus: undefined,
      failureDetails: undefined,
    });
  }
  const completed: HistoryEvent = {
    EventType: EventType.OrchestratorCompleted,
    EventId: -1,
    Timestamp: at,
    ...(canceled.length > 0 && { CanceledTimers: canceled }),
  };
  const restart = answer.actions.find(action => action.actionType === ActionType.ContinueAsNew);
  if (answer.isDone && restart) {
    return {
      events: [...events, completed],
      outcome: { kind: 'continueAsNew', input: inputText(restart.input) },
      customStatus,
    };
  }
  const after = fold(execution, [...events, completed]);
  // As in Azure, a timer that was neither awaited nor cancelled keeps the orchestration running until it fires.
  const waiting = [...after.timers.values()].some(timer => !timer.Follow);
  if (!answer.isDone || waiting)
    return { events: [...events, completed], outcome: { kind: 'running' }, customStatus };
  const output = valueText(answer.output);
  const end: HistoryEvent = {
    EventType: EventType.ExecutionCompleted,
    EventId: next,
    Timestamp: at,
    OrchestrationStatus: 'Completed',
    Result: output,
  };
  return { events: [...events, end, completed], outcome: { kind: 'completed', output }, customStatus };
}

/** The episode of an orchestrator that threw, or that can't go on. */
export function failEpisode(
  orchestrator: string,
  begun: BegunEpisode,
  failure: OrchestratorFailure,
): EndedEpisode {
  const at = begun.now.toISOString();
  const output = `Orchestrator function '${orchestrator}' failed: ${failure.error}`;
  const { failureDetails } = failure;
  return {
    events: [
      ...begun.told,
      {
        EventType: EventType.ExecutionCompleted,
        EventId: -1,
        Timestamp: at,
        OrchestrationStatus: 'Failed',
        Result: JSON.stringify(output),
        ...(failureDetails && { FailureDetails: failureDetails }),
      },
      { EventType: EventType.OrchestratorCompleted, EventId: -1, Timestamp: at },
    ],
    outcome: { kind: 'failed', output, failureDetails },
    customStatus: valueText(failure.customStatus),
  };
}
