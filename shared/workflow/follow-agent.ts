import type { OrchestrationContext, Task } from 'durable-functions';
import type { Failure } from '../domain/failure.js';
import type { Situation } from '../domain/situation.js';
import { call, later } from './call.js';
import type { AttemptPhase, AttemptRef, LifecycleInput, Outcome } from './contract.js';
import type { Inbox } from './inbox.js';
import { cancelledByRequest, completed, expired, runIsOver, takenByAnother, timedOut } from './outcomes.js';

/** What became of one attempt. */
export type Verdict =
  | { readonly kind: 'over'; readonly outcome: Outcome }
  /** The end is written already, or is not ours to write. */
  | { readonly kind: 'written' }
  | { readonly kind: 'lost'; readonly failure: Failure; readonly wasOnline: boolean };

/** A service may be away for long while we clean up; nothing may be left behind because of it. */
export const untilItWorks = 40;

/**
 * From the creation of an agent's task to the end of its job.
 *
 * @param deadline when it must be online.
 * @param found how far it is; further on than `starting` after a restart.
 * @param known news that needs no waiting for.
 */
export function* followAgent(
  context: OrchestrationContext,
  input: LifecycleInput,
  ref: AttemptRef,
  inbox: Inbox,
  deadline: Date,
  found: AttemptPhase,
  known?: Situation,
): Generator<Task, Verdict, unknown> {
  const steady = { tries: untilItWorks, stage: 'online' } as const;
  let phase: AttemptPhase = found === 'busy' ? 'busy' : 'starting';
  let until: Date | undefined = phase === 'busy' ? undefined : deadline;
  // Found online, after a restart: whether the pipeline was released then is for the release to find out.
  let first = found === 'online' ? ({ kind: 'agentOnline', attempt: ref.attempt } as const) : known;

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
    // News of an earlier attempt is no news; that nobody wants the agent any more holds for all of them.
    if (!news || (!holdsForAll(news) && news.attempt !== ref.attempt)) continue;

    switch (news.kind) {
      case 'admitted':
        // Told again just before it began.
        break;

      case 'cancel':
        return { kind: 'over', outcome: cancelledByRequest };

      case 'runOver':
        // Once it is released, an agent belongs to the jobs of the run, and their end is its own.
        if (phase === 'starting') return { kind: 'over', outcome: runIsOver(news.reason) };
        break;

      case 'poolMissing':
        if (phase === 'starting') return { kind: 'lost', failure: news.failure, wasOnline: false };
        break;

      case 'agentOnline':
      case 'agentBusy':
        if (phase === 'starting') {
          const { startedAt } = news;
          const released = yield* call(context, 'releasePipeline', { ...ref, startedAt }, steady);
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

      case 'nodeLost':
      case 'agentGone':
      case 'taskEnded': {
        // A node may have been lost just after the job had ended: only that end is to be asked for.
        if (phase === 'busy' && news.kind !== 'nodeLost') return { kind: 'over', outcome: completed(news) };
        const settled = yield* call(
          context,
          'settleEnd',
          { ...ref, situation: news, wasOnline: phase !== 'starting' },
          steady,
        );
        if (settled.kind === 'lost') {
          return phase === 'busy'
            ? { kind: 'over', outcome: completed({ ...news, ranJob: false }) }
            : { kind: 'lost', failure: settled.failure, wasOnline: phase === 'online' };
        }
        // The pipeline still waits, so the job that this agent ran was somebody else's.
        if (phase === 'starting' && input.callback) {
          return { kind: 'lost', failure: takenByAnother, wasOnline: false };
        }
        return { kind: 'over', outcome: completed({ ...news, ranJob: true }) };
      }
    }
  }
}

const holdsForAll = ({ kind }: Situation): boolean => kind === 'cancel' || kind === 'runOver';
