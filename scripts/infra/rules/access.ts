import { at, isObject, type Json, type JsonObject, listAt, textAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { mustBe, ofType, type Problem, problem, type Rule, type Subject, sameId, shown } from './rule.js';

const tls = ['TLS1_2', 'TLS1_3'];

/** Closed to the internet, and, if it were opened, closed to all that is not named. */
const closed = (resource: Resource, defaults: readonly string[]): readonly Problem[] => [
  ...mustBe(resource, 'properties.publicNetworkAccess', 'Disabled'),
  ...defaults.flatMap(property => mustBe(resource, `properties.${property}`, 'Deny')),
];

/** Settings of an app's site that may be in the site or in its own resource. */
function siteConfigs(
  subject: Subject,
  site: Resource,
): readonly { readonly of: Resource; readonly path: string; readonly config: JsonObject }[] {
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

function siteProblems(subject: Subject, site: Resource): readonly Problem[] {
  const problems = [...mustBe(site, 'properties.httpsOnly', true)];
  const configs = siteConfigs(subject, site);
  const expect = (name: string, allowed: readonly (string | boolean)[], unless?: string): void => {
    const found = configs.find(({ config }) => config[name] !== undefined);
    const value = found?.config[name];
    if (value !== undefined && (allowed as readonly unknown[]).includes(value)) return;
    if (unless !== undefined && configs.some(({ config }) => config[unless] === true)) return;
    const wanted = allowed.map(each => JSON.stringify(each)).join(' or ');
    problems.push(
      problem(
        found?.of ?? site,
        `${found?.path ?? 'properties.siteConfig'}.${name}`,
        shown(value),
        `it must be ${wanted}`,
      ),
    );
  };
  expect('minTlsVersion', ['1.2', '1.3']);
  expect('scmMinTlsVersion', ['1.2', '1.3']);
  expect('ftpsState', ['Disabled']);
  expect('ipSecurityRestrictionsDefaultAction', ['Deny']);
  expect('scmIpSecurityRestrictionsDefaultAction', ['Deny'], 'scmIpSecurityRestrictionsUseMain');
  for (const { of, path, config } of configs) {
    for (const list of ['ipSecurityRestrictions', 'scmIpSecurityRestrictions']) {
      for (const [index, rule] of listAt(config, list).entries()) {
        const from = textAt(rule, 'ipAddress');
        const who = `${path}.${list}[${index}].ipAddress`;
        if (textAt(rule, 'action') === 'Deny' || textAt(rule, 'vnetSubnetResourceId') !== undefined) continue;
        if (textAt(rule, 'tag') === 'ServiceTag' && from !== 'AzureDevOps') {
          problems.push(problem(of, who, shown(from), 'of the service tags only "AzureDevOps" may call'));
        } else if (from === undefined || isEverywhere(from)) {
          problems.push(
            problem(of, who, shown(from), 'an address range, subnet or service tag must be named'),
          );
        }
      }
    }
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

const isEverywhere = (range: string): boolean =>
  ['*', 'any', '0.0.0.0/0', '::/0', 'internet'].includes(range.toLowerCase());

/** Nothing answers whoever is not named. */
export const accessRules: readonly Rule[] = [
  {
    name: 'storage, vault, registry and Batch deny by default',
    why: 'what is reachable from everywhere is only one stolen token away from everybody',
    check: subject => [
      ...ofType(subject, 'Microsoft.Storage/storageAccounts').flatMap(account =>
        closed(account, ['networkAcls.defaultAction']),
      ),
      ...ofType(subject, 'Microsoft.KeyVault/vaults').flatMap(vault =>
        closed(vault, ['networkAcls.defaultAction']),
      ),
      ...ofType(subject, 'Microsoft.ContainerRegistry/registries').flatMap(registry =>
        closed(registry, ['networkRuleSet.defaultAction']),
      ),
      ...ofType(subject, 'Microsoft.Batch/batchAccounts').flatMap(account =>
        closed(account, [
          'networkProfile.accountAccess.defaultAction',
          'networkProfile.nodeManagementAccess.defaultAction',
        ]),
      ),
    ],
  },
  {
    name: 'storage is encrypted on the way and shows nothing to strangers',
    why: 'old TLS can be read on the way, and an anonymous container from everywhere',
    check: subject =>
      ofType(subject, 'Microsoft.Storage/storageAccounts').flatMap(account => [
        ...mustBe(account, 'properties.allowBlobPublicAccess', false),
        ...mustBe(account, 'properties.supportsHttpsTrafficOnly', true),
        ...mustBe(account, 'properties.minimumTlsVersion', ...tls),
      ]),
  },
  {
    name: 'the vault asks roles, and can be restored',
    why: 'access policies let a contributor give himself every secret; without purge protection a lost seal key is lost',
    check: subject =>
      ofType(subject, 'Microsoft.KeyVault/vaults').flatMap(vault => [
        ...mustBe(vault, 'properties.enableRbacAuthorization', true),
        ...mustBe(vault, 'properties.enablePurgeProtection', true),
      ]),
  },
  {
    name: 'the app answers named callers only, over TLS',
    why: 'its keys and its deployment would be all that keeps strangers out',
    check: subject => ofType(subject, 'Microsoft.Web/sites').flatMap(site => siteProblems(subject, site)),
  },
  {
    name: 'no network security group lets the internet in',
    why: 'nodes run what others send them, and nobody outside has to reach them',
    check: subject => [
      ...ofType(subject, 'Microsoft.Network/networkSecurityGroups').flatMap(group =>
        listAt(group.body, 'properties', 'securityRules').flatMap((rule, index) =>
          openRule(group, rule, index),
        ),
      ),
      ...subnetsWithoutGroup(subject),
    ],
  },
];

function openRule(group: Resource, rule: Json, index: number): readonly Problem[] {
  const get = (name: string): string | undefined => textAt(rule, 'properties', name);
  if (get('direction') !== 'Inbound' || get('access') !== 'Allow') return [];
  const from = [get('sourceAddressPrefix'), ...listAt(rule, 'properties', 'sourceAddressPrefixes')];
  const open = from.find(range => typeof range === 'string' && isEverywhere(range));
  if (open === undefined) return [];
  const property = `properties.securityRules[${index}].properties.sourceAddressPrefix`;
  return [
    problem(
      group,
      property,
      `${shown(open)} (rule ${textAt(rule, 'name')})`,
      'a narrower source must be named',
    ),
  ];
}

function subnetsWithoutGroup(subject: Subject): readonly Problem[] {
  const groups = ofType(subject, 'Microsoft.Network/networkSecurityGroups');
  return ofType(subject, 'Microsoft.Network/virtualNetworks').flatMap(network =>
    listAt(network.body, 'properties', 'subnets').flatMap((subnet, index) => {
      const id = textAt(subnet, 'properties', 'networkSecurityGroup', 'id');
      if (id !== undefined && groups.some(group => sameId(group.id, id))) return [];
      const property = `properties.subnets[${index}].properties.networkSecurityGroup.id`;
      const is = `${shown(id)} (subnet ${textAt(subnet, 'name')})`;
      return [problem(network, property, is, 'a network security group of this template must guard it')];
    }),
  );
}
