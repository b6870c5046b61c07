import { chance } from './chance.js';

/** When a rule bites, among the occasions that match it. */
export interface When {
  readonly after: number;
  readonly count?: number | undefined;
  readonly forMs?: number | undefined;
  readonly probability: number;
}

interface Tally {
  seen: number;
  bitten: number;
  readonly since: number;
}

/** Keys that are counted apart; beyond that the oldest are forgotten. */
const maxKeys = 10_000;

/** Counts the occasions of one rule and decides which of them it takes. */
export class Trigger {
  seen = 0;
  bitten = 0;
  readonly #tallies = new Map<string, Tally>();

  /** @param name makes the chances of this rule differ from those of others with the same seed. */
  constructor(
    readonly when: When,
    readonly seed: number,
    readonly name: string,
  ) {}

  /** @param key occasions of each key are counted apart. */
  bites(key: string, now: number): boolean {
    const tally = this.#tallies.get(key) ?? { seen: 0, bitten: 0, since: now };
    if (!this.#tallies.has(key)) this.#remember(key, tally);
    this.seen += 1;
    tally.seen += 1;
    const { after, count, forMs, probability } = this.when;
    if (tally.seen <= after) return false;
    if (count !== undefined && tally.bitten >= count) return false;
    if (forMs !== undefined && now - tally.since > forMs) return false;
    if (probability < 1 && chance(this.seed, this.name, key, tally.seen) >= probability) return false;
    this.bitten += 1;
    tally.bitten += 1;
    return true;
  }

  #remember(key: string, tally: Tally): void {
    const [oldest] = this.#tallies.keys();
    if (this.#tallies.size >= maxKeys && oldest !== undefined) this.#tallies.delete(oldest);
    this.#tallies.set(key, tally);
  }
}
