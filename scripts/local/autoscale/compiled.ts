import type { EvaluationInput, FormulaProblem } from './formula.js';
import type { Place } from './syntax.js';

/**
 * What a formula becomes: functions of a frame, made once. Statements follow each other without branches, so the type of
 * every expression and variable is known before anything is evaluated; no value carries its type.
 */

/** The values of one evaluation. Every assignment has a place of its own, so a variable may change its type. */
export class Frame {
  /** Doubles; timestamps and time intervals in milliseconds. */
  readonly numbers: number[] = [];
  readonly vectors: (readonly number[])[] = [];
  readonly texts: string[] = [];
  /** Statements that were evaluated to their end. */
  done = 0;

  constructor(readonly input: EvaluationInput) {}
}

export type NumberType = 'double' | 'timestamp' | 'timeinterval';

export interface NumberValue<T extends NumberType = NumberType> {
  readonly type: T;
  readonly run: (frame: Frame) => number;
}
export interface VectorValue {
  readonly type: 'doubleVec';
  readonly run: (frame: Frame) => readonly number[];
  /** The variable that these are samples of: named when there are too few. */
  readonly samplesOf?: string;
}
export interface TextValue {
  readonly type: 'string' | 'deallocation option';
  readonly run: (frame: Frame) => string;
}
/** What `stop()` is: nothing comes after it, so it may stand for any type. */
export interface NoValue {
  readonly type: 'nothing';
  readonly run: (frame: Frame) => never;
}
export type Compiled = NumberValue | VectorValue | TextValue | NoValue;

export const isNumber = (value: Compiled): value is NumberValue =>
  value.type === 'double' || value.type === 'timestamp' || value.type === 'timeinterval';

export const isDouble = (value: Compiled): value is NumberValue<'double'> => value.type === 'double';

export const double = (run: (frame: Frame) => number): NumberValue<'double'> => ({ type: 'double', run });

/** Ends an evaluation: there is no result. */
export class EvaluationFailure extends Error {
  constructor(readonly problem: FormulaProblem) {
    super(problem.cause);
  }
}

/** Ends an evaluation: what was assigned so far counts. */
export class Stopped extends Error {}

export const fail = ({ line, column }: Place, cause: string): never => {
  throw new EvaluationFailure({ line, column, cause });
};

export const failForSamples = ({ line, column }: Place, variable: string, rest: string): never => {
  throw new EvaluationFailure({
    line,
    column,
    cause: `Insufficient data from data set: ${variable} ${rest}`,
    code: 'InsufficientSampleData',
  });
};
