import type { FormulaProblem } from '../local/autoscale/formula.js';
import { hour } from './trace/trace.js';

/** What a simulation is judged by. */
export interface Outcome {
  readonly requests: number;
  /** Requests whose agent never came online. */
  readonly unserved: number;
  /** From the request to its agent being online. */
  readonly waitMinutes: Waits;
  readonly nodeHours: { readonly spot: number; readonly dedicated: number };
  /** Share of the slots that were paid for in which an agent started or ran. */
  readonly utilisation: number;
  readonly peakNodes: number;
  /** Spot nodes taken back. */
  readonly evictions: number;
  /** Jobs that were stopped by that, or by the removal of their node, and began anew or were lost. */
  readonly interrupted: number;
  readonly evaluations: number;
  readonly failedEvaluations: number;
  /** Why the first of these failed. */
  readonly problem?: FormulaProblem;
  readonly timeline: Timeline;
}

export interface Waits {
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** What was there along time: agents at the moment of each span when there were the most, and its most nodes. */
export interface Timeline {
  readonly spanMs: number;
  readonly waiting: readonly number[];
  readonly running: readonly number[];
  readonly spot: readonly number[];
  readonly dedicated: readonly number[];
}

const spans = 288;

export class TimelineKeeper implements Timeline {
  readonly spanMs: number;
  readonly waiting: number[] = [];
  readonly running: number[] = [];
  readonly spot: number[] = [];
  readonly dedicated: number[] = [];

  constructor(lasts: number) {
    this.spanMs = Math.max(60_000, Math.ceil(lasts / spans));
  }

  add(now: number, values: { waiting: number; running: number; spot: number; dedicated: number }): void {
    const span = Math.floor(now / this.spanMs);
    // Both of one moment: the most of each would count agents twice that waited first and ran then.
    const agents = (this.waiting[span] ?? 0) + (this.running[span] ?? 0);
    if (this.waiting[span] === undefined || values.waiting + values.running > agents) {
      this.waiting[span] = values.waiting;
      this.running[span] = values.running;
    }
    this.spot[span] = Math.max(this.spot[span] ?? 0, values.spot);
    this.dedicated[span] = Math.max(this.dedicated[span] ?? 0, values.dedicated);
  }
}

/** @param waits in ms; below 0: unserved */
export function waitsOf(waits: Float32Array): { readonly waitMinutes: Waits; readonly unserved: number } {
  const sorted = waits.toSorted();
  let unserved = 0;
  while (unserved < sorted.length && (sorted[unserved] ?? 0) < 0) unserved += 1;
  const served = sorted.subarray(unserved);
  // The nearest rank: a wait that somebody had, not one in between.
  const at = (share: number): number =>
    (served[Math.max(0, Math.ceil(share * served.length) - 1)] ?? 0) / 60_000;
  return {
    waitMinutes: { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max: at(1) },
    unserved,
  };
}

/** Node-hours and what was made of them. */
export class Meter {
  #spot = 0;
  #dedicated = 0;
  #busy = 0;

  constructor(private readonly slots: number) {}

  node(spot: boolean, lived: number): void {
    if (spot) this.#spot += lived;
    else this.#dedicated += lived;
  }

  task(slots: number, took: number): void {
    this.#busy += slots * took;
  }

  read(): Pick<Outcome, 'nodeHours' | 'utilisation'> {
    const paid = (this.#spot + this.#dedicated) * this.slots;
    return {
      nodeHours: { spot: this.#spot / hour, dedicated: this.#dedicated / hour },
      utilisation: paid === 0 ? 0 : this.#busy / paid,
    };
  }
}
