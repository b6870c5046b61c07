import * as z from 'zod';

/**
 * The history of an orchestration: what happened, in order. It is both what the Durable SDK replays (so names and
 * numbers are the Durable Task framework's) and our journal (so some events carry fields that only this host reads;
 * the SDK ignores them).
 */
export const EventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventRaised: 15,
  GenericEvent: 17,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
} as const;

export const RetryOptions = z.looseObject({
  firstRetryIntervalInMilliseconds: z.number(),
  maxNumberOfAttempts: z.number(),
  backoffCoefficient: z.number().optional(),
  maxRetryIntervalInMilliseconds: z.number().optional(),
  retryTimeoutInMilliseconds: z.number().optional(),
});
export type RetryOptions = z.output<typeof RetryOptions>;

/** Where a task with retries stands. */
export const Retry = z.object({
  Options: RetryOptions,
  /** 1 for the first attempt. */
  Attempt: z.number(),
  /** When the first attempt was scheduled (ISO 8601). */
  FirstAt: z.string(),
});
export type Retry = z.output<typeof Retry>;

export const FailureDetails = z.looseObject({
  ErrorType: z.string(),
  ErrorMessage: z.string(),
  StackTrace: z.string().optional(),
  IsNonRetriable: z.boolean().optional(),
  Properties: z.record(z.string(), z.unknown()).optional(),
});
export type FailureDetails = z.output<typeof FailureDetails>;

/** A durable HTTP call: the request as the SDK gives it. */
export const HttpCall = z.looseObject({
  method: z.string(),
  uri: z.string(),
  content: z.string().nullish(),
  headers: z.record(z.string(), z.string()).nullish(),
  tokenSource: z.unknown().optional(),
  asynchronousPatternEnabled: z.boolean().optional(),
});
export type HttpCall = z.output<typeof HttpCall>;

const common = { EventId: z.number(), Timestamp: z.string() };
const failure = { Reason: z.string(), Details: z.string(), FailureDetails: FailureDetails.optional() };

/** What runs: an activity, or (with `Http`) a durable HTTP call. */
const Task = {
  Name: z.string(),
  /** JSON text. */
  Input: z.string().nullable(),
  Retry: Retry.optional(),
  Http: HttpCall.optional(),
};
const SubOrchestration = {
  Name: z.string(),
  InstanceId: z.string(),
  Input: z.string().nullable(),
  Version: z.string().optional(),
  Retry: Retry.optional(),
};

/** What a timer that the orchestrator did not ask for will do when it fires. */
const Follow = z.discriminatedUnion('Kind', [
  z.object({ Kind: z.literal('activity'), ...Task, Retry }),
  /** `InstanceId` is absent when every attempt gets an id of its own. */
  z.object({ Kind: z.literal('sub'), ...SubOrchestration, InstanceId: z.string().optional(), Retry }),
  /** The poll of a durable HTTP call. The SDK gives its number together with the timer's: `Number`. */
  z.object({ Kind: z.literal('http'), Http: HttpCall, Number: z.number() }),
]);
export type Follow = z.output<typeof Follow>;

export const HistoryEvent = z.discriminatedUnion('EventType', [
  z.object({
    EventType: z.literal(EventType.ExecutionStarted),
    ...common,
    Name: z.string(),
    Input: z.string().nullable(),
    Version: z.string().optional(),
  }),
  z.object({
    EventType: z.literal(EventType.ExecutionCompleted),
    ...common,
    OrchestrationStatus: z.enum(['Completed', 'Failed']),
    Result: z.string().nullable(),
    FailureDetails: FailureDetails.optional(),
  }),
  z.object({ EventType: z.literal(EventType.ExecutionTerminated), ...common, Input: z.string().nullable() }),
  z.object({
    EventType: z.literal(EventType.TaskScheduled),
    ...common,
    ...Task,
    FollowUp: z.boolean().optional(),
  }),
  z.object({
    EventType: z.literal(EventType.TaskCompleted),
    ...common,
    TaskScheduledId: z.number(),
    Result: z.string(),
  }),
  z.object({
    EventType: z.literal(EventType.TaskFailed),
    ...common,
    TaskScheduledId: z.number(),
    ...failure,
  }),
  z.object({
    EventType: z.literal(EventType.SubOrchestrationInstanceCreated),
    ...common,
    ...SubOrchestration,
    /** False when the app chose the instance id. */
    OwnId: z.boolean(),
    FollowUp: z.boolean().optional(),
  }),
  z.object({
    EventType: z.literal(EventType.SubOrchestrationInstanceCompleted),
    ...common,
    TaskScheduledId: z.number(),
    Result: z.string(),
  }),
  z.object({
    EventType: z.literal(EventType.SubOrchestrationInstanceFailed),
    ...common,
    TaskScheduledId: z.number(),
    ...failure,
  }),
  z.object({
    EventType: z.literal(EventType.TimerCreated),
    ...common,
    FireAt: z.string(),
    Follow: Follow.optional(),
  }),
  z.object({
    EventType: z.literal(EventType.TimerFired),
    ...common,
    TimerId: z.number(),
    FireAt: z.string(),
  }),
  z.object({ EventType: z.literal(EventType.OrchestratorStarted), ...common }),
  z.object({
    EventType: z.literal(EventType.OrchestratorCompleted),
    ...common,
    /** Numbers of the timers that the orchestrator has given up. */
    CanceledTimers: z.array(z.number()).optional(),
  }),
  z.object({
    EventType: z.literal(EventType.EventRaised),
    ...common,
    Name: z.string(),
    Input: z.string().nullable(),
    /** Key of the message it came as. */
    Key: z.string().optional(),
  }),
  z.object({ EventType: z.literal(EventType.GenericEvent), ...common, Data: z.string() }),
  z.object({ EventType: z.literal(EventType.ExecutionSuspended), ...common, Input: z.string().nullable() }),
  z.object({ EventType: z.literal(EventType.ExecutionResumed), ...common, Input: z.string().nullable() }),
]);
export type HistoryEvent = z.output<typeof HistoryEvent>;
export type EventOf<T extends number> = Extract<HistoryEvent, { EventType: T }>;

export type TaskScheduled = EventOf<typeof EventType.TaskScheduled>;
export type TimerCreated = EventOf<typeof EventType.TimerCreated>;
export type SubOrchestrationCreated = EventOf<typeof EventType.SubOrchestrationInstanceCreated>;
