import type { Variables } from '../macros.js';
import { asMap, Fields } from './fields.js';
import { type Node, textOf } from './node.js';
import type { Problems } from './problems.js';

export interface GivenVariable {
  readonly value: string;
  readonly isSecret: boolean;
}
export type Given = Readonly<Record<string, GivenVariable>>;

export interface ReadVariables {
  readonly open: Variables;
  readonly secret: Variables;
}

/**
 * The variables of a pipeline or of a job: a map, or a list of names and groups.
 *
 * @param groups the library's variable groups, by name
 */
export function readVariables(
  node: Node | undefined,
  groups: Readonly<Record<string, Given>>,
  problems: Problems,
): ReadVariables {
  if (!node) return { open: {}, secret: {} };
  if (node.kind === 'scalar') {
    problems.add(node.at, 'variables must be keys and values, or a list of names and groups');
    return { open: {}, secret: {} };
  }
  if (node.kind === 'map') {
    const entries = node.entries.map(({ key, value }): [string, string] => [
      key,
      textIn(value, key, problems),
    ]);
    return { open: Object.fromEntries(entries), secret: {} };
  }
  let read: ReadVariables = { open: {}, secret: {} };
  for (const item of node.items) {
    const map = asMap(item, 'a variable', problems);
    if (!map) continue;
    const fields = new Fields(map, 'a variable', problems);
    const group = fields.text('group');
    if (group !== undefined) {
      const found = Object.hasOwn(groups, group) ? groups[group] : undefined;
      if (!found) problems.add(map.at, `the variable group ${group} is not there`);
      read = together(read, split(found ?? {}));
    } else if (!fields.entry('template')) {
      const name = fields.needed('name');
      const value = fields.node('value');
      read = together(read, { open: { [name]: value ? textIn(value, name, problems) : '' }, secret: {} });
    } else problems.add(map.at, 'variables of a template are not played here');
    fields.end({ readonly: 'nothing changes a variable here' });
  }
  return read;
}

/** Variables as they are given when a run is queued. */
export function split(given: Given): ReadVariables {
  const pick = (isSecret: boolean): Variables =>
    Object.fromEntries(
      Object.entries(given)
        .filter(([, variable]) => variable.isSecret === isSecret)
        .map(([name, { value }]) => [name, value]),
    );
  return { open: pick(false), secret: pick(true) };
}

/** The later ones count; one that is secret in either is secret. */
export const together = (one: ReadVariables, other: ReadVariables): ReadVariables => ({
  open: { ...one.open, ...other.open },
  secret: { ...one.secret, ...other.secret },
});

function textIn(node: Node, name: string, problems: Problems): string {
  if (node.kind === 'scalar') return textOf(node);
  problems.add(node.at, `the variable ${name} must be a text`);
  return '';
}
