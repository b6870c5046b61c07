import { Client } from './client.js';
import type { Credentials } from './credentials.js';
import { type ExitCode, exitCode } from './exit.js';
import { type AgentFault, beforeRegistration } from './fault.js';
import { listenForJobs } from './listen.js';
import { type Registered, register, unregister } from './register.js';
import { Session } from './session.js';
import type { AgentSettings } from './settings.js';
import type { Surroundings } from './surroundings.js';

export interface AgentOptions {
  readonly settings: AgentSettings;
  /** How it is to misbehave. */
  readonly fault?: AgentFault;
  readonly credentials: Credentials;
  readonly capabilities: Record<string, string>;
  readonly surroundings: Surroundings;
}

/** The life of an agent: register, listen, run a job, unregister. */
export async function runAgent(options: AgentOptions): Promise<ExitCode> {
  const { settings, fault, capabilities, surroundings } = options;
  const { url, pool, name, work } = settings;
  const { say, shutdown } = surroundings;
  const client = new Client(url, options.credentials, surroundings);
  let registered: Registered;
  let session: Session;
  try {
    await beforeRegistration(fault, surroundings);
    registered = await register(client, { url, pool, name, capabilities }, shutdown);
    session = await Session.open(client, registered);
  } catch (error) {
    if (shutdown.aborted) return exitCode.done;
    throw error;
  }
  say(`registered as ${name} in pool ${pool}`);
  const how = await listenForJobs(session, { url, name, work, once: settings.dispose, fault, surroundings });
  if (how === 'removed') return exitCode.terminated;
  await unregister(client, registered);
  say(`unregistered ${name}`);
  return exitCode.done;
}
