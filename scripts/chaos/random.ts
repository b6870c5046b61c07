/** Chance that a seed determines: the same seed gives the same numbers, on every machine and version of Node.js. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** One of the names, each as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
  shuffled<T>(items: readonly T[]): T[];
}

/** Mulberry32: small, public domain, and good enough to spread faults. Nothing here needs to be unpredictable. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    chance: probability => next() < probability,
    weighted: weights => {
      const names = keysOf(weights);
      const [first] = names;
      if (first === undefined) throw new Error('There is nothing to choose from.');
      let left = next() * names.reduce((sum, name) => sum + weights[name], 0);
      return names.find(name => (left -= weights[name]) < 0) ?? first;
    },
    shuffled: items => {
      const all = [...items];
      for (let last = all.length - 1; last > 0; last -= 1) {
        const chosen = between(0, last);
        all.splice(last, 0, ...all.splice(chosen, 1));
      }
      return all;
    },
  };
}

function keysOf<Name extends string>(record: Readonly<Record<Name, number>>): Name[] {
  const names: Name[] = [];
  for (const name in record) names.push(name);
  return names;
}
