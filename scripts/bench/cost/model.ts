import type { ContenderName, RequestCost, WatchRound } from '../figure.js';
import { type Assumptions, durableBackend, looksDuringJob } from './assumptions.js';
import type { Prices } from './prices.js';

/** What some number of agents take; counts. */
export interface Use {
  /** Of the contender's own table, queues and blobs. */
  readonly ownTable: number;
  readonly ownQueue: number;
  readonly ownBlob: number;
  readonly episodes: number;
  readonly activities: number;
  readonly otherFunctions: number;
  readonly batchCalls: number;
  readonly devOpsCalls: number;
  readonly callbackCalls: number;
}

const combine = (pick: (key: keyof Use) => number): Use => ({
  ownTable: pick('ownTable'),
  ownQueue: pick('ownQueue'),
  ownBlob: pick('ownBlob'),
  episodes: pick('episodes'),
  activities: pick('activities'),
  otherFunctions: pick('otherFunctions'),
  batchCalls: pick('batchCalls'),
  devOpsCalls: pick('devOpsCalls'),
  callbackCalls: pick('callbackCalls'),
});

/** What one agent takes of itself, and what each look at it adds. */
export interface PerAgent {
  readonly contender: ContenderName;
  readonly base: Use;
  readonly aLook: Use;
}

const nothing: Use = combine(() => 0);

/** What is kept and queued by the bare work; by definition, there is nothing to count. */
export const floorAgent: PerAgent = {
  contender: 'floor',
  base: { ...nothing, ownTable: 1, ownQueue: 1 },
  aLook: nothing,
};

/**
 * Splits what was counted with a short and with a long wait into what an agent takes of itself and what each look adds.
 *
 * @throws unless there are two waits; the article, which looks at nothing, may have one
 */
export function perAgent(
  contender: ContenderName,
  costs: readonly RequestCost[],
  { lookSeconds }: Pick<Assumptions, 'lookSeconds'>,
): PerAgent {
  const [short, ...longer] = costs
    .filter(cost => cost.contender === contender)
    .toSorted((a, b) => a.waitMs - b.waitMs);
  const long = longer.at(-1);
  if (contender === 'article' && short && !long) return { contender, base: toUse(short), aLook: nothing };
  if (!short || !long || long.waitMs === short.waitMs)
    throw new Error(`The cost of a request of ${contender} was not counted with two waits.`);
  const intervalMs = lookSeconds * 1_000;
  const [little, much] = [toUse(short), toUse(long)];
  const moreLooks = (long.waitMs - short.waitMs) / intervalMs;
  // A wait that is longer never takes less; what looks like it is a look that fell on the other side.
  const aLook = combine(key => Math.max(0, much[key] - little[key]) / moreLooks);
  const shortLooks = short.waitMs / intervalMs;
  return {
    contender,
    aLook,
    base: combine(key => Math.max(0, little[key] - aLook[key] * shortLooks)),
  };
}

function toUse(cost: RequestCost): Use {
  const { ownStorage, episodes, activities, otherFunctions, batchCalls, devOpsCalls, callbackCalls } = cost;
  return {
    ...countServices(ownStorage),
    episodes,
    activities,
    otherFunctions,
    batchCalls,
    devOpsCalls,
    callbackCalls,
  };
}

/** The kinds name their service: `queue send`, or `POST queue/agent-requests/messages` as the storage counts it. */
function countServices(kinds: RequestCost['ownStorage']): Pick<Use, 'ownTable' | 'ownQueue' | 'ownBlob'> {
  const counts = { table: 0, queue: 0, blob: 0 };
  for (const [kind, count] of Object.entries(kinds)) {
    const service = /\b(table|queue|blob)\b/.exec(kind)?.[1];
    if (service === 'table' || service === 'queue' || service === 'blob') counts[service] += count;
    else throw new Error(`It is not known which storage service "${kind}" is of.`);
  }
  return { ownTable: counts.table, ownQueue: counts.queue, ownBlob: counts.blob };
}

/**
 * What a day of so many agents takes, all on one agent pool and one Batch job.
 *
 * @param round what one look of our watch takes
 */
export function dayOf(agent: PerAgent, agents: number, round: WatchRound, given: Assumptions): Use {
  const { waitSeconds, jobSeconds, lookSeconds } = given;
  const looked = waitSeconds + (looksDuringJob[agent.contender] ? jobSeconds : 0);
  const looks = agents * (looked / lookSeconds);
  const watch = agent.contender === 'ours' ? watchOf(agents, round, given) : nothing;
  return combine(key => agents * agent.base[key] + looks * agent.aLook[key] + watch[key]);
}

/** Agents at the same moment, on average over the hours in which they come. */
const aliveAtOnce = (agents: number, { waitSeconds, jobSeconds, hoursADay }: Assumptions): number =>
  (agents * (waitSeconds + jobSeconds)) / (hoursADay * 3_600);

/** The watch looks once an interval while anything lives, however much that is; only its lists have more pages. */
function watchOf(agents: number, round: WatchRound, given: Assumptions): Use {
  const { waitSeconds, jobSeconds, lookSeconds, hoursADay, page } = given;
  const liveSeconds = Math.min(hoursADay * 3_600, agents * (waitSeconds + jobSeconds));
  const looks = liveSeconds / lookSeconds;
  const pages = Math.max(1, Math.ceil(aliveAtOnce(agents, given) / page));
  const { ownTable, ownQueue, ownBlob } = countServices(round.ownStorage);
  return {
    ...nothing,
    episodes: looks * round.episodes,
    activities: looks * round.activities,
    devOpsCalls: looks * round.devOpsCalls,
    batchCalls: looks * round.batchCalls * pages,
    ownTable: looks * ownTable * pages,
    ownQueue: looks * ownQueue,
    ownBlob: looks * ownBlob,
  };
}

/** Transactions of Durable's backend in the cloud, estimated. */
export const durableStorage = ({
  episodes,
  activities,
}: Pick<Use, 'episodes' | 'activities'>): { readonly queue: number; readonly table: number } => ({
  queue: episodes * durableBackend.episode.queue + activities * durableBackend.activity.queue,
  table: episodes * durableBackend.episode.table + activities * durableBackend.activity.table,
});

export const executionsOf = ({ episodes, activities, otherFunctions }: Use): number =>
  episodes + activities + otherFunctions;

export interface Bill {
  readonly usd: number;
  /** What was used and has no known price: it is not in the sum. */
  readonly unpriced: readonly string[];
}

export function priceOf(use: Use, prices: Prices, given: Assumptions): Bill {
  const durable = durableStorage(use);
  const executions = executionsOf(use);
  const amounts: Readonly<Record<keyof Prices, number>> = {
    table: use.ownTable + durable.table,
    queue: use.ownQueue + durable.queue,
    blob: use.ownBlob,
    execution: executions,
    gigabyteSecond: executions * given.executionSeconds * given.instanceGigabytes,
  };
  let usd = 0;
  const unpriced: string[] = [];
  for (const [name, amount] of Object.entries(amounts)) {
    const price = Object.entries(prices).find(([key]) => key === name)?.[1];
    if (amount === 0 || !price) continue;
    if (price.usd === undefined) unpriced.push(price.what);
    else usd += amount * price.usd;
  }
  return { usd, unpriced };
}
