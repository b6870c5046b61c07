import { setTimeout as sleep } from 'node:timers/promises';
import { odata } from '@azure/data-tables';
import type { Stack } from '../local/stack/stack.js';
import { requestsTable } from './collect.js';

const everyMs = 400;

/** Counts the live requests in the table, again and again, without asking the app. */
export class Pulse {
  /** Live requests by state, as of the last look that succeeded. */
  states: ReadonlyMap<string, number> = new Map();
  /** Looks that succeeded so far. */
  looks = 0;
  readonly #stop = new AbortController();
  readonly #beating: Promise<void>;

  constructor(stack: Stack) {
    this.#beating = this.#beat(stack);
  }

  get live(): number {
    return [...this.states.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Resolves after a look that was begun later than now. */
  async next(): Promise<void> {
    for (const until = this.looks + 2; this.looks < until; ) await sleep(everyMs / 2);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#beating;
  }

  async #beat(stack: Stack): Promise<void> {
    const filter = odata`PartitionKey eq ${'requests'} and RowKey ge ${'live~'} and RowKey lt ${'live~~'}`;
    const table = requestsTable(stack, 0);
    while (!this.#stop.signal.aborted) {
      try {
        const states = new Map<string, number>();
        const rows = table.listEntities<{ state: string }>({ queryOptions: { filter, select: ['state'] } });
        for await (const { state } of rows) states.set(state, (states.get(state) ?? 0) + 1);
        this.states = states;
        this.looks += 1;
      } catch {
        // The storage is dead, or there is no table yet: nothing has changed that we could tell.
      }
      await sleep(everyMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }
}
