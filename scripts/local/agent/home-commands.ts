import path from 'node:path';
import { parseArgs } from 'node:util';
import { systemCapabilities, withoutInput } from './capabilities.js';
import { Client } from './client.js';
import { personalAccessToken } from './credentials.js';
import { AgentExit, type ExitCode, exitCode } from './exit.js';
import { forgetConfigured, isConfigured, readAgent, readToken, writeConfigured } from './home-files.js';
import { listenForJobs } from './listen.js';
import { register, unregister } from './register.js';
import { Session } from './session.js';
import type { Surroundings } from './surroundings.js';

/**
 * What the folder of the real agent has, so that what is made for that one (the image's start script) runs with the local
 * agent: `config.sh`, `config.sh remove` and `run.sh [--once]`, told by options or by `VSTS_AGENT_INPUT_…`, unattended.
 *
 * @param home the folder, in which an agent that is configured leaves who it is
 * @param args `config`, `remove`, `run` and their options
 * @returns as the real one 1 for whatever is wrong with `config.sh`. Never rejects.
 */
export async function homeCommand(
  home: string,
  args: readonly string[],
  surroundings: Surroundings,
): Promise<ExitCode> {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [verb, ...more] = positionals;
    if (verb === 'run' && more.length === 0) return await run(home, values.once === true, surroundings);
    const input = inputOf(values, surroundings.env);
    if (verb === 'config' && more.length === 0) return await configure(home, input, surroundings);
    if (verb === 'config' && more.join(' ') === 'remove') return await remove(home, input, surroundings);
    throw new AgentExit(exitCode.terminated, `Unrecognized command-line input arguments: ${args.join(' ')}`);
  } catch (error) {
    surroundings.complain(error instanceof Error ? error.message : String(error));
    return exitCode.terminated;
  }
}

const inputs = ['url', 'auth', 'token', 'pool', 'agent', 'work'] as const;
type InputName = (typeof inputs)[number];
type Input = (name: InputName) => string;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const options = {
  url: text,
  auth: text,
  token: text,
  pool: text,
  agent: text,
  work: text,
  unattended: flag,
  acceptTeeEula: flag,
  once: flag,
} as const;

/** @throws when it is asked for one that was not given: nobody is there to type it in. */
function inputOf(given: Readonly<Partial<Record<InputName, string>>>, env: Surroundings['env']): Input {
  return name => {
    const value = given[name] ?? env[`VSTS_AGENT_INPUT_${name.toUpperCase()}`] ?? '';
    if (value !== '') return value;
    if (name === 'work') return '_work';
    throw new AgentExit(exitCode.terminated, `Invalid configuration provided for ${name}.`);
  };
}

function clientOf(url: string, input: Input, surroundings: Surroundings): Client {
  const auth = input('auth');
  if (auth.toLowerCase() !== 'pat')
    throw new AgentExit(exitCode.terminated, `The local agent knows no auth but PAT: ${auth}`);
  return new Client(url, personalAccessToken(input('token')), surroundings);
}

async function configure(home: string, input: Input, surroundings: Surroundings): Promise<ExitCode> {
  if (isConfigured(home))
    throw new AgentExit(
      exitCode.terminated,
      'Cannot configure the agent because it is already configured. Run config.sh remove first.',
    );
  const serverUrl = input('url').replace(/\/+$/, '');
  const agentName = input('agent');
  const client = clientOf(serverUrl, input, surroundings);
  const capabilities = systemCapabilities(surroundings.env, agentName, process.platform);
  const registration = { url: serverUrl, pool: input('pool'), name: agentName, capabilities };
  const registered = await register(client, registration, surroundings.shutdown);
  writeConfigured(home, { ...registered, serverUrl, workFolder: input('work') }, input('token'));
  surroundings.say('Successfully added the agent');
  return exitCode.done;
}

async function remove(home: string, input: Input, surroundings: Surroundings): Promise<ExitCode> {
  if (!isConfigured(home)) {
    surroundings.say('There is no configured agent in this folder. Skipping: Removing agent from the server');
    return exitCode.done;
  }
  const agent = readAgent(home);
  await unregister(clientOf(agent.serverUrl, input, surroundings), agent);
  forgetConfigured(home);
  surroundings.say('Succeeded: Removing agent from the server');
  return exitCode.done;
}

async function run(home: string, once: boolean, surroundings: Surroundings): Promise<ExitCode> {
  if (!isConfigured(home))
    throw new AgentExit(exitCode.terminated, 'The agent is not configured. Run config.sh first.');
  const { serverUrl: url, workFolder, ...agent } = readAgent(home);
  const client = new Client(url, personalAccessToken(readToken(home)), surroundings);
  try {
    const how = await listenForJobs(await Session.open(client, agent), {
      url,
      name: agent.agentName,
      work: path.resolve(home, workFolder),
      once,
      surroundings: { ...surroundings, env: withoutInput(surroundings.env) },
    });
    return how === 'removed' ? exitCode.terminated : exitCode.done;
  } catch (error) {
    surroundings.complain(error instanceof Error ? error.message : String(error));
    return exitCode.retryable;
  }
}
