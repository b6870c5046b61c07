import type { InstanceState } from './engine.js';
import { EventType, type HistoryEvent } from './events.js';

export interface StatusOptions {
  readonly showInput: boolean;
  readonly showHistory: boolean;
  readonly showHistoryOutput: boolean;
}

/** An instance as the management API shows it. */
export function statusPayload(
  { record, events }: InstanceState,
  options: StatusOptions,
): Record<string, unknown> {
  return {
    name: record.name,
    instanceId: record.instanceId,
    runtimeStatus: record.runtimeStatus,
    input: options.showInput ? value(record.input) : null,
    customStatus: value(record.customStatus),
    output: value(record.output),
    createdTime: seconds(record.createdTime),
    lastUpdatedTime: seconds(record.lastUpdatedTime),
    ...(options.showHistory && { historyEvents: historyEvents(events, options.showHistoryOutput) }),
  };
}

const value = (json: string | null): unknown => (json === null ? null : JSON.parse(json));
/** Azure shows these times without fractions. */
const seconds = (iso: string): string => `${iso.slice(0, 19)}Z`;

const names: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(EventType).map(([name, number]) => [number, name]),
);

/** The history as Azure shows it: ends of tasks with the task's name and time, without the machinery in between. */
function historyEvents(events: readonly HistoryEvent[], showOutput: boolean): Record<string, unknown>[] {
  const scheduled = new Map<number, { readonly Name: string; readonly Timestamp: string }>();
  const shown: Record<string, unknown>[] = [];
  for (const event of events) {
    const head = { EventType: names[event.EventType] ?? String(event.EventType) };
    const { Timestamp } = event;
    switch (event.EventType) {
      case EventType.TaskScheduled:
      case EventType.SubOrchestrationInstanceCreated:
        scheduled.set(event.EventId, event);
        break;
      case EventType.OrchestratorStarted:
      case EventType.OrchestratorCompleted:
        break;
      case EventType.ExecutionStarted:
        shown.push({
          ...head,
          FunctionName: event.Name,
          ...(showOutput && { Input: value(event.Input) }),
          Timestamp,
        });
        break;
      case EventType.TaskCompleted:
      case EventType.SubOrchestrationInstanceCompleted: {
        const task = scheduled.get(event.TaskScheduledId);
        const Result = showOutput ? { Result: value(event.Result) } : {};
        shown.push({
          ...head,
          ...Result,
          Timestamp,
          ScheduledTime: task?.Timestamp,
          FunctionName: task?.Name,
        });
        break;
      }
      case EventType.TaskFailed:
      case EventType.SubOrchestrationInstanceFailed: {
        const task = scheduled.get(event.TaskScheduledId);
        const { Reason, Details } = event;
        shown.push({
          ...head,
          Reason,
          Details,
          Timestamp,
          ScheduledTime: task?.Timestamp,
          FunctionName: task?.Name,
        });
        break;
      }
      case EventType.TimerCreated:
        shown.push({ ...head, FireAt: event.FireAt, Timestamp });
        break;
      case EventType.TimerFired:
        shown.push({ ...head, FireAt: event.FireAt, Timestamp });
        break;
      case EventType.EventRaised:
        shown.push({
          ...head,
          Name: event.Name,
          ...(showOutput && { Input: value(event.Input) }),
          Timestamp,
        });
        break;
      case EventType.ExecutionCompleted:
        shown.push({
          ...head,
          OrchestrationStatus: event.OrchestrationStatus,
          ...(showOutput && { Result: value(event.Result) }),
          Timestamp,
        });
        break;
      case EventType.ExecutionTerminated:
      case EventType.ExecutionSuspended:
      case EventType.ExecutionResumed:
        shown.push({ ...head, Reason: event.Input, Timestamp });
        break;
      case EventType.GenericEvent:
        shown.push({ ...head, Data: event.Data, Timestamp });
        break;
    }
  }
  return shown;
}
