import {
  EventType,
  type HistoryEvent,
  type SubOrchestrationCreated,
  type TaskScheduled,
  type TimerCreated,
} from './events.js';

/** One thing the orchestrator asked for, in the order in which it asked. Waits for events have no place here. */
export interface Asked {
  readonly number: number;
  readonly kind: 'task' | 'sub' | 'timer';
  readonly name: string;
}

/** What follows from a history: what is still open, and which number the SDK gives next. */
export interface Execution {
  readonly asked: readonly Asked[];
  readonly next: number;
  readonly tasks: ReadonlyMap<number, TaskScheduled>;
  readonly timers: ReadonlyMap<number, TimerCreated>;
  readonly children: ReadonlyMap<number, SubOrchestrationCreated>;
}

interface Draft {
  asked: Asked[];
  next: number;
  tasks: Map<number, TaskScheduled>;
  timers: Map<number, TimerCreated>;
  children: Map<number, SubOrchestrationCreated>;
}

export const emptyExecution = (): Execution => ({
  asked: [],
  next: 0,
  tasks: new Map(),
  timers: new Map(),
  children: new Map(),
});

/** The execution after more events. The one given is not changed: an episode that can't be stored must leave no trace. */
export function fold(execution: Execution, events: readonly HistoryEvent[]): Execution {
  const draft: Draft = {
    asked: [...execution.asked],
    next: execution.next,
    tasks: new Map(execution.tasks),
    timers: new Map(execution.timers),
    children: new Map(execution.children),
  };
  for (const event of events) apply(draft, event);
  return draft;
}

function apply(draft: Draft, event: HistoryEvent): void {
  switch (event.EventType) {
    case EventType.TaskScheduled:
      draft.next = Math.max(draft.next, event.EventId + 1);
      draft.tasks.set(event.EventId, event);
      if (!event.FollowUp) draft.asked.push({ number: event.EventId, kind: 'task', name: event.Name });
      break;
    case EventType.SubOrchestrationInstanceCreated:
      draft.next = Math.max(draft.next, event.EventId + 1);
      draft.children.set(event.EventId, event);
      if (!event.FollowUp) draft.asked.push({ number: event.EventId, kind: 'sub', name: event.Name });
      break;
    case EventType.TimerCreated: {
      const { Follow } = event;
      draft.next = Math.max(draft.next, event.EventId + 1, Follow?.Kind === 'http' ? Follow.Number + 1 : 0);
      draft.timers.set(event.EventId, event);
      if (!Follow) draft.asked.push({ number: event.EventId, kind: 'timer', name: '' });
      break;
    }
    case EventType.TaskCompleted:
    case EventType.TaskFailed:
      draft.tasks.delete(event.TaskScheduledId);
      break;
    case EventType.SubOrchestrationInstanceCompleted:
    case EventType.SubOrchestrationInstanceFailed:
      draft.children.delete(event.TaskScheduledId);
      break;
    case EventType.TimerFired:
      draft.timers.delete(event.TimerId);
      break;
    case EventType.OrchestratorCompleted:
      for (const number of event.CanceledTimers ?? []) draft.timers.delete(number);
      break;
    default:
  }
}
