/** A pipeline's YAML with the place of everything in it, so that each refusal can name one. */
export interface Place {
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

type Plain = string | number | boolean | null;

export interface Scalar {
  readonly kind: 'scalar';
  /** A string as it is written; numbers, booleans and null come from parameters and expressions. */
  readonly value: Plain;
  readonly at: Place;
}

export interface Entry {
  readonly key: string;
  readonly at: Place;
  readonly value: Node;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: readonly Entry[];
  readonly at: Place;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly Node[];
  readonly at: Place;
}

export type Node = Scalar | MapNode | ListNode;

export const scalar = (value: Plain, at: Place): Scalar => ({ kind: 'scalar', value, at });

export const entryOf = (node: MapNode, key: string): Entry | undefined =>
  node.entries.find(entry => entry.key === key);

/** As the service writes a value into a text. */
export function textOf({ value }: Scalar): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}

/** What is meant by `true` and `false`, in any case; undefined: something else. */
export function booleanOf(node: Node): boolean | undefined {
  if (node.kind !== 'scalar') return undefined;
  if (typeof node.value === 'boolean') return node.value;
  const text = textOf(node).trim().toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

/** The value without places, as JSON has it. */
export function plainOf(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plainOf);
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainOf(value)]));
}
