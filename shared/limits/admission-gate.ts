import type { Config } from '../config.js';
import { type Admission, admission, hasBegun } from '../domain/admission.js';
import type { AgentRequest } from '../domain/request.js';
import type { Clock, LiveRequest } from '../ports.js';
import type { LiveListing, LiveListings } from './live-listings.js';

type Asking = Pick<AgentRequest, 'requestId' | 'generation' | 'profile' | 'state' | 'createdAt'>;

/** Keeps the agents of a profile to its `maxAlive`, first in, first out. */
export interface AdmissionGate {
  /**
   * Asks whether an accepted request may begin now. One that is admitted has its place from then on; one that is not
   * may ask again.
   *
   * @throws TransientError when storage can't be reached.
   */
  ask(request: Asking): Promise<Admission>;
}

/** Only "yes" may come from a listing of this age: places get free meanwhile, and others may admit as well. */
const staleMs = 2_000;
/** With so many places left it does not matter who comes first. */
const plenty = 100;

interface Admitted extends Asking {
  /** The listings that were begun by then; a later one shows what became of the request. */
  readonly listings: number;
}

/**
 * One a process: its decisions are made one after the other, so no two requests get the last place. Other processes are
 * seen through the table only, so together they may admit too many in the time that a listing is old.
 */
export function createAdmissionGate({
  config,
  listings,
  clock,
}: {
  readonly config: Pick<Config, 'profiles'>;
  readonly listings: LiveListings;
  readonly clock: Pick<Clock, 'now'>;
}): AdmissionGate {
  /** What this process admitted and the listing may not show yet. */
  const admitted = new Map<string, Admitted>();
  let seen = 0;
  let live = new Map<string, Pick<LiveRequest, keyof Asking>>();
  /** Live requests of each profile, whatever their state; one that ends is counted until the next listing. */
  const counts = new Map<string, number>();

  /** Takes a listing over, unless a later one is known. */
  function look({ number, rows }: LiveListing): void {
    if (number <= seen) return;
    seen = number;
    live = new Map(rows.map(row => [row.requestId, row]));
    for (const [requestId, request] of admitted) {
      const row = live.get(requestId);
      const isOlder = number <= request.listings;
      // Its row may still be `accepted` in a listing that was begun later: it is written after the admission.
      const isMissed = row?.generation === request.generation ? !hasBegun(row) : isOlder;
      if (isMissed) live.set(requestId, request);
      else if (!isOlder) admitted.delete(requestId);
    }
    counts.clear();
    for (const { profile } of live.values()) count(profile);
  }

  function decide(request: Asking, maxAlive: number, sureOfOrder: boolean): Admission {
    // In a burst this is asked thousands of times: far from the limit, counting whoever is there is enough.
    if (hasPlenty(request.profile, maxAlive)) {
      admit(request);
      return { admitted: true, begun: 0, ahead: 0 };
    }
    const decision = admission(request, live.values(), maxAlive);
    if (!decision.admitted || !(sureOfOrder || isKnown(request))) {
      return { ...decision, admitted: false };
    }
    admit(request);
    return decision;
  }

  function admit(request: Asking): void {
    const begun = { ...request, state: 'provisioning', listings: listings.begun() } as const;
    admitted.set(request.requestId, begun);
    if (!live.has(request.requestId)) count(request.profile);
    live.set(request.requestId, begun);
  }

  /** Whoever was asked for earlier than a request in the listing is in it as well. */
  const isKnown = ({ requestId, generation }: Asking): boolean =>
    live.get(requestId)?.generation === generation;

  const hasPlenty = (profile: string, maxAlive: number): boolean =>
    (counts.get(profile) ?? 0) + plenty <= maxAlive;

  function count(profile: string): void {
    counts.set(profile, (counts.get(profile) ?? 0) + 1);
  }

  return {
    ask: async request => {
      const maxAlive = config.profiles.get(request.profile)?.maxAlive;
      // A profile that is not configured any more: the next step tells so.
      if (maxAlive === undefined) return { admitted: true, begun: 0, ahead: 0 };
      const latest = listings.latest();
      if (latest && clock.now().getTime() - latest.startedAt <= staleMs) {
        look(latest);
        const decision = decide(request, maxAlive, false);
        if (decision.admitted) return decision;
      }
      look(await listings.fresh());
      return decide(request, maxAlive, true);
    },
  };
}
