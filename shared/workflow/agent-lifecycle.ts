import type { OrchestrationContext, Task } from 'durable-functions';
import type { Failure } from '../domain/failure.js';
import type { Situation } from '../domain/situation.js';
import { call, later, StepFailedError } from './call.js';
import {
  type AttemptPhase,
  type AttemptRef,
  decodeLifecycleInput,
  type LifecycleInput,
  type Look,
  type Outcome,
  type Provisioned,
} from './contract.js';
import { type Inbox, openInbox } from './inbox.js';

/** What became of one attempt. */
type Verdict =
  | { readonly kind: 'over'; readonly outcome: Outcome }
  /** The end is written already, or is not ours to write. */
  | { readonly kind: 'written' }
  | { readonly kind: 'lost'; readonly failure: Failure; readonly wasOnline: boolean };

/** A service may be away for long while we clean up; nothing may be left behind because of it. */
const untilItWorks = 40;

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
    const ref: AttemptRef = { requestId: input.requestId, generation: input.generation, attempt };
    let provisioned = yield* provision(context, input, ref);
    while (provisioned.kind === 'deferred') {
      provisioned = yield* waitForPlace(inbox);
      if (provisioned.kind === 'cancelled') break;
      // Waiting for a place is no failure to provide an agent: the time for that begins only now.
      deadline = later(context, input.timeoutMs);
      provisioned = yield* provision(context, input, ref);
    }
    const verdict = yield* tryAttempt(context, input, ref, inbox, deadline, provisioned);
    if (verdict.kind === 'written') return undefined;
    if (verdict.kind === 'over') return yield* finish(context, ref, verdict.outcome);

    // An agent that was there and got lost has used up its wait; the next one gets a wait of its own.
    if (verdict.wasOnline) deadline = later(context, input.timeoutMs);
    const used = attempt - input.firstAttempt + 1;
    const again =
      verdict.failure.retryable && used < input.attempts && context.df.currentUtcDateTime < deadline;
    if (!again) return yield* finish(context, ref, deadLettered(verdict.failure));

    const cancelled = yield* retire(context, ref, verdict.failure, inbox);
    if (cancelled) return yield* finish(context, ref, cancelledByRequest);
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
    case 'rejected':
      return { kind: 'lost', failure: provisioned.failure, wasOnline: false };
    case 'created':
      return yield* follow(context, input, ref, inbox, deadline, provisioned.phase);
  }
}

function* provision(
  context: OrchestrationContext,
  { attempts }: LifecycleInput,
  ref: AttemptRef,
): Generator<Task, Provisioned, unknown> {
  try {
    return yield* call(context, 'provisionAgent', { ...ref, attempts }, { tries: 5, stage: 'createTask' });
  } catch (error) {
    if (error instanceof StepFailedError) return { kind: 'rejected', failure: error.failure };
    throw error;
  }
}

/** Waits until its profile has a place free for it; without a timer, for it may take any time. */
function* waitForPlace(inbox: Inbox): Generator<Task, { readonly kind: 'deferred' | 'cancelled' }, unknown> {
  for (;;) {
    const news = yield* inbox.next();
    if (news?.kind === 'admitted') return { kind: 'deferred' };
    if (news?.kind === 'cancel') return { kind: 'cancelled' };
  }
}

/** From the task's creation to the end of the agent's job. */
function* follow(
  context: OrchestrationContext,
  input: LifecycleInput,
  ref: AttemptRef,
  inbox: Inbox,
  deadline: Date,
  found: AttemptPhase,
): Generator<Task, Verdict, unknown> {
  const steady = { tries: untilItWorks, stage: 'online' } as const;
  let phase: AttemptPhase = found === 'busy' ? 'busy' : 'starting';
  let until: Date | undefined = phase === 'busy' ? undefined : deadline;
  // Found online, after a restart: whether the pipeline was released then is for the release to find out.
  let first: Situation | undefined =
    found === 'online' ? { kind: 'agentOnline', attempt: ref.attempt } : undefined;

  for (;;) {
    let news = first ?? (yield* inbox.next(until));
    first = undefined;
    if (!news) {
      // Before a deadline counts as missed we look once ourselves: a lost event must not fail a good agent.
      const look = yield* call(context, 'lookAtAgent', ref, steady);
      news = look.situation;
      if (!news && phase === 'starting') {
        return { kind: 'lost', failure: timedOut(input, look), wasOnline: false };
      }
      if (!news && phase === 'online') {
        const finished = yield* call(context, 'finishRequest', { ...ref, outcome: expired(input) }, steady);
        if (finished.kind === 'ended') return { kind: 'written' };
        // A job came at the very last moment.
        news = { kind: 'agentBusy', attempt: ref.attempt };
      }
    }
    // News of an earlier attempt is no news; a cancellation holds for all of them.
    if (!news || (news.kind !== 'cancel' && news.attempt !== ref.attempt)) continue;

    switch (news.kind) {
      case 'admitted':
        // Told again just before it began.
        break;

      case 'cancel':
        return { kind: 'over', outcome: cancelledByRequest };

      case 'agentOnline':
      case 'agentBusy':
        if (phase === 'starting') {
          const released = yield* call(context, 'releasePipeline', ref, steady);
          if (released.kind === 'cancelled') return { kind: 'over', outcome: cancelledByRequest };
          if (released.kind === 'planOver') return { kind: 'over', outcome: runIsOver(released.reason) };
          phase = 'online';
          until = later(context, input.idleMs);
        }
        if (news.kind === 'agentBusy' && phase === 'online') {
          yield* call(context, 'recordBusy', ref, steady);
          phase = 'busy';
          until = undefined;
        }
        break;

      case 'agentGone':
      case 'taskEnded': {
        if (phase === 'busy') return { kind: 'over', outcome: completed(news) };
        const settled = yield* call(
          context,
          'settleEnd',
          { ...ref, situation: news, wasOnline: phase === 'online' },
          steady,
        );
        if (settled.kind === 'lost') {
          return { kind: 'lost', failure: settled.failure, wasOnline: phase === 'online' };
        }
        // The pipeline still waits, so the job that this agent ran was somebody else's.
        if (phase === 'starting' && input.callback) {
          return { kind: 'lost', failure: takenByAnother, wasOnline: false };
        }
        return { kind: 'over', outcome: completed(news) };
      }
    }
  }
}

