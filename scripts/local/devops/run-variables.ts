import { expand, predefined, type Variables } from './macros.js';
import type { Job, Run } from './rows.js';

/** How often a variable may name another that names another. */
const deepest = 8;

/**
 * The variables of a run that its tasks may use. The values of secret ones are held in memory only: after a restart a
 * run has them no more.
 */
export class RunVariables {
  readonly #secrets = new Map<string, Variables>();
  readonly #collectionUri: string;

  constructor(collectionUri: string) {
    this.#collectionUri = collectionUri;
  }

  keep(runId: string, secrets: Variables): void {
    this.#secrets.set(runId, secrets);
  }

  secretsOf(runId: string): Variables {
    return this.#secrets.get(runId) ?? {};
  }

  /** Names of secret variables that this run once had. */
  lost(run: Run): readonly string[] {
    const held = this.secretsOf(run.runId);
    return run.secretVariables.filter(name => held[name] === undefined);
  }

  /** Predefined ones alone: all that expands in demands and in the name of a pool. */
  predefined(run: Run, job: Job): Variables {
    return predefined(run, job, this.#collectionUri);
  }

  /** What the author and the service have set for a job, without secrets: a job's environment. */
  open(run: Run, job: Job): Variables {
    return this.#resolve(job, this.predefined(run, job));
  }

  /** Everything that a macro in a task of the job may name. */
  all(run: Run, job: Job): Variables {
    const fixed = { ...this.secretsOf(run.runId), ...this.predefined(run, job) };
    return this.#resolve(job, fixed);
  }

  /** What is fixed is nobody's text: a macro in a secret stays as it is. */
  #resolve(job: Job, fixed: Variables): Variables {
    let own: Variables = job.variables;
    for (let depth = 0; depth < deepest; depth += 1) {
      const known = { ...own, ...fixed };
      const next = Object.fromEntries(
        Object.entries(own).map(([name, value]) => [name, expand(value, known)]),
      );
      const settled = Object.entries(next).every(([name, value]) => own[name] === value);
      own = next;
      if (settled) break;
    }
    return { ...own, ...fixed };
  }
}
