import { masked } from '../../shared/config/reader.js';
import { describeSettings } from '../../shared/config/setting-list.js';
import { type Config, readConfig } from '../../shared/config.js';

/** The one place that reads the environment, and while the app loads: wrong settings keep it from starting. */
export const config: Config = readConfig(process.env);

/** Every setting as the environment has it, its secrets masked. */
export const settingsAsSet = () => describeSettings(process.env, masked);

/** With Easy Auth the platform signs people in, who have no key; every answer asks for its headers instead. */
export const dashboardAccess = {
  dashboardAuth: config.dashboardAuth,
  authLevel: config.dashboardAuth === 'easyAuth' ? 'anonymous' : 'function',
} as const;
