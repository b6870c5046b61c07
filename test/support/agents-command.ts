import { join } from 'node:path';
import { execa } from 'execa';
import { root } from '../../scripts/root.js';

export interface Ran {
  readonly exitCode: number | undefined;
  /** What ended it, if it did not end by itself. */
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the operator's command line without a terminal, as a script does.
 *
 * @param interrupt sends it the signal of a Ctrl-C.
 */
export async function agents(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { interrupt }: { readonly interrupt?: AbortSignal } = {},
): Promise<Ran> {
  const running = execa(process.execPath, [join(root, 'dist', 'scripts', 'agents.js'), ...args], {
    cwd: root,
    env: { NO_COLOR: '1', AGENTS_URL: '', AGENTS_KEY: '', ...env },
    stdin: 'ignore',
    reject: false,
    timeout: 60_000,
  });
  interrupt?.addEventListener('abort', () => running.kill('SIGINT'));
  const { exitCode, signal, stdout, stderr } = await running;
  return { exitCode, signal, stdout, stderr };
}
