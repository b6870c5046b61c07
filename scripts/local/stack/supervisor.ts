import { Part, type PartSpec, type Ready } from './part.js';
import { type PartName, partNames } from './plan.js';

export type StackEvent =
  | { readonly type: 'ready'; readonly part: PartName; readonly url: string }
  | { readonly type: 'line'; readonly part: PartName; readonly line: string }
  /** A part ended unasked, and will be started again. */
  | { readonly type: 'died'; readonly part: PartName; readonly how: string; readonly output: string }
  /** A part ended unasked and stays dead. */
  | { readonly type: 'lost'; readonly part: PartName; readonly reason: string };

export interface SupervisorOptions {
  /** How often a part that dies by itself is started again. */
  readonly restarts: number;
  readonly onEvent: (event: StackEvent) => void;
  /** Calls starts off. */
  readonly signal?: AbortSignal | undefined;
}

/** Each further restart of a part waits a little longer. */
const restartDelayMs = 250;

/** Starts parts, keeps them running and ends them. */
export class Supervisor {
  readonly #parts = new Map<PartName, Part>();
  readonly #restarts = new Map<PartName, number>();
  #stopping: Promise<void> | undefined;

  constructor(private readonly options: SupervisorOptions) {}

  /** Starts a part for the first time. */
  async launch(name: PartName, spec: PartSpec): Promise<Ready> {
    const part = new Part(spec, {
      onLine: line => this.options.onEvent({ type: 'line', part: name, line }),
      onDeath: how => void this.#revive(name, part, how),
    });
    this.#parts.set(name, part);
    await this.start(name);
    return part.ready;
  }

  async start(name: PartName): Promise<void> {
    const part = this.part(name);
    await part.start(this.options.signal);
    this.options.onEvent({ type: 'ready', part: name, url: part.ready.url });
  }

  part(name: PartName): Part {
    const part = this.#parts.get(name);
    if (!part) throw new Error(`The ${name} is no part of this stack.`);
    return part;
  }

  async #revive(name: PartName, part: Part, how: string): Promise<void> {
    const restarts = (this.#restarts.get(name) ?? 0) + 1;
    this.#restarts.set(name, restarts);
    const lose = (reason: string): void => this.options.onEvent({ type: 'lost', part: name, reason });
    if (restarts > this.options.restarts) {
      lose(`${name} ${how}. Its last words:\n${part.output}`);
      return;
    }
    this.options.onEvent({ type: 'died', part: name, how, output: part.output });
    await new Promise(done => setTimeout(done, restartDelayMs * restarts));
    if (this.#stopping) return;
    try {
      await this.start(name);
    } catch (error) {
      if (!this.#stopping) lose(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * Ends every part, the last started first.
   *
   * @throws a sentence when a part did not end cleanly; all have ended even so
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    const problems: string[] = [];
    for (const name of partNames.toReversed()) {
      const problem = await this.#parts.get(name)?.stop();
      if (problem) problems.push(problem);
    }
    if (problems.length > 0) throw new Error(`${problems.join('.\n')}.`);
  }
}
