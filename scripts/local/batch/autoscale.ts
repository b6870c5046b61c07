import {
  type Evaluation,
  type EvaluationInput,
  type Formula,
  FormulaError,
  type FormulaProblem,
  maxFormulaBytes,
} from '../autoscale/formula.js';
import { BatchError } from './errors.js';
import type { AutoScaleRun } from './records.js';

/** Formulas as the service takes and answers them. */

/**
 * Reads a formula that a pool is to follow. The reader is loaded when the first formula comes: most local pools have none.
 *
 * @throws FormulaError with every problem.
 */
export async function readFormula(text: string, mayLeaveTargets = false): Promise<Formula> {
  const { parseFormula } = await import('../autoscale/parse.js');
  return parseFormula(text, { mayLeaveTargets });
}

/** @throws BatchError `AutoScaleFormulaTooLong` (400). */
function checkLength(text: string): void {
  if (Buffer.byteLength(text) > maxFormulaBytes) throw new BatchError('AutoScaleFormulaTooLong');
}

/** @throws BatchError `AutoScaleFormulaTooLong` or `AutoScalingFormulaSyntaxError` (400), with every problem. */
export async function readFormulaOf(text: string): Promise<Formula> {
  checkLength(text);
  try {
    return await readFormula(text);
  } catch (error) {
    if (!(error instanceof FormulaError)) throw error;
    const values = error.problems.map(problem => ({ key: 'Reason', value: sentence(problem) }));
    throw new BatchError('AutoScalingFormulaSyntaxError', values);
  }
}

/**
 * Evaluates a formula that somebody wants to try. What is wrong with it is part of the answer, as in the service.
 *
 * @throws BatchError `AutoScaleFormulaTooLong` (400).
 */
export async function tryFormula(text: string, input: EvaluationInput): Promise<AutoScaleRun> {
  checkLength(text);
  try {
    return runOf((await readFormula(text, true)).evaluate(input), input.now);
  } catch (error) {
    if (!(error instanceof FormulaError)) throw error;
    return {
      timestamp: new Date(input.now).toISOString(),
      results:
        `$TargetDedicatedNodes=${input.targetDedicatedNodes};` +
        `$TargetLowPriorityNodes=${input.targetLowPriorityNodes};$NodeDeallocationOption=requeue`,
      error: errorOf(error.problems),
    };
  }
}

export function runOf({ results, error }: Evaluation, now: number): AutoScaleRun {
  return {
    timestamp: new Date(now).toISOString(),
    results,
    ...(error && { error: errorOf([error]) }),
  };
}

const sentence = ({ line, column, cause }: FormulaProblem): string => `Line ${line}, Col ${column}: ${cause}`;

function errorOf(problems: readonly FormulaProblem[]): NonNullable<AutoScaleRun['error']> {
  const noData = problems.some(({ code }) => code === 'InsufficientSampleData');
  return {
    code: noData ? 'InsufficientSampleData' : 'AutoScalingFormulaEvaluationError',
    message: noData
      ? 'Autoscale evaluation failed due to insufficient sample data'
      : 'The specified autoscale formula could not be evaluated',
    values: problems.map(problem => ({ name: 'Message', value: sentence(problem) })),
  };
}
