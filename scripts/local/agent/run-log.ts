import * as z from 'zod';
import { type Client, Refused } from './client.js';

/** What the service takes at once. */
const maxLines = 100;
const maxLineLength = 1024;
const pauseMs = 100;

/**
 * Sends lines to the log of the run, in order and in pieces, while the job goes on. Lines carry their number, so that
 * a piece that is sent again after a lost answer shows once.
 */
export class RunLogStream {
  readonly #client: Client;
  readonly #feedPath: string;
  readonly #waiting: string[] = [];
  readonly #complain: (line: string) => void;
  #nextLine = 1;
  #sending: Promise<void> | undefined;

  /** @param feedPath of the job's record */
  constructor(client: Client, feedPath: string, complain: (line: string) => void) {
    this.#client = client;
    this.#feedPath = feedPath;
    this.#complain = complain;
  }

  add(line: string): void {
    for (let at = 0; at === 0 || at < line.length; at += maxLineLength) {
      this.#waiting.push(line.slice(at, at + maxLineLength));
    }
    this.#sending ??= this.#send();
  }

  /** Resolves when all lines are at the service, or it does not want them any more. */
  async flush(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  async #send(): Promise<void> {
    try {
      await new Promise(resolve => setTimeout(resolve, pauseMs));
      while (this.#waiting.length > 0) {
        const value = this.#waiting.splice(0, maxLines);
        const startLine = this.#nextLine;
        this.#nextLine += value.length;
        await this.#client.call('POST', this.#feedPath, z.unknown(), {
          body: { value, count: value.length, startLine },
        });
      }
    } catch (error) {
      // The run is over (canceled, say): nobody reads on. A log must never fail a job.
      if (!(error instanceof Refused))
        this.#complain(`The run's log did not take all lines: ${String(error)}`);
      this.#waiting.length = 0;
    } finally {
      this.#sending = this.#waiting.length > 0 ? this.#send() : undefined;
    }
  }
}
