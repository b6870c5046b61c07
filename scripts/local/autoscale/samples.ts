import { type Compiled, double, type Frame, failForSamples, isDouble, type NumberValue } from './compiled.js';
import type { EvaluationInput, SampledVariable } from './formula.js';
import { typesOf } from './functions.js';
import type { Place } from './syntax.js';

/** The methods of sampled variables. */

/** @returns a sentence when the arguments can't be right. */
type MethodCompiler = (variable: SampledVariable, args: readonly Compiled[], at: Place) => Compiled | string;

type Moment = NumberValue<'timestamp' | 'timeinterval'>;
const isMoment = (value: Compiled | undefined): value is Moment =>
  value?.type === 'timestamp' || value?.type === 'timeinterval';

/** An interval is a way back from now. */
const momentOf = ({ type, run }: Moment): ((frame: Frame) => number) =>
  type === 'timestamp' ? run : frame => frame.input.now - run(frame);

const nowOf = (frame: Frame): number => frame.input.now;

/**
 * The span between two moments, whichever is given first: the service's own examples name the later one first
 * (`GetSample(1 * TimeInterval_Minute, 6 * TimeInterval_Minute)`). Its older end is left out, so that ten minutes are
 * the documented 20 samples, and neighbouring spans share none.
 */
class Span {
  readonly #start: (frame: Frame) => number;
  readonly #end: (frame: Frame) => number;

  constructor(
    readonly variable: SampledVariable,
    start: Moment,
    end: Moment | undefined,
  ) {
    this.#start = momentOf(start);
    this.#end = end ? momentOf(end) : nowOf;
  }

  values({ from, to }: { from: number; to: number }, { input }: Frame): readonly number[] {
    return input.history.between(this.variable, from, to);
  }

  count({ from, to }: { from: number; to: number }, { input: { history } }: Frame): number {
    return history.count
      ? history.count(this.variable, from, to)
      : history.between(this.variable, from, to).length;
  }

  ends(frame: Frame): { from: number; to: number; possible: number } {
    const one = this.#start(frame);
    const other = this.#end(frame);
    const earlier = Math.min(one, other);
    const to = Math.max(one, other);
    // A span shorter than a period has one sample in it at the most.
    const possible = Math.max(1, Math.floor((to - earlier) / frame.input.history.periodMs));
    return { from: Math.floor(earlier) + 1, to, possible };
  }
}

const percentOf = (count: number, possible: number): number => Math.min(100, (100 * count) / possible);

/** Sample percentages are shown as the service does, without a fraction. */
const shown = (percent: number): string => `${Math.floor(percent)}%`;

const getSample: MethodCompiler = (variable, args, at) => {
  const [start, second, third] = args;
  if (args.length === 1 && start && isDouble(start)) {
    return {
      type: 'doubleVec',
      samplesOf: variable,
      run: frame => frame.input.history.latest(variable, Math.max(0, Math.floor(start.run(frame)))),
    };
  }
  const end = isMoment(second) ? second : undefined;
  const percent = end ? third : second;
  const right =
    isMoment(start) &&
    (percent === undefined || isDouble(percent)) &&
    args.length === 1 + Number(end !== undefined) + Number(percent !== undefined);
  if (!right) {
    return (
      'GetSample() takes a count, or a start and, if wanted, an end (timestamps or timeintervals) and a percentage, ' +
      `not ${typesOf(args)}.`
    );
  }
  const span = new Span(variable, start, end);
  if (!percent) {
    return { type: 'doubleVec', samplesOf: variable, run: frame => span.values(span.ends(frame), frame) };
  }
  const run = (frame: Frame): readonly number[] => {
    const ends = span.ends(frame);
    const values = span.values(ends, frame);
    const wanted = percent.run(frame);
    const received = percentOf(values.length, ends.possible);
    return received < wanted
      ? failForSamples(at, variable, `wanted ${wanted}%, received ${shown(received)}`)
      : values;
  };
  return { type: 'doubleVec', samplesOf: variable, run };
};

/** A double, as all examples use it, though the page gives its type as doubleVec. */
const getSamplePercent: MethodCompiler = (variable, args) => {
  const [start, end] = args;
  if (args.length < 1 || args.length > 2 || !isMoment(start) || (end !== undefined && !isMoment(end))) {
    return `GetSamplePercent() takes a start and, if wanted, an end (timestamps or timeintervals), not ${typesOf(args)}.`;
  }
  const span = new Span(variable, start, end);
  return double(frame => {
    const ends = span.ends(frame);
    return percentOf(span.count(ends, frame), ends.possible);
  });
};

const withoutArguments =
  (name: string, make: (variable: SampledVariable, at: Place) => Compiled): MethodCompiler =>
  (variable, args, at) =>
    args.length === 0 ? make(variable, at) : `${name}() takes no argument.`;

export const methods: ReadonlyMap<string, MethodCompiler> = new Map([
  ['GetSample', getSample],
  ['GetSamplePercent', getSamplePercent],
  [
    'GetSamplePeriod',
    withoutArguments('GetSamplePeriod', () => ({
      type: 'timeinterval',
      run: frame => frame.input.history.periodMs,
    })),
  ],
  [
    'Count',
    withoutArguments('Count', variable =>
      double(({ input: { history, now } }) => {
        const from = history.beginsAt;
        if (from === undefined) return 0;
        return history.count
          ? history.count(variable, from, now)
          : history.between(variable, from, now).length;
      }),
    ),
  ],
  [
    'HistoryBeginTime',
    withoutArguments('HistoryBeginTime', (variable, at) => ({
      type: 'timestamp',
      run: ({ input }) => input.history.beginsAt ?? failForSamples(at, variable, 'has no sample yet'),
    })),
  ],
]);

/**
 * What a variable is that stands alone, without a method: what there is now, else its newest sample. The service's page
 * writes only numbers of nodes and of slots so; of the others, too, it is known from formulas that were in use there.
 */
export function plainNumber(variable: SampledVariable, at: Place): NumberValue<'double'> {
  const thereIs = present[variable];
  return double(
    ({ input }) =>
      thereIs?.(input) ??
      input.history.latest(variable, 1)[0] ??
      failForSamples(at, variable, 'has no sample yet'),
  );
}

const present: Partial<Record<SampledVariable, (input: EvaluationInput) => number | undefined>> = {
  $TaskSlotsPerNode: input => input.taskSlotsPerNode,
  $CurrentDedicatedNodes: input => input.currentDedicatedNodes,
  $CurrentLowPriorityNodes: input => input.currentLowPriorityNodes,
};
