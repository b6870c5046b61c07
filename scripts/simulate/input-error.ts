/** What is wrong with a file, and where: all of it at once. */
export interface FileProblem {
  readonly file: string;
  /** From 1; absent where it is about the file as a whole. */
  readonly line?: number;
  readonly column?: number;
  readonly cause: string;
}

/** Files or options that can't be used. */
export class InputError extends Error {
  override readonly name = 'InputError';

  constructor(readonly problems: readonly FileProblem[]) {
    super(problems.map(showProblem).join('\n'));
  }
}

function showProblem({ file, line, column, cause }: FileProblem): string {
  return `${[file, line, column].filter(part => part !== undefined).join(':')}: ${cause}`;
}
