import * as z from 'zod';
import {
  type Action,
  ActionType,
  inputText,
  type OrchestratorAnswer,
  type OrchestratorFailure,
  valueText,
} from './actions.js';
import {
  EventType,
  type FailureDetails,
  type Follow,
  type HistoryEvent,
  type HttpCall,
  type Retry,
  type TaskScheduled,
} from './events.js';
import { type Asked, type Execution, fold } from './execution.js';
import { retryDelay } from './retry.js';

/** Azure's limit on a custom status, in UTF-16 code units of its JSON. */
const customStatusLimit = 8 * 1024;

/** An episode up to the call of the orchestrator: what it is told, and what follows whatever it says. */
export interface BegunEpisode {
  readonly now: Date;
  readonly told: readonly HistoryEvent[];
  readonly followUps: readonly HistoryEvent[];
  /** A task's time for retries is over, which ends the orchestration. */
  readonly expired: string | undefined;
}

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

/** Names that exist, to refuse a call of one that doesn't. */
export interface KnownNames {
  readonly activities: ReadonlySet<string>;
  readonly orchestrators: ReadonlySet<string>;
}

/**
 * Orders what arrived and works out what the SDK will number by itself. While it replays, the SDK gives the next
 * number to the timer before a retry, to the retry, and to each poll of an HTTP call, at the moment it reads the
 * event that causes it. Those events go first, so that no number which the orchestrator's own code takes in the
 * same episode comes in between, and ours always equal the SDK's.
 *
 * Events about what is no longer open (a second delivery) are dropped.
 */
export function beginEpisode(
  execution: Execution,
  incoming: readonly HistoryEvent[],
  executionId: string,
  now: Date,
): BegunEpisode {
  const at = now.toISOString();
  const first: HistoryEvent[] = [];
  const rest: HistoryEvent[] = [];
  const followUps: HistoryEvent[] = [];
  const closed = new Set<number>();
  let next = execution.next;
  let expired: string | undefined;

  const retryLater = (event: { Reason: string }, retry: Retry, follow: Follow): void => {
    const delay = retryDelay(retry, now);
    if (delay === undefined) {
      expired ??= event.Reason;
      return;
    }
    const FireAt = new Date(now.getTime() + delay).toISOString();
    followUps.push({
      EventType: EventType.TimerCreated,
      EventId: next,
      Timestamp: at,
      FireAt,
      Follow: follow,
    });
    next += 1;
  };

  for (const event of incoming) {
    switch (event.EventType) {
      case EventType.TaskCompleted: {
        const task = execution.tasks.get(event.TaskScheduledId);
        if (!task || closed.has(event.TaskScheduledId)) break;
        closed.add(event.TaskScheduledId);
        const poll = task.Http && pollOf(task.Http, event.Result, now);
        if (!poll) {
          rest.push(event);
          break;
        }
        first.push(event);
        const Follow = { Kind: 'http' as const, Http: poll.call, Number: next + 1 };
        followUps.push({
          EventType: EventType.TimerCreated,
          EventId: next,
          Timestamp: at,
          FireAt: poll.at,
          Follow,
        });
        next += 2;
        break;
      }
      case EventType.TaskFailed: {
        const task = execution.tasks.get(event.TaskScheduledId);
        if (!task || closed.has(event.TaskScheduledId)) break;
        closed.add(event.TaskScheduledId);
        if (!task.Retry) {
          rest.push(event);
          break;
        }
        first.push(event);
        const Retry = { ...task.Retry, Attempt: task.Retry.Attempt + 1 };
        retryLater(event, task.Retry, { Kind: 'activity', Name: task.Name, Input: task.Input, Retry });
        break;
      }
      case EventType.SubOrchestrationInstanceCompleted:
        if (!execution.children.has(event.TaskScheduledId) || closed.has(event.TaskScheduledId)) break;
        closed.add(event.TaskScheduledId);
        rest.push(event);
        break;
      case EventType.SubOrchestrationInstanceFailed: {
        const child = execution.children.get(event.TaskScheduledId);
        if (!child || closed.has(event.TaskScheduledId)) break;
        closed.add(event.TaskScheduledId);
        if (!child.Retry) {
          rest.push(event);
          break;
        }
        first.push(event);
        const Retry = { ...child.Retry, Attempt: child.Retry.Attempt + 1 };
        retryLater(event, child.Retry, {
          Kind: 'sub',
          Name: child.Name,
          Input: child.Input,
          Retry,
          ...(child.Version !== undefined && { Version: child.Version }),
          ...(!child.OwnId && { InstanceId: child.InstanceId }),
        });
        break;
      }
      case EventType.TimerFired: {
        const timer = execution.timers.get(event.TimerId);
        if (!timer || closed.has(event.TimerId)) break;
        closed.add(event.TimerId);
        const scheduled = timer.Follow && followUp(timer.Follow, next, executionId, at);
        if (!scheduled) {
          rest.push(event);
          break;
        }
        first.push(event);
        followUps.push(scheduled);
        next = Math.max(next, scheduled.EventId + 1);
        break;
      }
      default:
        rest.push(event);
    }
  }
  const told: HistoryEvent[] = [...first, ...rest].map(event => ({ ...event, Timestamp: at }));
  if (told.length > 0) told.unshift({ EventType: EventType.OrchestratorStarted, EventId: -1, Timestamp: at });
  return { now, told, followUps, expired };
}

