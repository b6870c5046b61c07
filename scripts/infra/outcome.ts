/** How a step of the check ended. */
export interface Outcome {
  readonly status: 'passed' | 'failed' | 'not checked';
  /** What is wrong, or why it could not be checked. */
  readonly lines: readonly string[];
}

export const outcomeOf = (problems: readonly string[]): Outcome => ({
  status: problems.length > 0 ? 'failed' : 'passed',
  lines: problems,
});

export const notChecked = (...lines: readonly string[]): Outcome => ({ status: 'not checked', lines });

/** Told of each step as it ends. */
export type Report = (name: string, outcome: Outcome, milliseconds: number) => void;
