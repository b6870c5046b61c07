import * as assert from 'uvu/assert';

import type {
  Evaluation,
  EvaluationInput,
  FormulaProblem,
  SampledVariable,
  SampleHistory,
} from '../../../scripts/local/autoscale/formula.js';
import { FormulaError } from '../../../scripts/local/autoscale/formula.js';
import { parseFormula } from '../../../scripts/local/autoscale/parse.js';
import { SampleRecorder, type Samples } from '../../../scripts/local/autoscale/sample-recorder.js';

/** A Tuesday, so that days of the week can be told from days of the month. */
export const now = Date.parse('2026-11-24T18:05:09.250Z');

const noSamples: SampleHistory = new SampleRecorder().seenAt(now);

/** Samples of one variable, the newest taken now, each 30 s before the one behind it; undefined is a gap. */
export function samplesOf(
  variable: SampledVariable,
  newestFirst: readonly (number | undefined)[],
): SampleHistory {
  const recorder = new SampleRecorder();
  for (const [index, value] of [...newestFirst.entries()].toReversed()) {
    const samples: Samples = { [variable]: value };
    if (value !== undefined) recorder.record(now - index * 30_000, samples);
  }
  return recorder.seenAt(now);
}

export const input = (changes: Partial<EvaluationInput> = {}): EvaluationInput => ({
  now,
  history: noSamples,
  targetDedicatedNodes: 3,
  targetLowPriorityNodes: 2,
  taskSlotsPerNode: 4,
  ...changes,
});

export const evaluate = (text: string, changes: Partial<EvaluationInput> = {}): Evaluation =>
  parseFormula(text, { mayLeaveTargets: true }).evaluate(input(changes));

/** What an expression is, as results show it. */
export function valueOf(expression: string, changes: Partial<EvaluationInput> = {}): string {
  const { results, error } = evaluate(`value = ${expression};`, changes);
  return error ? shown([error]) : (/;value=(.*)$/.exec(results)?.[1] ?? '?');
}

/** `line:column cause`, one a line. */
export const shown = (problems: readonly FormulaProblem[]): string =>
  problems.map(({ line, column, cause }) => `${line}:${column} ${cause}`).join('\n');

/** Everything that is wrong with a formula, as `line:column cause`. */
export function problemsOf(text: string): string {
  try {
    parseFormula(text);
  } catch (error) {
    assert.instance(error, FormulaError);
    if (error instanceof FormulaError) return shown(error.problems);
  }
  return 'no problem';
}
