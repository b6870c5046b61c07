import FlatQueue from 'flatqueue';

/** What happens, in the order in which it does when several things happen in the same millisecond. */
const kinds = [
  'taskEnded',
  'nodeReady',
  'requested',
  'evicted',
  'allocate',
  'forgotten',
  'sample',
  'evaluate',
] as const;
export type Kind = (typeof kinds)[number];

/** What is going to happen. Numbers in a heap: there are millions. */
export class Events {
  readonly #queue = new FlatQueue();

  /** @param which a task or a node, where the kind is about one */
  at(kind: Kind, time: number, which = 0): void {
    this.#queue.push(which * kinds.length + kinds.indexOf(kind), order(kind, time));
  }

  /** Whether this would happen before everything that is known. */
  isBefore(kind: Kind, time: number): boolean {
    return order(kind, time) < (this.#queue.peekValue() ?? Number.POSITIVE_INFINITY);
  }

  take(): { readonly kind: Kind; readonly time: number; readonly which: number } {
    const time = Math.floor((this.#queue.peekValue() ?? 0) / kinds.length);
    const event = this.#queue.pop() ?? 0;
    const kind = kinds[event % kinds.length];
    if (kind === undefined) throw new Error(`There is no event ${event}.`);
    return { kind, time, which: Math.floor(event / kinds.length) };
  }
}

const order = (kind: Kind, time: number): number => Math.round(time) * kinds.length + kinds.indexOf(kind);
