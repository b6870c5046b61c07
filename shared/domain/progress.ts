import { chanceFrom } from './backoff.js';

/** A pipeline that waits hears from us this often; its answer tells us whether its run is still there. */
const usualPeriodMs = 40_000;
/** Where a pool is looked at more often than usual, e.g. in a demo, its pipelines hear more often, too. */
const rounds = 8;
/** So many lines a second on average, at most: a crowd that waits stretches the period instead. */
const linesPerSecond = 25;

/**
 * @param waiting how many pipelines wait, in all.
 * @param roundMs how often their pool is looked at.
 */
export const progressPeriodMs = (waiting: number, roundMs: number): number =>
  Math.max(Math.min(usualPeriodMs, rounds * roundMs), (waiting / linesPerSecond) * 1_000);

/**
 * Whether it is a request's turn in the time between two looks. Every request has a phase of its own in the period,
 * so that the lines are spread evenly and nobody has to remember when each was last told.
 *
 * @param from when the look before was, in milliseconds since the epoch; not included.
 * @param to now; included.
 */
export function isDue(requestId: string, periodMs: number, from: number, to: number): boolean {
  // The text behind the id mixes it well: ids that count up would else sit close together.
  const phase = chanceFrom(`${requestId}/progress`) * periodMs;
  const turn = (at: number): number => Math.floor((at - phase) / periodMs);
  return turn(to) > turn(from);
}
