import { type Calls, type Counts, only, renamed, scaled, sum } from './counts.js';
import type { RequestCost } from './figure.js';
import type { Followed } from './follow-requests.js';
import { plans } from './plans.js';
import { isOwnStorage, storageKind } from './storage-kinds.js';
import type { AppName } from './world.js';

/** What one look at a pool takes, for all of its requests together. */
export interface RoundCost {
  readonly ownStorage: Counts;
  readonly hostStorage: Counts;
  readonly episodes: number;
  readonly activities: number;
  readonly batchCalls: number;
  readonly devOpsCalls: number;
  /** Lines to the logs of the pipelines that wait, each of which is told now and then. */
  readonly callbackCalls: number;
}

export interface Costs {
  readonly request: RequestCost;
  /** Absent where there is no watch. */
  readonly round?: RoundCost;
  /** Rounds of the watch in all. */
  readonly rounds: number;
  /** Looks into the queue while it was empty, for all requests together. */
  readonly idlePolls: number;
}

/** Devops calls about a plan are words to a pipeline; the rest is about pools and agents. */
const isCallback = (call: string): boolean => /\/plans\//.test(call);

interface Sorted {
  readonly own: Counts;
  readonly host: Counts;
  readonly batch: Counts;
  readonly devops: Counts;
  readonly callbacks: Counts;
}

const sort = ({ storage, batch, devops }: Calls): Sorted => ({
  own: renamed(only(storage, isOwnStorage), storageKind),
  host: renamed(
    only(storage, call => !isOwnStorage(call)),
    storageKind,
  ),
  batch,
  devops: only(devops, call => !isCallback(call)),
  callbacks: only(devops, isCallback),
});

/**
 * Takes apart what the requests cost and what the watch did, which costs the same for one request as for all.
 *
 * @param waitMs what the costs are said to be for
 */
export function costsOf(app: AppName, followed: Followed, waitMs: number): Costs {
  const { perRequest, watch } = plans[app];
  const { all, waiting, instances } = followed;
  const requests = Math.max(instances.length, all.executions['ProvideAzDOAgent'] ?? 0);
  const seen = sort(all.calls);
  const rounds = watch ? (all.executions[watch.round] ?? 0) : 0;
  const waitingRounds = watch ? (waiting.executions[watch.round] ?? 0) : 0;
  const look = sort(waitingRounds > 0 ? waiting.calls : { storage: {}, batch: {}, devops: {} });
  const perRound = (counts: Counts): Counts => scaled(counts, 1 / Math.max(1, waitingRounds));
  const each = (counts: Counts, watched: Counts, times: number): Counts =>
    Object.fromEntries(
      Object.entries(counts)
        .map(([name, count]): [string, number] => {
          const forRounds = waitingRounds > 0 ? ((watched[name] ?? 0) / waitingRounds) * times : 0;
          return [name, Math.max(0, count - forRounds) / requests];
        })
        .filter(([, count]) => round2(count) > 0)
        .map(([name, count]) => [name, round2(count)]),
    );
  // A receive that brings a message is the request's, at most one each: one may bring sixteen. The rest found nothing.
  const receives = seen.own['queue receive'] ?? 0;
  const own = { ...seen.own, 'queue receive': Math.min(receives, requests) };
  const forOwn = { ...look.own, 'queue receive': 0 };
  const total = (pick: (cost: Followed['instances'][number]) => number): number =>
    round2(instances.reduce((value, cost) => value + pick(cost), 0) / requests);
  const ofAll = new Set([
    ...(perRequest ? [perRequest.orchestrator, ...perRequest.activities] : []),
    ...(watch ? [watch.orchestrator, watch.round] : []),
  ]);
  return {
    request: {
      contender: app,
      waitMs,
      ownStorage: each(own, forOwn, rounds),
      hostStorage: each(seen.host, look.host, rounds),
      episodes: total(({ episodes }) => episodes),
      activities: total(({ activities }) => activities),
      otherFunctions: round2(sum(only(all.executions, name => !ofAll.has(name))) / requests),
      historyEvents: total(({ events }) => events),
      historyBytes: total(({ bytes }) => bytes),
      batchCalls: round2(sum(each(seen.batch, look.batch, followed.rounds))),
      devOpsCalls: round2(sum(each(seen.devops, look.devops, followed.rounds))),
      callbackCalls: round2(sum(seen.callbacks) / requests),
    },
    ...(watch && {
      round: {
        ownStorage: perRound({ ...look.own, 'queue receive': 0 }),
        hostStorage: perRound(look.host),
        episodes: (waiting.executions[watch.orchestrator] ?? 0) / Math.max(1, waitingRounds),
        activities: waitingRounds > 0 ? 1 : 0,
        batchCalls: sum(perRound(look.batch)),
        devOpsCalls: sum(perRound(look.devops)),
        callbackCalls: sum(perRound(look.callbacks)),
      },
    }),
    rounds,
    idlePolls: receives - own['queue receive'],
  };
}

export const round2 = (value: number): number => Math.round(value * 100) / 100;
