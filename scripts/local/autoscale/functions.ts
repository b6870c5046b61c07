import {
  type Compiled,
  double,
  type Frame,
  fail,
  failForSamples,
  isDouble,
  type NumberValue,
  Stopped,
  type VectorValue,
} from './compiled.js';
import type { Place } from './syntax.js';
import { parseTime } from './times.js';

/** The predefined functions. What the service's page leaves open is decided beside each. */

interface CallPlace {
  readonly at: Place;
  /** Where each argument stands. */
  readonly args: readonly Place[];
}

/** @returns a sentence when the arguments can't be right. */
type FunctionCompiler = (args: readonly Compiled[], place: CallPlace) => Compiled | string;

type ListItem = NumberValue<'double'> | VectorValue;
const isListItem = (value: Compiled): value is ListItem => isDouble(value) || value.type === 'doubleVec';

/** Puts doubles and vectors, in any order, into one vector. */
function gather(items: readonly ListItem[]): (frame: Frame) => readonly number[] {
  const [first] = items;
  if (items.length === 1 && first?.type === 'doubleVec') return first.run;
  return frame => {
    const values: number[] = [];
    for (const item of items) {
      if (item.type === 'double') values.push(item.run(frame));
      else for (const value of item.run(frame)) values.push(value);
    }
    return values;
  };
}

/** `avg` and its like: one double of a list. */
function ofList(
  name: string,
  least: number,
  compute: (values: readonly number[]) => number,
): FunctionCompiler {
  return (args, { at }) => {
    const items = args.filter(isListItem);
    if (items.length < args.length) return `${name}() takes doubles and vectors, not ${typesOf(args)}.`;
    if (items.length < least && items.every(isDouble)) return `${name}() takes at least ${atLeast(least)}.`;
    const values = gather(items);
    if (least === 0) return double(frame => compute(values(frame)));
    const vectors = items.filter(item => item.type === 'doubleVec');
    const samplesOf = vectors.find(vector => vector.samplesOf !== undefined)?.samplesOf;
    return double(frame => {
      const list = values(frame);
      return list.length < least ? tooFew(name, least, list.length, samplesOf, at) : compute(list);
    });
  };
}

const atLeast = (least: number): string => (least === 1 ? '1 value' : `${least} values`);

/** That there must be a value is our decision: there is no greatest of none, and a made one would scale a pool. */
function tooFew(name: string, least: number, found: number, samplesOf: string | undefined, at: Place): never {
  if (samplesOf !== undefined) {
    return failForSamples(at, samplesOf, `wanted at least ${least} for ${name}(), received ${found}`);
  }
  return fail(
    at,
    `${name}() needs at least ${atLeast(least)}; there ${found === 1 ? 'is 1' : `are ${found}`}.`,
  );
}

/** `lg` and its like: a double of a double, else a vector of a list, element by element. */
function ofEach(name: string, compute: (value: number, at: Place) => number): FunctionCompiler {
  return (args, { at }) => {
    const items = args.filter(isListItem);
    if (items.length < args.length) return `${name}() takes doubles and vectors, not ${typesOf(args)}.`;
    const [first] = items;
    if (!first) return `${name}() takes at least 1 argument.`;
    if (items.length === 1 && first.type === 'double') {
      const { run } = first;
      return double(frame => compute(run(frame), at));
    }
    const values = gather(items);
    return { type: 'doubleVec', run: frame => values(frame).map(value => compute(value, at)) };
  };
}

/** Its value is not documented for what has no logarithm; minus infinity can't have been meant. */
const logarithm = (name: string, compute: (value: number) => number): FunctionCompiler =>
  ofEach(name, (value, at) =>
    value > 0 ? compute(value) : fail(at, `${name}(${value}): only numbers above 0 have a logarithm.`),
  );

const sum = (values: readonly number[]): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};
const greatest = (values: readonly number[]): number => {
  let best = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > best) best = value;
  return best;
};
const smallest = (values: readonly number[]): number => {
  let best = Number.POSITIVE_INFINITY;
  for (const value of values) if (value < best) best = value;
  return best;
};
const mean = (values: readonly number[]): number => sum(values) / values.length;

