import type { Frame } from './frames.js';
import { type Run, styledText } from './styled-text.js';

export interface Film {
  readonly frames: readonly Frame[];
  readonly columns: number;
  readonly rows: number;
  /** For those who can't see it, and above the terminal. */
  readonly title: string;
}

const cell = { width: 8, height: 16 } as const;
const margin = 16;
const bar = 34;

/** Black, red, green, yellow, blue, magenta, cyan and white, and then the same brighter. */
const light = ['24292f', 'b3202c', '116329', '7d4e00', '0550ae', '7028a0', '0f626c', '57606a'];
const dark = ['8b949e', 'ff8b81', '56d364', 'e3b341', '79c0ff', 'd2a8ff', '66d9e8', 'e6edf3'];

/**
 * A film as one SVG without a script: the frames stand side by side, each line of text is written once, and one CSS
 * animation moves from frame to frame. Who asked for less motion sees the last frame, and so does who can't animate.
 */
export function toSvg({ frames, columns, rows, title }: Film): string {
  const width = columns * cell.width + 2 * margin;
  const height = rows * cell.height + bar + margin;
  const lines = new Map<string, string>();
  const strip = frames.map(({ lines: shown }, index) => {
    const uses = shown.flatMap((line, row) => {
      const runs = drawLine(line);
      if (runs === '') return [];
      const id = lines.get(runs) ?? lines.set(runs, `l${lines.size.toString(36)}`).get(runs);
      return [`<use href="#${id}" y="${row * cell.height}"/>`];
    });
    return `<svg x="${index * width}" width="${width}">${uses.join('')}</svg>`;
  });
  const last = -(frames.length - 1) * width;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${escape(title)}</title>
<style>
${look(width, frames)}
</style>
<defs>
${[...lines].map(([runs, id]) => `<g id="${id}">${runs}</g>`).join('\n')}
</defs>
<rect class="ground" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
<text class="head" x="${width / 2}" y="22">${escape(title)}</text>
<svg x="${margin}" y="${bar}" width="${width - margin}" height="${height - bar}">
<g class="film" transform="translate(${last})">
${strip.join('\n')}
</g>
</svg>
</svg>
`;
}

function look(width: number, frames: readonly Frame[]): string {
  const total = frames.reduce((sum, { forMs }) => sum + forMs, 0);
  let at = 0;
  const keys = frames.map(({ forMs }, index) => {
    const key = `${Number(((at / total) * 100).toFixed(2))}%{transform:translate(${-index * width}px)}`;
    at += forMs;
    return key;
  });
  const lastKey = `100%{transform:translate(${-(frames.length - 1) * width}px)}`;
  const palette = (colours: readonly string[], ground: string, edge: string, ink: string): string =>
    [
      `.ground{fill:#${ground};stroke:#${edge}}`,
      `text{fill:#${ink}}`,
      ...colours.map((colour, index) => `.c${index},.c${index + 8}{fill:#${colour}}`),
    ].join('');
  return `text{font:13.3px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;white-space:pre}
.head{text-anchor:middle;opacity:.75}
.b{font-weight:700}.d{opacity:.7}
${palette(light, 'f6f8fa', 'd0d7de', '1f2328')}
@media (prefers-color-scheme:dark){${palette(dark, '0d1117', '30363d', 'e6edf3')}}
@media (prefers-reduced-motion:no-preference){.film{animation:film ${(total / 1_000).toFixed(1)}s step-end infinite}}
@keyframes film{${keys.join('')}${lastKey}}`;
}

/** The grid is kept whatever font there is: each piece of text is told how wide it is. */
function drawLine(line: string): string {
  return styledText(line).flatMap(pieces).map(drawPiece).join('');
}

/** Long gaps are left out, so that a font that keeps no spaces does no harm. */
function pieces(run: Run): Run[] {
  return [...run.text.matchAll(/\S+(?: \S+)*/g)].map(({ 0: text, index }) => ({
    ...run,
    text,
    column: run.column + index,
  }));
}

function drawPiece({ text: shown, column, colour, bold, dim }: Run): string {
  const classes = [colour !== undefined && `c${colour}`, bold && 'b', dim && 'd'].filter(Boolean).join(' ');
  const length = shown.length * cell.width;
  return (
    `<text x="${column * cell.width}" y="12"${classes ? ` class="${classes}"` : ''} textLength="${length}" ` +
    `lengthAdjust="spacingAndGlyphs">${escape(shown)}</text>`
  );
}

const escape = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
