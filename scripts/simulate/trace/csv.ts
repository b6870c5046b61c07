import { type FileProblem, InputError } from '../input-error.js';
import { type Arrival, day, minute, type Trace, traceOf } from './trace.js';

/** Traces without dates begin on this day, a Monday: formulas may ask. */
const someMonday = Date.parse('2026-03-02T00:00:00Z');
const longest = 10 * 366 * day;

interface Cell {
  readonly text: string;
  /** From 1. */
  readonly column: number;
}

/**
 * Reads a trace of lines `at,minutes[,slots]`: `at` is a time such as 09:30 or 33:10:05 from the midnight before, or a date
 * and time in ISO 8601. Empty lines, lines that begin with `#`, and a first line of names are left out.
 *
 * @throws InputError that names every bad cell
 */
export function readCsv(file: string, text: string, slotsOfNode: number): Trace {
  const problems: FileProblem[] = [];
  const arrivals: Arrival[] = [];
  let dated: boolean | undefined;
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    if (content.trim() === '' || content.startsWith('#')) continue;
    if (arrivals.length === 0 && /^\s*at\s*,\s*minutes\b/i.test(content)) continue;
    const line = index + 1;
    const complain = (column: number, cause: string): undefined => {
      problems.push({ file, line, column, cause });
      return undefined;
    };
    const [first, second, third, ...rest] = cellsOf(content);
    const [surplus] = rest;
    if (surplus) complain(surplus.column, 'A line has at most three values: at,minutes,slots.');
    const time = first && timeOf(first.text);
    if (!time) {
      complain(1, `"${first?.text}" is no time: 09:30, 33:10:05 or 2026-03-02T09:30:00Z is meant.`);
    } else if (dated !== undefined && dated !== time.dated) {
      complain(first.column, 'A trace has either times or dates with times, not both.');
    } else {
      dated = time.dated;
    }
    const minutes = second
      ? numberOf(second, 'minutes that the job runs, more than 0 and at most 1440', 0, 1440, complain)
      : complain(content.length + 1, 'The minutes that the job runs are missing.');
    const slots = third ? numberOf(third, 'slots, a whole number of at least 1', 0, 255, complain) : 1;
    if (third && slots !== undefined && !Number.isInteger(slots)) {
      complain(third.column, `"${third.text}" is no number of slots, a whole number of at least 1.`);
    } else if (third && slots !== undefined && slots > slotsOfNode) {
      complain(third.column, `No node has ${slots} slots: they have ${slotsOfNode}.`);
    }
    if (time && minutes !== undefined && slots !== undefined) {
      arrivals.push({ at: time.at, runs: minutes * minute, slots });
    }
  }
  if (problems.length === 0 && arrivals.length === 0) problems.push({ file, cause: 'It has no request.' });
  const times = arrivals.map(({ at }) => at);
  const startsAt = dated
    ? Math.floor(times.reduce((one, other) => Math.min(one, other), Infinity) / day) * day
    : someMonday;
  const offset = dated ? startsAt : 0;
  const last = times.reduce((one, other) => Math.max(one, other), 0) - offset;
  if (problems.length === 0 && last > longest) {
    problems.push({ file, cause: 'From its first to its last request it takes more than ten years.' });
  }
  if (problems.length > 0) throw new InputError(problems);
  return traceOf(
    file,
    arrivals.map(arrival => ({ ...arrival, at: arrival.at - offset })),
    { startsAt, lasts: (Math.floor(last / day) + 1) * day },
  );
}

function cellsOf(line: string): Cell[] {
  let column = 1;
  return line.split(',').map(text => {
    const cell = { text: text.trim(), column: column + (text.length - text.trimStart().length) };
    column += text.length + 1;
    return cell;
  });
}

/** @returns ms since midnight, or since the epoch where a date is given */
function timeOf(text: string): { readonly at: number; readonly dated: boolean } | undefined {
  const clock = /^(\d{1,6}):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  if (clock) {
    const [, hours = 0, minutes = 0, seconds = 0] = clock.map(part => Number(part ?? 0));
    return { at: ((hours * 60 + minutes) * 60 + seconds) * 1000, dated: false };
  }
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : { at, dated: true };
}

function numberOf(
  { text, column }: Cell,
  meant: string,
  above: number,
  most: number,
  complain: (column: number, cause: string) => undefined,
): number | undefined {
  const value = Number(text);
  return /^\d+(\.\d+)?$/.test(text) && value > above && value <= most
    ? value
    : complain(column, `"${text}" is no number of ${meant}.`);
}
