import type { Place } from './node.js';

export interface Problem {
  /** `file:line:column`. */
  readonly where: string;
  readonly message: string;
}

/** More than any pipeline needs; `each` within `each` would else fill the memory. */
const mostParts = 200_000;

/** Thrown when there is no use in reading on. */
export class PipelineTooLarge extends Error {}

/** Everything that is wrong with a pipeline: its author is told all of it at once. */
export class Problems {
  readonly #found = new Map<string, Problem>();
  #parts = 0;

  /** The same problem in the same place counts once: a template may be included many times. */
  add({ file, line, column }: Place, message: string): void {
    const where = `${file}:${line}:${column}`;
    this.#found.set(`${where} ${message}`, { where, message });
  }

  /**
   * Counts a key, item or text of the pipeline as it will be played.
   *
   * @throws {PipelineTooLarge} when there are too many
   */
  countPart(at: Place): void {
    this.#parts += 1;
    if (this.#parts <= mostParts) return;
    const message = `the pipeline is too large: with its templates it has more than ${mostParts} keys and values`;
    this.add(at, message);
    throw new PipelineTooLarge(message);
  }

  get all(): readonly Problem[] {
    return [...this.#found.values()];
  }
}
