import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Stack, type StackOptions, startStack } from '../local/stack/stack.js';
import { root } from '../root.js';
import type { ContenderName } from './figure.js';

/** Those that are apps on a Functions host. */
export type AppName = Exclude<ContenderName, 'floor'>;

export interface WorldOptions
  extends Pick<StackOptions, 'settings' | 'args' | 'programs' | 'onEvent' | 'signal'> {
  readonly app: AppName;
  /** Everything is kept in here. */
  readonly folder: string;
}

export const agentPool = 'AzDOUbuntu';
export const batchPool = 'batchLinux';

/** No limit of ours may be what is measured. */
const profiles = {
  ubuntu: {
    devOpsPool: agentPool,
    batchPool,
    image: 'azdo-agent:ubuntu-24.04-azdo',
    maxAlive: 100_000,
    maxWaiting: 100_000,
  },
};

/** The same one-machine stack for each contender: only the app that the host loads differs. */
export async function openWorld({ app, folder, settings, ...options }: WorldOptions): Promise<Stack> {
  return startStack({
    ...options,
    dataDir: join(folder, 'data'),
    app: app === 'ours' ? root : await appFolder(app, join(folder, 'app')),
    settings: { AgentProfiles: JSON.stringify(profiles), ...settings },
  });
}

/** A Functions app is a folder with a package.json that names its entry, and a host.json: ours for all of them. */
async function appFolder(app: Exclude<AppName, 'ours'>, folder: string): Promise<string> {
  const entry = join(root, 'dist', 'scripts', 'bench', 'contenders', app, 'index.js');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', main: 'index.js' }));
  await writeFile(join(folder, 'index.js'), `import ${JSON.stringify(pathToFileURL(entry).href)};\n`);
  await copyFile(join(root, 'host.json'), join(folder, 'host.json'));
  return folder;
}
