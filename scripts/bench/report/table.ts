import Table from 'cli-table3';
import pc from 'picocolors';
import { headOf, showCell } from './cell.js';
import { type FigureResult, goalsOf, type Results } from './results.js';

/** Characters in a line, borders included: what fits beside an editor. */
const width = 100;

interface Text {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Which columns hold numbers. */
  readonly right?: readonly boolean[];
}

/** Draws a table that is no wider than a terminal, as far as that goes without breaking words. */
function draw({ head, rows, right = [] }: Text, paint = (text: string, _column: number) => text): string {
  const column = (index: number): string[] => rows.map(row => row[index] ?? '');
  const widest = head.map((title, index) => longest([title, ...column(index)]));
  const narrowest = head.map((title, index) => longest([title, ...column(index)].flatMap(words)));
  // Many columns do without the space beside their borders.
  const padding = narrowest.reduce((sum, one) => sum + one + 3, 1) > width ? 0 : 1;
  const widths = [...widest];
  while (widths.reduce((sum, one) => sum + one + 2 * padding + 1, 1) > width) {
    const slack = widths.map((one, index) => (one > (narrowest[index] ?? 0) ? one : 0));
    const most = Math.max(...slack);
    if (most === 0) break;
    widths[slack.indexOf(most)] = most - 1;
  }
  const table = new Table({
    head: head.map(title => pc.bold(title)),
    style: { head: [], border: [], 'padding-left': padding, 'padding-right': padding },
    // cli-table3 counts its padding.
    colWidths: widths.map(one => one + 2 * padding),
    colAligns: head.map((_, index) => (right[index] ? 'right' : 'left')),
    wordWrap: true,
  });
  table.push(...rows.map(row => row.map((text, index) => paint(text, index))));
  const lines = table.toString().split('\n');
  // Between rows of one line each, rules only make a table longer.
  const oneLine = widths.every((one, index) => longest(column(index)) <= one);
  const ruleBelowHead = lines.findIndex(isRule);
  return lines.filter((line, index) => !oneLine || !isRule(line) || index === ruleBelowHead).join('\n');
}

const words = (text: string): string[] => text.split(' ');
const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map(text => text.length));
const isRule = (line: string): boolean => line.startsWith('├');

export function figureTable({ columns, rows }: Pick<FigureResult, 'columns' | 'rows'>): string {
  return draw({
    head: columns.map(headOf),
    rows: rows.map(row => columns.map(({ key }) => showCell(row[key]))),
    right: columns.map(({ key }) => rows.every(row => typeof row[key] !== 'string')),
  });
}

export function goalsTable(results: Pick<Results, 'figures'>): string {
  const goals = goalsOf(results);
  return draw(
    {
      head: ['figure', 'goal', 'measured', 'holds'],
      rows: goals.map(({ figure, text, measured, holds }) => [figure, text, measured, holds ? 'yes' : 'no']),
    },
    (text, column) => (column < 3 ? text : text === 'yes' ? pc.green(text) : pc.red(text)),
  );
}

/** Breaks a sentence into lines, the further ones indented. */
export function wrap(text: string, indent = '  '): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + word.length + 1 > width) {
      lines.push(line);
      line = indent;
    }
    line += line && line !== indent ? ` ${word}` : word;
  }
  return [...lines, line].join('\n');
}