/** What a timer that has fired starts; undefined after the last attempt, when the SDK hands the failure to the orchestrator. */
function followUp(follow: Follow, next: number, executionId: string, at: string): HistoryEvent | undefined {
  if (follow.Kind === 'http') {
    return {
      EventType: EventType.TaskScheduled,
      EventId: follow.Number,
      Timestamp: at,
      Name: httpTaskName,
      Input: null,
      Http: follow.Http,
      FollowUp: true,
    };
  }
  const { Retry, Name, Input } = follow;
  if (Retry.Attempt > Retry.Options.maxNumberOfAttempts) return undefined;
  if (follow.Kind === 'activity') {
    return {
      EventType: EventType.TaskScheduled,
      EventId: next,
      Timestamp: at,
      Name,
      Input,
      Retry,
      FollowUp: true,
    };
  }
  return {
    EventType: EventType.SubOrchestrationInstanceCreated,
    EventId: next,
    Timestamp: at,
    Name,
    Input,
    Retry,
    InstanceId: follow.InstanceId ?? `${executionId}:${next}`,
    OwnId: follow.InstanceId === undefined,
    FollowUp: true,
    ...(follow.Version !== undefined && { Version: follow.Version }),
  };
}

/** The name under which a durable HTTP call stands in histories. */
export const httpTaskName = 'BuiltIn::HttpActivity';

const HttpResult = z.looseObject({
  statusCode: z.number(),
  headers: z.record(z.string(), z.string()).prefault({}),
});

/** The next poll of an HTTP call that was answered 202 with a Location; undefined when the call is over. */
function pollOf(
  call: HttpCall,
  result: string,
  now: Date,
): { readonly call: HttpCall; readonly at: string } | undefined {
  if (call.asynchronousPatternEnabled === false) return undefined;
  const { statusCode, headers } = HttpResult.parse(JSON.parse(result));
  const header = (wanted: string): string | undefined =>
    Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1];
  const location = header('location');
  if (statusCode !== 202 || !location) return undefined;
  const seconds = Number(header('retry-after'));
  const delay = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : httpPollMs;
  return {
    call: { ...call, method: 'GET', uri: new URL(location, call.uri).href, content: null },
    at: new Date(now.getTime() + delay).toISOString(),
  };
}

/** Pause between polls of an HTTP call whose answer names none; the SDK is told the same. */
export const httpPollMs = 30_000;

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

type Numbered = Extract<Action, { actionType: 0 | 1 | 2 | 3 | 5 | 8 }>;

const numberedTypes = new Set<number>([
  ActionType.CallActivity,
  ActionType.CallActivityWithRetry,
  ActionType.CallSubOrchestrator,
  ActionType.CallSubOrchestratorWithRetry,
  ActionType.CreateTimer,
  ActionType.CallHttp,
]);
const hasNumber = (action: Action): action is Numbered => numberedTypes.has(action.actionType);

