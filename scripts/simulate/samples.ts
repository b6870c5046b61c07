import type { SampledVariable, SampleHistory } from '../local/autoscale/formula.js';

export const samplePeriod = 30_000;
/** Longest look back of a formula that is worth keeping: a day. */
const kept = 2_880;

/** What the simulated pool has of the metrics; the others are 0. */
const measured = [
  '$ActiveTasks',
  '$RunningTasks',
  '$PendingTasks',
  '$SucceededTasks',
  '$CurrentDedicatedNodes',
  '$CurrentLowPriorityNodes',
  '$PreemptedNodeCount',
  '$UsableNodeCount',
  '$SampleNodeCount',
] as const satisfies readonly SampledVariable[];
type Measured = (typeof measured)[number];

const columnOf = new Map<SampledVariable, number>(measured.map((name, index) => [name, index]));

/** Samples of a pool in a ring of numbers. Those that are still on their way are not to be seen. */
export class Samples {
  readonly #times = new Float64Array(kept);
  readonly #values = new Float64Array(kept * measured.length);
  #count = 0;

  constructor(private readonly startsAt: number) {}

  add(at: number, values: Readonly<Record<Measured, number>>): void {
    const place = this.#count % kept;
    this.#times[place] = at;
    for (const [column, name] of measured.entries()) {
      this.#values[place * measured.length + column] = values[name];
    }
    this.#count += 1;
  }

  /** As a formula sees them at a moment, when the samples after `until` have not arrived; times from the start. */
  seenUntil(until: number): SampleHistory {
    const oldest = Math.max(0, this.#count - kept);
    let end = this.#count;
    while (end > oldest && this.#timeOf(end - 1) > until) end -= 1;
    return {
      periodMs: samplePeriod,
      beginsAt: end > oldest ? this.startsAt + this.#timeOf(oldest) : undefined,
      between: (variable, from, to) => {
        let newest = end;
        while (newest > oldest && this.#timeOf(newest - 1) > to - this.startsAt) newest -= 1;
        let first = newest;
        while (first > oldest && this.#timeOf(first - 1) >= from - this.startsAt) first -= 1;
        return this.#take(variable, newest, first);
      },
      latest: (variable, count) => this.#take(variable, end, Math.max(oldest, end - count)),
    };
  }

  #timeOf(index: number): number {
    return this.#times[index % kept] ?? 0;
  }

  /** From the one before `end` back to `first`. */
  #take(variable: SampledVariable, end: number, first: number): number[] {
    const column = columnOf.get(variable);
    const taken: number[] = [];
    for (let index = end - 1; index >= first; index -= 1) {
      taken.push(column === undefined ? 0 : (this.#values[(index % kept) * measured.length + column] ?? 0));
    }
    return taken;
  }
}
