import { type Failure, shorten } from './failure.js';
import { type AgentRequest, type HistoryEntry, isEnded, type RequestState } from './request.js';

/**
 * The one table of legal changes. `provisioning` follows itself, `starting` and `online` because an attempt that
 * failed before its job is followed by another.
 */
export const transitions: Readonly<Record<RequestState, readonly RequestState[]>> = {
  accepted: ['provisioning', 'cancelled', 'deadLettered'],
  provisioning: ['starting', 'provisioning', 'cancelled', 'deadLettered'],
  starting: ['online', 'provisioning', 'cancelled', 'deadLettered'],
  online: ['busy', 'expired', 'provisioning', 'cancelled', 'deadLettered'],
  busy: ['completed', 'cancelled'],
  completed: [],
  expired: [],
  cancelled: [],
  deadLettered: [],
};

export interface Change {
  readonly to: RequestState;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly detail: string;
  readonly attempt?: number;
  readonly agentName?: string;
  readonly batch?: AgentRequest['batch'];
  readonly taskStartedAt?: string | undefined;
  readonly failure?: Failure;
}

/** A programming error or a race that was lost: the row says something else than the caller believed. */
export class IllegalChangeError extends Error {
  override readonly name = 'IllegalChangeError';
}

/** Roughly what a table property may hold (32 Ki characters), less what JSON adds. */
const historyLimit = 28_000;
const detailLimit = 500;

/**
 * Carries one legal change out: the state, its line of history and the times that follow from it.
 *
 * @throws IllegalChangeError if the table of {@link transitions} does not have it.
 */
export function advance(request: AgentRequest, asked: Change): AgentRequest {
  const change = { ...asked, at: notBefore(request.history, asked.at) };
  if (!transitions[request.state].includes(change.to)) {
    throw new IllegalChangeError(
      `Request ${request.requestId} is ${request.state} and can't become ${change.to}.`,
    );
  }
  const attempt = change.attempt ?? request.attempt;
  return {
    ...request,
    state: change.to,
    attempt,
    agentName: change.agentName ?? request.agentName,
    batch: change.batch ?? request.batch,
    failure: change.failure ?? (change.to === 'online' ? undefined : request.failure),
    updatedAt: change.at,
    onlineAt: onlineAt(request, change),
    taskStartedAt: change.to === 'provisioning' ? undefined : (change.taskStartedAt ?? request.taskStartedAt),
    endedAt: isEnded(change.to) ? change.at : undefined,
    history: append(request.history, {
      state: change.to,
      at: change.at,
      attempt,
      detail: shorten(change.detail, detailLimit),
    }),
  };
}

/**
 * Ends a request. An agent that was never seen at work although it was has its missing steps written now, so that
 * every history tells a legal story.
 */
export function end(request: AgentRequest, change: Change): AgentRequest {
  let current = request;
  if (change.to === 'completed') {
    for (const to of ['online', 'busy'] as const) {
      if (transitions[current.state].includes(to) && current.state !== 'busy') {
        current = advance(current, { to, at: change.at, detail: 'Told only by its end.' });
      }
    }
  }
  return advance(current, change);
}

/** Adds a line without a change of state, e.g. a callback that was refused. */
export function note(request: AgentRequest, noted: string, detail: string): AgentRequest {
  const at = notBefore(request.history, noted);
  return {
    ...request,
    updatedAt: at,
    history: append(request.history, {
      state: request.state,
      at,
      attempt: request.attempt,
      detail: shorten(detail, detailLimit),
    }),
  };
}

/**
 * Begins an ended request anew, as its next generation.
 *
 * @param fresh what the caller asks for now; identity, counts and past are carried over from `ended`.
 */
export function beginAgain(ended: AgentRequest, fresh: AgentRequest): AgentRequest {
  return {
    ...fresh,
    generation: ended.generation + 1,
    attempt: ended.attempt,
    firstAttempt: ended.attempt + 1,
    history: fresh.history
      .map(entry => ({ ...entry, at: notBefore(ended.history, entry.at), attempt: ended.attempt }))
      .reduce(append, ended.history),
  };
}

function onlineAt(request: AgentRequest, change: Change): string | undefined {
  if (change.to === 'online') return change.at;
  // A new attempt is not online: the time of the lost one would flatter the timings.
  if (change.to === 'provisioning') return undefined;
  return request.onlineAt;
}

/**
 * The time of the next line. Who read the clock first may write last, and the clocks of two hosts need not agree; a
 * history whose times went back would tell its reader a story that can't be.
 */
function notBefore(history: readonly HistoryEntry[], at: string): string {
  const last = history.at(-1)?.at ?? at;
  return last > at ? last : at;
}

function append(history: readonly HistoryEntry[], entry: HistoryEntry): readonly HistoryEntry[] {
  const lines = [...history, entry];
  let size = lines.reduce((sum, line) => sum + JSON.stringify(line).length + 1, 0);
  // The oldest go first: what a reader needs is how it got where it is now.
  while (size > historyLimit && lines.length > 1) {
    const dropped = lines.shift();
    size -= JSON.stringify(dropped).length + 1;
  }
  return lines;
}
