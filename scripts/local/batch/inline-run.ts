import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { InlineLaunch } from './runner.js';
import type { RunOutcome } from './task-outcome.js';

const outputs = ['stdout.txt', 'stderr.txt'] as const;
/** What shells tell of a death by SIGKILL. */
const killedExitCode = 137;

/**
 * A run that shares this process: what a process would print goes into the same files, and it is asked to end, killed and
 * ended as one. It ends with the server, as its node would.
 */
export class InlineRun {
  readonly outcome: Promise<RunOutcome>;
  readonly #shutdown = new AbortController();
  readonly #death = new AbortController();

  /** @param taskDir for stdout.txt and stderr.txt: where it is now, as that of a deleted task is moved away */
  constructor({ program, env, cwd }: InlineLaunch, taskDir: () => string) {
    const printer =
      (name: string): ((line: string) => void) =>
      line => {
        if (this.#death.signal.aborted) return;
        try {
          appendFileSync(join(taskDir(), name), `${line}\n`, { mode: 0o600 });
        } catch {
          // As with a closed pipe: what it says now is for nobody.
        }
      };
    // There from the start, as a shell's redirection makes them.
    for (const name of outputs) writeFileSync(join(taskDir(), name), '', { mode: 0o600 });
    const died = new Promise<number>(resolve => {
      this.#death.signal.addEventListener('abort', () => resolve(killedExitCode), { once: true });
    });
    const running = program({
      env,
      cwd,
      say: printer(outputs[0]),
      complain: printer(outputs[1]),
      shutdown: this.#shutdown.signal,
      death: this.#death.signal,
      die: () => this.kill(),
    });
    this.outcome = Promise.race([running, died]).then(exitCode => ({
      kind: 'exit',
      exitCode,
      at: new Date().toISOString(),
    }));
  }

  /** Asks it to end, and kills it when it has not within the grace. Resolves when it has ended. */
  async end(graceMs: number): Promise<void> {
    if (graceMs > 0) this.#shutdown.abort('shutdown');
    const timer = setTimeout(() => this.kill(), graceMs);
    await this.outcome;
    clearTimeout(timer);
  }

  kill(): void {
    this.#death.abort(new Error('This program was killed.'));
  }
}
