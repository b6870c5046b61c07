import type { StackEvent } from '../../local/stack/supervisor.js';
import type { Counts } from './counts.js';

const executed = /Executed 'Functions\.([^']+)' \((\w+)/;

/** Counts what the host says of each function that has run. */
export class Executions {
  readonly #counts = new Map<string, number>();
  readonly #listeners = new Set<(name: string) => void>();

  /** For `onEvent` of a stack. */
  readonly onEvent = (event: StackEvent): void => {
    if (event.type !== 'line' || event.part !== 'host') return;
    const [, name] = executed.exec(event.line) ?? [];
    if (name === undefined) return;
    this.#counts.set(name, this.of(name) + 1);
    for (const listen of this.#listeners) listen(name);
  };

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  counts(): Counts {
    return Object.fromEntries(this.#counts);
  }

  /** Resolves once it has run again. */
  async next(name: string, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        this.#listeners.delete(listen);
        signal.removeEventListener('abort', abort);
      };
      const listen = (each: string): void => {
        if (each !== name) return;
        end();
        resolve();
      };
      const abort = (): void => {
        end();
        reject(new Error('The bench was called off.'));
      };
      signal.throwIfAborted();
      signal.addEventListener('abort', abort);
      this.#listeners.add(listen);
    });
  }
}
