import { type ChildProcess, spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';

/** How long a step has to end by itself before it is killed. */
const killAfterMs = 3_000;

/** `default`: cmd.exe on Windows, else sh. */
export const Shell = z.enum(['default', 'bash', 'pwsh']);
type Shell = z.infer<typeof Shell>;

interface Program {
  readonly program: string;
  readonly args: readonly string[];
  readonly extension: string;
}

const programs = (): Readonly<Record<Shell, Program>> => ({
  default:
    process.platform === 'win32'
      ? { program: 'cmd.exe', args: ['/D', '/C'], extension: 'cmd' }
      : { program: '/bin/sh', args: [], extension: 'sh' },
  bash: { program: 'bash', args: [], extension: 'sh' },
  pwsh: { program: 'pwsh', args: ['-NoLogo', '-NonInteractive', '-File'], extension: 'ps1' },
});

/**
 * Runs one script in a shell, as the head of its own process group, and kills the whole group when asked to stop.
 *
 * @returns the exit code; null when a signal ended it.
 */
export async function runScript(options: {
  readonly script: string;
  readonly shell: Shell;
  readonly id: string;
  readonly workFolder: string;
  readonly tempFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onLine: (line: string) => void;
  readonly stop: AbortSignal;
  /** Kills it at once. */
  readonly death: AbortSignal;
}): Promise<number | null> {
  const { program, args, extension } = programs()[options.shell];
  // In a file: a script as an argument could be read by everyone on the machine.
  const file = path.join(options.tempFolder, `${options.id}.${extension}`);
  await writeFile(file, options.script, { mode: 0o600 });
  try {
    options.death.throwIfAborted();
    options.stop.throwIfAborted();
    const child = spawn(program, [...args, file], {
      cwd: options.workFolder,
      env: options.env,
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stop = (): void => {
      killGroup(child, 'SIGTERM');
      setTimeout(() => killGroup(child, 'SIGKILL'), killAfterMs).unref();
    };
    const kill = (): void => killGroup(child, 'SIGKILL');
    options.stop.addEventListener('abort', stop, { once: true });
    options.death.addEventListener('abort', kill, { once: true });
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', options.onLine);
    try {
      return await new Promise<number | null>((resolve, reject) => {
        child.on('error', reject);
        child.on('exit', () => {
          // What a step leaves running in the background would hold its output open for ever.
          setTimeout(() => killGroup(child, 'SIGKILL'), 250);
        });
        child.on('close', code => resolve(code));
      });
    } finally {
      options.stop.removeEventListener('abort', stop);
      options.death.removeEventListener('abort', kill);
    }
  } finally {
    await rm(file, { force: true });
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // The group is gone.
  }
}
