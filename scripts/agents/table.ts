import widthOf from 'string-width';
import { colours, flat, screenWidth, wrap } from './output.js';

const gap = 2;
/** A last column that is narrower than this is better read below its row. */
const readable = 28;

/**
 * A table without lines, so that `grep` and `awk` can read it, too. Where a terminal is too narrow for it, the last
 * column goes below its row, and if that is not enough each row becomes a block of lines: cells are never torn.
 */
export async function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width = screenWidth(),
): Promise<string> {
  const cells = rows.map(row => row.map(cell => flat(cell) || '–'));
  const widths = head.map((name, index) =>
    Math.max(name.length, ...cells.map(row => widthOf(row[index] ?? ''))),
  );
  const lastLess = widths.slice(0, -1).reduce((sum, each) => sum + each + gap, 0);
  const last = widths.at(-1) ?? 0;
  if (width === undefined || lastLess + last <= width) return draw(head, cells, widths);
  if (lastLess + readable <= width) return draw(head, cells, [...widths.slice(0, -1), width - lastLess]);
  if (lastLess - gap <= width) {
    const [names, ...lines] = (
      await draw(
        head.slice(0, -1),
        cells.map(row => row.slice(0, -1)),
        widths.slice(0, -1),
      )
    ).split('\n');
    const below = cells.map((row, index) => `${lines[index]}\n${wrap(row.at(-1) ?? '', width, '    ')}`);
    return [names, ...below].join('\n');
  }
  const label = Math.max(...head.map(name => name.length)) + gap;
  return cells
    .map(row =>
      row
        .map((cell, index) => {
          const [first = '', ...rest] = wrap(cell, width - label - 2).split('\n');
          const begin = `${index === 0 ? '' : '  '}${colours.bold((head[index] ?? '').padEnd(label))}${first}`;
          return [begin, ...rest.map(line => `${' '.repeat(label + 2)}${line}`)].join('\n');
        })
        .join('\n'),
    )
    .join('\n');
}

const none = '';
const noLines = {
  top: none,
  'top-mid': none,
  'top-left': none,
  'top-right': none,
  bottom: none,
  'bottom-mid': none,
  'bottom-left': none,
  'bottom-right': none,
  left: none,
  'left-mid': none,
  mid: none,
  'mid-mid': none,
  right: none,
  'right-mid': none,
  middle: ' '.repeat(gap),
};

async function draw(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  widths: readonly number[],
): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const drawn = new Table({
    head: head.map(name => colours.bold(name)),
    chars: noLines,
    colWidths: [...widths],
    wordWrap: true,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  drawn.push(...rows.map(row => [...row]));
  return drawn
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n');
}
