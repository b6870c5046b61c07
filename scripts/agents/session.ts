import type { Command } from 'commander';
import type { AgentsClient } from './client.js';
import type { App, Named } from './find-app.js';

/** The options that every command takes. */
interface GlobalOptions {
  readonly url?: string;
  readonly data: string;
  readonly json?: boolean;
}

export interface Session {
  readonly client: AgentsClient;
  /** Results are wanted as JSON. */
  readonly json: boolean;
}

/** What the command line was told about where the app is. */
export function namedApp(command: Command): Named {
  const { url, data } = command.optsWithGlobals<GlobalOptions>();
  // What is said in the command counts more than what is set for all of them.
  const dataIsChosen = command.getOptionValueSourceWithGlobals('data') === 'cli';
  const fromEnvironment = dataIsChosen ? undefined : process.env['AGENTS_URL'] || undefined;
  return { url: url ?? fromEnvironment, data, from: url === undefined ? 'AGENTS_URL' : '--url' };
}

export const wantsJson = (command: Command): boolean =>
  command.optsWithGlobals<GlobalOptions>().json ?? false;

export async function openSession(command: Command): Promise<Session> {
  const named = namedApp(command);
  const [{ findApp }, { createClient }] = await Promise.all([import('./find-app.js'), import('./client.js')]);
  const find = async (): Promise<App> => findApp(named, process.env);
  // Before anybody is called: what was given may be no good.
  await find();
  return { client: createClient(find), json: wantsJson(command) };
}
