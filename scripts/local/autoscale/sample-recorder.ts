import type { SampledVariable, SampleHistory } from './formula.js';

export interface SampleRecorderOptions {
  /** Between two samples. */
  readonly periodMs?: number;
  /** From when a sample is taken to when a formula can see it, where `record` is not told. About a minute in the cloud. */
  readonly delayMs?: number;
  /** Samples older than this, measured from the newest, are forgotten. */
  readonly keepMs?: number;
}

export type Samples = Readonly<Partial<Record<SampledVariable, number>>>;

const day = 86_400_000;

/**
 * The samples of a pool, in rings of numbers: recording costs no memory, and looking back costs as much as there is to
 * see. A moment at which nothing was recorded is a gap, which counts against the percentage of samples.
 */
export class SampleRecorder {
  readonly periodMs: number;
  readonly delayMs: number;
  readonly keepMs: number;
  readonly #capacity: number;
  readonly #times: Float64Array;
  readonly #arrivals: Float64Array;
  /** NaN: the variable was not sampled then. */
  readonly #values = new Map<SampledVariable, Float64Array>();
  /** Where the oldest sample is, and how many there are. */
  #first = 0;
  #size = 0;

  constructor({ periodMs = 30_000, delayMs = 0, keepMs = day }: SampleRecorderOptions = {}) {
    this.periodMs = periodMs;
    this.delayMs = delayMs;
    this.keepMs = keepMs;
    this.#capacity = Math.floor(keepMs / periodMs) + 1;
    this.#times = new Float64Array(this.#capacity);
    this.#arrivals = new Float64Array(this.#capacity);
  }

  /** Records what was sampled at a moment; moments must come in order. */
  record(at: number, samples: Samples, arrivesAt = at + this.delayMs): void {
    if (this.#size === this.#capacity) this.#forgetOldest();
    while (this.#size > 0 && this.timeOf(0) < at - this.keepMs) this.#forgetOldest();
    const place = this.#placeOf(this.#size);
    this.#times[place] = at;
    this.#arrivals[place] = arrivesAt;
    for (const ring of this.#values.values()) ring[place] = Number.NaN;
    for (const [name, value] of entriesOf(samples)) this.#ring(name)[place] = value;
    this.#size += 1;
  }

  /** What a formula sees that is evaluated at this moment. */
  seenAt(now: number): SampleHistory {
    return new SeenSamples(this, now);
  }

  get size(): number {
    return this.#size;
  }

  /** By age, 0 being the oldest that is kept. */
  timeOf(index: number): number {
    return this.#times[this.#placeOf(index)] ?? Number.NaN;
  }

  arrivalOf(index: number): number {
    return this.#arrivals[this.#placeOf(index)] ?? Number.NaN;
  }

  /** NaN where there is none. */
  valueOf(variable: SampledVariable, index: number): number {
    return this.#values.get(variable)?.[this.#placeOf(index)] ?? Number.NaN;
  }

  /** How many samples were taken up to a moment. */
  countUpTo(moment: number): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timeOf(middle) <= moment) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #placeOf(index: number): number {
    return (this.#first + index) % this.#capacity;
  }

  #forgetOldest(): void {
    this.#first = this.#placeOf(1);
    this.#size -= 1;
  }

  #ring(name: SampledVariable): Float64Array {
    let ring = this.#values.get(name);
    if (!ring) {
      ring = new Float64Array(this.#capacity).fill(Number.NaN);
      this.#values.set(name, ring);
    }
    return ring;
  }
}

/** Typed entries: the keys of an object literal are all that `Object.entries` forgets. */
function* entriesOf(samples: Samples): Generator<[SampledVariable, number]> {
  let name: SampledVariable;
  for (name in samples) {
    const value = samples[name];
    if (value !== undefined) yield [name, value];
  }
}

class SeenSamples implements SampleHistory {
  readonly #recorder: SampleRecorder;
  readonly #now: number;

  constructor(recorder: SampleRecorder, now: number) {
    this.#recorder = recorder;
    this.#now = now;
  }

  get periodMs(): number {
    return this.#recorder.periodMs;
  }

  get beginsAt(): number | undefined {
    for (let index = 0; index < this.#recorder.size; index++) {
      if (this.#recorder.arrivalOf(index) <= this.#now) return this.#recorder.timeOf(index);
    }
    return undefined;
  }

  between(variable: SampledVariable, from: number, to: number): readonly number[] {
    const values: number[] = [];
    for (let index = this.#recorder.countUpTo(to) - 1; index >= 0; index--) {
      if (this.#recorder.timeOf(index) < from) break;
      if (this.#sees(variable, index)) values.push(this.#recorder.valueOf(variable, index));
    }
    return values;
  }

  count(variable: SampledVariable, from: number, to: number): number {
    let count = 0;
    for (let index = this.#recorder.countUpTo(to) - 1; index >= 0; index--) {
      if (this.#recorder.timeOf(index) < from) break;
      if (this.#sees(variable, index)) count += 1;
    }
    return count;
  }

  latest(variable: SampledVariable, count: number): readonly number[] {
    const values: number[] = [];
    for (let index = this.#recorder.size - 1; index >= 0 && values.length < count; index--) {
      if (this.#sees(variable, index)) values.push(this.#recorder.valueOf(variable, index));
    }
    return values;
  }

  #sees(variable: SampledVariable, index: number): boolean {
    return (
      this.#recorder.arrivalOf(index) <= this.#now && !Number.isNaN(this.#recorder.valueOf(variable, index))
    );
  }
}
