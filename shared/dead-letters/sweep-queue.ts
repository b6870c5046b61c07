import * as z from 'zod';
import { isDeadLetter } from '../domain/dead-letter.js';
import { type AgentRequest, isEnded } from '../domain/request.js';
import { inBatches } from '../in-batches.js';
import type { Clock, DrainableQueue, HeldMessage, Log, RequestStore } from '../ports.js';

export interface SweepDependencies {
  readonly store: RequestStore;
  readonly deadLetters: DrainableQueue;
  readonly clock: Clock;
  readonly log: Log;
}

/** Less than the letters are held for: one that was given back while we go on would come round again. */
const patienceMs = 20_000;
const atMost = 5_000;
const atOnce = 16;

const Letter = z.object({
  version: z.literal(1),
  requestId: z.string(),
  generation: z.number().int().min(1),
});

/**
 * Takes every letter out of the dead letter queue that the table says is over: redriven, purged, or doubled by a
 * crash. Everything else goes back, what we can't read included. It never fails: the table is the truth, and a letter
 * that is left behind goes with the next sweep. Whoever dies here has the letters come back within a minute.
 *
 * @returns how many letters were removed.
 */
export async function sweepQueue({ store, deadLetters, clock, log }: SweepDependencies): Promise<number> {
  const until = clock.now().getTime() + patienceMs;
  const rows = new Map<string, Promise<AgentRequest | undefined>>();
  const rowOf = async (requestId: string): Promise<AgentRequest | undefined> => {
    const known = rows.get(requestId) ?? store.get(requestId).then(stored => stored?.request);
    rows.set(requestId, known);
    return known;
  };
  const back: HeldMessage[] = [];
  let removed = 0;

  const look = async (held: HeldMessage): Promise<void> => {
    const letter = readLetter(held.text);
    const isOver = letter !== undefined && isStale(letter, await rowOf(letter.requestId));
    if (!isOver) {
      back.push(held);
      return;
    }
    await deadLetters.remove(held);
    removed += 1;
  };
  const unhindered = async (action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      log.warn(`A dead letter stays in its queue until it is looked through again: ${textOf(error)}`);
    }
  };

  await unhindered(async () => {
    while (back.length < atMost && clock.now().getTime() < until) {
      const held = await deadLetters.receive();
      if (held.length === 0) return;
      await inBatches(held, atOnce, async message => unhindered(async () => look(message)));
    }
  });
  await inBatches(back, atOnce, async message => unhindered(async () => deadLetters.giveBack(message)));
  return removed;
}

function readLetter(text: string): z.infer<typeof Letter> | undefined {
  try {
    const parsed = Letter.safeParse(JSON.parse(text));
    return parsed.data;
  } catch {
    return undefined;
  }
}

/** A letter is written before its row: one of a row that is still alive may be about to become true. */
const isStale = ({ generation }: z.infer<typeof Letter>, row: AgentRequest | undefined): boolean =>
  row !== undefined &&
  (row.generation > generation ||
    (row.generation === generation && isEnded(row.state) && !isDeadLetter(row)));

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
