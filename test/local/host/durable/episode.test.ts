import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Action,
  ActionType,
  readAnswer,
  readFailure,
} from '../../../../scripts/local/host/durable/actions.js';
import { beginEpisode } from '../../../../scripts/local/host/durable/begin-episode.js';
import { type EndedEpisode, endEpisode } from '../../../../scripts/local/host/durable/end-episode.js';
import {
  EventType,
  type HistoryEvent,
  type RetryOptions,
} from '../../../../scripts/local/host/durable/events.js';
import { type Execution, emptyExecution, fold } from '../../../../scripts/local/host/durable/execution.js';
import { unprocessed } from '../../../../scripts/local/host/durable/instance.js';
import { retryDelay } from '../../../../scripts/local/host/durable/retry.js';

const now = new Date('2024-01-01T00:00:00.000Z');
const at = now.toISOString();
const known = { activities: new Set(['a', 'b']), orchestrators: new Set(['o', 'sub']) };
const options: RetryOptions = { firstRetryIntervalInMilliseconds: 100, maxNumberOfAttempts: 2 };
const stamp = { EventId: -1, Timestamp: at };

const started: HistoryEvent = { EventType: EventType.ExecutionStarted, ...stamp, Name: 'o', Input: null };
const completed = (TaskScheduledId: number, Result = 'null'): HistoryEvent => ({
  EventType: EventType.TaskCompleted,
  ...stamp,
  TaskScheduledId,
  Result,
});
const failed = (TaskScheduledId: number): HistoryEvent => ({
  EventType: EventType.TaskFailed,
  ...stamp,
  TaskScheduledId,
  Reason: 'broken',
  Details: '',
});
const fired = (TimerId: number): HistoryEvent => ({
  EventType: EventType.TimerFired,
  ...stamp,
  TimerId,
  FireAt: at,
});
const raised = (Name: string, Key?: string) => ({
  EventType: EventType.EventRaised,
  ...stamp,
  Name,
  Input: null,
  ...(Key !== undefined && { Key }),
});

const call = (functionName: string): Action => ({ actionType: ActionType.CallActivity, functionName });
const retried = (functionName: string): Action => ({
  actionType: ActionType.CallActivityWithRetry,
  functionName,
  retryOptions: options,
});
const timer = (isCanceled = false): Action => ({
  actionType: ActionType.CreateTimer,
  fireAt: now,
  isCanceled,
});
const waitFor = (externalEventName: string): Action => ({
  actionType: ActionType.WaitForExternalEvent,
  externalEventName,
});

/** One episode: what arrives, and everything the orchestrator has asked for by then. */
function episode(
  execution: Execution,
  incoming: HistoryEvent[],
  actions: Action[],
  isDone = false,
): EndedEpisode {
  const begun = beginEpisode(execution, incoming, 'exec', now);
  return endEpisode(
    'o',
    execution,
    'exec',
    begun,
    { isDone, actions, output: 'out', customStatus: undefined },
    known,
  );
}
/** Type and number of what an episode creates. */
const created = (ended: EndedEpisode): string[] =>
  ended.events.flatMap(event => {
    if (event.EventType === EventType.TaskScheduled) return [`task ${event.EventId}`];
    if (event.EventType === EventType.TimerCreated) return [`timer ${event.EventId}`];
    return event.EventType === EventType.SubOrchestrationInstanceCreated ? [`sub ${event.EventId}`] : [];
  });

const numbers = suite('Numbers of an episode');
numbers('go to tasks, timers and sub-orchestrations in order, not to waits', () => {
  const sub: Action = { actionType: ActionType.CallSubOrchestrator, functionName: 'sub' };
  const ended = episode(emptyExecution(), [started], [call('a'), waitFor('x'), timer(), sub]);
  assert.equal(created(ended), ['task 0', 'timer 1', 'sub 2']);
});
numbers(
  'are given to a retry and its timer before what the orchestrator asks for in the same episode',
  () => {
    let execution = fold(
      emptyExecution(),
      episode(emptyExecution(), [started], [retried('a'), call('b')]).events,
    );
    const second = episode(execution, [completed(1), failed(0)], [retried('a'), call('b'), call('b')]);
    assert.equal(created(second), ['timer 2', 'task 3']);
    assert.is(second.events[1]?.EventType, EventType.TaskFailed);
    execution = fold(execution, second.events);
    const third = episode(
      execution,
      [completed(3), fired(2)],
      [retried('a'), call('b'), call('b'), call('a')],
    );
    assert.equal(created(third), ['task 4', 'task 5']);
  },
);
numbers('after a last attempt go to a timer but to no further attempt', () => {
  let execution = fold(emptyExecution(), episode(emptyExecution(), [started], [retried('a')]).events);
  for (const event of [failed(0), fired(1), failed(2)]) {
    execution = fold(execution, episode(execution, [event], [retried('a')]).events);
  }
  const last = episode(execution, [fired(3)], [retried('a'), call('b')]);
  assert.equal(created(last), ['task 4']);
});
numbers.run();

