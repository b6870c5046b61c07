import { join } from 'node:path';
import { execa } from 'execa';
import { root } from '../../scripts/root.js';

export interface Ran {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the operator's command line without a terminal, as a script does. */
export async function agents(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd: string = root,
): Promise<Ran> {
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    [join(root, 'dist', 'scripts', 'agents.js'), ...args],
    {
      cwd,
      env: { NO_COLOR: '1', AGENTS_URL: '', AGENTS_KEY: '', ...env },
      stdin: 'ignore',
      reject: false,
      timeout: 60_000,
    },
  );
  return { exitCode, stdout, stderr };
}
