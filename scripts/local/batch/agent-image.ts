import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { root } from '../../root.js';
import { faultVariable } from '../agent/fault.js';
import { writeHomeScripts } from '../agent/home-files.js';
import { taskPath } from './task-environment.js';

/**
 * What stands for the agent image where tasks run as processes: the image's own start script, with the local agent in
 * place of the real one; where that script can't run, and for an agent that is told to misbehave (which no image knows),
 * the local agent in one piece.
 */
export const agentAlone: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../agent/main.js', import.meta.url)),
];

const startScript = join(root, 'infra', 'images', 'linux', 'start.sh');

/** Why the start script can't run on this machine; undefined: it can. */
export function whyNoStartScript(
  platform: NodeJS.Platform = process.platform,
  path = taskPath(),
): string | undefined {
  // Elsewhere, what has left its process group could not be found when its task is killed.
  if (platform !== 'linux') return 'it needs Linux';
  const missing = ['bash', 'curl'].filter(
    program => !path.split(':').some(dir => canRun(join(dir, program))),
  );
  return missing.length > 0 ? `there is no ${missing.join(' and no ')}` : undefined;
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export const agentImage: readonly string[] =
  whyNoStartScript() === undefined ? ['bash', startScript] : agentAlone;

const equal = (a: readonly string[], b: readonly string[]): boolean => a.join('\0') === b.join('\0');

/** Whether the command is an agent and nothing else. */
export const isAgentCommand = (command: readonly string[]): boolean =>
  equal(command, agentImage) || equal(command, agentAlone);

/**
 * An agent as a process.
 *
 * @param command for which `isAgentCommand`
 * @param runDir where it gets a folder of its own, as each container has its own agent: gone with the run, and with it the
 * agent's credentials
 */
export function prepareAgent(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  runDir: string,
): { command: readonly string[]; env: Readonly<Record<string, string>> } {
  if (equal(command, agentAlone) || faultVariable in env) return { command: agentAlone, env };
  const home = join(runDir, 'agent');
  writeHomeScripts(home, agentAlone.map(quoted).join(' '));
  return { command: agentImage, env: { AZDO_AGENT_HOME: home, ...env } };
}

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;
