import type { World } from './world.js';

/** A node of the simulated pool. Times are ms from the start of the trace. */
export class Node {
  readonly tasks: number[] = [];
  free: number;
  ready = false;
  /** To be removed: it is given no more tasks. */
  leaving = false;
  gone = false;
  /** When a container of the agent's image can start on it. */
  imageReadyAt = Number.POSITIVE_INFINITY;

  constructor(
    readonly id: number,
    readonly spot: boolean,
    readonly since: number,
    slots: number,
  ) {
    this.free = slots;
  }
}

/** The nodes that exist, and the rules by which one is chosen. */
export class Nodes {
  readonly #byId = new Map<number, Node>();
  #all: Node[] = [];
  #made = 0;

  constructor(private readonly world: Pick<World, 'fill' | 'slots'>) {}

  get all(): readonly Node[] {
    return this.#all;
  }

  add(spot: boolean, now: number): Node {
    const node = new Node(this.#made, spot, now, this.world.slots);
    this.#made += 1;
    this.#byId.set(node.id, node);
    this.#all.push(node);
    return node;
  }

  /** A node by its number, unless it is gone. */
  get(id: number): Node | undefined {
    return this.#byId.get(id);
  }

  remove(node: Node): void {
    node.gone = true;
    this.#byId.delete(node.id);
    this.#all = this.#all.filter(other => other !== node);
  }

  count(spot: boolean): number {
    let count = 0;
    for (const node of this.#all) if (node.spot === spot) count += 1;
    return count;
  }

  staying(spot: boolean): Node[] {
    return this.#all.filter(node => node.spot === spot && !node.leaving);
  }

  /** Where the next task of so many slots goes. */
  fitting(slots: number): Node | undefined {
    const packs = this.world.fill === 'pack';
    let best: Node | undefined;
    for (const node of this.#all) {
      if (!node.ready || node.leaving || node.free < slots) continue;
      if (!best || (packs ? node.free < best.free : node.free > best.free)) best = node;
    }
    return best;
  }
}
