import type { Node } from './nodes.js';
import type { Trace } from './trace/trace.js';
import type { World } from './world.js';

/** What is known of each task, in columns; tasks are numbered by their age. Times are ms from the start. */
export class Tasks {
  /** From the request to the agent being online the first time; below 0 until that is certain. */
  readonly waits: Float32Array;
  readonly #nodeOf: Int32Array;
  readonly #givenAt: Float64Array;
  readonly #endsAt: Float64Array;

  constructor(
    private readonly trace: Trace,
    private readonly world: World,
  ) {
    const count = trace.at.length;
    this.waits = new Float32Array(count).fill(-1);
    this.#nodeOf = new Int32Array(count).fill(-1);
    this.#givenAt = new Float64Array(count);
    this.#endsAt = new Float64Array(count);
  }

  slotsOf(task: number): number {
    return this.trace.slots[task] ?? 1;
  }

  /** The node that a task is on until this moment; undefined when it was interrupted, and ends otherwise or not at all. */
  nodeEndingAt(task: number, now: number): number | undefined {
    return this.#endsAt[task] === now && (this.#nodeOf[task] ?? -1) >= 0 ? this.#nodeOf[task] : undefined;
  }

  /** @returns when it will end */
  give(task: number, node: Node, now: number): number {
    const { startSeconds, registerSeconds, pullSeconds } = this.world;
    if (node.imageReadyAt === Number.POSITIVE_INFINITY) node.imageReadyAt = now + pullSeconds * 1000;
    const online = Math.max(now, node.imageReadyAt) + (startSeconds + registerSeconds) * 1000;
    if ((this.waits[task] ?? 0) < 0) this.waits[task] = online - (this.trace.at[task] ?? 0);
    node.free -= this.slotsOf(task);
    node.tasks.push(task);
    this.#nodeOf[task] = node.id;
    this.#givenAt[task] = now;
    const ends = Math.round(online + (this.trace.runs[task] ?? 0));
    this.#endsAt[task] = ends;
    return ends;
  }

  /** @returns how long it was on its node */
  leave(task: number, node: Node, now: number): number {
    node.tasks.splice(node.tasks.indexOf(task), 1);
    node.free += this.slotsOf(task);
    this.#nodeOf[task] = -1;
    return now - (this.#givenAt[task] ?? 0);
  }

  /** An agent that was stopped before it was online has not been served. */
  interrupt(task: number, node: Node, now: number): number {
    const onlineAt = (this.trace.at[task] ?? 0) + (this.waits[task] ?? 0);
    if (onlineAt > now) this.waits[task] = -1;
    return this.leave(task, node, now);
  }
}
