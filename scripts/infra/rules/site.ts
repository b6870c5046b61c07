import { at, isObject, type JsonObject, listAt, objectAt, textAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { mustBe, ofType, type Problem, problem, type Rule, type Subject, sameId, shown } from './rule.js';
import { isEverywhere } from './security-groups.js';

interface SiteConfig {
  readonly of: Resource;
  readonly path: string;
  readonly config: JsonObject;
}

/** Settings of an app's site that may be in the site or in its own resource. */
function siteConfigs(subject: Subject, site: Resource): readonly SiteConfig[] {
  const inside = at(site.body, 'properties', 'siteConfig');
  const beside = ofType(subject, 'Microsoft.Web/sites/config').filter(
    ({ name }) => name === `${site.name}/web`,
  );
  return [
    ...(isObject(inside) ? [{ of: site, path: 'properties.siteConfig', config: inside }] : []),
    ...beside.flatMap(of => {
      const config = at(of.body, 'properties');
      return isObject(config) ? [{ of, path: 'properties', config }] : [];
    }),
  ];
}

function callerProblems({ of, path, config }: SiteConfig): readonly Problem[] {
  const problems: Problem[] = [];
  for (const list of ['ipSecurityRestrictions', 'scmIpSecurityRestrictions']) {
    for (const [index, rule] of listAt(config, list).entries()) {
      const from = textAt(rule, 'ipAddress');
      const who = `${path}.${list}[${index}].ipAddress`;
      const tag = textAt(rule, 'tag');
      if (textAt(rule, 'action') === 'Deny' || textAt(rule, 'vnetSubnetResourceId') !== undefined) continue;
      if (tag === 'ServiceTag' && from !== 'AzureDevOps') {
        problems.push(problem(of, who, shown(from), 'of the service tags only "AzureDevOps" may call'));
      } else if (tag === 'ServiceTag' && list.startsWith('scm')) {
        problems.push(problem(of, who, shown(from), "every organisation's pipelines could deploy"));
      } else if (from === undefined || isEverywhere(from)) {
        problems.push(problem(of, who, shown(from), 'an address range, subnet or service tag must be named'));
      }
    }
  }
  return problems;
}

function accessProblems(subject: Subject, site: Resource): readonly Problem[] {
  const problems = [
    ...mustBe(site, 'properties.httpsOnly', true),
    ...mustBe(site, 'properties.publicNetworkAccess', 'Enabled'),
  ];
  const configs = siteConfigs(subject, site);
  const expect = (name: string, allowed: readonly (string | boolean | undefined)[]): void => {
    const found = configs.find(({ config }) => config[name] !== undefined);
    const value = found?.config[name];
    if ((allowed as readonly unknown[]).includes(value)) return;
    const wanted = allowed.flatMap(each => (each === undefined ? [] : JSON.stringify(each))).join(' or ');
    const property = `${found?.path ?? 'properties.siteConfig'}.${name}`;
    problems.push(problem(found?.of ?? site, property, shown(value), `it must be ${wanted}`));
  };
  expect('minTlsVersion', ['1.2', '1.3']);
  expect('scmMinTlsVersion', ['1.2', '1.3']);
  expect('ftpsState', ['Disabled']);
  expect('ipSecurityRestrictionsDefaultAction', ['Deny']);
  expect('scmIpSecurityRestrictionsDefaultAction', ['Deny']);
  // Else every organisation's pipelines could deploy.
  expect('scmIpSecurityRestrictionsUseMain', [false]);
  expect('remoteDebuggingEnabled', [false, undefined]);
  problems.push(...configs.flatMap(callerProblems));
  const pipelines = configs.flatMap(({ config }) => listAt(config, 'ipSecurityRestrictions'));
  const isPipeline = (rule: (typeof pipelines)[number]): boolean =>
    textAt(rule, 'ipAddress') === 'AzureDevOps' &&
    textAt(rule, 'tag') === 'ServiceTag' &&
    textAt(rule, 'action') === 'Allow';
  if (!pipelines.some(isPipeline)) {
    const is = 'do not allow Azure DevOps';
    const should =
      'a rule must allow ipAddress "AzureDevOps" with tag "ServiceTag": pipelines ask for agents';
    problems.push(problem(site, 'properties.siteConfig.ipSecurityRestrictions', is, should));
  }
  for (const { of, path, config } of configs) {
    const origins = listAt(config, 'cors', 'allowedOrigins');
    if (origins.includes('*'))
      problems.push(problem(of, `${path}.cors.allowedOrigins`, shown(origins), 'each origin must be named'));
  }
  for (const kind of ['ftp', 'scm']) {
    const policy = ofType(subject, 'Microsoft.Web/sites/basicPublishingCredentialsPolicies').find(
      ({ name }) => name === `${site.name}/${kind}`,
    );
    if (!policy) {
      const is = 'is missing, so that user and password can publish';
      problems.push(
        problem(site, `basicPublishingCredentialsPolicies/${kind}`, is, 'it must say allow: false'),
      );
    } else problems.push(...mustBe(policy, 'properties.allow', false));
  }
  return problems;
}

/** What Flex Consumption wants, and where the package is. */
function hostingProblems(subject: Subject, site: Resource): readonly Problem[] {
  const planId = textAt(site.body, 'properties', 'serverFarmId') ?? '';
  const plan = ofType(subject, 'Microsoft.Web/serverfarms').find(({ id }) => sameId(id, planId));
  const storage = 'properties.functionAppConfig.deployment.storage';
  const where = textAt(site.body, ...storage.split('.'), 'value');
  const containers = ofType(subject, 'Microsoft.Storage/storageAccounts/blobServices/containers').map(
    ({ name }) => name.split('/'),
  );
  const urls = containers.map(
    ([account, , container]) => `https://${account}.blob.core.windows.net/${container}`,
  );
  const signIn = `${storage}.authentication`;
  const identity = textAt(site.body, ...signIn.split('.'), 'userAssignedIdentityResourceId');
  const own = Object.keys(objectAt(site.body, 'identity', 'userAssignedIdentities'));
  return [
    ...(plan
      ? [
          ...mustBe(plan, 'sku.name', 'FC1'),
          ...mustBe(plan, 'sku.tier', 'FlexConsumption'),
          ...mustBe(plan, 'properties.reserved', true),
        ]
      : [problem(site, 'properties.serverFarmId', shown(planId), 'it must be a plan of this template')]),
    ...mustBe(site, 'kind', 'functionapp,linux'),
    ...mustBe(site, 'properties.functionAppConfig.runtime.name', 'node'),
    ...mustBe(site, 'properties.functionAppConfig.runtime.version', '22', '24'),
    ...mustBe(site, `${storage}.type`, 'blobContainer'),
    ...mustBe(site, `${signIn}.type`, 'UserAssignedIdentity'),
    ...(identity !== undefined && own.some(id => sameId(id, identity))
      ? []
      : [
          problem(
            site,
            `${signIn}.userAssignedIdentityResourceId`,
            shown(identity),
            'it must be an identity of the app',
          ),
        ]),
    ...(where !== undefined && urls.includes(where)
      ? []
      : [
          problem(
            site,
            `${storage}.value`,
            shown(where),
            `it must be a container of this template: ${urls.join(', ')}`,
          ),
        ]),
  ];
}

export const siteRules: readonly Rule[] = [
  {
    name: 'the app answers named callers only, over TLS',
    why: 'its keys and its deployment would be all that keeps strangers out',
    check: subject => ofType(subject, 'Microsoft.Web/sites').flatMap(site => accessProblems(subject, site)),
  },
  {
    name: 'the app runs on Flex Consumption, from a package that its identity reads',
    why: 'another plan has no such network, and another sign-in would need a key',
    check: subject => ofType(subject, 'Microsoft.Web/sites').flatMap(site => hostingProblems(subject, site)),
  },
];
