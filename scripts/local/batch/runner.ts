import type { Surroundings } from '../agent/surroundings.js';
import type { TaskSpec } from './model.js';
import type { FailureInfo } from './records.js';

/** What a node needs to run a task once. */
export interface RunRequest {
  readonly runId: string;
  readonly spec: TaskSpec;
  /** The task's whole environment, Batch's own variables included. */
  readonly env: Readonly<Record<string, string>>;
  readonly taskDir: string;
  readonly workDir: string;
  /** For files that belong to the run and are not the task's to see. */
  readonly runDir: string;
  /** Given up when the run is ended before it started. */
  readonly signal: AbortSignal;
}

export interface Launch {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The name of the container, when the task runs in one. */
  readonly container?: string;
}

/** Runs inside this process; @returns its exit code. It never rejects, and ends soon after it is asked to. */
export type Program = (surroundings: Surroundings) => Promise<number>;

export interface InlineLaunch extends Omit<Launch, 'argv'> {
  readonly program: Program;
}

/** One way to run tasks: as local processes, as containers, or (agents alone) inside this process. */
export interface Runner {
  readonly kind: 'process' | 'docker' | 'inline';
  /** Gets ready to run (looks up or pulls the image): a launch, or why there can be none. */
  prepare(request: RunRequest): Promise<Launch | InlineLaunch | FailureInfo>;
  /** Ends a container; the processes are ended by whoever started them. */
  endContainer(name: string, graceMs: number): Promise<void>;
  /** What an exit code says about the runner rather than the task. */
  explainExit(exitCode: number, inContainer: boolean): FailureInfo | undefined;
}
