import { spawn } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { identify, killOrphans, marked } from './processes.js';

/**
 * Stands between the server and one run of a task, as a node's agent does: when the server alone is killed, the task
 * goes on, and this process keeps its exit code for the server that comes next. It enforces nothing.
 *
 * The server sends one WrapperOrder over IPC: the environment, which may hold secrets, is never on a command line or in a
 * file. What happened is told in the run's folder: `started.json`, then `exit.json`, each complete or absent.
 */
export interface WrapperOrder {
  readonly runDir: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

let ordered = false;

process.once('message', order => {
  ordered = true;
  if (isOrder(order)) run(order);
});
process.once('disconnect', () => {
  // The server died before it gave its order: nothing was started, so nothing is left to watch.
  if (!ordered) process.exit(1);
});

// By hand: a schema library would double the time that each task takes to start.
const isOrder = (value: unknown): value is WrapperOrder =>
  typeof value === 'object' && value !== null && 'runDir' in value && 'argv' in value && 'env' in value;

function run({ runDir, argv: [program = '', ...args], env, cwd }: WrapperOrder): void {
  const write = (name: string, value: unknown): void => {
    const file = join(runDir, name);
    writeFileSync(`${file}.new`, JSON.stringify(value), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  const end = (value: Record<string, unknown>): void => {
    write('exit.json', { ...value, at: new Date().toISOString() });
    if (process.connected) process.disconnect();
  };

  const child = spawn(program, args, {
    cwd,
    env: marked(env, runDir),
    // A group of its own: ending the task must not end the one that records how it ended.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    windowsHide: true,
  });
  child.once('error', error => {
    if (child.pid === undefined) end({ error: 'code' in error ? error.code : error.message });
  });
  child.once('spawn', () => {
    if (child.pid === undefined) return;
    try {
      write('started.json', { ...identify(child.pid), at: new Date().toISOString() });
    } catch (error) {
      // A full disk, say. A task that no later server could find must not run.
      child.kill('SIGKILL');
      throw error;
    }
    if (process.connected) process.send?.('started', () => undefined);
  });
  child.once('exit', (exitCode, signalName) => {
    // What the task left running in the background ends with it, as in a container.
    if (child.pid !== undefined && process.platform !== 'win32') {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Nothing was left.
      }
    }
    killOrphans(runDir);
    end(signalName ? { signal: signalName } : { exitCode });
  });
}
