import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

/** Which agent of which pool this folder belongs to; the names of the real agent's own file. */
const AgentFile = z.object({
  serverUrl: z.string(),
  poolId: z.int(),
  agentId: z.int(),
  agentName: z.string(),
  workFolder: z.string(),
});
export type AgentFile = z.infer<typeof AgentFile>;

const CredentialsFile = z.object({ scheme: z.literal('PAT'), data: z.object({ token: z.string() }) });

const ownerOnly = { mode: 0o600 };
const agentFile = (home: string): string => join(home, '.agent');
const credentialsFile = (home: string): string => join(home, '.credentials');

export const isConfigured = (home: string): boolean => existsSync(agentFile(home));

export function writeConfigured(home: string, agent: AgentFile, token: string): void {
  const credentials: z.infer<typeof CredentialsFile> = { scheme: 'PAT', data: { token } };
  writeFileSync(credentialsFile(home), JSON.stringify(credentials), ownerOnly);
  // Last, since it is what tells that the folder is configured.
  writeFileSync(agentFile(home), JSON.stringify(agent), ownerOnly);
}

export const readAgent = (home: string): AgentFile => read(agentFile(home), AgentFile);
export const readToken = (home: string): string => read(credentialsFile(home), CredentialsFile).data.token;

export function forgetConfigured(home: string): void {
  for (const file of [agentFile(home), credentialsFile(home)]) rmSync(file, { force: true });
}

function read<S extends z.ZodType>(file: string, schema: S): z.output<S> {
  return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/**
 * Puts the scripts of the real agent's folder into one of ours: `config.sh` and `run.sh`, which start the local agent
 * with what they were given.
 *
 * @param command the local agent as a command, in words of a shell; `$here` is the folder
 */
export function writeHomeScripts(home: string, command: string): void {
  const script = (verb: string, start: string): string =>
    `#!/usr/bin/env bash
here=$(cd "$(dirname "\${BASH_SOURCE[0]}")" && pwd) || exit 1
${start}${command} "$here" ${verb} "$@"
`;
  const scripts = {
    'config.sh': script('config', 'exec '),
    // As the real one, which waits for its agent and passes no signal on.
    'run.sh': `${script('run', '')}exit $?\n`,
  };
  mkdirSync(home, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(home, name), text);
    chmodSync(join(home, name), 0o755);
  }
}
