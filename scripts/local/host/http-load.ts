import pLimit, { type LimitFunction } from 'p-limit';
import { sleep } from './storage.js';

/** People wait for so many HTTP calls that nothing else should begin. */
const crowd = 32;

/**
 * The HTTP functions that are asked for. Of a burst only some run at once: each of a thousand that do everything side
 * by side would be answered with the last of them, and all that they hold would lie in memory at the same time.
 */
export class HttpLoad {
  readonly #limit: LimitFunction;
  #calm: (() => void)[] = [];

  /** @param most that run at once; the others wait in the order in which they came */
  constructor(most: number) {
    this.#limit = pLimit(most);
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#limit(work);
    } finally {
      if (!this.#isCrowded()) for (const wake of this.#calm.splice(0)) wake();
    }
  }

  /** Resolves when no crowd waits for HTTP functions, or after `ms`: a steady crowd may slow others, but not stop them. */
  async calm(ms: number): Promise<void> {
    if (!this.#isCrowded()) return;
    const waking = new AbortController();
    this.#calm.push(() => waking.abort());
    await sleep(ms, waking.signal);
  }

  #isCrowded(): boolean {
    return this.#limit.activeCount + this.#limit.pendingCount > crowd;
  }
}