/** Of a sample: divided by one less than there are values. */
function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(sum(values.map(value => (value - middle) ** 2)) / (values.length - 1));
}

/** `percentile(v, p)` and `val(v, i)`: an element of a vector. */
function elementOf(
  name: string,
  shape: string,
  pick: (values: readonly number[], which: number, at: Place) => number,
): FunctionCompiler {
  return (args, { at }) => {
    const [vector, which] = args;
    if (args.length !== 2 || vector?.type !== 'doubleVec' || !which || !isDouble(which)) {
      return `${name}() takes a vector and a double, ${shape}, not ${typesOf(args)}.`;
    }
    return double(frame => {
      const values = vector.run(frame);
      if (values.length === 0) tooFew(name, 1, 0, vector.samplesOf, at);
      return pick(values, which.run(frame), at);
    });
  };
}

/** The element of the nearest rank, as the page speaks of an element of the vector; never a value between two. */
function percentileOf(values: readonly number[], percent: number, at: Place): number {
  if (!(percent >= 0 && percent <= 100)) fail(at, `percentile() is of 0 to 100, not of ${percent}.`);
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
}

const elementAt = (values: readonly number[], index: number, at: Place): number =>
  values[index] ?? fail(at, `val() has elements 0 to ${values.length - 1} here, not ${index}.`);

const noArguments =
  (name: string, value: Compiled): FunctionCompiler =>
  args =>
    args.length === 0 ? value : `${name}() takes no argument.`;

const timeOf: FunctionCompiler = (args, { at, args: places }) => {
  const [text] = args;
  if (!text) return { type: 'timestamp', run: frame => frame.input.now };
  if (args.length > 1 || text.type !== 'string')
    return `time() takes nothing or one text, not ${typesOf(args)}.`;
  return {
    type: 'timestamp',
    run: frame => {
      const given = text.run(frame);
      // Its documented default, which means now.
      if (given === '') return frame.input.now;
      return parseTime(given) ?? fail(places[0] ?? at, notATime(given));
    },
  };
};

export const notATime = (text: string): string =>
  `"${text}" is no time of the W3C (2026-11-24T18:00:00Z) or of RFC 1123 (Tue, 24 Nov 2026 18:00:00 GMT).`;

/** One for all: where it was thrown is of no interest. */
const stopped = new Stopped();
const stop = (): never => {
  throw stopped;
};

/** `ceil`, `floor` and `round` are on the present page and were not on earlier ones; halves round away from zero. */
export const functions: ReadonlyMap<string, FunctionCompiler> = new Map([
  ['avg', ofList('avg', 1, mean)],
  ['ceil', ofEach('ceil', Math.ceil)],
  ['floor', ofEach('floor', Math.floor)],
  ['len', ofList('len', 0, values => values.length)],
  ['lg', logarithm('lg', Math.log2)],
  ['ln', logarithm('ln', Math.log)],
  ['log', logarithm('log', Math.log10)],
  ['max', ofList('max', 1, greatest)],
  ['min', ofList('min', 1, smallest)],
  ['norm', ofList('norm', 0, values => Math.sqrt(sum(values.map(value => value ** 2))))],
  ['percentile', elementOf('percentile', 'the percent', percentileOf)],
  [
    'rand',
    noArguments(
      'rand',
      double(() => Math.random()),
    ),
  ],
  ['range', ofList('range', 1, values => greatest(values) - smallest(values))],
  ['round', ofEach('round', value => Math.sign(value) * Math.round(Math.abs(value)))],
  ['std', ofList('std', 2, deviation)],
  ['stop', noArguments('stop', { type: 'nothing', run: stop })],
  ['sum', ofList('sum', 0, sum)],
  ['time', timeOf],
  ['val', elementOf('val', 'the place from 0', elementAt)],
]);

export const typesOf = (args: readonly Compiled[]): string =>
  args.length === 0 ? 'nothing' : args.map(({ type }) => type).join(', ');
