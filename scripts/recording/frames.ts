/** All that a terminal had shown at a moment, what has scrolled away included. */
export interface Capture {
  readonly atMs: number;
  readonly lines: readonly string[];
}

/** What fits on the screen, and how long it stays. */
export interface Frame {
  readonly lines: readonly string[];
  readonly forMs: number;
}

export interface Pace {
  readonly rows: number;
  /** What the film is made to last, its last frame included. */
  readonly totalMs: number;
  /** How long the last frame stays. */
  readonly lastMs: number;
}

/** While nothing happens nobody wants to wait; what flashes by nobody can read. */
const shortestMs = 250;
const longestMs = 1_200;
/** A part of a long text that came at once. */
const pageMs = 900;

/**
 * A film of what a command showed: waits are cut short, and what came faster than it can be read goes by in pages.
 *
 * @param captures in the order of time.
 * @returns frames that differ from the ones before them, and last `totalMs` together.
 */
export function framesOf(captures: readonly Capture[], { rows, totalMs, lastMs }: Pace): Frame[] {
  const frames: { lines: readonly string[]; forMs: number }[] = [];
  const show = (lines: readonly string[], forMs: number): void => {
    const last = frames.at(-1);
    if (last !== undefined && isSame(last.lines, lines)) last.forMs += forMs;
    else frames.push({ lines, forMs });
  };
  let length = 0;
  for (const [index, { atMs, lines }] of captures.entries()) {
    const next = captures[index + 1];
    const step = Math.max(1, Math.floor(rows * 0.75));
    for (let end = Math.max(length + step, rows); end < lines.length; end += step) {
      show(screen(lines.slice(0, end), rows), pageMs);
    }
    show(screen(lines, rows), next === undefined ? 0 : next.atMs - atMs);
    length = lines.length;
  }
  const cut = frames.map(({ lines, forMs }) => ({
    lines,
    forMs: Math.min(longestMs, Math.max(shortestMs, forMs)),
  }));
  const before = cut.slice(0, -1);
  const taken = before.reduce((sum, { forMs }) => sum + forMs, 0);
  const factor = taken > 0 ? (totalMs - lastMs) / taken : 1;
  return [
    ...before.map(({ lines, forMs }) => ({ lines, forMs: forMs * factor })),
    ...cut.slice(-1).map(({ lines }) => ({ lines, forMs: before.length > 0 ? lastMs : totalMs })),
  ];
}

const screen = (lines: readonly string[], rows: number): readonly string[] => lines.slice(-rows);

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((line, index) => line === other[index]);
