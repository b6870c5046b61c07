import { type Action, ActionType, inputText, valueText } from './actions.js';
import { httpTaskName } from './begin-episode.js';
import { EventType, type HistoryEvent } from './events.js';
import type { Asked } from './execution.js';

/** Actions that the SDK numbers: all that are answered by a number. Waits for events are answered by name. */
export type NumberedAction = Extract<Action, { actionType: 0 | 1 | 2 | 3 | 5 | 8 }>;

const numberedTypes = new Set<number>([
  ActionType.CallActivity,
  ActionType.CallActivityWithRetry,
  ActionType.CallSubOrchestrator,
  ActionType.CallSubOrchestratorWithRetry,
  ActionType.CreateTimer,
  ActionType.CallHttp,
]);

export const hasNumber = (action: Action): action is NumberedAction => numberedTypes.has(action.actionType);

/** What an action is, in the terms in which the history remembers it. */
export function kindAndName(action: NumberedAction): Pick<Asked, 'kind' | 'name'> {
  if (action.actionType === ActionType.CreateTimer) return { kind: 'timer', name: '' };
  if (action.actionType === ActionType.CallHttp) return { kind: 'task', name: httpTaskName };
  const sub =
    action.actionType === ActionType.CallSubOrchestrator ||
    action.actionType === ActionType.CallSubOrchestratorWithRetry;
  return { kind: sub ? 'sub' : 'task', name: action.functionName };
}

/** The event by which the history remembers that the orchestrator asked for something. */
export function scheduledBy(
  action: NumberedAction,
  number: number,
  executionId: string,
  at: string,
): HistoryEvent {
  const stamp = { EventId: number, Timestamp: at };
  if (action.actionType === ActionType.CreateTimer) {
    return { EventType: EventType.TimerCreated, ...stamp, FireAt: action.fireAt.toISOString() };
  }
  if (action.actionType === ActionType.CallHttp) {
    const { httpRequest: Http } = action;
    return { EventType: EventType.TaskScheduled, ...stamp, Name: httpTaskName, Input: null, Http };
  }
  const { functionName: Name } = action;
  const retry =
    action.actionType === ActionType.CallActivityWithRetry ||
    action.actionType === ActionType.CallSubOrchestratorWithRetry
      ? { Retry: { Options: action.retryOptions, Attempt: 1, FirstAt: at } }
      : {};
  if (
    action.actionType === ActionType.CallActivity ||
    action.actionType === ActionType.CallActivityWithRetry
  ) {
    return { EventType: EventType.TaskScheduled, ...stamp, Name, Input: inputText(action.input), ...retry };
  }
  return {
    EventType: EventType.SubOrchestrationInstanceCreated,
    ...stamp,
    Name,
    Input: valueText(action.input),
    InstanceId: action.instanceId ? action.instanceId : `${executionId}:${number}`,
    OwnId: !action.instanceId,
    ...(action.version ? { Version: action.version } : {}),
    ...retry,
  };
}
