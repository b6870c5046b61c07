import { createHash } from 'node:crypto';

/**
 * A number in [0, 1) that follows from the seed and what it is asked for, and from nothing else: calls that come in
 * another order, or in between, change no answer, which a generator that is drawn from in turn can't say.
 */
export const chance = (seed: number, ...what: readonly (string | number)[]): number =>
  createHash('sha256')
    .update(JSON.stringify([seed, ...what]))
    .digest()
    .readUInt32BE(0) /
  2 ** 32;
