import { type Expression, ExpressionError, expressionIn, parseExpression } from './expression.js';
import { pure } from './functions.js';
import { isList, isObject, type Json, text } from './json.js';

/** A function that needs to know where it is called, or that does not evaluate all of its arguments. */
export type Special = (args: readonly Expression[], scope: Scope) => Json;

/** Where an expression is evaluated: what its names stand for. */
export interface Scope {
  readonly specials: Readonly<Record<string, Special>>;
  readonly lambda: ReadonlyMap<string, Json>;
}

export function evaluate(expression: Expression, scope: Scope): Json {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'member':
      return member(evaluate(expression.of, scope), evaluate(expression.key, scope));
    case 'call': {
      const special = own(language, expression.name) ?? own(scope.specials, expression.name);
      if (special) return special(expression.args, scope);
      const plain = own(pure, expression.name);
      if (!plain) throw new ExpressionError(`the function ${expression.name}() is not known to this check`);
      return plain(...expression.args.map(arg => evaluate(arg, scope)));
    }
  }
}

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

function member(value: Json, key: Json): Json {
  const part =
    isList(value) && typeof key === 'number'
      ? value[key]
      : isObject(value) && typeof key === 'string' && Object.hasOwn(value, key)
        ? value[key]
        : undefined;
  if (part !== undefined) return part;
  const there = isObject(value) ? `; there are: ${Object.keys(value).join(', ')}` : '';
  throw new ExpressionError(`there is no ${JSON.stringify(key)} in what is asked for it${there}`);
}

/** Evaluates every expression in a value. */
export function resolve(value: Json, scope: Scope): Json {
  if (typeof value === 'string') {
    const source = expressionIn(value);
    if (source === undefined) return value.startsWith('[[') ? value.slice(1) : value;
    try {
      return evaluate(parseExpression(source), scope);
    } catch (error) {
      if (!(error instanceof ExpressionError) || error.message.includes(' in [')) throw error;
      throw new ExpressionError(
        `${error.message} in ${value.length > 200 ? `${value.slice(0, 200)}…` : value}`,
      );
    }
  }
  if (isList(value)) return value.map(part => resolve(part, scope));
  if (!isObject(value)) return value;
  const result: Record<string, Json> = {};
  for (const [name, part] of Object.entries(value)) {
    // A property is made in a loop: `copy: [{ name, count, input }]`.
    if (name === 'copy' && isList(part)) {
      for (const loop of part) {
        if (isObject(loop)) result[text(loop['name'])] = repeat(loop, scope);
      }
    } else result[text(resolve(name, scope))] = resolve(part, scope);
  }
  return result;
}

/** A loop: what `input` is for each number below `count`. */
function repeat(loop: Readonly<Record<string, Json>>, scope: Scope): Json[] {
  const count = resolve(loop['count'] ?? 0, scope);
  const name = typeof loop['name'] === 'string' ? loop['name'] : '';
  return Array.from({ length: Number(count) }, (_, index) =>
    resolve(loop['input'] ?? null, withCopy(scope, name, index)),
  );
}

/** The innermost loop has no name in `copyIndex()`. */
export function withCopy(scope: Scope, name: string, index: number): Scope {
  const copyIndex: Special = (args, inner) => {
    const [first, second] = args.map(arg => evaluate(arg, inner));
    if (typeof first === 'string' && first !== name) {
      const outer = scope.specials['copyIndex'];
      if (!outer) throw new ExpressionError(`there is no loop ${first}`);
      return outer(args, scope);
    }
    const offset = typeof first === 'number' ? first : second;
    return index + (typeof offset === 'number' ? offset : 0);
  };
  return { ...scope, specials: { ...scope.specials, copyIndex } };
}

function call(lambda: Expression | undefined, scope: Scope, ...values: readonly Json[]): Json {
  if (lambda?.kind !== 'call' || lambda.name !== 'lambda') throw new ExpressionError('a lambda is expected');
  const names = lambda.args.slice(0, -1);
  const body = lambda.args.at(-1);
  if (!body) throw new ExpressionError('a lambda has no body');
  const known = new Map(scope.lambda);
  for (const [index, name] of names.entries()) {
    if (name.kind === 'literal') known.set(String(name.value), values[index] ?? null);
  }
  return evaluate(body, { ...scope, lambda: known });
}

const valueOf = (args: readonly Expression[], index: number, scope: Scope): Json => {
  const arg = args[index];
  if (!arg) throw new ExpressionError(`argument ${index + 1} is missing`);
  return evaluate(arg, scope);
};
const listOf = (args: readonly Expression[], scope: Scope): readonly Json[] => {
  const value = valueOf(args, 0, scope);
  if (!isList(value)) throw new ExpressionError('an array is expected');
  return value;
};

/** What does not evaluate all of its arguments. */
const language: Readonly<Record<string, Special>> = {
  if: (args, scope) => valueOf(args, valueOf(args, 0, scope) === true ? 1 : 2, scope),
  and: (args, scope) => args.every(arg => evaluate(arg, scope) === true),
  or: (args, scope) => args.some(arg => evaluate(arg, scope) === true),
  lambdaVariables: (args, scope) => {
    const name = text(valueOf(args, 0, scope));
    const value = scope.lambda.get(name);
    if (value === undefined) throw new ExpressionError(`there is no ${name} in a lambda`);
    return value;
  },
  map: (args, scope) => listOf(args, scope).map((value, index) => call(args[1], scope, value, index)),
  filter: (args, scope) => listOf(args, scope).filter((value, index) => call(args[1], scope, value, index)),
  reduce: (args, scope) =>
    listOf(args, scope).reduce(
      (sum, value, index) => call(args[2], scope, sum, value, index),
      valueOf(args, 1, scope),
    ),
  sort: (args, scope) =>
    listOf(args, scope).toSorted((a, b) => (call(args[1], scope, a, b) === true ? -1 : 1)),
  toObject: (args, scope) =>
    Object.fromEntries(
      listOf(args, scope).map(value => [
        text(call(args[1], scope, value)),
        args[2] ? call(args[2], scope, value) : value,
      ]),
    ),
  mapValues: (args, scope) => {
    const value = valueOf(args, 0, scope);
    if (!isObject(value)) throw new ExpressionError('an object is expected');
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, call(args[1], scope, part)]),
    );
  },
  groupBy: (args, scope) => {
    const groups: Record<string, Json[]> = {};
    for (const value of listOf(args, scope)) {
      const key = text(call(args[1], scope, value));
      groups[key] = [...(groups[key] ?? []), value];
    }
    return groups;
  },
};
