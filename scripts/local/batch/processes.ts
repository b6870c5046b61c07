import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ProcessIdentity } from './records.js';

/** How processes of tasks are told apart, found and ended. Linux knows most; elsewhere the process group is used. */

interface ProcessEntry extends ProcessIdentity {
  readonly parent: number;
  readonly group: number;
  readonly zombie: boolean;
}

const pollMs = 25;
/** After SIGKILL a process goes within moments, unless the kernel holds it. */
const afterKillMs = 2_000;

/** Names a live process so that a later one of the same pid is not taken for it. */
export function identify(pid: number): ProcessIdentity {
  const start = readProcess(pid)?.start;
  return { pid, ...(start !== undefined && { start }) };
}

export function isAlive({ pid, start }: ProcessIdentity): boolean {
  if (process.platform === 'linux') {
    const found = readProcess(pid);
    return found !== undefined && !found.zombie && (start === undefined || found.start === start);
  }
  return signal(pid, 0);
}

/**
 * Ends a process with its group and its descendants: SIGTERM to the group, as `docker stop` would, then SIGKILL to
 * whatever is left once the process has gone or the grace is over. Without any grace it is SIGKILL at once.
 */
export async function endTree(leader: ProcessIdentity, graceMs: number): Promise<void> {
  if (!isAlive(leader)) {
    // Its group may outlive it. A group's id is not given to a new process while the group has members.
    const reused = readProcess(leader.pid);
    if (process.platform !== 'win32' && (!reused || reused.start === leader.start))
      signal(-leader.pid, 'SIGKILL');
    return;
  }
  if (process.platform === 'win32') {
    await new Promise<void>(resolve => {
      execFile('taskkill', ['/pid', String(leader.pid), '/T', '/F'], () => resolve());
    });
    return;
  }
  // Found before the leader ends: its orphans can't be told from other processes afterwards.
  const tree = descendants(leader.pid);
  if (graceMs > 0) signal(-leader.pid, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (isAlive(leader) && Date.now() < deadline) await sleep(pollMs);
  if (isAlive(leader)) tree.push(...descendants(leader.pid));
  signal(-leader.pid, 'SIGKILL');
  const left = tree.filter(isAlive);
  for (const { pid } of left) signal(pid, 'SIGKILL');
  const killDeadline = Date.now() + afterKillMs;
  while ([leader, ...left].some(isAlive) && Date.now() < killDeadline) await sleep(pollMs);
}

/** By this variable, the folder of its run, a task's process is known whatever has become of its parents and its group. */
const marker = 'LOCAL_BATCH_RUN';

export const marked = (env: Readonly<Record<string, string>>, runDir: string): Record<string, string> => ({
  ...env,
  [marker]: runDir,
});

/**
 * Kills what is left of a task whose first process has ended, as a container ends with its first process: no parent leads
 * to a child that has left the group. Linux only; one that has cleared its environment is not found.
 */
export function killOrphans(runDir: string): void {
  if (process.platform !== 'linux') return;
  const mark = `\0${marker}=${runDir}\0`;
  const killed = new Set<number>();
  // Until a round finds no other: a child may have come in between.
  for (let before = -1; before < killed.size; ) {
    before = killed.size;
    for (const pid of allPids()) {
      if (killed.has(pid) || !`\0${environmentOf(pid)}\0`.includes(mark)) continue;
      killed.add(pid);
      signal(pid, 'SIGKILL');
    }
  }
}

export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    // Gone already, which is what was wanted.
    return false;
  }
}

function descendants(root: number): ProcessEntry[] {
  if (process.platform !== 'linux') return [];
  const all = allPids().flatMap(pid => readProcess(pid) ?? []);
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of all) children.set(entry.parent, [...(children.get(entry.parent) ?? []), entry]);
  const found: ProcessEntry[] = [];
  const queue = [root];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      queue.push(child.pid);
    }
  }
  return found;
}

const allPids = (): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number);

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    // It has ended meanwhile, or is somebody else's.
    return '';
  }
}

/** One line of /proc: `pid (name) state ppid pgrp … starttime …`; the name may hold spaces and parentheses. */
function readProcess(pid: number): ProcessEntry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state = '', parent = '', group = ''] = fields;
    return {
      pid,
      parent: Number(parent),
      group: Number(group),
      zombie: state === 'Z' || state === 'X',
      start: fields[19] ?? '',
    };
  } catch {
    return undefined;
  }
}
