import { runAgent } from './agent.js';
import { imageIgnore, systemCapabilities, withoutPrivate } from './capabilities.js';
import { managedIdentity, personalAccessToken } from './credentials.js';
import { AgentExit, exitCode } from './exit.js';
import { nodeTime, readFault } from './fault.js';
import { readSettings } from './settings.js';
import type { Surroundings } from './surroundings.js';

/**
 * The local agent in one piece: what the agent image's start script and the real agent do together. Told everything by
 * its environment (settings.ts), says what it does on stdout.
 *
 * @returns one of the codes in exit.ts, or the one that a fault tells it to end with. Never rejects.
 */
export async function runProgram(surroundings: Surroundings): Promise<number> {
  try {
    return await run(surroundings);
  } catch (error) {
    surroundings.complain(error instanceof Error ? error.message : String(error));
    return error instanceof AgentExit ? error.code : exitCode.retryable;
  }
}

async function run(surroundings: Surroundings): Promise<number> {
  const { env, cwd, complain } = surroundings;
  const { settings, problems } = readSettings(env, cwd);
  if (problems) {
    for (const problem of problems) complain(problem);
    return exitCode.terminated;
  }
  const fault = readFault(env);
  if (fault?.does === 'exit') {
    complain(`Told to end with exit code ${fault.exitCode}.`);
    return fault.exitCode;
  }
  if (settings.expiresAt && settings.expiresAt.getTime() <= nodeTime(fault)) {
    throw new AgentExit(
      exitCode.tooLate,
      `This agent was to be started before ${settings.expiresAt.toISOString()}; by the clock of this node it is ` +
        `${new Date(nodeTime(fault)).toISOString()}. Nobody waits for it any more.`,
    );
  }
  return await runAgent({
    settings,
    fault,
    credentials: settings.token
      ? personalAccessToken(settings.token)
      : managedIdentity(settings.identityEndpoint),
    capabilities: systemCapabilities(withoutPrivate(env), settings.name, process.platform, imageIgnore(env)),
    surroundings: { ...surroundings, env: withoutPrivate(env) },
  });
}
