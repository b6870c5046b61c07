import { type Compiled, double, type Frame, isDouble, isNumber, type VectorValue } from './compiled.js';
import type { FormulaProblem } from './formula.js';
import { functions, notATime, typesOf } from './functions.js';
import {
  aliases,
  asOption,
  asSampled,
  didYouMean,
  intervals,
  optionVariable,
  serviceVariables,
  type Target,
  targetOf,
} from './names.js';
import { binary, unary } from './operators.js';
import { methods, plainNumber } from './samples.js';
import type { Binary, Call, Choice, Expression, Member, MethodCall, Name, Place, Unary } from './syntax.js';
import { parseTime, timeMembers } from './times.js';

/** What a formula's variables are before the next statement; undefined: its value had a problem, which was told. */
export type Scope = Map<string, Compiled | undefined>;

/** Compiles expressions. What is certain to fail is told in `problems`; it then gives undefined. */
export class ExpressionCompiler {
  constructor(
    readonly scope: Scope,
    readonly problems: FormulaProblem[],
  ) {}

  compile(expression: Expression): Compiled | undefined {
    switch (expression.kind) {
      case 'number': {
        const { value } = expression;
        return Number.isFinite(value)
          ? double(() => value)
          : this.#refuse(expression.at, 'This number is too large.');
      }
      case 'string': {
        const { value } = expression;
        return { type: 'string', run: () => value };
      }
      case 'vector':
        return this.#vector(expression.items);
      case 'name':
        return this.#name(expression);
      case 'unary':
        return this.#unary(expression);
      case 'binary':
        return this.#binary(expression);
      case 'choice':
        return this.#choice(expression);
      case 'call':
        return this.#call(expression);
      case 'method':
        return this.#method(expression);
      case 'member':
        return this.#member(expression);
    }
  }

  #refuse({ line, column }: Place, cause: string): undefined {
    this.problems.push({ line, column, cause });
    return undefined;
  }

  /** @returns undefined when one of them had a problem. */
  #all(expressions: readonly Expression[]): Compiled[] | undefined {
    const compiled = expressions.map(each => this.compile(each));
    const good = compiled.filter(each => each !== undefined);
    return good.length === compiled.length ? good : undefined;
  }

  #vector(items: readonly Expression[]): Compiled | undefined {
    const values = this.#all(items);
    if (!values) return undefined;
    const wrong = values.findIndex(value => !isDouble(value));
    const item = items[wrong];
    if (item)
      return this.#refuse(
        item.at,
        `A vector is of doubles, this is ${typesOf(values.slice(wrong, wrong + 1))}.`,
      );
    const runs = values.filter(isDouble).map(({ run }) => run);
    return { type: 'doubleVec', run: frame => runs.map(run => run(frame)) };
  }

  #name({ name, at }: Name): Compiled | undefined {
    if (this.scope.has(name)) return this.scope.get(name);
    const interval = intervals.get(name);
    if (interval !== undefined) return { type: 'timeinterval', run: () => interval };
    const option = asOption(name);
    if (option) return { type: 'deallocation option', run: () => option };
    const target = targetOf(name);
    if (target) return this.#target(target);
    if (name === optionVariable) return { type: 'deallocation option', run: () => 'requeue' };
    if (functions.has(name)) return this.#refuse(at, `${name} is a function: ${name}(…).`);
    const sampled = asSampled(name);
    if (sampled) return plainNumber(sampled, at);
    const known = name.startsWith('$')
      ? [...serviceVariables, ...this.scope.keys()]
      : [...this.scope.keys(), ...intervals.keys(), 'requeue', 'terminate', 'taskcompletion', 'retaineddata'];
    return this.#refuse(at, `${name} is not set before${didYouMean(name, known) || '.'}`);
  }

  /** What was set by either of its names; the full one counts before the short one. */
  #target(target: Target): Compiled | undefined {
    const known = [target, ...aliases.keys()].find(name => targetOf(name) === target && this.scope.has(name));
    return known === undefined ? initialTarget(target) : this.scope.get(known);
  }

  #unary({ operator, operand, at }: Unary): Compiled | undefined {
    const value = this.compile(operand);
    if (!value || value.type === 'nothing') return value;
    return unary(operator, value) ?? this.#refuse(at, `${operator} does not take ${value.type}.`);
  }

  #binary({ operator, left, right, at }: Binary): Compiled | undefined {
    const values = this.#all([left, right]);
    const [one, other] = values ?? [];
    if (!one || !other) return undefined;
    const result = binary(operator, one, other, at);
    return (
      result ??
      this.#refuse(
        at,
        `${one.type} ${operator} ${other.type} is not allowed${hintFor(operator, one, other)}.`,
      )
    );
  }

  #choice({ condition, yes, no, at }: Choice): Compiled | undefined {
    const values = this.#all([condition, yes, no]);
    const [test, one, other] = values ?? [];
    if (!test || !one || !other) return undefined;
    if (!isDouble(test)) {
      return this.#refuse(condition.at, `What stands before ? must be a double, this is ${test.type}.`);
    }
    return (
      choose(test.run, one, other) ??
      this.#refuse(at, `Both sides of : must be of one type, these are ${one.type} and ${other.type}.`)
    );
  }

  #call({ name, args, at }: Call): Compiled | undefined {
    const values = this.#all(args);
    const compileCall = functions.get(name);
    if (!compileCall) {
      const method = [...methods.keys()].find(each => each.toLowerCase() === name.toLowerCase());
      if (method)
        return this.#refuse(at, `${method} is a method of what is sampled: $PendingTasks.${method}(…).`);
      return this.#refuse(at, `There is no function ${name}${didYouMean(name, functions.keys()) || '.'}`);
    }
    if (!values) return undefined;
    const [only] = args;
    if (
      name === 'time' &&
      only?.kind === 'string' &&
      only.value !== '' &&
      parseTime(only.value) === undefined
    ) {
      return this.#refuse(only.at, notATime(only.value));
    }
    const result = compileCall(values, { at, args: args.map(arg => arg.at) });
    return typeof result === 'string' ? this.#refuse(at, result) : result;
  }

  #method({ object, name, memberAt, args, at }: MethodCall): Compiled | undefined {
    const variable = object.kind === 'name' ? asSampled(object.name) : undefined;
    const values = this.#all(args);
    if (!variable) {
      const unknown = object.kind === 'name' && object.name.startsWith('$') && !this.scope.has(object.name);
      if (unknown && !targetOf(object.name) && object.name !== optionVariable) {
        return this.#refuse(
          at,
          `There is no ${object.name}${didYouMean(object.name, serviceVariables) || '.'}`,
        );
      }
      if (!this.compile(object)) return undefined;
      return this.#refuse(
        memberAt,
        `Only variables that the service samples have methods such as ${name}().`,
      );
    }
    const compileCall = methods.get(name);
    if (!compileCall) {
      return this.#refuse(memberAt, `There is no method ${name}${didYouMean(name, methods.keys()) || '.'}`);
    }
    if (!values) return undefined;
    const result = compileCall(variable, values, at);
    return typeof result === 'string' ? this.#refuse(memberAt, result) : result;
  }

  #member({ object, name, memberAt }: Member): Compiled | undefined {
    if (object.kind === 'name' && asSampled(object.name) && methods.has(name)) {
      return this.#refuse(memberAt, `${name} is a method: ${name}(…).`);
    }
    const value = this.compile(object);
    if (!value) return undefined;
    if (value.type !== 'timestamp') {
      return this.#refuse(memberAt, `Only a timestamp has members such as .${name}, this is ${value.type}.`);
    }
    const member = Object.hasOwn(timeMembers, name) ? timeMembers[name] : undefined;
    if (!member) {
      return this.#refuse(
        memberAt,
        `A timestamp has no ${name}${didYouMean(name, Object.keys(timeMembers)) || '.'}`,
      );
    }
    const { run } = value;
    return double(frame => member(new Date(run(frame))));
  }
}