/** Cleans up after a failed attempt and waits before the next; true if the request is cancelled meanwhile. */
function* retire(
  context: OrchestrationContext,
  ref: AttemptRef,
  failure: Failure,
  inbox: Inbox,
): Generator<Task, boolean, unknown> {
  const { delayMs } = yield* call(
    context,
    'retireAttempt',
    { ...ref, failure },
    { tries: untilItWorks, stage: failure.stage },
  );
  const until = later(context, delayMs);
  for (;;) {
    const news = yield* inbox.next(until);
    if (!news) return false;
    if (news.kind === 'cancel') return true;
  }
}

function* finish(
  context: OrchestrationContext,
  ref: AttemptRef,
  outcome: Outcome,
): Generator<Task, Outcome, unknown> {
  yield* call(context, 'finishRequest', { ...ref, outcome }, { tries: untilItWorks, stage: 'online' });
  return outcome;
}

const cancelledByRequest: Outcome = { state: 'cancelled', detail: 'Cancelled by request.' };

const runIsOver = (reason: string): Outcome => ({
  state: 'cancelled',
  detail: `The pipeline run is over, so its agent is taken back: ${reason}`,
  planOver: reason,
});

const deadLettered = (failure: Failure): Outcome => ({
  state: 'deadLettered',
  detail: `${failure.code}: ${failure.message}`,
  failure,
});

const expired = (input: LifecycleInput): Outcome => ({
  state: 'expired',
  detail: `Online, but no job came within ${Math.round(input.idleMs / 1_000)} s.`,
});

const takenByAnother: Failure = {
  code: 'AgentTaken',
  stage: 'registration',
  message:
    'The agent ran a job of another pipeline before this one was released. Demand a capability in the job that ' +
    'only this request gives its agent.',
  retryable: true,
};

function timedOut(input: LifecycleInput, look: Look): Failure {
  const minutes = `${Number((input.timeoutMs / 60_000).toFixed(1))} min`;
  return look.task === 'active' || look.task === undefined
    ? {
        code: 'NodeAllocationTimeout',
        stage: 'nodeAllocation',
        message: `No node of the Batch pool took the agent's task within ${minutes}. Check the pool's size, quota and autoscale formula.`,
        retryable: true,
      }
    : {
        code: 'RegistrationTimeout',
        stage: 'registration',
        message: `The agent's container runs, but it did not register within ${minutes}. Check its image, its network path to Azure DevOps and its credentials.`,
        retryable: true,
      };
}

function completed(news: Extract<Situation, { kind: 'agentGone' | 'taskEnded' }>): Outcome {
  if (news.kind === 'taskEnded' && news.exitCode === 0 && news.failureCode === undefined) {
    return { state: 'completed', detail: 'The agent ran its job and ended.' };
  }
  if (news.ranJob) return { state: 'completed', detail: 'The agent ran its job and is gone.' };
  const how =
    news.kind === 'taskEnded'
      ? `its Batch task ended with ${news.failureCode ?? `exit code ${news.exitCode ?? 'unknown'}`}`
      : 'its Batch task is gone';
  return {
    state: 'completed',
    detail: `The agent ended while its job ran: ${how}.`,
    failure: {
      code: 'AgentLost',
      stage: 'online',
      message: `The agent ended while its job ran (${how}). Azure DevOps reports the job as lost; run it again.`,
      retryable: false,
    },
  };
}
