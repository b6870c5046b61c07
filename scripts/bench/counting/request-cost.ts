import type { RequestCost } from '../figure.js';
import type { AppName } from '../world.js';
import { type Calls, type Counts, only, renamed, scaled, sum } from './counts.js';
import type { Followed } from './follow-requests.js';
import { plans } from './plans.js';
import { isOwnStorage, storageKind } from './storage-kinds.js';

/** What one look at a pool takes, for all of its requests together. */
export interface RoundCost {
  readonly ownStorage: Counts;
  readonly hostStorage: Counts;
  readonly episodes: number;
  readonly activities: number;
  readonly batchCalls: Counts;
  readonly devOpsCalls: Counts;
}

export interface Costs {
  readonly request: RequestCost;
  /** Episodes and activities of the request that took the least, of the one in the middle, and of the one that took the most. */
  readonly functions: { readonly least: number; readonly median: number; readonly most: number };
  /** Its calls to Batch and Azure DevOps, the callbacks included, by route. */
  readonly routes: Counts;
  /** Absent where there is no watch. */
  readonly round: RoundCost | undefined;
  /** Rounds of the watch in all. */
  readonly rounds: number;
  /** Looks into the queue while it was empty, for all requests together. */
  readonly idlePolls: number;
}

interface Sorted {
  readonly own: Counts;
  readonly host: Counts;
  readonly batch: Counts;
  readonly devops: Counts;
  /** What is said to pipelines. */
  readonly callbacks: Counts;
}

/** Asked once for all that wait in a pool, and now and then only. */
const isAboutBatchPool = (call: string): boolean => call.startsWith('GET /pools/');

const isCallback = (call: string): boolean => call.includes('/plans/');

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

/** Of our own storage, a round lists the live rows; what it reads to tell a pipeline how things stand is for that one. */
const listing = 'table query';

/**
 * Counted while all requests only waited, when nothing else than the watch was going on.
 *
 * @returns undefined where there is no watch
 * @throws when no round was seen
 */
export function roundCost(app: AppName, followed: Followed | undefined): RoundCost | undefined {
  const { watch } = plans[app];
  if (!watch || !followed) return undefined;
  const { calls, executions } = followed.waiting;
  const rounds = executions[watch.round] ?? 0;
  if (rounds === 0) throw new Error('No round of the watch was seen while the requests waited.');
  const { own, host, batch, devops } = sort(calls);
  const perRound = (counts: Counts): Counts => scaled(counts, 1 / rounds);
  return {
    ownStorage: perRound(only(own, kind => kind === listing)),
    hostStorage: perRound(host),
    episodes: (executions[watch.orchestrator] ?? 0) / rounds,
    activities: 1,
    batchCalls: perRound(batch),
    devOpsCalls: perRound(devops),
  };
}

/**
 * Takes from everything that happened what the watch did, which costs the same for one request as for all, and shares
 * the rest among the requests.
 *
 * @param waitMs what the costs are said to be for
 */
export function costsOf(
  app: AppName,
  followed: Followed,
  waitMs: number,
  round: RoundCost | undefined,
): Costs {
  const { perRequest, watch } = plans[app];
  const { all, instances, requests } = followed;
  const seen = sort(all.calls);
  const rounds = watch ? (all.executions[watch.round] ?? 0) : 0;
  const share = (counts: Counts, ofRound: Counts = {}, times = 0): Counts =>
    Object.fromEntries(
      Object.entries(counts)
        .map(([name, count]): [string, number] => {
          const left = Math.max(0, count - (ofRound[name] ?? 0) * times);
          return [name, round2(left / requests)];
        })
        .filter(([, count]) => count > 0),
    );
  // A receive that brings a message is its request's, at most one each: one may bring sixteen. The rest found nothing.
  const receives = seen.own['queue receive'] ?? 0;
  const filled = Math.min(receives, requests);
  const mean = (pick: (cost: Followed['instances'][number]) => number): number =>
    round2(instances.reduce((value, cost) => value + pick(cost), 0) / requests);
  const functions = instances
    .map(({ episodes, activities }) => episodes + activities)
    .toSorted((one, other) => one - other);
  const batch = share(
    only(seen.batch, call => !isAboutBatchPool(call)),
    round?.batchCalls,
    followed.rounds,
  );
  const devops = share(seen.devops, round?.devOpsCalls, followed.rounds);
  const durable = new Set([
    ...(perRequest ? [perRequest.orchestrator, ...perRequest.activities] : []),
    ...(watch ? [watch.orchestrator, watch.round] : []),
  ]);
  return {
    request: {
      contender: app,
      waitMs,
      ownStorage: share(
        { ...seen.own, ...(filled > 0 && { 'queue receive': filled }) },
        round?.ownStorage,
        rounds,
      ),
      hostStorage: share(seen.host, round?.hostStorage, rounds),
      episodes: mean(({ episodes }) => episodes),
      activities: mean(({ activities }) => activities),
      otherFunctions: round2(sum(only(all.executions, name => !durable.has(name))) / requests),
      historyEvents: mean(({ events }) => events),
      historyBytes: mean(({ bytes }) => bytes),
      batchCalls: round2(sum(batch)),
      devOpsCalls: round2(sum(devops)),
      callbackCalls: round2(sum(seen.callbacks) / requests),
    },
    functions: {
      least: functions[0] ?? 0,
      median: functions[Math.floor(functions.length / 2)] ?? 0,
      most: functions.at(-1) ?? 0,
    },
    routes: renamed({ ...batch, ...devops, ...share(seen.callbacks) }, shortRoute),
    round,
    rounds,
    idlePolls: receives - filled,
  };
}

/** The same long beginning in every route hides where they differ. */
const shortRoute = (call: string): string =>
  call.replace(/\/local\/(?::scope\/)?_apis\/distributedtask\/(?:hubs\/:hub\/)?/, '…');

export const round2 = (value: number): number => Math.round(value * 100) / 100;
