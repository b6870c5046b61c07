import { EventType, type HistoryEvent } from './events.js';

/**
 * The history of a failed instance without its failures: what failed is open again and so runs again.
 * Of a task with retries only the last attempt is taken back, so that the numbers of everything else stay.
 *
 * @returns also the ids of the sub-orchestrations whose failure was taken back
 */
export function rewindHistory(events: readonly HistoryEvent[]): {
  readonly events: HistoryEvent[];
  readonly children: string[];
} {
  const scheduled = new Map<number, HistoryEvent>();
  for (const event of events) {
    if (
      event.EventType === EventType.TaskScheduled ||
      event.EventType === EventType.SubOrchestrationInstanceCreated
    ) {
      scheduled.set(event.EventId, event);
    }
  }
  const lastWait = new Set<number>();
  const children: string[] = [];
  const kept = events.filter(event => {
    if (event.EventType === EventType.ExecutionCompleted) return false;
    if (
      event.EventType === EventType.TaskFailed ||
      event.EventType === EventType.SubOrchestrationInstanceFailed
    ) {
      const cause = scheduled.get(event.TaskScheduledId);
      if (
        cause?.EventType !== EventType.TaskScheduled &&
        cause?.EventType !== EventType.SubOrchestrationInstanceCreated
      ) {
        return true;
      }
      const { Retry } = cause;
      if (Retry && Retry.Attempt < Retry.Options.maxNumberOfAttempts) return true;
      if (cause.EventType === EventType.SubOrchestrationInstanceCreated) children.push(cause.InstanceId);
      return false;
    }
    // The wait after a last attempt belongs to the failure.
    if (event.EventType === EventType.TimerCreated) {
      const { Follow } = event;
      if (
        Follow &&
        Follow.Kind !== 'http' &&
        Follow.Retry.Attempt > Follow.Retry.Options.maxNumberOfAttempts
      ) {
        lastWait.add(event.EventId);
        return false;
      }
      return true;
    }
    return !(event.EventType === EventType.TimerFired && lastWait.has(event.TimerId));
  });
  return { events: kept, children };
}
