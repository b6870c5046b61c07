import * as z from 'zod';
import {
  type EventOf,
  EventType,
  type Follow,
  type HistoryEvent,
  type HttpCall,
  type Retry,
} from './events.js';
import type { Execution } from './execution.js';
import { retryDelay } from './retry.js';

/** An episode up to the call of the orchestrator: what it is told, and what follows whatever it says. */
export interface BegunEpisode {
  readonly now: Date;
  readonly told: readonly HistoryEvent[];
  readonly followUps: readonly HistoryEvent[];
  /** A task's time for retries is over, which ends the orchestration. */
  readonly expired: string | undefined;
}

/** The name under which a durable HTTP call stands in histories. */
export const httpTaskName = 'BuiltIn::HttpActivity';

/** Pause between polls of an HTTP call whose answer names none; the SDK is told the same. */
export const httpPollMs = 30_000;

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
  const plan = new Plan(execution, executionId, now);
  for (const event of incoming) plan.take(event);
  return plan.begun();
}

class Plan {
  /** Causes of follow-ups, then what only the orchestrator acts on. */
  readonly #causes: HistoryEvent[] = [];
  readonly #others: HistoryEvent[] = [];
  readonly #followUps: HistoryEvent[] = [];
  readonly #closed = new Set<number>();
  readonly #at: string;
  #next: number;
  #expired: string | undefined;

  constructor(
    private readonly execution: Execution,
    private readonly executionId: string,
    private readonly now: Date,
  ) {
    this.#next = execution.next;
    this.#at = now.toISOString();
  }

  take(event: HistoryEvent): void {
    if (event.EventType === EventType.TaskCompleted) this.#taskCompleted(event);
    else if (event.EventType === EventType.TaskFailed) this.#taskFailed(event);
    else if (event.EventType === EventType.SubOrchestrationInstanceCompleted) this.#childCompleted(event);
    else if (event.EventType === EventType.SubOrchestrationInstanceFailed) this.#childFailed(event);
    else if (event.EventType === EventType.TimerFired) this.#timerFired(event);
    else this.#others.push(event);
  }

  begun(): BegunEpisode {
    const told: HistoryEvent[] = [...this.#causes, ...this.#others].map(event => ({
      ...event,
      Timestamp: this.#at,
    }));
    if (told.length > 0) {
      told.unshift({ EventType: EventType.OrchestratorStarted, EventId: -1, Timestamp: this.#at });
    }
    return { now: this.now, told, followUps: this.#followUps, expired: this.#expired };
  }

  /** What is open under a number, once. */
  #close<T>(open: ReadonlyMap<number, T>, number: number): T | undefined {
    if (this.#closed.has(number)) return undefined;
    const found = open.get(number);
    if (found) this.#closed.add(number);
    return found;
  }

  #taskCompleted(event: EventOf<typeof EventType.TaskCompleted>): void {
    const task = this.#close(this.execution.tasks, event.TaskScheduledId);
    if (!task) return;
    const poll = task.Http && pollOf(task.Http, event.Result, this.now);
    if (!poll) {
      this.#others.push(event);
      return;
    }
    this.#causes.push(event);
    this.#followUps.push({
      ...this.#timer(poll.at),
      Follow: { Kind: 'http', Http: poll.call, Number: this.#next },
    });
    this.#next += 1;
  }

  #taskFailed(event: EventOf<typeof EventType.TaskFailed>): void {
    const task = this.#close(this.execution.tasks, event.TaskScheduledId);
    if (!task) return;
    const { Name, Input, Retry } = task;
    this.#failed(event, Retry, next => ({ Kind: 'activity', Name, Input, Retry: next }));
  }

  #childCompleted(event: EventOf<typeof EventType.SubOrchestrationInstanceCompleted>): void {
    if (this.#close(this.execution.children, event.TaskScheduledId)) this.#others.push(event);
  }

  #childFailed(event: EventOf<typeof EventType.SubOrchestrationInstanceFailed>): void {
    const child = this.#close(this.execution.children, event.TaskScheduledId);
    if (!child) return;
    const { Name, Input, Version, OwnId, InstanceId, Retry } = child;
    this.#failed(event, Retry, next => ({
      Kind: 'sub',
      Name,
      Input,
      Retry: next,
      ...(Version !== undefined && { Version }),
      ...(!OwnId && { InstanceId }),
    }));
  }

  #failed(
    event: EventOf<typeof EventType.TaskFailed | typeof EventType.SubOrchestrationInstanceFailed>,
    retry: Retry | undefined,
    follow: (next: Retry) => Follow,
  ): void {
    if (!retry) {
      this.#others.push(event);
      return;
    }
    this.#causes.push(event);
    const delay = retryDelay(retry, this.now);
    if (delay === undefined) {
      this.#expired ??= event.Reason;
      return;
    }
    const fireAt = new Date(this.now.getTime() + delay).toISOString();
    this.#followUps.push({
      ...this.#timer(fireAt),
      Follow: follow({ ...retry, Attempt: retry.Attempt + 1 }),
    });
  }

  #timerFired(event: EventOf<typeof EventType.TimerFired>): void {
    const timer = this.#close(this.execution.timers, event.TimerId);
    if (!timer) return;
    const { Follow } = timer;
    // After a last attempt nothing follows: the SDK now hands the failure to the orchestrator.
    if (
      !Follow ||
      (Follow.Kind !== 'http' && Follow.Retry.Attempt > Follow.Retry.Options.maxNumberOfAttempts)
    ) {
      this.#others.push(event);
      return;
    }
    this.#causes.push(event);
    this.#followUps.push(this.#start(Follow));
  }

  #timer(FireAt: string): EventOf<typeof EventType.TimerCreated> {
    return { EventType: EventType.TimerCreated, EventId: this.#takeNumber(), Timestamp: this.#at, FireAt };
  }

  #takeNumber(): number {
    this.#next += 1;
    return this.#next - 1;
  }

  #start(follow: Follow): HistoryEvent {
    const Timestamp = this.#at;
    if (follow.Kind === 'http') {
      const { Http, Number: EventId } = follow;
      const { TaskScheduled } = EventType;
      return {
        EventType: TaskScheduled,
        EventId,
        Timestamp,
        Name: httpTaskName,
        Input: null,
        Http,
        FollowUp: true,
      };
    }
    const { Name, Input, Retry } = follow;
    const EventId = this.#takeNumber();
    const common = { EventId, Timestamp, Name, Input, Retry, FollowUp: true };
    if (follow.Kind === 'activity') return { EventType: EventType.TaskScheduled, ...common };
    return {
      EventType: EventType.SubOrchestrationInstanceCreated,
      ...common,
      InstanceId: follow.InstanceId ?? `${this.executionId}:${EventId}`,
      OwnId: follow.InstanceId === undefined,
      ...(follow.Version !== undefined && { Version: follow.Version }),
    };
  }
}

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
