import { type Node, type Place, plainOf, type Scalar, scalar, textOf } from './node.js';

type Call = (args: readonly Node[], at: Place) => Node;

interface Known {
  /** Fewest and most arguments. */
  readonly takes: readonly [number, number];
  readonly call: Call;
}

const many = Number.POSITIVE_INFINITY;

export const isTrue = (node: Node): boolean =>
  node.kind !== 'scalar' ||
  !(node.value === null || node.value === false || node.value === '' || node.value === 0);

/** As the service compares: the right side is converted to the kind of the left; texts in any case. */
function isEqual(left: Node, right: Node): boolean {
  if (left.kind !== 'scalar' || right.kind !== 'scalar') return left === right;
  const { value } = left;
  if (typeof value === 'number') return value === Number(textOf(right));
  if (typeof value === 'boolean') {
    // A text that is not empty counts as true, "false" too.
    return typeof right.value === 'boolean' ? value === right.value : value === isTrue(right);
  }
  if (value === null) return right.value === null || right.value === '';
  return value.toLowerCase() === textOf(right).toLowerCase();
}

const text = (node: Node | undefined): string => {
  if (node?.kind !== 'scalar') throw new Error('a list or an object is given where a text belongs');
  return textOf(node);
};

const truth =
  (test: (args: readonly Node[]) => boolean): Call =>
  (args, at) =>
    scalar(test(args), at);
const words =
  (make: (args: readonly Node[]) => string): Call =>
  (args, at) =>
    scalar(make(args), at);
const nothing: Scalar = scalar(null, { file: '', line: 0, column: 0 });
const both = (args: readonly Node[]): readonly [Node, Node] => [args[0] ?? nothing, args[1] ?? nothing];

function format(args: readonly Node[]): string {
  return text(args[0]).replace(/\{\{|\}\}|\{(\d+)\}/g, (match, index: string | undefined) => {
    if (index === undefined) return match.charAt(0);
    const argument = args[Number(index) + 1];
    if (!argument) throw new Error(`format has no argument for {${index}}`);
    return text(argument);
  });
}

function join([separator, list]: readonly Node[]): string {
  return list?.kind === 'list' ? list.items.map(text).join(text(separator)) : text(list);
}

const contains = (args: readonly Node[]): boolean => {
  const [where, what] = both(args);
  if (where.kind === 'list') return where.items.some(item => isEqual(item, what));
  return text(where).toLowerCase().includes(text(what).toLowerCase());
};

const lower = (node: Node | undefined): string => text(node).toLowerCase();

/** Numbers as numbers, texts in any case; the left one says which, as in the service. */
function compare(args: readonly Node[]): number {
  const [left, right] = both(args);
  if (left.kind === 'scalar' && typeof left.value === 'number') {
    const other = Number(text(right));
    if (Number.isNaN(other)) throw new Error(`${text(right)} is no number, and is compared with one`);
    return left.value - other;
  }
  const [one, other] = [lower(left), lower(right)];
  return one < other ? -1 : Number(one > other);
}

/** The functions of template expressions that the player knows; all others are refused by name. */
const known: Readonly<Record<string, Known>> = {
  and: { takes: [2, many], call: truth(args => args.every(isTrue)) },
  coalesce: {
    takes: [2, many],
    call: (args, at) => args.find(arg => !(arg.kind === 'scalar' && textOf(arg) === '')) ?? scalar(null, at),
  },
  contains: { takes: [2, 2], call: truth(contains) },
  containsvalue: { takes: [2, 2], call: truth(contains) },
  converttojson: { takes: [1, 1], call: words(args => JSON.stringify(plainOf(both(args)[0]), undefined, 2)) },
  eq: { takes: [2, 2], call: truth(args => isEqual(...both(args))) },
  format: { takes: [1, many], call: words(format) },
  endswith: { takes: [2, 2], call: truth(([where, end]) => lower(where).endsWith(lower(end))) },
  ge: { takes: [2, 2], call: truth(args => compare(args) >= 0) },
  gt: { takes: [2, 2], call: truth(args => compare(args) > 0) },
  in: {
    takes: [2, many],
    call: truth(([left = nothing, ...rest]) => rest.some(each => isEqual(left, each))),
  },
  join: { takes: [2, 2], call: words(join) },
  le: { takes: [2, 2], call: truth(args => compare(args) <= 0) },
  length: {
    takes: [1, 1],
    call: ([arg], at) => scalar(arg?.kind === 'list' ? arg.items.length : text(arg).length, at),
  },
  lower: { takes: [1, 1], call: words(args => text(args[0]).toLowerCase()) },
  lt: { takes: [2, 2], call: truth(args => compare(args) < 0) },
  ne: { takes: [2, 2], call: truth(args => !isEqual(...both(args))) },
  not: { takes: [1, 1], call: truth(args => !isTrue(both(args)[0])) },
  notin: {
    takes: [2, many],
    call: truth(([left = nothing, ...rest]) => !rest.some(each => isEqual(left, each))),
  },
  or: { takes: [2, many], call: truth(args => args.some(isTrue)) },
  replace: {
    takes: [3, 3],
    call: words(([whole, old, by]) =>
      text(old) === '' ? text(whole) : text(whole).replaceAll(text(old), () => text(by)),
    ),
  },
  startswith: { takes: [2, 2], call: truth(([where, start]) => lower(where).startsWith(lower(start))) },
  trim: { takes: [1, 1], call: words(args => text(args[0]).trim()) },
  upper: { takes: [1, 1], call: words(args => text(args[0]).toUpperCase()) },
};

/** @throws {Error} a sentence, when the function is not known or takes something else. */
export function callFunction(name: string, args: readonly Node[], at: Place): Node {
  const found = Object.hasOwn(known, name.toLowerCase()) ? known[name.toLowerCase()] : undefined;
  if (!found) throw new Error(`the function ${name} is not played here`);
  const [fewest, most] = found.takes;
  if (args.length < fewest || args.length > most) {
    const wanted =
      most === many ? `at least ${fewest}` : fewest === most ? `${fewest}` : `${fewest} to ${most}`;
    throw new Error(`the function ${name} takes ${wanted} arguments, and is given ${args.length}`);
  }
  return found.call(args, at);
}