const outcomes = suite('Outcome of an episode');
const kindOf = (ended: EndedEpisode): string => ended.outcome.kind;
outcomes('is an end only when no timer of the orchestrator is left', () => {
  assert.is(kindOf(episode(emptyExecution(), [started], [], true)), 'completed');
  assert.is(kindOf(episode(emptyExecution(), [started], [timer()], true)), 'running');
  assert.is(kindOf(episode(emptyExecution(), [started], [timer(true)], true)), 'completed');
  const waiting = fold(emptyExecution(), episode(emptyExecution(), [started], [timer()]).events);
  assert.is(kindOf(episode(waiting, [raised('x')], [timer(true)], true)), 'completed');
});
outcomes('is a failure when the code no longer fits the history', () => {
  const execution = fold(emptyExecution(), episode(emptyExecution(), [started], [call('a')]).events);
  for (const actions of [[call('b')], [timer()], []]) {
    const { outcome } = episode(execution, [completed(0)], actions);
    assert.is(outcome.kind, 'failed');
    assert.match(outcome.kind === 'failed' ? outcome.output : '', 'Non-Deterministic workflow');
  }
});
outcomes('is a failure for entities and for functions that do not exist', () => {
  assert.is(kindOf(episode(emptyExecution(), [started], [{ actionType: ActionType.CallEntity }])), 'failed');
  assert.is(kindOf(episode(emptyExecution(), [started], [call('absent')])), 'failed');
});
outcomes('is continueAsNew with the new input', () => {
  const again: Action = { actionType: ActionType.ContinueAsNew, input: { n: 1 } };
  assert.equal(episode(emptyExecution(), [started], [again], true).outcome, {
    kind: 'continueAsNew',
    input: '{"n":1}',
  });
});
outcomes.run();

const duplicates = suite('beginEpisode');
duplicates('drops results of what is no longer open', () => {
  const execution = fold(emptyExecution(), episode(emptyExecution(), [started], [call('a')]).events);
  const { told } = beginEpisode(execution, [completed(0), completed(0), completed(7), fired(3)], 'exec', now);
  assert.is(told.length, 2);
});
duplicates('ends the orchestration when the time for retries is over', () => {
  const late: RetryOptions = { ...options, maxNumberOfAttempts: 9, retryTimeoutInMilliseconds: 0 };
  const action: Action = {
    actionType: ActionType.CallActivityWithRetry,
    functionName: 'a',
    retryOptions: late,
  };
  const execution = fold(emptyExecution(), episode(emptyExecution(), [started], [action]).events);
  assert.is(beginEpisode(execution, [failed(0)], 'exec', now).expired, 'broken');
});
duplicates.run();

const retry = suite('retryDelay');
const delays: [given: Partial<RetryOptions>, attempt: number, delay: number | undefined][] = [
  [{}, 1, 100],
  [{}, 3, 100],
  [{ backoffCoefficient: 2 }, 1, 100],
  [{ backoffCoefficient: 2 }, 4, 800],
  [{ backoffCoefficient: 2, maxRetryIntervalInMilliseconds: 300 }, 4, 300],
  [{ retryTimeoutInMilliseconds: 5_001 }, 2, 100],
  [{ retryTimeoutInMilliseconds: 5_000 }, 2, undefined],
];
for (const [given, Attempt, delay] of delays) {
  retry(`after attempt ${Attempt} with ${JSON.stringify(given)}`, () => {
    const later = new Date(now.getTime() + 5_000);
    assert.is(retryDelay({ Options: { ...options, ...given }, Attempt, FirstAt: at }, later), delay);
  });
}
retry.run();

const answers = suite('readAnswer');
answers('flattens compound actions and counts an action that stands in two of them once', () => {
  const shared = call('a');
  const any = (...compoundActions: unknown[]) => ({ actionType: ActionType.WhenAny, compoundActions });
  const state = { isDone: false, actions: [[any(shared, any(call('b'))), any(shared, timer())]] };
  assert.equal(
    readAnswer(state).actions.map(action => action.actionType),
    [ActionType.CallActivity, ActionType.CallActivity, ActionType.CreateTimer],
  );
});
answers('reads the failure out of what the SDK throws', () => {
  const state = JSON.stringify({ isDone: false, actions: [[]], error: 'why', customStatus: 1 });
  assert.equal(readFailure(new Error(`false\n\n$OutOfProcData$:${state}`)), {
    error: 'why',
    customStatus: 1,
    failureDetails: undefined,
  });
  assert.is(readFailure(new Error('plain')).error, 'plain');
});
answers.run();

const carry = suite('unprocessed');
carry('are the events of a name beyond the waits for it, in their order', () => {
  const events = [raised('go', '1'), raised('GO', '2'), raised('other', '3'), raised('go', '4')];
  assert.equal(
    unprocessed(events, [waitFor('go'), call('a')]).map(event => event.Key),
    ['2', '3', '4'],
  );
});
carry.run();
