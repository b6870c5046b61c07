import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../root.js';
import { plot } from '../plot.js';
import { capped, committedTrace, compare, oneAgentANode } from './committed.js';
import {
  assumptionTable,
  choiceTable,
  parameterTable,
  readmeTable,
  resultTable,
  yearTable,
} from './tables.js';

/** The parts of the page that are made, by the name that they have there. */
export const parts = {
  parameters: parameterTable,
  results: resultTable,
  choices: choiceTable,
  assumptions: assumptionTable,
  year: yearTable,
} as const;
type Part = keyof typeof parts | 'readme';

export const page = join('.github', 'docs', 'autoscale.md');
const plotted = { 'office-day': 'An office day', 'release-storm': 'A release storm' } as const;

/** Writes the made parts into the page, and the plots beside it. */
export async function writePage(say: (line: string) => void): Promise<void> {
  let text = await readFile(join(root, page), 'utf8');
  for (const name of partNames(text)) {
    say(`${name} …`);
    text = withPart(text, name, parts[name]());
  }
  await writeFile(join(root, page), text);
  say(`wrote ${page}`);
  const readme = join(root, 'README.md');
  const front = await readFile(readme, 'utf8');
  await writeFile(readme, withPart(front, 'readme', readmeTable(partOf(text, 'year'))));
  say('wrote README.md');
  for (const name of ['office-day', 'release-storm'] as const) {
    const file = join('.github', 'images', `autoscale-${name}.svg`);
    await writeFile(join(root, file), await plotOf(name));
    say(`wrote ${file}`);
  }
}

/** Both formulas on a trace, the article's above. */
export async function plotOf(name: keyof typeof plotted): Promise<string> {
  const { article, ours } = compare(name, oneAgentANode, capped(100));
  return plot(
    plotted[name],
    [
      { formula: 'article.formula', outcome: article },
      { formula: 'agents.formula', outcome: ours },
    ],
    committedTrace(name),
  );
}

const marks = (name: Part) => [`<!-- simulate:${name}:begin -->`, `<!-- simulate:${name}:end -->`] as const;

function partNames(text: string): readonly (keyof typeof parts)[] {
  return (['parameters', 'results', 'choices', 'assumptions', 'year'] as const).filter(name =>
    text.includes(marks(name)[0]),
  );
}

/** What stands in a page between the marks of a part. */
export function partOf(text: string, name: Part): string {
  const [begin, end] = marks(name);
  const [, rest = '', ...more] = text.split(begin);
  const [part, after, ...evenMore] = rest.split(end);
  if (part === undefined || after === undefined || more.length + evenMore.length > 0) {
    throw new Error(`The page must have ${begin} and after it ${end}, once each.`);
  }
  return part.trim();
}

function withPart(text: string, name: Part, made: string): string {
  const [begin, end] = marks(name);
  partOf(text, name);
  const before = text.slice(0, text.indexOf(begin));
  const after = text.slice(text.indexOf(end) + end.length);
  return `${before}${begin}\n\n${made}\n\n${end}${after}`;
}
