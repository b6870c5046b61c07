/** What the command line ends with; documented in its help. */
export const exitCodes = {
  ok: 0,
  /** Something was not found, or some of what was asked for could not be done. */
  failed: 1,
  /** The command was not understood. */
  usage: 2,
  /** The app can't be reached, or does not let us. */
  noApp: 3,
  /** The request that was waited for ended in another way than was waited for. */
  endedOtherwise: 4,
  /** A check of the doctor failed. */
  unhealthy: 5,
  /** Ctrl-C while something was followed: 128 and the number of the signal, as shells have it. */
  interrupted: 130,
} as const;

/** An end that its message explains in full: it is printed as it is, without a stack. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';

  /**
   * @param what has happened; empty where it was told already.
   * @param remedy what to do about it, to follow after a colon.
   */
  constructor(
    readonly exitCode: number,
    readonly what: string,
    readonly remedy?: string,
  ) {
    super(remedy === undefined ? what : `${what}: ${remedy}`);
  }
}

/** The app is not there, or not quite: it may be in a while, e.g. when it has been restarted. */
export class AppAway extends CommandError {
  override readonly name = 'AppAway';

  constructor(what: string, remedy?: string) {
    super(exitCodes.noApp, what, remedy);
  }
}

/** The app, or what stands before it, does not let us in. */
export class KeyRefused extends CommandError {
  override readonly name = 'KeyRefused';

  constructor(what: string, remedy: string) {
    super(exitCodes.noApp, what, remedy);
  }
}

/** One thing that the app finds wrong with what it was sent. */
export interface FieldError {
  readonly in: string;
  /** With dots; empty for the whole. */
  readonly name: string;
  readonly detail: string;
}

/** The app has understood and says no. */
export class Refused extends CommandError {
  override readonly name = 'Refused';

  constructor(
    exitCode: number,
    message: string,
    readonly code: string,
    readonly errors: readonly FieldError[],
  ) {
    super(exitCode, message);
  }
}
