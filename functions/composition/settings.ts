import { type Config, readConfig } from '../../shared/config.js';

/** As the platform gives it. Only the diagnosis, which tells what is set, asks it for anything beside the settings. */
export const environment: Readonly<Record<string, string | undefined>> = process.env;

/** Read while the app loads: wrong settings keep it from starting. */
export const config: Config = readConfig(environment);

/** With Easy Auth the platform signs people in, who have no key; every answer asks for its headers instead. */
export const dashboardAccess = {
  dashboardAuth: config.dashboardAuth,
  authLevel: config.dashboardAuth === 'easyAuth' ? 'anonymous' : 'function',
} as const;
