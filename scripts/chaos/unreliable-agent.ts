import { existsSync } from 'node:fs';
import type { AgentTrouble } from './schedule.js';

/**
 * Stands between Batch and the agent: an agent that makes the trouble which its environment asks for, while the file
 * named by the first argument is there, and the plain agent otherwise.
 */
const [, , permission = ''] = process.argv;
const trouble = process.env['CHAOS_TROUBLE'] ?? 'none';
const attempt = Number(process.env['AZDO_AGENT']?.split('-').at(-1) ?? 1);

const troubles: Readonly<Record<Exclude<AgentTrouble, 'none' | 'diesAtWork'>, () => boolean>> = {
  exitsAtFirst: () => attempt % 3 === 1 && leave(),
  exitsAlways: leave,
  // After it has registered, most likely; before, now and then.
  diesOnline: () => {
    if (attempt % 3 === 1) setTimeout(() => process.kill(process.pid, 'SIGKILL'), 2_000);
    return false;
  },
  mute: () => {
    // Longer than anybody waits for it.
    setTimeout(() => {}, 10 * 60_000);
    return true;
  },
};

function leave(): boolean {
  console.error('This agent was told to fail at its start.');
  process.exitCode = 2;
  return true;
}

const kind = existsSync(permission) ? namesTrouble(trouble) : undefined;
if (!kind || !troubles[kind]()) await import('../local/agent/main.js');

function namesTrouble(name: string): keyof typeof troubles | undefined {
  for (const known in troubles) {
    if (known === name && isTrouble(known)) return known;
  }
  return undefined;
}

function isTrouble(name: string): name is keyof typeof troubles {
  return Object.hasOwn(troubles, name);
}
