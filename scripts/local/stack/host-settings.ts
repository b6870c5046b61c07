import type { Ready } from './part.js';
import type { Settings } from './plan.js';

/** What the stand-ins that run say, and the secrets of all. */
export interface Surroundings {
  readonly storage?: Ready | undefined;
  readonly batch?: Ready | undefined;
  readonly devops?: Ready | undefined;
  readonly batchKey: string;
  readonly pat: string;
  readonly callbackTokenKey: string;
}

/**
 * The settings that connect the app to the stand-ins that run. Where the real service is used, its own settings
 * are left to say how; a setting that was given is never replaced, but for the address of a stand-in.
 */
export function hostSettings(given: Settings, around: Surroundings): Record<string, string> {
  const defaults: Record<string, string> = {
    FUNCTIONS_WORKER_RUNTIME: 'node',
    // People read it here.
    LogFormat: 'text',
    CallbackTokenKey: around.callbackTokenKey,
    // A real organisation has pools of its own, and these names would only be missed there.
    ...(around.devops && {
      AzDOUbuntuPool: defaultAgentPools.ubuntu,
      AzDOWindowsPool: defaultAgentPools.windows,
    }),
    ContainerRegistryServer: 'registry.local',
  };
  const standIns: Record<string, string> = {
    ...(around.storage && { AzureWebJobsStorage: connectionString(around.storage) }),
    ...(around.batch && {
      BatchAccountUrl: around.batch.url,
      BatchAccountName: batchAccount,
      BatchAccountKey: around.batchKey,
    }),
    ...(around.devops && {
      AzDOUrl: new URL(`${organisation}/`, around.devops.url).href,
      AzDOToken: around.pat,
    }),
  };
  const kept = Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
  return { ...defaults, ...kept, ...standIns };
}

export const batchAccount = 'local';
export const defaultAgentPools = { ubuntu: 'AzDOUbuntu', windows: 'AzDOWindows' } as const;
/** The one organisation that the stand-in for Azure DevOps has. */
const organisation = 'local';

function connectionString({ details }: Ready): string {
  const value = details?.['connectionString'];
  if (!value) throw new Error('The storage did not say how to connect to it.');
  return value;
}
