import type { OrchestrationContext, Task } from 'durable-functions';
import type { Failure } from '../domain/failure.js';
import type { Situation } from '../domain/situation.js';
import { call, later, StepFailedError, StepInterruptedError } from './call.js';
import {
  type AttemptRef,
  decodeLifecycleInput,
  type Finished,
  type LifecycleInput,
  type Outcome,
  type Provisioned,
} from './contract.js';
import { followAgent, untilItWorks, type Verdict } from './follow-agent.js';
import { type Inbox, openInbox } from './inbox.js';
import { cancelledByRequest, deadLettered, runIsOver, unwanted } from './outcomes.js';

/**
 * The life of one request: provision an agent, let the pipeline go on, follow the agent until its job is over, clean
 * up. It only waits for news and deadlines, so its history is as long for a wait of an hour as for one of a second.
 */
export function* agentLifecycle(
  context: OrchestrationContext,
): Generator<Task, Outcome | undefined, unknown> {
  const input = decodeLifecycleInput(context.df.getInput());
  const inbox = openInbox(context);
  let deadline = later(context, input.timeoutMs);

  for (let attempt = input.attempt; ; attempt += 1) {
    const { requestId, generation, traceparent } = input;
    const ref: AttemptRef = { requestId, generation, attempt, ...(traceparent ? { traceparent } : {}) };
    let provisioned = yield* provision(context, input, ref, inbox, deadline);
    while (provisioned.kind === 'deferred') {
      const ended = yield* waitForPlace(inbox);
      if (ended) {
        yield* finish(context, ref, ended);
        return ended;
      }
      // Waiting for a place is no failure to provide an agent: the time for that begins only now.
      deadline = later(context, input.timeoutMs);
      provisioned = yield* provision(context, input, ref, inbox, deadline);
    }
    let verdict = yield* tryAttempt(context, input, ref, inbox, deadline, provisioned);
    for (;;) {
      if (verdict.kind === 'written') return undefined;
      if (verdict.kind === 'over') {
        yield* finish(context, ref, verdict.outcome);
        return verdict.outcome;
      }
      // An agent that was there and got lost has used up its wait; the next one gets a wait of its own.
      if (verdict.wasOnline) deadline = later(context, input.timeoutMs);
      const used = attempt - input.firstAttempt + 1;
      const now = context.df.currentUtcDateTime;
      if (verdict.failure.retryable && used < input.attempts && now < deadline) break;

      const outcome = deadLettered(verdict.failure);
      const finished = yield* finish(context, ref, outcome);
      if (finished.kind === 'ended') return outcome;
      // The agent came at the very last moment and has a job already: it is a good one after all.
      const known = { kind: 'agentBusy', attempt } as const;
      verdict = yield* followAgent(context, input, ref, inbox, deadline, 'starting', known);
    }
    const ended = yield* retire(context, ref, verdict.failure, inbox);
    if (ended) {
      yield* finish(context, ref, ended);
      return ended;
    }
  }
}

function* tryAttempt(
  context: OrchestrationContext,
  input: LifecycleInput,
  ref: AttemptRef,
  inbox: Inbox,
  deadline: Date,
  provisioned: Exclude<Provisioned, { readonly kind: 'deferred' }>,
): Generator<Task, Verdict, unknown> {
  switch (provisioned.kind) {
    case 'superseded':
      return { kind: 'written' };
    case 'cancelled':
      return { kind: 'over', outcome: cancelledByRequest };
    case 'runOver':
      return { kind: 'over', outcome: runIsOver(provisioned.reason) };
    case 'rejected':
      return { kind: 'lost', failure: provisioned.failure, wasOnline: false };
    case 'created':
      return yield* followAgent(context, input, ref, inbox, deadline, provisioned.phase);
  }
}

function* provision(
  context: OrchestrationContext,
  { attempts }: LifecycleInput,
  ref: AttemptRef,
  inbox: Inbox,
  deadline: Date,
): Generator<Task, Provisioned, unknown> {
  let ended: Outcome | undefined;
  try {
    return yield* call(
      context,
      'provisionAgent',
      { ...ref, attempts },
      {
        tries: 5,
        stage: 'createTask',
        patientUntil: deadline,
        *wait(until) {
          ended = yield* pauseUnlessUnwanted(inbox, until);
          return ended !== undefined;
        },
      },
    );
  } catch (error) {
    if (error instanceof StepInterruptedError) {
      return ended?.planOver === undefined
        ? { kind: 'cancelled' }
        : { kind: 'runOver', reason: ended.planOver };
    }
    if (error instanceof StepFailedError) return { kind: 'rejected', failure: error.failure };
    throw error;
  }
}

/**
 * Waits until its profile has a place free for it; without a timer, for it may take any time.
 *
 * @returns the end of a request that nobody wants meanwhile.
 */
function* waitForPlace(inbox: Inbox): Generator<Task, Outcome | undefined, unknown> {
  for (;;) {
    const news = yield* inbox.next();
    const ended = news && unwanted(news);
    if (ended || news?.kind === 'admitted') return ended;
  }
}

/** Cleans up after a failed attempt and waits before the next; the end of a request that nobody wants meanwhile. */
function* retire(
  context: OrchestrationContext,
  ref: AttemptRef,
  failure: Failure,
  inbox: Inbox,
): Generator<Task, Outcome | undefined, unknown> {
  const { delayMs } = yield* call(
    context,
    'retireAttempt',
    { ...ref, failure },
    { tries: untilItWorks, stage: failure.stage },
  );
  return yield* pauseUnlessUnwanted(inbox, later(context, delayMs));
}

/** Waits, unless the request turns out to be unwanted; other news is kept for whoever waits for it. */
function* pauseUnlessUnwanted(inbox: Inbox, until: Date): Generator<Task, Outcome | undefined, unknown> {
  const others: Situation[] = [];
  for (;;) {
    const news = yield* inbox.next(until);
    const ended = news && unwanted(news);
    if (ended) return ended;
    if (!news) break;
    others.push(news);
  }
  inbox.putBack(others);
  return undefined;
}

function* finish(
  context: OrchestrationContext,
  ref: AttemptRef,
  outcome: Outcome,
): Generator<Task, Finished, unknown> {
  return yield* call(context, 'finishRequest', { ...ref, outcome }, { tries: untilItWorks, stage: 'online' });
}
