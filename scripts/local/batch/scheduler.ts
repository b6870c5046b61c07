/**
 * Decides, without doing: which waiting task goes to which node, which nodes to add and which to let go.
 * The cost of a decision does not grow with the number of tasks that wait.
 */

interface Waiting {
  readonly key: string;
  readonly priority: number;
  readonly seq: number;
  readonly slots: number;
}

const before = (a: Waiting, b: Waiting): boolean =>
  a.priority === b.priority ? a.seq < b.seq : a.priority > b.priority;

/** Tasks of one pool that wait for a slot: higher job priority first, then in order of addition. */
export class WaitingTasks {
  /** A heap for each number of slots: a large task that does not fit must not hide the small ones behind it. */
  #heaps = new Map<number, Waiting[]>();
  #live = new Map<string, Waiting>();
  #slots = 0;

  /** Slots that all waiting tasks need together. */
  get slots(): number {
    return this.#slots;
  }

  get size(): number {
    return this.#live.size;
  }

  add(waiting: Waiting): void {
    this.remove(waiting.key);
    this.#live.set(waiting.key, waiting);
    this.#slots += waiting.slots;
    const heap = this.#heaps.get(waiting.slots) ?? [];
    this.#heaps.set(waiting.slots, heap);
    push(heap, waiting);
  }

  remove(key: string): void {
    const waiting = this.#live.get(key);
    if (!waiting) return;
    this.#live.delete(key);
    this.#slots -= waiting.slots;
  }

  /** Takes the first task that needs at most so many slots. */
  take(maxSlots: number): Waiting | undefined {
    let best: Waiting | undefined;
    for (const [slots, heap] of this.#heaps) {
      if (slots > maxSlots) continue;
      // Removed tasks stay in their heap until they come up: taking them out at once would cost a search.
      while (heap[0] && this.#live.get(heap[0].key) !== heap[0]) pop(heap);
      if (heap[0] && (!best || before(heap[0], best))) best = heap[0];
    }
    if (best) this.remove(best.key);
    return best;
  }
}

function push(heap: Waiting[], item: Waiting): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (!above || !before(item, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = item;
}

function pop(heap: Waiting[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    const [child, index] = right && left && before(right, left) ? [right, 2 * at + 2] : [left, 2 * at + 1];
    if (!child || !before(child, last)) break;
    heap[at] = child;
    at = index;
  }
  heap[at] = last;
}

export interface PlannedNode {
  readonly id: string;
  readonly state: 'starting' | 'idle' | 'running' | 'leavingpool' | 'unusable' | 'preempted';
  readonly usedSlots: number;
  /** When the node entered its state, in milliseconds since the epoch. */
  readonly since: number;
}

export interface PoolPlanInput {
  readonly taskSlotsPerNode: number;
  readonly nodeFillType: 'spread' | 'pack';
  readonly maxNodes: number;
  readonly bootMs: number;
  readonly idleMs: number;
  /** Nodes come when tasks wait and go when idle; false where a formula decides how many there are. */
  readonly onDemand: boolean;
  /** False while the pool can't be resized. */
  readonly canGrow: boolean;
  readonly nodes: readonly PlannedNode[];
  /** Tasks are taken from it as they are placed. */
  readonly waiting: WaitingTasks;
  readonly now: number;
}

export interface PoolPlan {
  /** Nodes whose boot is over. */
  readonly booted: readonly string[];
  readonly placements: readonly { readonly task: string; readonly node: string }[];
  readonly addNodes: number;
  readonly removeNodes: readonly string[];
  /** When to look again if nothing happens before; absent: never. */
  readonly wakeAt: number | undefined;
}

export function planPool(input: PoolPlanInput): PoolPlan {
  const { nodes, waiting, now, taskSlotsPerNode } = input;
  const booted = nodes.filter(node => node.state === 'starting' && now >= node.since + input.bootMs);
  const booting = nodes.filter(node => node.state === 'starting' && !booted.includes(node));
  const ready = [...booted, ...nodes.filter(({ state }) => state === 'idle' || state === 'running')];

  const free = new Map(ready.map(node => [node.id, taskSlotsPerNode - node.usedSlots]));
  const placements = place(free, waiting, input.nodeFillType);

  // Unusable nodes keep their place in the pool; a preempted one has lost it, and so has one that is leaving.
  const present = nodes.filter(({ state }) => state !== 'preempted' && state !== 'leavingpool').length;
  const wanted = Math.ceil(waiting.slots / taskSlotsPerNode) - booting.length;
  const addNodes =
    input.onDemand && input.canGrow ? Math.max(0, Math.min(wanted, input.maxNodes - present)) : 0;

  const busy = new Set(placements.map(({ node }) => node));
  const letGo = input.onDemand && waiting.size === 0;
  const leaving = nodes.filter(
    node =>
      letGo &&
      (node.state === 'idle' || node.state === 'preempted') &&
      !busy.has(node.id) &&
      now >= node.since + input.idleMs,
  );
  const later = [
    ...booting.map(node => node.since + input.bootMs),
    ...(letGo
      ? nodes
          .filter(node => (node.state === 'idle' || node.state === 'preempted') && !leaving.includes(node))
          .map(node => node.since + input.idleMs)
      : []),
    // A node that has just booted is idle from now on.
    ...booted.filter(({ id }) => input.onDemand && !busy.has(id)).map(() => now + input.idleMs),
  ].filter(time => time > now);
  // Now, too: a node that takes no time to boot would else stay `starting` until something else happens.
  const times = addNodes > 0 ? [...later, now + input.bootMs] : later;
  return {
    booted: booted.map(({ id }) => id),
    placements,
    addNodes,
    removeNodes: leaving.map(({ id }) => id),
    wakeAt: times.length > 0 ? Math.min(...times) : undefined,
  };
}

function place(
  free: Map<string, number>,
  waiting: WaitingTasks,
  fill: 'spread' | 'pack',
): { task: string; node: string }[] {
  const placements: { task: string; node: string }[] = [];
  for (;;) {
    const task = waiting.take(Math.max(0, ...free.values()));
    if (!task) return placements;
    const fitting = [...free].filter(([, slots]) => slots >= task.slots);
    const [node, slots] = fitting.reduce((best, next) =>
      (fill === 'spread' ? next[1] > best[1] : next[1] < best[1]) ? next : best,
    );
    free.set(node, slots - task.slots);
    placements.push({ task: task.key, node });
  }
}
