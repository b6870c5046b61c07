import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { inheritedEnvironment } from '../../local/stack/environment.js';
import { root } from '../../root.js';

const Moment = z.object({ ms: z.number(), cpuMs: z.number(), rssBytes: z.number() });
const Loaded = z.object({ functions: z.number(), registered: Moment, ready: Moment });

/** What it took a process until its functions were registered, and until all was there for a first call. */
export type Loaded = z.infer<typeof Loaded>;

const program = join(root, 'dist', 'scripts', 'bench', 'loading', 'main.js');
const key = Buffer.alloc(32).toString('base64');

/** Valid, and of nobody: the app reads its settings while it loads, and calls no one. */
const settings = {
  AzureWebJobsStorage: `DefaultEndpointsProtocol=https;AccountName=bench;AccountKey=${key};EndpointSuffix=core.windows.net`,
  BatchAccountUrl: 'https://bench.westeurope.batch.azure.com',
  BatchAccountName: 'bench',
  BatchAccountKey: key,
  AzDOUrl: 'https://dev.azure.com/bench/',
  AzDOToken: 'not-a-token',
  AzDOUbuntuPool: 'Ubuntu',
  AzDOWindowsPool: 'Windows',
  CallbackTokenKey: key,
  ContainerRegistryServer: 'bench.azurecr.io',
};

/**
 * Loads an app in a fresh process.
 *
 * @param entry its file; without one, Node.js alone is what is measured.
 */
export async function loadOnce(entry: string | undefined, signal: AbortSignal): Promise<Loaded> {
  const { NODE_V8_COVERAGE: _, ...env } = inheritedEnvironment();
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [program, ...(entry === undefined ? [] : [entry])],
    { env: { ...env, ...settings }, signal },
  );
  return Loaded.parse(JSON.parse(stdout));
}
