import { BatchError } from './errors.js';

/** What evaluating a formula gives: the value of each variable it sets, or why it could not be evaluated. */
interface AutoScaleRun {
  readonly timestamp: string;
  /** `$TargetDedicatedNodes=2;$NodeDeallocationOption=requeue`, as the service prints it. */
  readonly results: string;
  readonly error?: { readonly code: string; readonly message: string };
}

export type EvaluateFormula = (formula: string, now: Date) => AutoScaleRun;

const maxLength = 8_192;
const assignment = /^\s*(\$\w+)\s*=\s*([\w.]+)\s*$/;

/** Evaluates formulas that set variables to constants; any other is answered as one that can't be evaluated. */
export const evaluateConstants: EvaluateFormula = (formula, now) => {
  if (formula.length > maxLength) throw new BatchError('AutoScalingFormulaTooLong');
  const timestamp = now.toISOString();
  const statements = formula
    .replaceAll(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, '')
    .split(';')
    .filter(statement => statement.trim() !== '');
  const values = new Map<string, string>();
  for (const statement of statements) {
    const [, name, value] = assignment.exec(statement) ?? [];
    if (name === undefined || value === undefined) {
      return {
        timestamp,
        results: '',
        error: {
          code: 'AutoScalingFormulaEvaluationError',
          message: `The local Batch evaluates only constants so far, not "${statement.trim()}".`,
        },
      };
    }
    values.set(name, value);
  }
  return { timestamp, results: [...values].map(([name, value]) => `${name}=${value}`).join(';') };
};
