import { objectAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { clientOf } from '../template/runtime-values.js';
import { type AppSetting, appSettingsOf } from './app-settings.js';
import { ofType, type Problem, problem, type Rule, type Subject, shown } from './rule.js';

/** Settings that Azure Functions and the telemetry read by themselves: no `readConfig` looks at them. */
function problemsOf(subject: Subject, site: Resource): readonly Problem[] {
  const settings = appSettingsOf(subject, site);
  const expect = (name: string, allowed: readonly string[], should: string): readonly Problem[] => {
    const setting: AppSetting | undefined = settings.find(each => each.name === name);
    if (setting && allowed.includes(setting.value)) return [];
    if (!setting) return [problem(site, `app setting ${name}`, 'is missing', `set it: ${should}`)];
    return [problem(setting.from, `${setting.path}.value`, `${shown(setting.value)} (${name})`, should)];
  };
  const accounts = ofType(subject, 'Microsoft.Storage/storageAccounts').map(({ name }) => name);
  const uris = ['blob', 'queue', 'table'].flatMap(service => {
    const allowed = accounts.map(name => `https://${name}.${service}.core.windows.net`);
    return expect(
      `AzureWebJobsStorage__${service}ServiceUri`,
      allowed.flatMap(uri => [uri, `${uri}/`]),
      `it must be the ${service} service of this template: ${allowed.join(', ')}`,
    );
  });
  const own = Object.keys(objectAt(site.body, 'identity', 'userAssignedIdentities'));
  const telemetry = own.map(id => `Authorization=AAD;ClientId=${clientOf(id)}`);
  return [
    ...expect(
      'AzureWebJobsStorage__credential',
      ['managedidentity'],
      'it must be "managedidentity": else the host looks for a key',
    ),
    ...uris,
    ...expect(
      'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
      telemetry,
      'it must be "Authorization=AAD;ClientId=" and the client id of the app: a key sends nothing here',
    ),
  ];
}

export const hostSettingRules: readonly Rule[] = [
  {
    name: 'the host of the app has its settings: storage and telemetry by identity',
    why: 'without one the app starts, and no function ever runs, or nothing is seen of it',
    check: subject => ofType(subject, 'Microsoft.Web/sites').flatMap(site => problemsOf(subject, site)),
  },
];
