import { type Assumptions, assumptions, designedRound, durableBackend } from '../cost/assumptions.js';
import {
  dayOf,
  durableStorage,
  executionsOf,
  floorAgent,
  type PerAgent,
  perAgent,
  priceOf,
} from '../cost/model.js';
import { type Prices, prices } from '../cost/prices.js';
import type { ContenderName, Figure, Measured, RequestCost, WatchRound } from '../figure.js';

const source = 'per-request';
const order: readonly ContenderName[] = ['ours', 'article', 'monitor'];

/** What a day of so many agents takes and costs: a model on top of what was counted for single requests. */
export const cost: Figure = {
  name: 'cost',
  needs: [source],
  measure: async ({ earlier }) => {
    const { costs = [], watchRound = designedRound } = earlier?.get(source) ?? {};
    return costOf(costs, watchRound, assumptions, prices);
  },
};

/** @throws when the costs are not there, of two waits each */
export function costOf(
  costs: readonly RequestCost[],
  round: WatchRound,
  given: Assumptions,
  list: Prices,
): Measured {
  const counted = order.filter(name => costs.some(({ contender }) => contender === name));
  if (counted.length === 0) throw new Error('No cost of a request was counted.');
  const agents: readonly PerAgent[] = [...counted.map(name => perAgent(name, costs, given)), floorAgent];
  const minutes = given.hoursADay * 60;
  const unpriced = new Set<string>();
  const rows = given.agentsADay.flatMap(count =>
    agents.map(agent => {
      const use = dayOf(agent, count, round, given);
      const durable = durableStorage(use);
      const bill = priceOf(use, list, given);
      const perThousand = (amount: number): number => Math.round((amount / count) * 1_000);
      for (const what of bill.unpriced) unpriced.add(what);
      return {
        agents: count,
        contender: agent.contender,
        ownStorage: perThousand(use.ownTable + use.ownQueue + use.ownBlob),
        durableStorage: perThousand(durable.queue + durable.table),
        executions: perThousand(executionsOf(use)),
        calls: perThousand(use.devOpsCalls + use.batchCalls + use.callbackCalls),
        devOpsCalls: use.devOpsCalls / minutes,
        batchCalls: use.batchCalls / minutes,
        usd: bill.usd,
      };
    }),
  );
  const series = (names: readonly ContenderName[], pick: (row: (typeof rows)[number]) => number) =>
    names.map(name => ({
      name,
      points: rows.filter(row => row.contender === name).map(row => ({ x: row.agents, y: pick(row) })),
    }));
  return {
    title: 'Cost: a day of so many agents, by a model of what was counted',
    columns: [
      { key: 'agents', title: 'agents a day' },
      { key: 'contender', title: 'contender' },
      { key: 'ownStorage', title: 'own storage' },
      { key: 'durableStorage', title: "Durable's storage" },
      { key: 'executions', title: 'function runs' },
      { key: 'calls', title: 'calls' },
      { key: 'devOpsCalls', title: 'DevOps calls', unit: '/min' },
      { key: 'batchCalls', title: 'Batch calls', unit: '/min' },
      { key: 'usd', title: 'USD a day' },
    ],
    rows,
    curves: [
      {
        name: 'cost-usd',
        title: 'Storage and Functions, USD a day',
        x: { title: 'agents a day', log: true },
        y: { title: 'USD a day', log: true },
        series: series([...counted, 'floor'], row => row.usd),
      },
      {
        name: 'cost-devops-calls',
        title: 'Calls to Azure DevOps a minute',
        x: { title: 'agents a day', log: true },
        y: { title: 'calls a minute', log: true },
        series: series(
          counted.filter(name => rows.some(row => row.contender === name && row.devOpsCalls > 0)),
          row => row.devOpsCalls,
        ),
      },
    ],
    notes: notes(given, list, [...unpriced], hostStorage(costs)),
  };
}

function notes(
  given: Assumptions,
  list: Prices,
  unpriced: readonly string[],
  measured: string,
): readonly string[] {
  const known = Object.values(list).filter(({ usd }) => usd !== undefined);
  const missing = Object.values(list).filter(({ usd }) => usd === undefined);
  return [
    'Storage transactions, function executions and calls (to Azure DevOps, to Batch and back to pipelines) are for 1,000 ' +
      'agents; the last three columns are for all of them.',
    `Assumed: agents come evenly over ${given.hoursADay} h a day to one pool; ${given.waitSeconds} s from being asked ` +
      `for to online; jobs of ${given.jobSeconds / 60} min; a look every ${given.lookSeconds} s; pages of ` +
      `${given.page.toLocaleString('en-US')} entries; an execution keeps ${given.instanceGigabytes} GB for ` +
      `${given.executionSeconds} s.`,
    'What an agent takes of itself and what a look adds is split from the counts with a short and a ten times longer ' +
      'wait. The monitor looks for each agent until its job is over; ours looks once an interval for the whole pool, with ' +
      'further pages of rows and tasks when so many live at once. The article looks at nothing, so it knows of no agent ' +
      "that never came. Storage of our own is that of a request alone: what requests that meet share isn't counted on.",
    `Durable's storage is an estimate for the Azure Storage backend (${durableBackend.source}): ` +
      `${durableBackend.episode.queue} queue and ${durableBackend.episode.table} table transactions an episode, ` +
      `${durableBackend.activity.queue} queue transactions an activity; idle polling of queues and leases are left out. ` +
      `The host on this machine keeps its state in another way${measured}.`,
    'The agents themselves (virtual machines, network, registry), logs and free grants are left out.',
    `Prices: ${known.map(({ what, source: where, asOf }) => `${what} (${asOf}, ${where})`).join('; ')}.`,
    ...missing.map(
      ({ what }) =>
        `No price: ${what}. ${unpriced.includes(what) ? 'It was used, and is left out of the sums.' : 'It was not used.'}`,
    ),
  ];
}

/** What the local host has for itself: shown, and never priced. */
function hostStorage(costs: readonly RequestCost[]): string {
  const shortest = order.flatMap(name => {
    const [first] = costs
      .filter(({ contender }) => contender === name)
      .toSorted((a, b) => a.waitMs - b.waitMs);
    return first ? [first] : [];
  });
  const totals = shortest.map(({ contender, hostStorage: kinds }) => {
    const sum = Object.values(kinds).reduce((total, count) => total + count, 0);
    return `${contender} ${Math.round(sum * 10) / 10}`;
  });
  return totals.length === 0 ? '' : ` (transactions a request: ${totals.join(', ')})`;
}
