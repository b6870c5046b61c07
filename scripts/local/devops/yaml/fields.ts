import {
  booleanOf,
  type Entry,
  entryOf,
  type ListNode,
  type MapNode,
  type Node,
  type Place,
  textOf,
} from './node.js';
import type { Problems } from './problems.js';

/** Reads the keys of one thing in a pipeline, and tells of each that is missing, of the wrong kind or not known. */
export class Fields {
  readonly #map: MapNode;
  readonly #what: string;
  readonly #problems: Problems;
  readonly #read = new Set<string>();

  /** @param what the thing, as a sentence has it: "a job". */
  constructor(map: MapNode, what: string, problems: Problems) {
    this.#map = map;
    this.#what = what;
    this.#problems = problems;
  }

  get at(): Place {
    return this.#map.at;
  }

  entry(key: string): Entry | undefined {
    this.#read.add(key);
    return entryOf(this.#map, key);
  }

  node(key: string): Node | undefined {
    return this.entry(key)?.value;
  }

  text(key: string): string | undefined {
    const entry = this.entry(key);
    if (!entry) return undefined;
    if (entry.value.kind === 'scalar') return textOf(entry.value);
    this.#problems.add(entry.value.at, `${key} of ${this.#what} must be a text`);
    return undefined;
  }

  needed(key: string): string {
    const text = this.text(key);
    if (text !== undefined && text.trim() !== '') return text;
    const entry = entryOf(this.#map, key);
    if (!entry || entry.value.kind === 'scalar') {
      this.#problems.add(entry?.at ?? this.at, `${this.#what} needs ${key}`);
    }
    return '';
  }

  boolean(key: string): boolean | undefined {
    const entry = this.entry(key);
    if (!entry) return undefined;
    const value = booleanOf(entry.value);
    if (value === undefined)
      this.#problems.add(entry.value.at, `${key} of ${this.#what} must be true or false`);
    return value;
  }

  minutes(key: string, normally: number): number {
    const entry = this.entry(key);
    if (!entry) return normally;
    const minutes = Number(this.text(key));
    const most = 72 * 60;
    // Zero stands for the longest that there is.
    if (minutes === 0) return most;
    if (minutes > 0 && minutes <= most) return minutes;
    this.#problems.add(
      entry.value.at,
      `${key} of ${this.#what} must be a number of minutes, at most ${most}`,
    );
    return normally;
  }

  list(key: string): ListNode | undefined {
    const entry = this.entry(key);
    if (!entry) return undefined;
    if (entry.value.kind === 'list') return entry.value;
    this.#problems.add(entry.value.at, `${key} of ${this.#what} must be a list`);
    return undefined;
  }

  map(key: string): MapNode | undefined {
    const entry = this.entry(key);
    if (!entry) return undefined;
    return asMap(entry.value, `${key} of ${this.#what}`, this.#problems);
  }

  /** Texts by name, e.g. environment variables. */
  texts(key: string): Record<string, string> {
    return Object.fromEntries(
      (this.map(key)?.entries ?? []).map(({ key: name, value }) => {
        if (value.kind !== 'scalar') this.#problems.add(value.at, `${name} of ${key} must be a text`);
        return [name, value.kind === 'scalar' ? textOf(value) : ''];
      }),
    );
  }

  /**
   * Refuses every key that was not asked for.
   *
   * @param why what the player leaves out, with the reason; others are in no pipeline at all
   */
  end(why: Readonly<Record<string, string>> = {}): void {
    for (const { key, at } of this.#map.entries) {
      if (this.#read.has(key)) continue;
      const reason = Object.hasOwn(why, key) ? why[key] : undefined;
      this.#problems.add(
        at,
        reason === undefined
          ? `${key} is not known as a key of ${this.#what}`
          : `${key} of ${this.#what} is not played here: ${reason}`,
      );
    }
  }
}

export function asMap(node: Node, what: string, problems: Problems): MapNode | undefined {
  if (node.kind === 'map') return node;
  problems.add(node.at, `${what} must be keys and values`);
  return undefined;
}
