import pLimit, { type LimitFunction } from 'p-limit';
import { sleep } from './storage.js';

/** People wait for so many HTTP calls that nothing else should begin. */
const crowd = 32;

/**
 * The HTTP functions that are asked for, of which host.json may let only some run at once: then less is held in memory
 * at the same time, and the first of a burst are answered early. Where each waits for storage that saves for all of
 * them at once, it costs more than it saves.
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
