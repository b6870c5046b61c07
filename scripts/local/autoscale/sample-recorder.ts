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
    let name: SampledVariable;
    // Its keys are typed so, which `Object.entries` forgets.
    for (name in samples) this.#ring(name)[place] = samples[name] ?? Number.NaN;
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

  /**
   * Goes back from the sample before `end` over those of a variable that had arrived by a moment, until `take` says that
   * it has enough.
   */
  goBack(
    variable: SampledVariable,
    end: number,
    arrivedBy: number,
    take: (value: number, time: number) => boolean,
  ): void {
    const ring = this.#values.get(variable);
    if (!ring) return;
    for (let index = end - 1; index >= 0; index--) {
      const place = this.#placeOf(index);
      const value = ring[place] ?? Number.NaN;
      if (Number.isNaN(value) || (this.#arrivals[place] ?? Number.NaN) > arrivedBy) continue;
      if (!take(value, this.#times[place] ?? Number.NaN)) return;
    }
  }

  /** How many samples were taken up to a moment. */
  countUpTo(moment: number): number {
    // Most look up to now.
    if (this.timeOf(this.#size - 1) <= moment) return this.#size;
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
    this.#recorder.goBack(variable, this.#recorder.countUpTo(to), this.#now, (value, time) => {
      if (time < from) return false;
      values.push(value);
      return true;
    });
    return values;
  }

  count(variable: SampledVariable, from: number, to: number): number {
    let count = 0;
    this.#recorder.goBack(variable, this.#recorder.countUpTo(to), this.#now, (_value, time) => {
      if (time < from) return false;
      count += 1;
      return true;
    });
    return count;
  }

  latest(variable: SampledVariable, count: number): readonly number[] {
    const values: number[] = [];
    if (count < 1) return values;
    this.#recorder.goBack(variable, this.#recorder.size, this.#now, value => values.push(value) < count);
    return values;
  }
}
