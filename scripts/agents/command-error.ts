/** What the command line ends with; documented in its help. */
export const exitCodes = {
  ok: 0,
  /** Something was not found, or some of what was asked for could not be done. */
  failed: 1,
  /** The command was not understood. */
  usage: 2,
  /** The app can't be reached, or does not let us. */
  noApp: 3,
} as const;

/** An end that its message explains in full: it is printed as it is, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    readonly exitCode: number,
    message: string,
  ) {
    super(message);
  }
}
