import { isMap, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import * as z from 'zod';
import { type FileProblem, InputError } from '../input-error.js';

/**
 * A trace as a recipe: how many ask in which hour, and for what. So a year is a page that people can read and change, and
 * the same seed makes the same year.
 */
export type Recipe = z.infer<typeof Recipe>;
export type JobKind = z.infer<typeof JobKind>;

const clock = z
  .string()
  .regex(/^([01]?\d|2[0-3]):[0-5]\d$/, 'It must be an hour of the day such as 09:30.')
  .transform(text => {
    const [hours = 0, minutes = 0] = text.split(':').map(Number);
    return hours * 60 + minutes;
  });

const days = z.enum(['every day', 'weekdays', 'weekend']);

const JobKind = z.strictObject({
  name: z.string(),
  /** Of the requests, beside those of the other kinds. */
  share: z.number().positive(),
  /** Agents that one pipeline asks for at once. */
  agents: z.union([
    z.int().min(1).max(1000),
    z.tuple([z.int().min(1), z.int().max(1000)]).refine(([least, most]) => least <= most, 'The first must be the smaller one.'),
  ]).default(1),
  minutes: z.number().positive().max(1440),
  spread: z.number().min(0).max(5).default(0.5),
  slots: z.int().min(1).max(64).default(1),
});

const hours = z.array(z.number().min(0)).length(24, 'It must have 24 numbers, one for each hour of the day.');

const Recipe = z.strictObject({
  made: z.string().optional(),
  start: z.iso.date(),
  days: z.int().min(1).max(3660),
  seed: z.int().min(0),
  /** Pipelines in each hour of the day. */
  weekday: hours,
  weekend: hours,
  jobs: z.array(JobKind).min(1),
  bursts: z
    .array(
      z.strictObject({
        days: days.default('every day'),
        at: clock,
        agents: z.int().min(1).max(100_000),
        /** Minutes over which they come. */
        over: z.number().min(0).max(1440).default(0),
        minutes: z.number().positive().max(1440),
        spread: z.number().min(0).max(5).default(0.5),
        slots: z.int().min(1).max(64).default(1),
      }),
    )
    .default([]),
});

/** @throws InputError that names every place */
export function readRecipe(file: string, text: string): Recipe {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  if (document.errors.length > 0) {
    throw new InputError(
      document.errors.map(({ pos, message }) => ({
        ...place(pos[0]),
        cause: message.split(/ at line \d/)[0] ?? message,
      })),
    );
  }
  const read = Recipe.safeParse(document.toJS());
  if (read.success) return read.data;
  const problems = read.error.issues.flatMap((issue): FileProblem[] => {
    const name = issue.path.map(String).join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(key => ({
        ...place(offsetOf(document.contents, [...issue.path, key], 'key')),
        cause: `There is no "${key}" in ${name === '' ? 'a recipe' : `"${name}"`}.`,
      }));
    }
    return [
      {
        ...place(offsetOf(document.contents, issue.path, 'value')),
        cause: `${name === '' ? 'The recipe' : `"${name}"`}: ${issue.message}`,
      },
    ];
  });
  throw new InputError(problems);
}

/** Where a value stands, or the nearest thing around it that does; of an unknown key, the key. */
function offsetOf(root: Node | null, path: readonly PropertyKey[], want: 'key' | 'value'): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    const isLast = depth === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find(item => isPair(item) && isScalar(item.key) && item.key.value === step);
      if (!pair) return offset;
      if (isLast && want === 'key' && isScalar(pair.key)) return pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (hasItems(node) && typeof step === 'number') {
      node = node.items[step];
    } else return offset;
    offset = rangeOf(node) ?? offset;
  }
  return offset;
}

function hasItems(node: unknown): node is { readonly items: readonly unknown[] } {
  return typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items);
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const [first] = node.range;
  return typeof first === 'number' ? first : undefined;
}
