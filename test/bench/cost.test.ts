import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { assumptions, designedRound } from '../../scripts/bench/cost/assumptions.js';
import { dayOf, floorAgent, perAgent, priceOf } from '../../scripts/bench/cost/model.js';
import { prices } from '../../scripts/bench/cost/prices.js';
import type { RequestCost } from '../../scripts/bench/figure.js';
import { costOf } from '../../scripts/bench/figures/cost.js';
import { madeUpCost } from './made-up.js';

const ours = [madeUpCost('ours', 20_000), madeUpCost('ours', 200_000)];
/** Looks every five seconds: 4 looks in the short wait, 40 in the long one. */
const monitorOf = (looks: number, waitMs: number): RequestCost =>
  madeUpCost('monitor', waitMs, {
    ownStorage: {},
    episodes: 5 + 2 * looks,
    activities: 4 + looks,
    devOpsCalls: 1 + looks,
    batchCalls: 2 + looks,
  });
const monitor = [monitorOf(4, 20_000), monitorOf(40, 200_000)];

const split = suite('what an agent takes');

split('that does not grow with the wait is all its own', () => {
  const { base, aLook } = perAgent('ours', ours, assumptions);
  assert.equal(
    [base.ownTable, base.ownQueue, base.ownBlob, base.episodes, base.activities, base.devOpsCalls],
    [8, 3, 0, 7, 8, 2],
  );
  assert.ok(Object.values(aLook).every(amount => amount === 0));
});

split('that grows with the wait is split into its own and that of a look, in any order', () => {
  const { base, aLook } = perAgent('monitor', monitor.toReversed(), assumptions);
  assert.equal([base.episodes, base.activities, base.devOpsCalls, base.batchCalls], [5, 4, 1, 2]);
  assert.equal([aLook.episodes, aLook.activities, aLook.devOpsCalls, aLook.batchCalls], [2, 1, 1, 1]);
});

split('can not be told from one wait', () => {
  assert.throws(() => perAgent('monitor', monitor.slice(1), assumptions), /two waits/);
  assert.throws(() => perAgent('monitor', ours, assumptions), /two waits/);
});

split('of an unknown kind of storage is not left out in silence', () => {
  const odd = ours.map(cost => ({ ...cost, ownStorage: { 'POST files/x': 1 } }));
  assert.throws(() => perAgent('ours', odd, assumptions), /POST files\/x/);
});

split.run();

const day = suite('a day');
const round = designedRound;
const given = {
  ...assumptions,
  waitSeconds: 60,
  jobSeconds: 540,
  lookSeconds: 5,
  hoursADay: 10,
  page: 1_000,
};

day('of the monitor: each agent looks for itself until its job is over', () => {
  const use = dayOf(perAgent('monitor', monitor, given), 1_000, round, given);
  assert.is(use.devOpsCalls, 1_000 * (1 + 600 / 5));
});

day('of ours: the pool is looked at once an interval, for ten as for ten thousand', () => {
  const agent = perAgent('ours', ours, given);
  const looks = (10 * 3_600) / 5;
  for (const agents of [100, 10_000]) {
    const use = dayOf(agent, agents, round, given);
    assert.is(use.devOpsCalls, agents * 2 + looks);
    assert.is(use.episodes, agents * 7 + looks);
  }
});

day('of ours: lists have more pages when more than a thousand live at once, and nothing else grows', () => {
  const agent = perAgent('ours', ours, given);
  // 180,060 × 600 s / 36,000 s: 3,001 at once.
  const use = dayOf(agent, 180_060, round, given);
  assert.is(use.batchCalls, 180_060 * 3 + 4 * 7_200);
  assert.is(use.ownTable, 180_060 * 8 + 4 * 7_200);
  assert.is(use.devOpsCalls, 180_060 * 2 + 7_200);
});

day('of ours: a look takes what was counted for one', () => {
  const counted = { ...round, ownStorage: { 'table query': 2 }, devOpsCalls: 3 };
  const agent = perAgent('ours', ours, given);
  const use = dayOf(agent, 1_000, counted, given);
  assert.is(use.devOpsCalls, 1_000 * 2 + 3 * 7_200);
  assert.is(use.ownTable, 1_000 * 8 + 2 * 7_200);
});

day('of few agents: nothing is looked at while none lives', () => {
  const use = dayOf(perAgent('ours', ours, given), 1, round, given);
  assert.is(use.devOpsCalls, 2 + 600 / 5);
});

day.run();

const bill = suite('the bill');
const list = {
  ...prices,
  table: { ...prices.table, usd: 1 },
  queue: { ...prices.queue, usd: 10 },
  execution: { ...prices.execution, usd: 100 },
  gigabyteSecond: { ...prices.gigabyteSecond, usd: 1_000 },
};

bill('of the floor is a row and a message', () => {
  assert.equal(priceOf(dayOf(floorAgent, 3, round, given), list, given), {
    usd: 3 * 1 + 3 * 10,
    unpriced: [],
  });
});

bill("has Durable's storage and the time of all executions in it", () => {
  const use = { ...dayOf(floorAgent, 0, round, given), episodes: 1, activities: 1, otherFunctions: 1 };
  const expected = 3 * 1 + (3 + 3) * 10 + 3 * 100 + 3 * 0.1 * 2 * 1_000;
  assert.ok(Math.abs(priceOf(use, list, given).usd - expected) < 1e-9);
});

bill('names what has no price and was used', () => {
  const { usd, unpriced } = priceOf({ ...dayOf(floorAgent, 0, round, given), ownBlob: 5 }, list, given);
  assert.is(usd, 0);
  assert.equal(unpriced, [prices.blob.what]);
});

bill.run();

const figure = suite('the cost figure');

figure('has a row for each contender and size, and curves for them', () => {
  const { rows, curves = [], notes = [] } = costOf([...ours, ...monitor], designedRound, assumptions, prices);
  assert.is(rows.length, 3 * assumptions.agentsADay.length);
  const at = (contender: string, agents: number) =>
    rows.find(row => row['contender'] === contender && row['agents'] === agents);
  assert.is(at('floor', 1_000)?.['ownStorage'], 2_000);
  assert.ok(Number(at('ours', 1_000_000)?.['usd']) < Number(at('monitor', 1_000_000)?.['usd']));
  assert.equal(
    curves.map(({ name, series }) => [name, series.map(one => one.name)]),
    [
      ['cost-usd', ['ours', 'monitor', 'floor']],
      ['cost-devops-calls', ['ours', 'monitor']],
    ],
  );
  const text = notes.join('\n');
  for (const part of ['60 s', '10 min', 'every 5 s', '1,000 entries', prices.table.source, prices.table.asOf])
    assert.ok(text.includes(part), part);
});

figure('is not there without counts', () => {
  assert.throws(() => costOf([], designedRound, assumptions, prices), /No cost/);
});

figure.run();
