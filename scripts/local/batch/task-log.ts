import { Recent } from '../faults/recent.js';

/** What became of a task; times are ISO 8601. A task that was added again under its old name is another. */
export interface LoggedTask {
  readonly job: string;
  readonly task: string;
  readonly addedAt: string;
  /** How often it was started: more than once when its node went or it is retried. */
  starts: number;
  startedAt?: string;
  endedAt?: string;
  /** Deleted by itself or with its job. */
  removedAt?: string;
}

/**
 * The tasks that there were, the deleted ones too: a deleted task leaves no trace, and whoever wants to know whether one was
 * made twice can't ask both. In memory only, and no more than the newest.
 */
export class TaskLog {
  readonly #log = new Recent<LoggedTask>(20_000);
  /** By path: those that are there. */
  readonly #present = new Map<string, LoggedTask>();

  added(path: string, job: string, task: string): void {
    this.#present.set(path, this.#log.add({ job, task, addedAt: now(), starts: 0 }));
  }

  started(path: string, at: string): void {
    const logged = this.#present.get(path);
    if (!logged) return;
    logged.starts += 1;
    logged.startedAt = at;
  }

  ended(path: string): void {
    const logged = this.#present.get(path);
    if (logged) logged.endedAt = now();
  }

  removed(path: string): void {
    const logged = this.#present.get(path);
    if (logged) logged.removedAt = now();
    this.#present.delete(path);
  }

  /** Those after a number, oldest first. */
  after(n: number): readonly LoggedTask[] {
    return this.#log.after(n);
  }
}

const now = (): string => new Date().toISOString();
