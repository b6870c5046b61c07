import { asMap, Fields } from './fields.js';
import { booleanOf, type Entry, type MapNode, type Node, type Place, scalar, textOf } from './node.js';
import type { Problems } from './problems.js';

const types = ['string', 'number', 'boolean', 'object', 'step', 'stepList', 'job', 'jobList'] as const;
type Type = (typeof types)[number];

interface Declaration {
  readonly name: string;
  readonly type: Type;
  readonly normally: Node | undefined;
  readonly values: readonly Node[] | undefined;
}

/**
 * The parameters of a pipeline or template, with what they are given.
 *
 * @param declared the value of its key `parameters`, if it has one
 * @param user where the values come from, to tell of one that is missing
 */
export function bindParameters(
  declared: Node | undefined,
  given: readonly Entry[],
  user: Place,
  problems: Problems,
): MapNode {
  const declarations = declared ? declarationsIn(declared, problems) : [];
  for (const { key, at } of given) {
    if (declarations.some(({ name }) => name === key)) continue;
    const names = declarations.map(({ name }) => name).join(', ') || 'none';
    problems.add(at, `there is no parameter ${key}: there is ${names}`);
  }
  const entries = declarations.map(({ name, type, normally, values }): Entry => {
    const entry = given.find(({ key }) => key === name);
    const node = entry?.value ?? normally;
    if (!node) problems.add(user, `the parameter ${name} is needed`);
    const value = node ? typed(node, name, type, problems) : scalar(null, user);
    if (node && values && !values.some(each => sameText(each, value))) {
      const allowed = values.map(each => (each.kind === 'scalar' ? textOf(each) : '')).join(', ');
      problems.add(node.at, `the parameter ${name} must be one of: ${allowed}`);
    }
    return { key: name, at: entry?.at ?? user, value };
  });
  return { kind: 'map', at: user, entries };
}

const sameText = (one: Node, other: Node): boolean =>
  one.kind === 'scalar' &&
  other.kind === 'scalar' &&
  textOf(one).toLowerCase() === textOf(other).toLowerCase();

function declarationsIn(declared: Node, problems: Problems): readonly Declaration[] {
  if (declared.kind !== 'list') {
    problems.add(declared.at, 'parameters must be a list of name, type and default');
    return [];
  }
  return declared.items.flatMap(item => {
    const map = asMap(item, 'a parameter', problems);
    if (!map) return [];
    const fields = new Fields(map, 'a parameter', problems);
    const name = fields.needed('name');
    const asked = fields.text('type') ?? 'string';
    const type = types.find(each => each === asked);
    if (!type)
      problems.add(fields.node('type')?.at ?? map.at, `parameters of type ${asked} are not played here`);
    fields.text('displayName');
    const normally = fields.node('default');
    const values = fields.list('values')?.items;
    fields.end();
    return [{ name, type: type ?? 'object', normally, values }];
  });
}

function typed(node: Node, name: string, type: Type, problems: Problems): Node {
  const wrong = (what: string): Node => {
    problems.add(node.at, `the parameter ${name} must be ${what}`);
    return node;
  };
  switch (type) {
    case 'string':
      return node.kind === 'scalar' ? scalar(textOf(node), node.at) : wrong('a text');
    case 'number': {
      const value = node.kind === 'scalar' && textOf(node).trim() !== '' ? Number(textOf(node)) : Number.NaN;
      return Number.isNaN(value) ? wrong('a number') : scalar(value, node.at);
    }
    case 'boolean': {
      const value = booleanOf(node);
      return value === undefined ? wrong('true or false') : scalar(value, node.at);
    }
    case 'stepList':
    case 'jobList':
      return node.kind === 'list' ? node : wrong('a list');
    case 'step':
    case 'job':
      return node.kind === 'map' ? node : wrong('keys and values');
    case 'object':
      return node;
  }
}
