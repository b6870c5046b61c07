import { machineLine } from '../machine.js';
import { headOf, showCell } from './cell.js';
import { goalsOf, type Results } from './results.js';

const begin = '<!-- bench:begin -->';
const end = '<!-- bench:end -->';

const escape = (text: string): string => text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly boolean[] = [],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(' | ')} |`;
  const rule = `|${head.map((_, column) => (right[column] ? '---:' : '---')).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/**
 * All of a run as a part of a page: what everybody should see, and the figures for who opens them.
 *
 * @param images folder of the plots, as seen from the page
 */
export function toMarkdown(results: Results, images: string): string {
  const goals = goalsOf(results);
  const parts = [
    `Measured on ${results.startedAt.slice(0, 10)} in ${Math.ceil(results.tookSeconds / 60)} min: ${machineLine(results.machine)}.`,
    ...(goals.length > 0
      ? [
          table(
            ['goal', 'measured', 'holds'],
            goals.map(({ text, measured, holds }) => [text, measured, holds ? 'yes' : '**no**']),
          ),
        ]
      : []),
  ];
  for (const { title, columns, rows, notes = [], curves = [] } of results.figures) {
    parts.push(
      ...curves.map(curve => `![${curve.title}](${images}/bench-${curve.name}.svg)`),
      `<details><summary>${title}</summary>`,
      table(
        columns.map(headOf),
        rows.map(row => columns.map(({ key }) => showCell(row[key]))),
        columns.map(({ key }) => rows.every(row => typeof row[key] !== 'string')),
      ),
    );
    if (notes.length > 0) parts.push(notes.map(note => `- ${note}`).join('\n'));
    parts.push('</details>');
  }
  return parts.join('\n\n');
}

/**
 * Puts a run between the two marks of a text, in place of what stood there.
 *
 * @throws when the text has not one of each, in that order
 */
export function insertIntoPage(page: string, markdown: string): string {
  const [before, rest, ...more] = page.split(begin);
  const [, after, ...evenMore] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined || more.length + evenMore.length > 0) {
    throw new Error(`The page must have ${begin} and after it ${end}, once each.`);
  }
  return `${before}${begin}\n\n${markdown}\n\n${end}${after}`;
}
