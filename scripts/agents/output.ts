import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import widthOf from 'string-width';

/** Results go to stdout, everything else to stderr: a pipe gets what it was made for. */
export const print = (text: string): void => void process.stdout.write(`${plain(text)}\n`);
/** What is made up of our own colours, and of texts of others that went through `flat` or `wrap`. */
export const printStyled = (text: string): void => void process.stdout.write(`${text}\n`);
export const printJson = (value: unknown): void => printStyled(visible(JSON.stringify(value, undefined, 2)));
/** One object a line, for what goes on. */
export const printJsonLine = (value: unknown): void => printStyled(visible(JSON.stringify(value)));
export function remark(text: string): void {
  const width = process.stderr.isTTY ? process.stderr.columns || 80 : undefined;
  const lines = plain(text)
    .split('\n')
    .map(line => (widthOf(line) > (width ?? Infinity) ? wrap(line, width) : line));
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** Colours are for terminals, also where CI makes picocolors think otherwise. It knows NO_COLOR itself. */
export const colours = pc.createColors(
  pc.isColorSupported && (process.stdout.isTTY || Boolean(process.env['FORCE_COLOR'])),
);

/**
 * Whether lines can be drawn over: what is shown can move. A terminal that says it has no columns, as those of some
 * recorders and containers do, would have the spinner clear lines without end.
 */
export const isLively = (): boolean =>
  process.stdout.isTTY && process.stdout.columns > 0 && process.env['TERM'] !== 'dumb';

/** How many columns there are; undefined where no terminal cuts lines. */
export const screenWidth = (): number | undefined =>
  process.stdout.isTTY ? Math.max(process.stdout.columns || 80, 40) : undefined;

/** What moves the cursor, or turns the direction of what follows. Line breaks and tabs are harmless. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Texts come from containers and other systems: what would move the cursor, hide what follows or rename the window is
 * taken out, colours too.
 */
const plain = (text: string): string => stripVTControlCharacters(text).replaceAll(unseen, '');

/** JSON leaves some of them as they are; escaped they mean the same. */
const visible = (json: string): string =>
  json.replaceAll(unseen, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** @param limit in columns: an emoji takes two. */
export function shorten(text: string, limit: number): string {
  if (widthOf(text) <= limit) return text;
  let short = '';
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += widthOf(segment);
    if (width >= limit) break;
    short += segment;
  }
  return `${short}…`;
}

/** On one line, without what would move the cursor. */
export const flat = (text: string): string => plain(text.replaceAll(/\s+/g, ' ')).trim();

/** `2026-01-31 10:00:00`, UTC. */
export const time = (iso: string | null): string => (iso ?? '–').replace('T', ' ').replace(/\.\d+Z$|Z$/, '');

/** `1 dead letter`, `2 dead letters`. */
export const count = (number: number, thing: string): string =>
  `${number} ${thing}${number === 1 ? '' : 's'}`;

/** `850 ms`, `12 s`, `3 min 4 s`, `2 h 5 min`; a dash for null. */
export function duration(milliseconds: number | null): string {
  if (milliseconds === null) return '–';
  const whole = Math.max(0, milliseconds);
  if (whole < 1_000) return `${Math.round(whole)} ms`;
  const seconds = Math.floor(whole / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What does not fit on the line that it began goes below it. */
export function hang(beginning: string, text: string): string {
  const width = screenWidth();
  if (width === undefined || widthOf(`${beginning}${text}`) <= width) return `${beginning}${text}`;
  return `${beginning.trimEnd()}\n${wrap(text, width, '    ')}`;
}

/** Breaks a text at blanks. @param width undefined: not at all. */
export function wrap(text: string, width: number | undefined, indent = ''): string {
  if (width === undefined) return `${indent}${flat(text)}`;
  const lines: string[] = [];
  let line = '';
  for (const word of flat(text).split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && indent.length + widthOf(longer) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].map(each => `${indent}${each}`).join('\n');
}
