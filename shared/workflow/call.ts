import type { OrchestrationContext, Task } from 'durable-functions';
import { chanceFrom, pauseMs } from '../domain/backoff.js';
import { type Failure, failureFromText, retryAfterFromText, type Stage } from '../domain/failure.js';
import { type Activities, type ActivityName, decodeOutput } from './contract.js';

/** A step that kept failing although it was tried again and again. */
export class StepFailedError extends Error {
  override readonly name = 'StepFailedError';
  readonly failure: Failure;
  /** How long the service asked to be left alone when it refused the last try, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(failure: Failure, retryAfterMs: number | undefined) {
    super(failure.message);
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What is waited for between two tries has come to be told: the step is not tried again. */
export class StepInterruptedError extends Error {
  override readonly name = 'StepInterruptedError';
}

export interface Persistence {
  /** Tries in all; the pauses between them grow from a second to a minute, or are as long as the service asks for. */
  readonly tries: number;
  /** Where to place a failure that does not say so itself. */
  readonly stage: Stage;
  /**
   * Until then a service that says when to come back uses up no try: a job that is disabled or a quota that is
   * reached takes a person, not seconds. At this moment at the latest, the step is tried once more, for the last time.
   */
  readonly patientUntil?: Date;
  /** How to wait between two tries; true when the step is not to be tried again. Default: a timer. */
  readonly wait?: (until: Date) => Generator<Task, boolean, unknown>;
}

/**
 * Calls an activity and tries again while it throws: activities throw what is worth retrying and return the rest.
 *
 * The retries are our own, because the built-in ones retry without jitter, all in step, and their overall time limit
 * ends an orchestration in a way that can't be caught.
 *
 * @throws StepFailedError after the last try.
 * @throws StepInterruptedError when `wait` says so.
 */
export function* call<Name extends ActivityName>(
  context: OrchestrationContext,
  name: Name,
  input: Activities[Name]['input'],
  { tries, stage, patientUntil, wait }: Persistence,
): Generator<Task, Activities[Name]['output'], unknown> {
  let used = 0;
  for (let failures = 1; ; failures += 1) {
    let output: unknown;
    try {
      output = yield context.df.callActivity(name, input);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const asked = retryAfterFromText(text);
      const isPatient =
        asked !== undefined && patientUntil !== undefined && context.df.currentUtcDateTime < patientUntil;
      if (!isPatient) used += 1;
      const isLate = patientUntil !== undefined && context.df.currentUtcDateTime >= patientUntil;
      if (used >= tries || isLate) throw new StepFailedError(failureFromText(text, stage), asked);

      const chance = chanceFrom(`${context.df.instanceId}/${name}/${failures}`);
      const next = later(context, pauseMs(failures, chance, asked));
      const until = patientUntil !== undefined && patientUntil < next ? patientUntil : next;
      if (!wait) yield context.df.createTimer(until);
      else if (yield* wait(until)) throw new StepInterruptedError(`${name} is not wanted any more.`);
      continue;
    }
    return decodeOutput[name](output);
  }
}

export function* pause(context: OrchestrationContext, ms: number): Generator<Task, void, unknown> {
  yield context.df.createTimer(later(context, ms));
}

/** A moment in the orchestration's own time. */
export const later = (context: OrchestrationContext, ms: number): Date =>
  new Date(context.df.currentUtcDateTime.getTime() + ms);
