import type { Command } from 'commander';
import { type AgentsClient, createClient } from './client.js';
import { findApp } from './find-app.js';

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

export async function openSession(command: Command): Promise<Session> {
  const { url, data, json = false } = command.optsWithGlobals<GlobalOptions>();
  return { client: createClient(await findApp({ url, data }, process.env)), json };
}
