import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../root.js';
import { endOfParameters } from '../formula-file.js';
import { costOf, usualPrices } from '../prices.js';
import { minutes, nodeHoursOf, ratios } from '../report.js';
import { simulate } from '../simulation.js';
import type { World } from '../world.js';
import {
  type Comparison,
  capped,
  committedFormula,
  committedTrace,
  compare,
  fiveAgentsANode,
  oneAgentANode,
  type Parameters,
  type TraceName,
} from './committed.js';

/** The goals: waits and node-hours of ours, as parts of the article's. */
export const goals = { p95: 0.25, nodeHours: 0.8 } as const;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const markdown = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map((_, index) => (index === 0 ? '---' : '--:'))), ...rows.map(row)].join('\n');
const hours = (value: number): string => Math.round(value).toLocaleString('en-US');
const part = (value: number): string => value.toFixed(2);
const bold = (text: string, isBold: boolean): string => (isBold ? `**${text}**` : text);

/** The parameters of our formula, as its own comments explain them. */
export function parameterTable(): string {
  const text = readFileSync(join(root, 'infra', 'autoscale', 'agents.formula'), 'utf8');
  const [head = ''] = text.split(endOfParameters);
  const rows = [...head.matchAll(/^(\w+) = (\S+);[ \t]*(?:\/\/ (.+))?$/gm)].map(
    ([, name = '', value = '', says = 'likewise']) => [`\`${name}\``, value, says],
  );
  return [row(['parameter', 'default', 'is']), row(['---', '--:', '---']), ...rows.map(row)].join('\n');
}

const traces: Readonly<Record<TraceName, string>> = {
  'office-day': 'office day',
  'release-storm': 'release storm',
  weekend: 'weekend',
  'steady-day': 'steady day',
  year: 'year, 10,000 agents a day',
};

/** Both formulas on a trace: a line of the results. */
function resultLine(name: string, { article, ours }: Comparison): readonly string[] {
  const { p95, nodeHours } = ratios(ours, article);
  return [
    name,
    ours.requests.toLocaleString('en-US'),
    `${minutes(article.waitMinutes.p50)} → ${minutes(ours.waitMinutes.p50)}`,
    `${minutes(article.waitMinutes.p95)} → ${minutes(ours.waitMinutes.p95)}`,
    bold(part(p95), p95 <= goals.p95),
    `${hours(nodeHoursOf(article))} → ${hours(nodeHoursOf(ours))}`,
    bold(part(nodeHours), nodeHours <= goals.nodeHours),
    `${hours(costOf(article, usualPrices))} → ${hours(costOf(ours, usualPrices))}`,
  ];
}

const resultHead = ['trace', 'agents', 'p50, min', 'p95, min', 'part', 'node-hours', 'part', 'USD'];

const days = ['office-day', 'release-storm', 'weekend', 'steady-day'] as const;

/** Days under both formulas; each number "the article's → ours". */
export function resultTable(): string {
  return markdown(resultHead, [
    ...days.map(name => resultLine(traces[name], compare(name, oneAgentANode, capped(100)))),
    resultLine(
      'steady day, five agents a node, 20 nodes',
      compare('steady-day', fiveAgentsANode, capped(20)),
    ),
  ]);
}

/** The results in short, for the front page. @param year the table of the year, which takes too long to be made for a test */
export function readmeTable(year: string): string {
  const wholeYear = year.split('\n').find(line => line.includes('one agent a node')) ?? '';
  const [, , agents = '', , waits = '', , nodeHours = ''] = wholeYear.split('|').map(cell => cell.trim());
  const rows = days.map(name => {
    const line = resultLine(traces[name], compare(name, oneAgentANode, capped(100)));
    return [0, 1, 3, 5].map(column => line[column] ?? '');
  });
  return markdown(
    ['the article’s → ours', 'agents', 'p95 of the waits, minutes', 'node-hours'],
    [...rows, [traces.year, agents, waits, nodeHours]],
  );
}

export function yearTable(): string {
  return markdown(resultHead, [
    resultLine('one agent a node, 500 nodes', compare('year', oneAgentANode, capped(500))),
    resultLine('five agents a node, 100 nodes', compare('year', fiveAgentsANode, capped(100))),
  ]);
}

interface Assumption {
  readonly says: string;
  readonly world: World;
  readonly parameters: Parameters;
}

const usual = { world: oneAgentANode, parameters: capped(100) };
const otherwise = (says: string, change: Partial<World>, parameters: Parameters = {}): Assumption => ({
  says,
  world: { ...usual.world, ...change },
  parameters: { ...usual.parameters, ...parameters },
});

