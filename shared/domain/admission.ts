import type { AgentRequest, RequestState } from './request.js';

/** What the limits of a profile need to know of a live request. */
export type Contender = Pick<AgentRequest, 'requestId' | 'profile' | 'state' | 'createdAt'>;

export interface Admission {
  readonly admitted: boolean;
  /** Other requests of the profile that have begun: each has an agent, or is about to get one. */
  readonly begun: number;
  /** Requests of the profile that were asked for earlier and have not begun either. */
  readonly ahead: number;
}

const begunStates: ReadonlySet<RequestState> = new Set(['provisioning', 'starting', 'online', 'busy']);
const waitingStates: ReadonlySet<RequestState> = new Set(['accepted', 'provisioning', 'starting']);

/** Counts against `maxAlive`. */
export const hasBegun = ({ state }: Pick<Contender, 'state'>): boolean => begunStates.has(state);

/** Counts against `maxWaiting`: it has no agent yet that is online. */
export const isWaiting = ({ state }: Pick<Contender, 'state'>): boolean => waitingStates.has(state);

/**
 * Whether an accepted request may begin: first in, first out, and never more than `maxAlive` of a profile at once.
 *
 * Those ahead count although they have not begun: a place that is free is theirs, even while their start is on its way.
 *
 * @param live live requests of any profile; the request itself may be among them.
 */
export function admission(request: Contender, live: Iterable<Contender>, maxAlive: number): Admission {
  let begun = 0;
  let ahead = 0;
  for (const other of live) {
    if (other.profile !== request.profile || other.requestId === request.requestId) continue;
    if (hasBegun(other)) begun += 1;
    else if (other.state === 'accepted' && compare(other, request) < 0) ahead += 1;
  }
  return { admitted: begun + ahead < maxAlive, begun, ahead };
}

/**
 * All accepted requests that {@link admission} lets begin, of all profiles.
 *
 * @param maxAliveOf a profile's limit; one that is not configured any more has none, so that its requests come to their end.
 */
export function admissible<Request extends Contender>(
  live: readonly Request[],
  maxAliveOf: (profile: string) => number | undefined,
): readonly Request[] {
  const free = new Map<string, number>();
  for (const { profile } of live) free.set(profile, maxAliveOf(profile) ?? Number.POSITIVE_INFINITY);
  for (const request of live) {
    if (hasBegun(request)) free.set(request.profile, (free.get(request.profile) ?? 0) - 1);
  }
  return live
    .filter(({ state }) => state === 'accepted')
    .toSorted(compare)
    .filter(({ profile }) => {
      const places = free.get(profile) ?? 0;
      free.set(profile, places - 1);
      return places > 0;
    });
}

/** In order of their asking; ids decide between those of the same millisecond. */
function compare(one: Contender, other: Contender): number {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt ? -1 : 1;
  if (one.requestId === other.requestId) return 0;
  return one.requestId < other.requestId ? -1 : 1;
}

/** Why a request has not begun, for whoever asks what became of it. */
export const waitsForPlace = (profile: string, maxAlive: number, { begun, ahead }: Admission): string =>
  `Waits for a free place: profile ${profile} allows ${count(maxAlive, 'agent')} at once (maxAlive), ` +
  `${begun} of them in use; ${count(ahead, 'request')} ${ahead === 1 ? 'is' : 'are'} ahead. ` +
  'It begins by itself; its timeout counts from then.';

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
