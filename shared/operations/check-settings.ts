import type { SettingFact } from '../config/setting-list.js';
import type { Config } from '../config.js';
import type { TokenSeal } from '../ports.js';
import { type Check, ok } from './checks.js';

/** All of them were understood, or the app would not have started. */
export const settingChecks = ({
  config,
  settings,
  seal,
}: {
  readonly config: Config;
  readonly settings: readonly SettingFact[];
  readonly seal: TokenSeal;
}): readonly Check[] => [
  ...settings.map(
    ({ name, detail }): Check => ({
      area: 'settings',
      name: `Setting ${name}`,
      remedy: `Correct the setting ${name}.`,
      run: async () => ok(detail),
    }),
  ),
  {
    area: 'settings',
    name: 'CallbackTokenKey seals and unseals',
    remedy: 'Set CallbackTokenKey to 32 random bytes in base64, e.g. of "openssl rand -base64 32".',
    run: async () => {
      const text = 'doctor';
      const opened = seal.unseal(text, seal.seal(text, text));
      return opened === text
        ? ok('A text was sealed and opened again.')
        : {
            status: 'failed',
            detail: 'A text that was sealed could not be opened again.',
            remedy: 'Set CallbackTokenKey to 32 random bytes in base64, e.g. of "openssl rand -base64 32".',
          };
    },
  },
  {
    area: 'settings',
    name: 'AllowedPlanHosts covers AzDOUrl',
    remedy: 'Correct AllowedPlanHosts.',
    run: async () => {
      const { host } = new URL(config.devOps.url);
      if (config.allowedPlanHosts.includes(host.toLowerCase())) return ok(`Pipelines of ${host} may ask.`);
      return {
        status: 'warning',
        detail: `Pipelines of ${host} are refused: only ${config.allowedPlanHosts.join(', ')} may be named in a PlanUrl.`,
        remedy: `Add ${host} to AllowedPlanHosts, or remove the setting: that host is its default.`,
      };
    },
  },
];
