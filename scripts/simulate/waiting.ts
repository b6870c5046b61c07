import FlatQueue from 'flatqueue';

/** Tasks that wait for a node, the oldest first; one queue for each number of slots, for a big one may have to let small ones pass. */
export class Waiting {
  readonly #queues = new Map<number, FlatQueue>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** A task that comes back stands where it stood: tasks are numbered by their age. */
  add(task: number, slots: number): void {
    let queue = this.#queues.get(slots);
    if (!queue) {
      queue = new FlatQueue();
      this.#queues.set(slots, queue);
    }
    queue.push(task, task);
    this.#size += 1;
  }

  /** Takes the oldest that needs no more than `free` slots. */
  takeFitting(free: number): number | undefined {
    let oldest = Number.POSITIVE_INFINITY;
    let from: FlatQueue | undefined;
    for (const [slots, queue] of this.#queues) {
      const first = queue.peek() ?? Number.POSITIVE_INFINITY;
      if (slots <= free && first < oldest) {
        oldest = first;
        from = queue;
      }
    }
    if (!from) return undefined;
    this.#size -= 1;
    return from.pop();
  }
}
