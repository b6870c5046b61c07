import { runAgent } from './agent.js';
import { systemCapabilities } from './capabilities.js';
import { managedIdentity, personalAccessToken } from './credentials.js';
import { AgentExit, exitCode } from './exit.js';
import { nodeTime, readFault } from './fault.js';
import { readSettings } from './settings.js';

/**
 * The local agent: what the agent image runs, as one process. Told everything by its environment (settings.ts),
 * says what it does on stdout, and ends with one of the codes in exit.ts.
 */
async function main(): Promise<number> {
  const { settings, problems } = readSettings(process.env);
  if (problems) {
    for (const problem of problems) console.error(problem);
    return exitCode.terminated;
  }
  const fault = readFault(process.env);
  if (fault?.does === 'exit') {
    console.error(`Told to end with exit code ${fault.exitCode}.`);
    return fault.exitCode;
  }
  if (settings.expiresAt && settings.expiresAt.getTime() <= nodeTime(fault)) {
    throw new AgentExit(
      exitCode.tooLate,
      `This agent was to be started before ${settings.expiresAt.toISOString()}; by the clock of this node it is ` +
        `${new Date(nodeTime(fault)).toISOString()}. Nobody waits for it any more.`,
    );
  }
  const shutdown = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (shutdown.signal.aborted) return;
      console.log(`${signal}: ending`);
      shutdown.abort('shutdown');
    });
  }
  return await runAgent({
    settings,
    fault,
    credentials: settings.token
      ? personalAccessToken(settings.token)
      : managedIdentity(settings.identityEndpoint),
    capabilities: systemCapabilities(process.env, settings.name, process.platform),
    say: line => console.log(line),
    shutdown: shutdown.signal,
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof AgentExit ? error.code : exitCode.retryable;
}
