import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Chance that is the same for the same seed and purpose, whatever is drawn for other purposes. */
export class Chance {
  readonly #generator;

  constructor(seed: number, purpose: string) {
    this.#generator = xoroshiro128plus(mix(seed, purpose));
  }

  /** From 0, below 1. */
  share(): number {
    return uniformFloat64(this.#generator);
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.share();
  }

  /** Whole, from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.share() * (most - least + 1));
  }

  /** Until something happens that does so `rate` times in a unit of time on average; never, if 0 times. */
  until(rate: number): number {
    return rate > 0 ? -Math.log(1 - this.share()) / rate : Number.POSITIVE_INFINITY;
  }

  /**
   * Around a median, with a long tail above it, as durations have: two thirds lie between `median / (1 + spread)` and
   * `median * (1 + spread)`.
   */
  around(median: number, spread: number): number {
    if (spread === 0) return median;
    const normal = Math.sqrt(-2 * Math.log(1 - this.share())) * Math.cos(2 * Math.PI * this.share());
    return median * (1 + spread) ** Math.max(-3, Math.min(3, normal));
  }
}

/** FNV-1a of both. */
function mix(seed: number, purpose: string): number {
  let hash = 0x811c9dc5;
  for (const letter of `${seed} ${purpose}`) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  }
  return hash;
}
