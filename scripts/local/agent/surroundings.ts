/**
 * What surrounds an agent. An agent that is a process has all of it from the system; one that shares a process with
 * others is given it, so that nothing of it reaches the others.
 */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** A line on stdout. */
  readonly say: (line: string) => void;
  /** A line on stderr. */
  readonly complain: (line: string) => void;
  /** Asks it to end: it takes its leave of the service first. */
  readonly shutdown: AbortSignal;
  /** It is dead: from now on nobody must hear of it. */
  readonly death: AbortSignal;
  /** As a container dies: at once, and with everything in it. */
  readonly die: () => void;
}
