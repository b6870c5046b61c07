import { type NodeDeallocationOption, type SampledVariable, sampledVariables } from './formula.js';

/** Every name that the service gives a meaning to. Names are compared with their case: its page shows each in one only. */

const hour = 3_600_000;

/** Milliseconds. A year is 365 days: the page does not say, and formulas that look back a year find no samples anyway. */
export const intervals: ReadonlyMap<string, number> = new Map([
  ['TimeInterval_Zero', 0],
  ['TimeInterval_100ns', 1e-4],
  ['TimeInterval_Microsecond', 1e-3],
  ['TimeInterval_Millisecond', 1],
  ['TimeInterval_Second', 1_000],
  ['TimeInterval_Minute', 60_000],
  ['TimeInterval_Hour', hour],
  ['TimeInterval_Day', 24 * hour],
  ['TimeInterval_Week', 7 * 24 * hour],
  ['TimeInterval_Year', 365 * 24 * hour],
]);

export type Target = '$TargetDedicatedNodes' | '$TargetLowPriorityNodes';

/** The short names were those of all nodes, before there were low-priority ones. */
export const aliases: ReadonlyMap<string, Target> = new Map([
  ['$TargetDedicated', '$TargetDedicatedNodes'],
  ['$TargetLowPriority', '$TargetLowPriorityNodes'],
]);

export const targetOf = (name: string): Target | undefined =>
  name === '$TargetDedicatedNodes' || name === '$TargetLowPriorityNodes' ? name : aliases.get(name);

export const optionVariable = '$NodeDeallocationOption';

const options: readonly NodeDeallocationOption[] = ['requeue', 'terminate', 'taskcompletion', 'retaineddata'];
export const asOption = (name: string): NodeDeallocationOption | undefined =>
  options.find(option => option === name);

/** The name it had before there were low-priority nodes; the service's commands still show formulas with it. */
const oldName = { name: '$CurrentDedicated', variable: '$CurrentDedicatedNodes' } as const;

export const asSampled = (name: string): SampledVariable | undefined =>
  name === oldName.name ? oldName.variable : sampledVariables.find(variable => variable === name);

export const serviceVariables: readonly string[] = [
  '$TargetDedicatedNodes',
  '$TargetLowPriorityNodes',
  ...aliases.keys(),
  optionVariable,
  ...sampledVariables,
];

/** @returns `, did you mean X?` when one of the names is nearly this. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const best = nearest(name, known, Math.max(2, Math.floor(name.length / 3)));
  return best === undefined ? '' : `, did you mean ${best}?`;
}

/** @returns the name that is nearest to this one: at most so many letters differ. */
export function nearest(name: string, known: Iterable<string>, letters: number): string | undefined {
  let best: string | undefined;
  let least = letters + 1;
  for (const candidate of known) {
    // A wrong case alone is nearer than any other name; then what has only its end left off.
    const distance = distanceOf(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

function distanceOf(name: string, candidate: string): number {
  if (name === candidate) return 0;
  return name.length >= 4 && candidate.startsWith(name) ? 1 : editDistance(name, candidate);
}

/** Letters to add, drop or exchange to make one word of the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of from.split('').entries()) {
    const next = [index + 1];
    for (let at = 1; at <= to.length; at++) {
      const replaced = (row[at - 1] ?? 0) + Number(letter !== to[at - 1]);
      next.push(Math.min(replaced, (row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
