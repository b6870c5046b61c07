/** What the parser makes of a formula: one tree for each statement, with the place in the text of every part. */

/** A place in the text of a formula: line and column, from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

interface Located {
  readonly at: Place;
}

interface NumberLiteral extends Located {
  readonly kind: 'number';
  readonly value: number;
}
interface StringLiteral extends Located {
  readonly kind: 'string';
  readonly value: string;
}
export interface VectorLiteral extends Located {
  readonly kind: 'vector';
  readonly items: readonly Expression[];
}
export interface Name extends Located {
  readonly kind: 'name';
  readonly name: string;
}
export interface Unary extends Located {
  readonly kind: 'unary';
  readonly operator: '-' | '!';
  readonly operand: Expression;
}
/** Its place is that of the operator. */
export interface Binary extends Located {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}
/** `condition ? yes : no`. Its place is that of the `?`. */
export interface Choice extends Located {
  readonly kind: 'choice';
  readonly condition: Expression;
  readonly yes: Expression;
  readonly no: Expression;
}
/** `max(1, 2)` */
export interface Call extends Located {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly Expression[];
}
/** `$PendingTasks.GetSample(1)`; its place is that of the object, `memberAt` that of the name behind the dot. */
export interface MethodCall extends Located {
  readonly kind: 'method';
  readonly object: Expression;
  readonly name: string;
  readonly memberAt: Place;
  readonly args: readonly Expression[];
}
/** `$now.hour` */
export interface Member extends Located {
  readonly kind: 'member';
  readonly object: Expression;
  readonly name: string;
  readonly memberAt: Place;
}

export type Expression =
  | NumberLiteral
  | StringLiteral
  | VectorLiteral
  | Name
  | Unary
  | Binary
  | Choice
  | Call
  | MethodCall
  | Member;

/** `target = value;`, or without a target where only `stop()` makes sense. */
export interface Statement extends Located {
  readonly target?: Name;
  readonly value: Expression;
}

/** From the loosest to the tightest; those of one level are taken from left to right, as in C. */
const levels = [['||'], ['&&'], ['==', '!='], ['<', '<=', '>', '>='], ['+', '-'], ['*', '/']] as const;
export type BinaryOperator = (typeof levels)[number][number];

export const isBinaryOperator = (text: string): text is BinaryOperator =>
  levels.some(level => level.some(operator => operator === text));

const levelOf = (operator: BinaryOperator): number =>
  levels.findIndex(level => level.some(each => each === operator));

export interface OperatorAt extends Located {
  readonly operator: BinaryOperator;
}

/** Makes a tree of `first op rest op rest …`. */
export function byPrecedence(
  first: Expression,
  rest: readonly { readonly operator: OperatorAt; readonly operand: Expression }[],
): Expression {
  const operands = [first];
  const open: OperatorAt[] = [];
  const join = (): void => {
    const operator = open.pop();
    const right = operands.pop();
    const left = operands.pop();
    if (operator && left && right) operands.push({ kind: 'binary', ...operator, left, right });
  };
  for (const { operator, operand } of rest) {
    for (let last = open.at(-1); last; last = open.at(-1)) {
      if (levelOf(last.operator) < levelOf(operator.operator)) break;
      join();
    }
    open.push(operator);
    operands.push(operand);
  }
  while (open.length > 0) join();
  return operands[0] ?? first;
}
