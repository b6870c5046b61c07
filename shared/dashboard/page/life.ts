import type { EndState, RequestState } from '../../domain/request.js';
import { isEnded } from '../../domain/request.js';
import type { ShownRequest } from '../../domain/view.js';
import { duration } from './time.js';

export type LiveState = Exclude<RequestState, EndState>;

/** One stretch of a request's life in one state. Times in milliseconds since 1970. */
export interface Segment {
  readonly state: LiveState;
  readonly from: number;
  readonly to: number;
  readonly attempt: number;
  /** The first of a later attempt than the one before it. */
  readonly again: boolean;
}

export interface Life {
  readonly segments: readonly Segment[];
  readonly from: number;
  readonly to: number;
  readonly end: EndState | undefined;
}

/**
 * The life of a request as stretches of time, from its history. One that was begun again after its end is shown from
 * its last beginning.
 *
 * @param now where the stretch ends that it is in.
 */
export function lifeOf(request: Pick<ShownRequest, 'history' | 'createdAt' | 'state'>, now: number): Life {
  const lines = request.history.slice(lastBeginning(request.history));
  const segments: Segment[] = [];
  let end: EndState | undefined;
  let last = Date.parse(lines[0]?.at ?? request.createdAt);
  const from = last;
  for (const line of lines) {
    const at = Date.parse(line.at);
    const open = segments.at(-1);
    if (isEnded(line.state)) {
      end = line.state;
      if (open) segments[segments.length - 1] = { ...open, to: Math.max(open.from, last, end ? at : 0) };
      last = at;
      break;
    }
    // A line that only notes something begins nothing.
    if (open && open.state === line.state && open.attempt === line.attempt) continue;
    if (open) segments[segments.length - 1] = { ...open, to: at };
    const again = open !== undefined && line.attempt > open.attempt && line.attempt > 1 && open.attempt > 0;
    segments.push({ state: line.state, from: at, to: at, attempt: line.attempt, again });
    last = at;
  }
  const open = segments.at(-1);
  if (open && end === undefined) {
    last = Math.max(now, open.from);
    segments[segments.length - 1] = { ...open, to: last };
  }
  return { segments, from, to: Math.max(from, last), end };
}

function lastBeginning(history: ShownRequest['history']): number {
  const index = history.findLastIndex(
    ({ state }, at) => state === 'accepted' && at > 0 && isEnded(history[at - 1]?.state ?? 'accepted'),
  );
  return Math.max(0, index);
}

/** The same in words, for who can't see bars. */
export function tellLife({ segments, end }: Life): string {
  const told = segments.map(
    ({ state, from, to, attempt, again }) =>
      `${again ? `attempt ${attempt}: ` : ''}${state} ${duration(to - from)}`,
  );
  return `${told.join(', ')}${end === undefined ? ', and going on' : `, then ${endWords[end]}`}.`;
}

const endWords: Readonly<Record<EndState, string>> = {
  completed: 'completed',
  expired: 'expired',
  cancelled: 'cancelled',
  deadLettered: 'dead-lettered',
};

export const stateWords: Readonly<Record<RequestState, string>> = {
  accepted: 'accepted',
  provisioning: 'provisioning',
  starting: 'starting',
  online: 'online',
  busy: 'busy',
  ...endWords,
};
