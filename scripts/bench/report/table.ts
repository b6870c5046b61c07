import Table from 'cli-table3';
import pc from 'picocolors';
import { headOf, showCell } from './cell.js';
import { type FigureResult, goalsOf, type Results } from './results.js';

/** Characters in a line, borders included: what fits beside an editor. */
const width = 100;
const narrowest = 6;
const paddingAndBorder = 3;

interface Text {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Which columns hold numbers. */
  readonly right?: readonly boolean[];
}

/** Draws a table that is never wider than a terminal: its widest columns are broken between words. */
function draw({ head, rows, right = [] }: Text, paint = (text: string, _column: number) => text): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map(row => row[column]?.length ?? 0)),
  );
  const total = (): number => widths.reduce((sum, one) => sum + one + paddingAndBorder, 1);
  while (total() > width) {
    const widest = Math.max(...widths);
    if (widest <= narrowest) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  const table = new Table({
    head: head.map(title => pc.bold(title)),
    style: { head: [], border: [] },
    // cli-table3 counts its padding.
    colWidths: widths.map(one => one + 2),
    colAligns: head.map((_, column) => (right[column] ? 'right' : 'left')),
    wordWrap: true,
  });
  table.push(...rows.map(row => row.map((text, column) => paint(text, column))));
  return table.toString();
}

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
