/** Text of one look; a line of a terminal is a row of them. */
export interface Run {
  readonly text: string;
  /** Column of its first character, from 0. */
  readonly column: number;
  /** Of the sixteen colours of a terminal; undefined is the usual one. */
  readonly colour: number | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
}

type Look = Omit<Run, 'text' | 'column'>;

const plain: Look = { colour: undefined, bold: false, dim: false };
// oxlint-disable-next-line no-control-regex -- control sequences begin with a control character
const sequence = /\u001b\[([\d;]*)m/g;
const reset = new Set(['\u001b[m', '\u001b[0m']);

/**
 * A line as `tmux capture-pane -e` gives it, taken apart by its looks.
 *
 * @returns no run for spaces alone: they show nothing.
 */
export function styledText(line: string): Run[] {
  const runs: Run[] = [];
  let look = plain;
  let column = 0;
  let from = 0;
  const take = (text: string): void => {
    const shown = text.trimEnd();
    const spaces = shown.length - shown.trimStart().length;
    if (shown !== '') runs.push({ text: shown.trimStart(), column: column + spaces, ...look });
    column += text.length;
  };
  for (const match of line.matchAll(sequence)) {
    take(line.slice(from, match.index));
    from = match.index + match[0].length;
    look = changed(look, (match[1] ?? '').split(';').map(Number));
  }
  take(line.slice(from));
  return runs;
}

/** A terminal's looks last over the ends of lines. Each line is made to tell its own, so that it can stand anywhere. */
export function selfContained(lines: readonly string[]): string[] {
  let looks = '';
  return lines.map(line => {
    const whole = looks + line;
    const codes = whole.match(sequence) ?? [];
    looks = codes.slice(codes.findLastIndex(code => reset.has(code)) + 1).join('');
    return whole;
  });
}

/** What is not known, such as a background, changes nothing. */
function changed(look: Look, codes: readonly number[]): Look {
  let now = look;
  for (const code of codes) {
    if (code === 0) now = plain;
    else if (code === 1) now = { ...now, bold: true };
    else if (code === 2) now = { ...now, dim: true };
    else if (code === 22) now = { ...now, bold: false, dim: false };
    else if (code >= 30 && code <= 37) now = { ...now, colour: code - 30 };
    else if (code === 39) now = { ...now, colour: undefined };
    else if (code >= 90 && code <= 97) now = { ...now, colour: code - 82 };
    // Colours beyond the sixteen have numbers of their own, which are no codes.
    else if (code === 38 || code === 48) break;
  }
  return now;
}
