import type { Place } from './node.js';

export interface Problem {
  /** `file:line:column`. */
  readonly where: string;
  readonly message: string;
}

/** Everything that is wrong with a pipeline: its author is told all of it at once. */
export class Problems {
  readonly #found = new Map<string, Problem>();

  /** The same problem in the same place counts once: a template may be included many times. */
  add({ file, line, column }: Place, message: string): void {
    const where = `${file}:${line}:${column}`;
    this.#found.set(`${where} ${message}`, { where, message });
  }

  get all(): readonly Problem[] {
    return [...this.#found.values()];
  }
}
