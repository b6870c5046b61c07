import { join } from 'node:path';
import { execa } from 'execa';
import { programsFolder } from '../../scripts/local/stack/programs.js';
import { root } from '../../scripts/root.js';
import { waitFor } from './wait-for.js';

export interface Ran {
  readonly exitCode: number | undefined;
  /** What ended it, if it did not end by itself. */
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  /** Sends it the signal of a Ctrl-C. */
  interrupt(): void;
  /** Waits until it has printed this. */
  printed(text: string | RegExp, on?: 'stdout' | 'stderr'): Promise<void>;
  readonly end: Promise<Ran>;
}

type Environment = Readonly<Record<string, string>>;

/** Starts the operator's command line without a terminal, as a script does. */
export function startAgents(args: readonly string[], env: Environment = {}): Running {
  const running = execa(process.execPath, [join(programsFolder, 'scripts', 'agents.js'), ...args], {
    cwd: root,
    env: { NO_COLOR: '1', AGENTS_URL: '', AGENTS_KEY: '', ...env },
    stdin: 'ignore',
    reject: false,
    timeout: 60_000,
  });
  const said = { stdout: '', stderr: '' };
  running.stdout.on('data', data => (said.stdout += String(data)));
  running.stderr.on('data', data => (said.stderr += String(data)));
  return {
    interrupt: () => void running.kill('SIGINT'),
    printed: async (text, on = 'stdout') => {
      await waitFor(
        `${String(text)} on ${on}`,
        () => (typeof text === 'string' ? said[on].includes(text) : text.test(said[on])),
        // It begins with the start of a process.
        { timeoutMs: 30_000 },
      );
    },
    end: running.then(({ exitCode, signal, stdout, stderr }) => ({ exitCode, signal, stdout, stderr })),
  };
}

/**
 * Runs the operator's command line to its end.
 *
 * @param interrupt sends it the signal of a Ctrl-C.
 */
export async function agents(
  args: readonly string[],
  env: Environment = {},
  { interrupt }: { readonly interrupt?: AbortSignal } = {},
): Promise<Ran> {
  const running = startAgents(args, env);
  interrupt?.addEventListener('abort', () => running.interrupt());
  return running.end;
}
