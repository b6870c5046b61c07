import { setTimeout as sleep } from 'node:timers/promises';
import type { PartName } from '../local/stack/plan.js';
import type { Stack } from '../local/stack/stack.js';

/** A `kill -9` and when the part was there again; times are ISO 8601. */
export interface Kill {
  readonly part: PartName;
  readonly at: string;
  backAt: string | undefined;
}

/** The parts of the stack, of which one at a time may be dead. */
export class Parts {
  readonly kills: Kill[] = [];
  #whole: Promise<void> = Promise.resolve();

  /**
   * @param onBack is run when a part has been started again, before it counts as there: rules of a stand-in, for
   *   example, die with it.
   */
  constructor(
    private readonly stack: Stack,
    private readonly onBack: (part: PartName) => Promise<void>,
  ) {}

  /**
   * Kills a part once every other has been there for a while, and returns when it is dead; it comes back by itself.
   *
   * @param afterMs how long all parts must have been there.
   * @param downMs how long it stays dead.
   */
  async kill(part: PartName, afterMs: number, downMs: number): Promise<void> {
    await this.untilWhole();
    await sleep(afterMs);
    const kill: Kill = { part, at: new Date().toISOString(), backAt: undefined };
    this.kills.push(kill);
    await this.stack.kill(part);
    this.#whole = this.#revive(kill, downMs);
    // Whoever waits for it hears of its failure; until then it is nobody's.
    this.#whole.catch(() => undefined);
  }

  /** @throws when a part could not be started again. */
  untilWhole(): Promise<void> {
    return this.#whole;
  }

  async #revive(kill: Kill, downMs: number): Promise<void> {
    await sleep(downMs);
    await this.stack.start(kill.part);
    await this.onBack(kill.part);
    kill.backAt = new Date().toISOString();
  }
}
