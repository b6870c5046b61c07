import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Formula } from '../../local/autoscale/formula.js';
import { root } from '../../root.js';
import { readFormula, withParameters } from '../formula-file.js';
import { simulate } from '../simulation.js';
import type { Outcome } from '../tally.js';
import { readTrace } from '../trace/read-trace.js';
import type { Trace } from '../trace/trace.js';
import { usualWorld, type World } from '../world.js';

/** The traces and formulas that are kept in infra/autoscale. */
export type TraceName = 'office-day' | 'release-storm' | 'weekend' | 'steady-day' | 'year';
export type FormulaName = 'agents' | 'article';
export type Parameters = Readonly<Record<string, number>>;

/** One agent a node: nothing that a job leaves behind, or takes all of, is another's. */
export const oneAgentANode: World = { ...usualWorld, slots: 1 };
export const fiveAgentsANode: World = { ...usualWorld, slots: 5 };

/** The same for both formulas. The article has no dedicated nodes, so that the comparison has none either. */
export const capped = (nodes: number): Parameters => ({
  maxNodes: nodes,
  maxLowPriorityNodes: nodes,
  maxDedicatedNodes: 0,
});

const folder = join(root, 'infra', 'autoscale');

export function committedFormula(name: FormulaName, parameters: Parameters = {}): Formula {
  const file = join(folder, `${name}.formula`);
  return readFormula(file, withParameters(readFileSync(file, 'utf8'), new Map(Object.entries(parameters))));
}

export function committedTrace(name: TraceName, seed?: number): Trace {
  const file = join(folder, 'traces', `${name}.yaml`);
  return { ...readTrace(file, readFileSync(file, 'utf8'), { slots: 1, seed }), name };
}

export interface Comparison {
  readonly article: Outcome;
  readonly ours: Outcome;
}

/** Plays a day under both formulas. @param seed of the day and of all that happens to the nodes; the trace's own if absent */
export function compare(name: TraceName, world: World, parameters: Parameters, seed?: number): Comparison {
  const trace = committedTrace(name, seed);
  const same = { ...world, seed: seed ?? world.seed };
  return {
    article: simulate(trace, committedFormula('article', parameters), same),
    ours: simulate(trace, committedFormula('agents', parameters), same),
  };
}
