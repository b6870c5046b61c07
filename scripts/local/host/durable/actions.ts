import * as z from 'zod';
import { FailureDetails, HttpCall, RetryOptions } from './events.js';

/** Numbers of the SDK's action types. */
const T = {
  CallActivity: 0,
  CallActivityWithRetry: 1,
  CallSubOrchestrator: 2,
  CallSubOrchestratorWithRetry: 3,
  ContinueAsNew: 4,
  CreateTimer: 5,
  WaitForExternalEvent: 6,
  CallEntity: 7,
  CallHttp: 8,
  SignalEntity: 9,
  WhenAny: 11,
  WhenAll: 12,
  LockEntities: 13,
  ReleaseEntities: 14,
} as const;

const sub = {
  functionName: z.string(),
  instanceId: z.string().nullish(),
  input: z.unknown().optional(),
  version: z.string().nullish(),
};

export const Action = z.discriminatedUnion('actionType', [
  z.looseObject({
    actionType: z.literal(T.CallActivity),
    functionName: z.string(),
    input: z.unknown().optional(),
  }),
  z.looseObject({
    actionType: z.literal(T.CallActivityWithRetry),
    functionName: z.string(),
    input: z.unknown().optional(),
    retryOptions: RetryOptions,
  }),
  z.looseObject({ actionType: z.literal(T.CallSubOrchestrator), ...sub }),
  z.looseObject({
    actionType: z.literal(T.CallSubOrchestratorWithRetry),
    ...sub,
    retryOptions: RetryOptions,
  }),
  z.looseObject({ actionType: z.literal(T.ContinueAsNew), input: z.unknown().optional() }),
  z.looseObject({
    actionType: z.literal(T.CreateTimer),
    fireAt: z.coerce.date(),
    isCanceled: z.boolean().default(false),
  }),
  z.looseObject({ actionType: z.literal(T.WaitForExternalEvent), externalEventName: z.string() }),
  z.looseObject({ actionType: z.literal(T.CallHttp), httpRequest: HttpCall }),
  z.looseObject({ actionType: z.literal(T.CallEntity) }),
  z.looseObject({ actionType: z.literal(T.SignalEntity) }),
  z.looseObject({ actionType: z.literal(T.LockEntities) }),
  z.looseObject({ actionType: z.literal(T.ReleaseEntities) }),
]);
export type Action = z.output<typeof Action>;
export const ActionType = T;

const State = z.looseObject({
  isDone: z.boolean(),
  actions: z.array(z.array(z.unknown())),
  output: z.unknown().optional(),
  error: z.string().optional(),
  customStatus: z.unknown().optional(),
  failureDetails: FailureDetails.optional(),
});

/** What an orchestrator answered: everything it has asked for since its beginning. */
export interface OrchestratorAnswer {
  readonly isDone: boolean;
  /** In the SDK's order of numbering, compound actions flattened, each once. */
  readonly actions: readonly Action[];
  readonly output: unknown;
  readonly customStatus: unknown;
}

export interface OrchestratorFailure {
  readonly error: string;
  readonly customStatus: unknown;
  readonly failureDetails: FailureDetails | undefined;
}

/**
 * Reads the state that an orchestrator returned. It must be the object itself and not its JSON: a task that is
 * yielded in two compound tasks is one action with one number, which only its identity shows.
 *
 * @throws Error when it is no state of an orchestrator
 */
export function readAnswer(result: unknown): OrchestratorAnswer {
  const state = State.parse(result);
  const seen = new Set<unknown>();
  const actions: Action[] = [];
  const visit = (action: unknown): void => {
    if (typeof action === 'object' && action !== null && 'compoundActions' in action) {
      if (Array.isArray(action.compoundActions)) for (const inner of action.compoundActions) visit(inner);
      return;
    }
    if (seen.has(action)) return;
    seen.add(action);
    actions.push(Action.parse(action));
  };
  for (const list of state.actions) for (const action of list) visit(action);
  return { isDone: state.isDone, actions, output: state.output, customStatus: state.customStatus };
}

const delimiter = '\n\n$OutOfProcData$:';

/** Reads what an orchestrator threw: the SDK puts the state behind a delimiter into the message. */
export function readFailure(thrown: unknown): OrchestratorFailure {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const at = message.indexOf(delimiter);
  if (at < 0) return { error: message, customStatus: undefined, failureDetails: undefined };
  const state = State.safeParse(JSON.parse(message.slice(at + delimiter.length)));
  if (!state.success)
    return { error: message.slice(0, at), customStatus: undefined, failureDetails: undefined };
  return {
    error: state.data.error ?? message.slice(0, at),
    customStatus: state.data.customStatus,
    failureDetails: state.data.failureDetails,
  };
}

/** JSON text of an input: the SDK gives strings of activities and of continueAsNew already as JSON. */
export const inputText = (input: unknown): string | null =>
  input === undefined || input === null ? null : typeof input === 'string' ? input : JSON.stringify(input);

/** JSON text of a sub-orchestration's input, which the SDK gives as the value itself. */
export const valueText = (value: unknown): string | null =>
  value === undefined || value === null ? null : JSON.stringify(value);
