import type { OrchestrationContext, Task } from 'durable-functions';
import { backoffMs, chanceFrom, stepBackoff } from '../domain/backoff.js';
import { type Failure, failureFromText, type Stage } from '../domain/failure.js';
import { type Activities, type ActivityName, decodeOutput } from './contract.js';

/** A step that kept failing although it was tried again and again. */
export class StepFailedError extends Error {
  override readonly name = 'StepFailedError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

export interface Persistence {
  /** Tries in all; the pauses between them grow from a second to a minute. */
  readonly tries: number;
  /** Where to place a failure that does not say so itself. */
  readonly stage: Stage;
}

/**
 * Calls an activity and tries again while it throws: activities throw what is worth retrying and return the rest.
 *
 * The retries are our own, because the built-in ones retry without jitter, all in step, and their overall time limit
 * ends an orchestration in a way that can't be caught.
 *
 * @throws StepFailedError after the last try.
 */
export function* call<Name extends ActivityName>(
  context: OrchestrationContext,
  name: Name,
  input: Activities[Name]['input'],
  { tries, stage }: Persistence,
): Generator<Task, Activities[Name]['output'], unknown> {
  for (let failures = 1; ; failures += 1) {
    let output: unknown;
    try {
      output = yield context.df.callActivity(name, input);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (failures >= tries) throw new StepFailedError(failureFromText(text, stage));
      yield* pause(
        context,
        backoffMs(stepBackoff, failures, chanceFrom(`${context.df.instanceId}/${name}/${failures}`)),
      );
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
