import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface Survivor {
  readonly pid: number;
  readonly command: string;
}

/** Whose processes are meant. */
export interface Origin {
  /** Those of this process group … */
  readonly group: number;
  /** … and those that left it, but work in this folder or have it in their environment or arguments. */
  readonly folder?: string;
}

/**
 * Finds the living processes of an origin. Those that left their group are seen on Linux only; on Windows, which has
 * no process groups, nothing is.
 */
export async function findSurvivors({ group, folder }: Origin): Promise<Survivor[]> {
  if (process.platform === 'win32') return [];
  if (process.platform === 'linux') return findInProc(group, folder);
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,pgid=,stat=,command=']);
  return stdout.split('\n').flatMap(line => {
    const [, pid, pgid, state = '', command = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    const mine = Number(pgid) === group && !state.startsWith('Z');
    return mine ? [{ pid: Number(pid), command }] : [];
  });
}

async function findInProc(group: number, folder: string | undefined): Promise<Survivor[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(pids.map(pid => inspect(pid, group, folder)));
  return found.filter(survivor => survivor !== undefined);
}

async function inspect(
  pid: string,
  group: number,
  folder: string | undefined,
): Promise<Survivor | undefined> {
  // A process may end, or belong to somebody else, at each of these steps.
  const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
  const [stat, environment, commandLine, cwd] = await Promise.all([
    read('stat'),
    read('environ'),
    read('cmdline'),
    readlink(`/proc/${pid}/cwd`).catch(() => ''),
  ]);
  // pid (name, which may hold anything) state ppid pgrp …
  const [state = 'Z', , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  const command = commandLine.split('\0').join(' ').trim();
  const inFolder = folder !== undefined && [environment, command, cwd].some(text => text.includes(folder));
  const mine = Number(processGroup) === group || inFolder;
  return mine ? { pid: Number(pid), command } : undefined;
}

/** Kills, and tells of, what is still there after `graceMs`: a child that was told to end may need a moment. */
export async function killSurvivors(origin: Origin, graceMs: number): Promise<Survivor[]> {
  const deadline = Date.now() + graceMs;
  let survivors = await findSurvivors(origin);
  while (survivors.length > 0 && Date.now() < deadline) {
    await new Promise(resolve => setTimeout(resolve, 50));
    survivors = await findSurvivors(origin);
  }
  for (const { pid } of survivors) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }
  return survivors;
}
