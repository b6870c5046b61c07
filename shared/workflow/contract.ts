import { type Failure, stages } from '../domain/failure.js';
import { type EndState, endStates } from '../domain/request.js';
import { type Situation, type TaskView, taskStates } from '../domain/situation.js';
import type { Told } from '../domain/watch.js';
import { decoder } from './decode.js';

/**
 * Names, inputs and outputs of everything that crosses the border between orchestrations and activities: a misspelt
 * activity or a wrong input does not compile, and what comes back from history is decoded, never believed.
 */

export const lifecycleName = 'agentLifecycle';
export const watchName = 'poolWatch';

/**
 * All news of a request comes as one event with the situation inside, not as one event a kind: with several waits
 * open at once, the one that loses stays behind and swallows the next event of its name.
 */
export const situationEvent = 'situation';
/** Ends a long pause of a watch. */
export const wakeEvent = 'wake';
/** What a watch tells of itself: whether it makes a long pause. */
export interface WatchStatus {
  readonly resting: boolean;
}

/** Everything that `agentLifecycle` needs to replay without asking anybody. */
export interface LifecycleInput {
  readonly requestId: string;
  readonly generation: number;
  /** The first attempt of this generation. */
  readonly firstAttempt: number;
  /** The attempt to begin with; later than the first when a lost orchestration is started again. */
  readonly attempt: number;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly idleMs: number;
  /** Whether a pipeline waits for our completion. */
  readonly callback: boolean;
  /** What started it, for its trace; absent where nothing is traced. */
  readonly traceparent?: string | undefined;
}

/** The first round of a watch knows its pool and nothing else. */
export interface WatchInput {
  readonly devOpsPool: string;
  readonly told: Told | undefined;
  readonly memory: WatchMemory | undefined;
  /** Rounds in a row that found nothing alive. */
  readonly emptyRounds: number | undefined;
}

/** What a round of the watch knows of the ones before; times in milliseconds since the epoch. */
export interface WatchMemory {
  /** When the last round looked. */
  readonly lookedAt: number;
  /** By Batch pool: when it was last asked about, and what keeps it from running tasks. */
  readonly batchPools: Readonly<
    Record<string, { readonly askedAt: number; readonly problem?: Failure | undefined }>
  >;
}

export interface AttemptRef {
  readonly requestId: string;
  readonly generation: number;
  readonly attempt: number;
  /** The step that the activity belongs under in the trace of its request. */
  readonly traceparent?: string | undefined;
}

/** How a request ends, and why. */
export interface Outcome {
  readonly state: EndState;
  readonly detail: string;
  readonly failure?: Failure | undefined;
  /** How we know that the run is over: then nobody is left to be told. */
  readonly planOver?: string | undefined;
}

/** How far an attempt has come once its task is there; a restarted orchestration finds it further on. */
export const attemptPhases = ['starting', 'online', 'busy'] as const;
export type AttemptPhase = (typeof attemptPhases)[number];

export type Provisioned =
  | { readonly kind: 'created'; readonly phase: AttemptPhase }
  | { readonly kind: 'rejected'; readonly failure: Failure }
  | { readonly kind: 'cancelled' }
  /** The run that waits is over: nothing was made. */
  | { readonly kind: 'runOver'; readonly reason: string }
  /** Its profile has as many agents as it may have: ask again when `admitted` is told. */
  | { readonly kind: 'deferred' }
  /** The row tells of another generation or an end: this orchestration has nothing left to do. */
  | { readonly kind: 'superseded' };

export type Released =
  | { readonly kind: 'released' }
  | { readonly kind: 'planOver'; readonly reason: string }
  | { readonly kind: 'cancelled' };

/** What ended an agent that we did not see at work. */
export type Settled = { readonly kind: 'ranJob' } | { readonly kind: 'lost'; readonly failure: Failure };

/** One look: what has changed, if anything, and how far the task had come. */
export interface Look {
  readonly situation: Situation | undefined;
  readonly task: TaskView['state'] | undefined;
  /** Why the Batch pool did not run the task, where that could be found out. */
  readonly problem?: Failure | undefined;
}

export type Finished = { readonly kind: 'ended' } | { readonly kind: 'agentBusy' };

export interface Activities {
  /** Makes the Batch task of an attempt: the request is `starting` afterwards. */
  provisionAgent: { input: AttemptRef & { readonly attempts: number }; output: Provisioned };
  /** Looks once at the agent and its task, outside the watch. */
  lookAtAgent: { input: AttemptRef; output: Look };
  /** Writes `online` and lets the pipeline go on. */
  releasePipeline: { input: AttemptRef & { readonly startedAt?: string | undefined }; output: Released };
  /** Writes `busy`. */
  recordBusy: { input: AttemptRef; output: { readonly kind: 'recorded' } };
  /** Finds out what became of an agent that ended unseen. */
  settleEnd: {
    input: AttemptRef & { readonly situation: Situation; readonly wasOnline: boolean };
    output: Settled;
  };
  /** Takes back what is left of a failed attempt and says how long to wait before the next. */
  retireAttempt: {
    input: AttemptRef & { readonly failure: Failure };
    output: { readonly delayMs: number };
  };
  /** Takes everything back, answers whoever waits, and writes the end. */
  finishRequest: { input: AttemptRef & { readonly outcome: Outcome }; output: Finished };
  /** One look at a whole pool; raises what has changed. */
  watchPool: {
    input: {
      readonly devOpsPool: string;
      readonly told: Told;
      readonly memory?: WatchMemory | undefined;
    };
    output: {
      readonly alive: number;
      readonly nextMs: number;
      /** Nobody waits: a pause that whoever comes may end. */
      readonly calm?: boolean | undefined;
      readonly told: Told;
      readonly memory?: WatchMemory | undefined;
    };
  };
}

