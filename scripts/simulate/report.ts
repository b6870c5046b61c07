import { colours } from '../agents/output.js';
import { table } from '../agents/table.js';
import { costOf, type Prices } from './prices.js';
import type { Outcome } from './tally.js';

/** A formula and what it made of a trace. */
export interface Contender {
  /** Its file, as it was given. */
  readonly formula: string;
  readonly outcome: Outcome;
}

const digits = (value: number, count: number): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: count, maximumFractionDigits: count });
const count = (value: number): string => digits(value, 0);
export const minutes = (value: number): string => (value < 10 ? digits(value, 1) : digits(value, 0));
const hours = (value: number): string => (value < 100 ? digits(value, 1) : digits(value, 0));

export const nodeHoursOf = ({ nodeHours }: Outcome): number => nodeHours.spot + nodeHours.dedicated;

/** The lines of the comparison; each a name and what to show of an outcome. */
function lines(prices: Prices): readonly (readonly [string, (outcome: Outcome) => string])[] {
  return [
    ['requests', ({ requests }) => count(requests)],
    ['never served', ({ unserved }) => count(unserved)],
    ['wait p50, min', ({ waitMinutes }) => minutes(waitMinutes.p50)],
    ['wait p90, min', ({ waitMinutes }) => minutes(waitMinutes.p90)],
    ['wait p95, min', ({ waitMinutes }) => minutes(waitMinutes.p95)],
    ['wait p99, min', ({ waitMinutes }) => minutes(waitMinutes.p99)],
    ['longest wait, min', ({ waitMinutes }) => minutes(waitMinutes.max)],
    ['node-hours', outcome => hours(nodeHoursOf(outcome))],
    ['  of them Spot', ({ nodeHours }) => hours(nodeHours.spot)],
    ['  of them dedicated', ({ nodeHours }) => hours(nodeHours.dedicated)],
    ['slots in use', ({ utilisation }) => `${count(100 * utilisation)} %`],
    ['most nodes at once', ({ peakNodes }) => count(peakNodes)],
    ['Spot nodes taken back', ({ evictions }) => count(evictions)],
    ['jobs interrupted', ({ interrupted }) => count(interrupted)],
    ['cost, USD', outcome => digits(costOf(outcome, prices), 2)],
  ];
}

/** Formulas side by side. */
export async function comparison(contenders: readonly Contender[], prices: Prices): Promise<string> {
  return table(
    ['', ...contenders.map(({ formula }) => formula)],
    lines(prices).map(([name, show]) => [name, ...contenders.map(({ outcome }) => show(outcome))]),
  );
}

/** Of the waits of a formula, and its node-hours, those of another that it is measured against. */
export function ratios(
  outcome: Outcome,
  other: Outcome,
): { readonly p95: number; readonly nodeHours: number } {
  return {
    p95: outcome.waitMinutes.p95 / other.waitMinutes.p95,
    nodeHours: nodeHoursOf(outcome) / nodeHoursOf(other),
  };
}

/** For scripts; without the timeline, which is for plots. */
export function asJson({ formula, outcome }: Contender, prices: Prices) {
  const { timeline: _, ...figures } = outcome;
  return { formula, ...figures, costUsd: costOf(outcome, prices) };
}

const bars = ' ▁▂▃▄▅▆▇█';
const columns = 72;

/** The timeline in letters: agents that waited and ran, and nodes, as lines of bars of the same scale each. */
export function sketch({ formula, outcome: { timeline } }: Contender): string {
  const nodes = timeline.spot.map((spot, span) => (spot ?? 0) + (timeline.dedicated[span] ?? 0));
  const line = (name: string, values: readonly number[]): string => {
    const most = Math.max(1, ...values);
    const cells = Array.from({ length: columns }, (_, cell) => {
      const from = Math.floor((cell * values.length) / columns);
      const to = Math.max(from + 1, Math.floor(((cell + 1) * values.length) / columns));
      const value = Math.max(0, ...values.slice(from, to));
      return bars[Math.ceil((value / most) * (bars.length - 1))] ?? ' ';
    });
    return `  ${name.padEnd(8)}${cells.join('')} ≤ ${count(Math.max(0, ...values))}`;
  };
  return [
    colours.bold(formula),
    line('waiting', timeline.waiting),
    line('running', timeline.running),
    line('nodes', nodes),
  ].join('\n');
}
