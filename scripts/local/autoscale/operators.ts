import { type Compiled, double, type Frame, fail, isDouble, isNumber, type VectorValue } from './compiled.js';
import type { BinaryOperator, Place } from './syntax.js';

/**
 * The operators, for exactly the pairs of types that the service's page lists. What it does not list is refused, even
 * where the meaning is plain (a double times a vector): it may be refused there too, and then only once deployed.
 */

type Numbers = (frame: Frame) => number;
type Arithmetic = '+' | '-' | '*' | '/';

const isArithmetic = (operator: BinaryOperator): operator is Arithmetic => '+-*/'.includes(operator);

/** @returns undefined when the operator does not take these types. */
export function binary(
  operator: BinaryOperator,
  left: Compiled,
  right: Compiled,
  at: Place,
): Compiled | undefined {
  if (operator === '&&' || operator === '||') {
    return isDouble(left) && isDouble(right) ? logical(operator, left.run, right.run) : undefined;
  }
  if (isArithmetic(operator)) return arithmetic(operator, left, right, at);
  if (left.type === 'string' && right.type === 'string') {
    const [one, other, compare] = [left.run, right.run, texts[operator]];
    return double(frame => Number(compare(one(frame), other(frame))));
  }
  if (isNumber(left) && isNumber(right) && left.type === right.type) {
    return double(comparison(operator, left.run, right.run));
  }
  return undefined;
}

/** @returns undefined when the operator does not take this type. */
export function unary(operator: '-' | '!', operand: Compiled): Compiled | undefined {
  if (isDouble(operand)) {
    const { run } = operand;
    return operator === '!' ? double(frame => (run(frame) === 0 ? 1 : 0)) : double(frame => -run(frame));
  }
  if (operand.type === 'timeinterval' && operator === '-') {
    const { run } = operand;
    return { type: 'timeinterval', run: frame => -run(frame) };
  }
  return undefined;
}

/** As in C, the second operand counts only where the first does not decide: the page does not say. */
const logical = (operator: '&&' | '||', left: Numbers, right: Numbers): Compiled =>
  operator === '&&'
    ? double(frame => (left(frame) !== 0 && right(frame) !== 0 ? 1 : 0))
    : double(frame => (left(frame) !== 0 || right(frame) !== 0 ? 1 : 0));

type Comparison = Exclude<BinaryOperator, Arithmetic | '&&' | '||'>;

function comparison(operator: Comparison, left: Numbers, right: Numbers): Numbers {
  switch (operator) {
    case '==':
      return frame => (left(frame) === right(frame) ? 1 : 0);
    case '!=':
      return frame => (left(frame) === right(frame) ? 0 : 1);
    case '<':
      return frame => (left(frame) < right(frame) ? 1 : 0);
    case '<=':
      return frame => (left(frame) <= right(frame) ? 1 : 0);
    case '>':
      return frame => (left(frame) > right(frame) ? 1 : 0);
    case '>=':
      return frame => (left(frame) >= right(frame) ? 1 : 0);
  }
}

const texts: Record<Comparison, (left: string, right: string) => boolean> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

function arithmetic(operator: Arithmetic, left: Compiled, right: Compiled, at: Place): Compiled | undefined {
  if (left.type === 'doubleVec') {
    if (isDouble(right)) return vectorByNumber(operator, left, right.run, at);
    return right.type === 'doubleVec' ? vectorByVector(operator, left, right, at) : undefined;
  }
  if (!isNumber(left) || !isNumber(right)) return undefined;
  const type = resultType(operator, left.type, right.type);
  return type && { type, run: ofNumbers(operator, left.run, right.run, at) };
}

type NumberTypes = 'double' | 'timestamp' | 'timeinterval';

function resultType(operator: Arithmetic, left: NumberTypes, right: NumberTypes): NumberTypes | undefined {
  switch (`${left} ${right}` as const) {
    case 'double double':
      return 'double';
    case 'double timeinterval':
      return operator === '*' ? 'timeinterval' : undefined;
    case 'timeinterval double':
      return operator === '*' || operator === '/' ? 'timeinterval' : undefined;
    case 'timeinterval timeinterval':
      return operator === '+' || operator === '-' ? 'timeinterval' : undefined;
    case 'timeinterval timestamp':
    case 'timestamp timeinterval':
      return operator === '+' ? 'timestamp' : undefined;
    case 'timestamp timestamp':
      return operator === '-' ? 'timeinterval' : undefined;
    case 'double timestamp':
    case 'timestamp double':
      return undefined;
  }
}

function ofNumbers(operator: Arithmetic, left: Numbers, right: Numbers, at: Place): Numbers {
  switch (operator) {
    case '+':
      return frame => left(frame) + right(frame);
    case '-':
      return frame => left(frame) - right(frame);
    case '*':
      return frame => left(frame) * right(frame);
    case '/':
      return frame => divide(left(frame), right(frame), at);
  }
}

/** What the service makes of a division by zero is not documented. Infinity nodes can't have been meant. */
const divide = (dividend: number, divisor: number, at: Place): number =>
  divisor === 0 ? fail(at, 'Division by zero.') : dividend / divisor;

function apply(operator: Arithmetic, left: number, right: number, at: Place): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return divide(left, right, at);
  }
}

const ofSamples = ({ samplesOf }: VectorValue): Pick<VectorValue, 'samplesOf'> =>
  samplesOf === undefined ? {} : { samplesOf };

function vectorByNumber(operator: Arithmetic, left: VectorValue, right: Numbers, at: Place): VectorValue {
  const run = (frame: Frame): number[] => {
    const vector = left.run(frame);
    const number = right(frame);
    return vector.map(element => apply(operator, element, number, at));
  };
  return { type: 'doubleVec', run, ...ofSamples(left) };
}

function vectorByVector(operator: Arithmetic, left: VectorValue, right: VectorValue, at: Place): VectorValue {
  const run = (frame: Frame): number[] => {
    const one = left.run(frame);
    const other = right.run(frame);
    if (one.length !== other.length) {
      fail(
        at,
        `Two vectors must be of one length for ${operator}; these have ${one.length} and ${other.length} elements.`,
      );
    }
    return one.map((element, index) => apply(operator, element, other[index] ?? 0, at));
  };
  return { type: 'doubleVec', run, ...ofSamples(left) };
}
