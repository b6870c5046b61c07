/** The newest entries of a log that must not grow without end; each has a number, counted from 1. */
export class Recent<Entry extends object> {
  #entries: Array<Entry & { readonly n: number }> = [];
  #last = 0;

  constructor(readonly keep = 10_000) {}

  add(entry: Entry): Entry & { readonly n: number } {
    this.#last += 1;
    const numbered = Object.assign(entry, { n: this.#last });
    this.#entries.push(numbered);
    // In large steps: taking the first of an array off costs as much as the array is long.
    if (this.#entries.length > this.keep * 1.5) this.#entries = this.#entries.slice(-this.keep);
    return numbered;
  }

  /** Those after a number, oldest first. */
  after(n: number): ReadonlyArray<Entry & { readonly n: number }> {
    return this.#entries.slice(-this.keep).filter(entry => entry.n > n);
  }
}