export type ActivityName = keyof Activities;

const failure = decoder.object<Failure>({
  code: decoder.string,
  stage: decoder.oneOf(stages),
  message: decoder.string,
  retryable: decoder.boolean,
});

export const decodeSituation = decoder.tagged<Situation>({
  agentOnline: { attempt: decoder.number, startedAt: decoder.optional(decoder.string) },
  agentBusy: { attempt: decoder.number, startedAt: decoder.optional(decoder.string) },
  agentGone: { attempt: decoder.number, ranJob: decoder.boolean },
  taskEnded: {
    attempt: decoder.number,
    ranJob: decoder.boolean,
    exitCode: decoder.optional(decoder.number),
    failureCode: decoder.optional(decoder.string),
    failureMessage: decoder.optional(decoder.string),
  },
  nodeLost: { attempt: decoder.number, ranJob: decoder.boolean },
  poolMissing: { attempt: decoder.number, failure },
  runOver: { attempt: decoder.number, reason: decoder.string },
  admitted: { attempt: decoder.number },
  cancel: { attempt: decoder.number },
});

const decodeTold = decoder.record<Told[string]>(
  decoder.object<Told[string]>({ what: decoder.string, rounds: decoder.number }),
);

const decodeMemory = decoder.object<WatchMemory>({
  lookedAt: decoder.number,
  batchPools: decoder.record<WatchMemory['batchPools'][string]>(
    decoder.object<WatchMemory['batchPools'][string]>({
      askedAt: decoder.number,
      problem: decoder.optional(failure),
    }),
  ),
});

export const decodeLifecycleInput = decoder.object<LifecycleInput>({
  requestId: decoder.string,
  generation: decoder.number,
  firstAttempt: decoder.number,
  attempt: decoder.number,
  attempts: decoder.number,
  timeoutMs: decoder.number,
  idleMs: decoder.number,
  callback: decoder.boolean,
  traceparent: decoder.optional(decoder.string),
});

export const decodeWatchInput = decoder.object<WatchInput>({
  devOpsPool: decoder.string,
  told: decoder.optional(decodeTold),
  memory: decoder.optional(decodeMemory),
  emptyRounds: decoder.optional(decoder.number),
});

/** How each activity's output is read back. */
export const decodeOutput: {
  readonly [Name in ActivityName]: (value: unknown) => Activities[Name]['output'];
} = {
  provisionAgent: decoder.tagged<Provisioned>({
    created: { phase: decoder.oneOf(attemptPhases) },
    rejected: { failure },
    cancelled: {},
    runOver: { reason: decoder.string },
    deferred: {},
    superseded: {},
  }),
  lookAtAgent: decoder.object<Look>({
    situation: decoder.optional(decodeSituation),
    task: decoder.optional(decoder.oneOf(taskStates)),
    problem: decoder.optional(failure),
  }),
  releasePipeline: decoder.tagged<Released>({
    released: {},
    planOver: { reason: decoder.string },
    cancelled: {},
  }),
  recordBusy: decoder.tagged<Activities['recordBusy']['output']>({ recorded: {} }),
  settleEnd: decoder.tagged<Settled>({ ranJob: {}, lost: { failure } }),
  retireAttempt: decoder.object<Activities['retireAttempt']['output']>({ delayMs: decoder.number }),
  finishRequest: decoder.tagged<Finished>({ ended: {}, agentBusy: {} }),
  watchPool: decoder.object<Activities['watchPool']['output']>({
    alive: decoder.number,
    nextMs: decoder.number,
    calm: decoder.optional(decoder.boolean),
    told: decodeTold,
    memory: decoder.optional(decodeMemory),
  }),
};

const outcome = decoder.object<Outcome>({
  state: decoder.oneOf(endStates),
  detail: decoder.string,
  failure: decoder.optional(failure),
  planOver: decoder.optional(decoder.string),
});

const attemptRef = {
  requestId: decoder.string,
  generation: decoder.number,
  attempt: decoder.number,
  traceparent: decoder.optional(decoder.string),
};

/** How each activity reads its input, which comes out of history as well. */
export const decodeInput: { readonly [Name in ActivityName]: (value: unknown) => Activities[Name]['input'] } =
  {
    provisionAgent: decoder.object<Activities['provisionAgent']['input']>({
      ...attemptRef,
      attempts: decoder.number,
    }),
    lookAtAgent: decoder.object<AttemptRef>(attemptRef),
    releasePipeline: decoder.object<Activities['releasePipeline']['input']>({
      ...attemptRef,
      startedAt: decoder.optional(decoder.string),
    }),
    recordBusy: decoder.object<AttemptRef>(attemptRef),
    settleEnd: decoder.object<Activities['settleEnd']['input']>({
      ...attemptRef,
      situation: decodeSituation,
      wasOnline: decoder.boolean,
    }),
    retireAttempt: decoder.object<Activities['retireAttempt']['input']>({ ...attemptRef, failure }),
    finishRequest: decoder.object<Activities['finishRequest']['input']>({ ...attemptRef, outcome }),
    watchPool: decoder.object<Activities['watchPool']['input']>({
      devOpsPool: decoder.string,
      told: decodeTold,
      memory: decoder.optional(decodeMemory),
    }),
  };