const initialTarget = (target: Target): Compiled =>
  target === '$TargetDedicatedNodes'
    ? double(frame => frame.input.targetDedicatedNodes)
    : double(frame => frame.input.targetLowPriorityNodes);

/** @returns undefined when the two are not of one type. A double beside a vector becomes a vector of one. */
function choose(test: (frame: Frame) => number, yes: Compiled, no: Compiled): Compiled | undefined {
  if (yes.type === 'nothing') return onlyIf(test, 0, no, yes.run);
  if (no.type === 'nothing') return onlyIf(test, 1, yes, no.run);
  if (isNumber(yes) && isNumber(no) && yes.type === no.type) {
    const [one, other] = [yes.run, no.run];
    return { type: yes.type, run: frame => (test(frame) === 0 ? other(frame) : one(frame)) };
  }
  if (isText(yes) && isText(no) && yes.type === no.type) {
    const [one, other] = [yes.run, no.run];
    return { type: yes.type, run: frame => (test(frame) === 0 ? other(frame) : one(frame)) };
  }
  const one = asVector(yes);
  const other = asVector(no);
  if (!one || !other) return undefined;
  const samplesOf = one.samplesOf ?? other.samplesOf;
  return {
    type: 'doubleVec',
    run: frame => (test(frame) === 0 ? other.run(frame) : one.run(frame)),
    ...(samplesOf !== undefined && { samplesOf }),
  };
}

const isText = (value: Compiled): value is Extract<Compiled, { type: 'string' | 'deallocation option' }> =>
  value.type === 'string' || value.type === 'deallocation option';

function asVector(value: Compiled): VectorValue | undefined {
  if (value.type === 'doubleVec') return value;
  if (!isDouble(value)) return undefined;
  const { run } = value;
  return { type: 'doubleVec', run: frame => [run(frame)] };
}

/** A choice of which one side is `stop()`: of the type of the other side. */
function onlyIf(
  test: (frame: Frame) => number,
  truth: 0 | 1,
  value: Compiled,
  otherwise: (frame: Frame) => never,
): Compiled {
  const goesOn = (frame: Frame): boolean => Number(test(frame) !== 0) === truth;
  if (isNumber(value)) {
    const { run } = value;
    return { ...value, run: frame => (goesOn(frame) ? run(frame) : otherwise(frame)) };
  }
  if (isText(value)) {
    const { run } = value;
    return { ...value, run: frame => (goesOn(frame) ? run(frame) : otherwise(frame)) };
  }
  if (value.type === 'doubleVec') {
    const { run } = value;
    return { ...value, run: frame => (goesOn(frame) ? run(frame) : otherwise(frame)) };
  }
  return value;
}

/** How to say what the service's table of operators does not have. */
function hintFor(operator: string, left: Compiled, right: Compiled): string {
  if (left.type === 'double' && right.type === 'doubleVec') return ': the vector must come first';
  if (left.type === 'timestamp' && right.type === 'timeinterval' && operator === '-') {
    return ': add the interval times -1';
  }
  if (left.type === 'doubleVec' || right.type === 'doubleVec') {
    return ': take one value of the vector, as max(…) or avg(…)';
  }
  return '';
}