/** What the results could depend on. */
const assumptions: readonly Assumption[] = [
  otherwise('as above', {}),
  otherwise('nodes boot in 2 min', { bootMinutes: 2 }),
  otherwise('nodes boot in 6 min', { bootMinutes: 6 }),
  otherwise('nodes boot in 8 min', { bootMinutes: 8 }),
  otherwise('no prefetch: the first task of a node pulls', { prefetch: false }),
  otherwise('samples come 3 min late', { sampleDelaySeconds: 180 }),
  otherwise('a fifth of the samples is lost', { sampleLoss: 0.2 }),
  otherwise('no evaluation during a resize', { whileResizing: 'wait' }),
  otherwise('any node may be removed, not the idle ones first', { removal: 'any' }),
  otherwise('evaluation every 15 min', { intervalMinutes: 15 }),
  otherwise('Spot nodes taken back every 3 hours', { evictionsPerHour: 1 / 3 }),
  otherwise(
    'no Spot from 9 to 14 h; ours may have 50 dedicated nodes',
    { spotShort: [{ from: 9, to: 14 }] },
    { maxDedicatedNodes: 50 },
  ),
  otherwise('at most 40 nodes', {}, capped(40)),
  otherwise('five agents a node, at most 20 nodes', { slots: 5 }, capped(20)),
  otherwise('as the article has it: five agents a node, at most 4 nodes', { slots: 5 }, capped(4)),
];

const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** Ten days of each kind under each assumption: parts of the article's p95 and node-hours, median and range. */
export function assumptionTable(): string {
  const names = ['office-day', 'release-storm'] as const;
  return markdown(
    ['assumed', ...names.flatMap(name => [`${traces[name]}: p95`, 'part', 'part of node-hours'])],
    assumptions.map(({ says, world, parameters }) => [
      says,
      ...names.flatMap(name => {
        const runs = seeds.map(seed => compare(name, world, parameters, seed));
        const found = runs.map(({ ours, article }) => ratios(ours, article));
        const of = (list: readonly number[]) => ({ middle: median(list), text: range(list) });
        const p95 = of(found.map(each => each.p95));
        const nodeHours = of(found.map(each => each.nodeHours));
        const waits = (who: keyof Comparison) => minutes(median(runs.map(run => run[who].waitMinutes.p95)));
        return [
          `${waits('article')} → ${waits('ours')}`,
          bold(p95.text, p95.middle <= goals.p95),
          bold(nodeHours.text, nodeHours.middle <= goals.nodeHours),
        ];
      }),
    ]),
  );
}

/** What a parameter of ours buys, and for how much. */
export function choiceTable(): string {
  const names = ['office-day', 'release-storm', 'steady-day'] as const;
  const choices: readonly (readonly [string, Parameters])[] = [
    ['the defaults', {}],
    ['`holdMinutes` 5', { holdMinutes: 5 }],
    ['`holdMinutes` 20', { holdMinutes: 20 }],
    ['`holdMinutes` 60', { holdMinutes: 60 }],
    ['`sparePercent` 0', { sparePercent: 0 }],
    ['`sparePercent` 50', { sparePercent: 50 }],
    ['`sparePercent` 100', { sparePercent: 100 }],
    ['`officeNodes` 10', { officeNodes: 10 }],
    ['`officeNodes` 20', { officeNodes: 20 }],
    ['`maxLowPriorityNodes` 25', { maxLowPriorityNodes: 25 }],
  ];
  return markdown(
    ['', ...names.flatMap(name => [`${traces[name]}: p50`, 'p95', 'node-hours'])],
    choices.map(([says, parameters]) => [
      says,
      ...names.flatMap(name => {
        const formula = committedFormula('agents', { ...capped(100), ...parameters });
        const runs = seeds
          .slice(0, 5)
          .map(seed => simulate(committedTrace(name, seed), formula, { ...oneAgentANode, seed }));
        return [
          minutes(median(runs.map(({ waitMinutes }) => waitMinutes.p50))),
          minutes(median(runs.map(({ waitMinutes }) => waitMinutes.p95))),
          hours(median(runs.map(nodeHoursOf))),
        ];
      }),
    ]),
  );
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor((sorted.length - 1) / 2);
  return ((sorted[middle] ?? 0) + (sorted[sorted.length - 1 - middle] ?? 0)) / 2;
}

const range = (values: readonly number[]): string =>
  `${part(median(values))} (${part(Math.min(...values))}–${part(Math.max(...values))})`;