const entityTypes = new Set<number>([
  ActionType.CallEntity,
  ActionType.SignalEntity,
  ActionType.LockEntities,
  ActionType.ReleaseEntities,
]);

function describe(action: Numbered): { readonly kind: Asked['kind']; readonly name: string } {
  switch (action.actionType) {
    case ActionType.CreateTimer:
      return { kind: 'timer', name: '' };
    case ActionType.CallHttp:
      return { kind: 'task', name: httpTaskName };
    case ActionType.CallActivity:
    case ActionType.CallActivityWithRetry:
      return { kind: 'task', name: action.functionName };
    case ActionType.CallSubOrchestrator:
    case ActionType.CallSubOrchestratorWithRetry:
      return { kind: 'sub', name: action.functionName };
  }
}

/** Why the orchestration can't go on with these actions; undefined when it can. */
function problemOf(
  actions: readonly Action[],
  numbered: readonly Numbered[],
  asked: readonly Asked[],
  known: KnownNames,
): string | undefined {
  if (actions.some(action => entityTypes.has(action.actionType))) {
    return 'It uses durable entities, which this host lacks.';
  }
  for (const [index, before] of asked.entries()) {
    const action = numbered[index];
    const now = action && describe(action);
    if (now?.kind === before.kind && now.name === before.name) continue;
    const was = before.kind === 'timer' ? 'a timer' : `a call of '${before.name}'`;
    const is = !now ? 'nothing' : now.kind === 'timer' ? 'a timer' : `a call of '${now.name}'`;
    return `Non-Deterministic workflow detected: the history has ${was} as number ${before.number}, but the orchestrator's code now asks for ${is} there.`;
  }
  for (const action of numbered.slice(asked.length)) {
    const { kind, name } = describe(action);
    if (action.actionType === ActionType.CallHttp) {
      if (action.httpRequest.tokenSource != null) {
        return 'It calls HTTP with a managed identity token, which this host lacks.';
      }
      continue;
    }
    if (kind === 'task' && !known.activities.has(name.toLowerCase()))
      return missing(name, 'activity', known.activities);
    if (kind === 'sub' && !known.orchestrators.has(name.toLowerCase())) {
      return missing(name, 'orchestrator', known.orchestrators);
    }
  }
  return undefined;
}

export const missing = (
  name: string,
  kind: 'activity' | 'orchestrator',
  known: ReadonlySet<string>,
): string =>
  `The function '${name}' doesn't exist, is disabled, or is not an ${kind} function. ` +
  `Additional info: The following are the known ${kind} functions: ${[...known].map(n => `'${n}'`).join(', ') || 'none'}.`;

function scheduledBy(action: Numbered, number: number, executionId: string, at: string): HistoryEvent {
  const stamp = { EventId: number, Timestamp: at };
  switch (action.actionType) {
    case ActionType.CallActivity:
    case ActionType.CallActivityWithRetry: {
      const task: TaskScheduled = {
        EventType: EventType.TaskScheduled,
        ...stamp,
        Name: action.functionName,
        Input: inputText(action.input),
      };
      if (action.actionType === ActionType.CallActivity) return task;
      return { ...task, Retry: { Options: action.retryOptions, Attempt: 1, FirstAt: at } };
    }
    case ActionType.CallSubOrchestrator:
    case ActionType.CallSubOrchestratorWithRetry:
      return {
        EventType: EventType.SubOrchestrationInstanceCreated,
        ...stamp,
        Name: action.functionName,
        Input: valueText(action.input),
        InstanceId: action.instanceId ? action.instanceId : `${executionId}:${number}`,
        OwnId: !action.instanceId,
        ...(action.version != null && { Version: action.version }),
        ...(action.actionType === ActionType.CallSubOrchestratorWithRetry && {
          Retry: { Options: action.retryOptions, Attempt: 1, FirstAt: at },
        }),
      };
    case ActionType.CreateTimer:
      return { EventType: EventType.TimerCreated, ...stamp, FireAt: action.fireAt.toISOString() };
    case ActionType.CallHttp:
      return {
        EventType: EventType.TaskScheduled,
        ...stamp,
        Name: httpTaskName,
        Input: null,
        Http: action.httpRequest,
      };
  }
}
