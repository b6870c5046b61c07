import { settingNames } from '../../../shared/config/setting-list.js';
import { ConfigError, readConfig } from '../../../shared/config.js';
import { at, objectAt, text, textAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { type AppSetting, appSettingsOf, vaultReference } from './app-settings.js';
import { ofType, type Problem, problem, type Rule, type Subject, sameId, shown } from './rule.js';

/** Settings that the template leaves out, each for a reason. */
const notSetOnAzure: Readonly<Record<string, string>> = {
  AzureWebJobsStorage: 'it would be a key; the URIs and an identity stand in for it',
  BatchAccountKey: 'an identity signs in',
  AzDOUbuntuPool: 'AgentProfiles names the agent pools of all profiles',
  AzDOWindowsPool: 'AgentProfiles names the agent pools of all profiles',
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'OTEL_EXPORTER_OTLP_HEADERS is for both, and the vault keeps it',
  OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'OTEL_EXPORTER_OTLP_HEADERS is for both, and the vault keeps it',
  FUNCTIONS_WORKER_RUNTIME: 'Flex Consumption refuses it, and has functionAppConfig.runtime',
  FUNCTIONS_EXTENSION_VERSION: 'Flex Consumption refuses it, and has functionAppConfig.runtime',
  WEBSITE_CONTENTOVERVNET: 'Flex Consumption refuses it, and is always in its network',
};

/** Settings that are read by Azure Functions or a client library instead of by us. */
const readByOthers: readonly string[] = [
  'AZURE_CLIENT_ID',
  'AzureWebJobsStorage__accountName',
  'AzureWebJobsStorage__blobServiceUri',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsSecretStorageType',
  'AzureWebJobsFeatureFlags',
  'APPLICATION_INSIGHTS_NO_STATSBEAT',
  'WEBSITE_LOAD_CERTIFICATES',
  'WEBSITE_TIME_ZONE',
  'WEBSITE_DNS_SERVER',
  'NODE_OPTIONS',
];
/** `AzureFunctionsJobHost__extensions__queues__batchSize` is a value of host.json. */
const readByTheHost = /^AzureFunctionsJobHost__\w+$/;

const spelling = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(swap, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** The name that was meant, if one is near. */
function nearest(name: string): string | undefined {
  const [best] = [...settingNames, ...readByOthers]
    .map(other => ({ other, far: distance(spelling(name), spelling(other)) }))
    .toSorted((a, b) => a.far - b.far);
  return best && best.far <= Math.max(2, name.length / 5) ? best.other : undefined;
}

function nameProblems(settings: readonly AppSetting[], site: Resource): readonly Problem[] {
  const names = settings.map(({ name }) => name);
  const unknown = settings
    .filter(
      ({ name }) => !settingNames.includes(name) && !readByOthers.includes(name) && !readByTheHost.test(name),
    )
    .map(({ name, from, path }) => {
      const meant = nearest(name);
      return problem(
        from,
        `${path}.name`,
        `is ${name}, which nothing reads`,
        meant === undefined ? 'remove it, or spell it as readConfig does' : `did you mean ${meant}?`,
      );
    });
  const missing = settingNames
    .filter(name => !names.includes(name) && !Object.hasOwn(notSetOnAzure, name))
    .map(name =>
      problem(
        site,
        `app setting ${name}`,
        'is missing',
        'the app reads it: set it, or say in notSetOnAzure (scripts/infra/rules/settings.ts) why not',
      ),
    );
  const twice = settings
    .filter(({ name }, index) => names.indexOf(name) !== index)
    .map(({ name, from, path }) => problem(from, path, `sets ${name} once more`, 'each is set once'));
  const unwanted = settings
    .filter(({ name }) => Object.hasOwn(notSetOnAzure, name))
    .map(({ name, from, path }) =>
      problem(from, path, `sets ${name}`, `leave it out: ${notSetOnAzure[name]}`),
    );
  return [...unknown, ...missing, ...twice, ...unwanted];
}

/** The settings as the app sees them, each reference to the vault replaced by the secret that it names. */
function environmentOf(
  subject: Subject,
  settings: readonly AppSetting[],
): { readonly env: Record<string, string>; readonly problems: readonly Problem[] } {
  const env: Record<string, string> = { WEBSITE_HOSTNAME: 'app.azurewebsites.net', WEBSITE_SITE_NAME: 'app' };
  const problems: Problem[] = [];
  const secrets = ofType(subject, 'Microsoft.KeyVault/vaults/secrets');
  for (const { name, value: written, from, path } of settings) {
    const reference = vaultReference(written);
    if (reference) {
      const secret = secrets.find(each => each.name === `${reference.vault}/${reference.secret}`);
      const value = textAt(secret?.body, 'properties', 'value') ?? subject.existing.secrets[reference.secret];
      if (value !== undefined) env[name] = value;
      else
        problems.push(problem(from, `${path}.value`, shown(written), 'the template must make that secret'));
    } else env[name] = written;
  }
  // App Service authentication tells of itself.
  const isSignedIn = ofType(subject, 'Microsoft.Web/sites/config').some(
    ({ name, body }) =>
      name.endsWith('/authsettingsV2') && at(body, 'properties', 'platform', 'enabled') === true,
  );
  if (isSignedIn) env['WEBSITE_AUTH_ENABLED'] = 'True';
  return { env, problems };
}

function configProblems(subject: Subject, site: Resource): readonly Problem[] {
  const settings = appSettingsOf(subject, site);
  const { env, problems } = environmentOf(subject, settings);
  const about = (name: string): Pick<AppSetting, 'from' | 'path'> =>
    settings.find(each => each.name === name) ?? { from: site, path: `app setting ${name}` };
  try {
    return [...problems, ...agreement(subject, site, readConfig(env), about)];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [
      ...problems,
      ...error.problems.map(told => {
        const { from, path } = about(/^[A-Za-z_]\w*/.exec(told)?.[0] ?? '');
        return problem(from, path, `is refused by readConfig: ${told}`, 'the app would not start');
      }),
    ];
  }
}

/** The app talks of pools, a Batch account and a registry: they must be those that the template makes. */
function agreement(
  subject: Subject,
  site: Resource,
  config: ReturnType<typeof readConfig>,
  about: (name: string) => Pick<AppSetting, 'from' | 'path'>,
): readonly Problem[] {
  const problems: Problem[] = [];
  const pools = ofType(subject, 'Microsoft.Batch/batchAccounts/pools');
  const poolOf = (name: string): Resource | undefined => pools.find(pool => pool.name.endsWith(`/${name}`));
  const profiles = about('AgentProfiles');
  for (const { name, batchPool, slots } of config.profiles.values()) {
    const pool = poolOf(batchPool);
    if (!pool && subject.existing.pools.includes(batchPool)) continue;
    const property = `${profiles.path} at ${name}`;
    if (!pool) {
      const names = pools.map(each => each.name.split('/').at(-1)).join(', ');
      problems.push(
        problem(
          profiles.from,
          `${property}.batchPool`,
          shown(batchPool),
          `it must be a pool of this template: ${names}`,
        ),
      );
      continue;
    }
    const there = at(pool.body, 'properties', 'taskSlotsPerNode') ?? 1;
    if (slots > Number(there)) {
      problems.push(
        problem(
          profiles.from,
          `${property}.slots`,
          shown(slots),
          `a node of ${batchPool} has ${text(there)} (taskSlotsPerNode)`,
        ),
      );
    }
  }
  const used = [...config.profiles.values()].map(({ batchPool }) => batchPool);
  for (const pool of pools) {
    const name = pool.name.split('/').at(-1) ?? '';
    if (!used.includes(name))
      problems.push(
        problem(pool, 'name', shown(name), 'no profile uses it: make none, or name it in AgentProfiles'),
      );
  }
  const expectHost = (setting: string, is: string | undefined, hosts: readonly string[]): void => {
    if (is === undefined || hosts.some(host => is.includes(host))) return;
    const { from, path } = about(setting);
    problems.push(problem(from, path, shown(is), `it must be that of this template: ${hosts.join(', ')}`));
  };
  expectHost(
    'BatchAccountUrl',
    config.batch.url,
    ofType(subject, 'Microsoft.Batch/batchAccounts').map(each => `https://${each.name}.`),
  );
  expectHost(
    'ContainerRegistryServer',
    config.registry.server,
    ofType(subject, 'Microsoft.ContainerRegistry/registries').map(each => `${each.name}.azurecr.io`),
  );
  const account = subject.resources.find(({ type }) => type === 'Microsoft.Batch/batchAccounts');
  const named = about('BatchAccountName');
  const name = appSettingsOf(subject, site).find(each => each.name === 'BatchAccountName')?.value ?? '';
  if (account && name !== '' && name !== account.name)
    problems.push(
      problem(named.from, named.path, `${shown(name)} (BatchAccountName)`, `it must be ${account.name}`),
    );
  const identity = config.registry.identity;
  if (identity !== undefined) {
    for (const pool of pools) {
      const its = Object.keys(objectAt(pool.body, 'identity', 'userAssignedIdentities'));
      if (its.some(id => sameId(id, identity))) continue;
      const { from, path } = about('ContainerRegistryIdentity');
      problems.push(
        problem(
          from,
          path,
          shown(identity),
          `it must be an identity of pool ${pool.name}: ${its.join(', ')}`,
        ),
      );
    }
  }
  return problems;
}

export const settingRules: readonly Rule[] = [
  {
    name: 'every app setting is there, spelt as the app reads it',
    why: 'a misspelt setting is one that is silently not set',
    check: subject =>
      ofType(subject, 'Microsoft.Web/sites').flatMap(site =>
        nameProblems(appSettingsOf(subject, site), site),
      ),
  },
  {
    name: 'the app starts with its settings, and means the pools and registry of this template',
    why: 'it reads them all at its start, and says there what is wrong: after the deployment, in a log',
    check: subject => ofType(subject, 'Microsoft.Web/sites').flatMap(site => configProblems(subject, site)),
  },
];
