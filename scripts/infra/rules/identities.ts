import { at, isObject, listAt, textAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { clientOf, principalOf } from '../template/runtime-values.js';
import { appSettingsOf, vaultReference } from './app-settings.js';
import { roleNameOf, scopeOf } from './roles.js';
import { ofType, type Problem, problem, type Rule, type Subject, sameId, shown } from './rule.js';

const identitiesOf = (resource: Resource): readonly string[] => {
  const named = at(resource.body, 'identity', 'userAssignedIdentities');
  return isObject(named) ? Object.keys(named) : [];
};

const isSystemAssigned = (resource: Resource): boolean =>
  textAt(resource.body, 'identity', 'type')?.includes('SystemAssigned') ?? false;

/** Whether one of some identities has a role at a resource or at what holds it. */
function hasRole(subject: Subject, identities: readonly string[], role: string, resource: Resource): boolean {
  const principals = identities.map(principalOf);
  return ofType(subject, 'Microsoft.Authorization/roleAssignments').some(
    assignment =>
      roleNameOf(assignment) === role &&
      principals.includes(textAt(assignment.body, 'properties', 'principalId') ?? '') &&
      sameId(scopeOf(assignment), resource.id),
  );
}

/** What the app has to be allowed, by type of resource. */
const needs: Readonly<Record<string, readonly string[]>> = {
  'Microsoft.Batch/batchAccounts': ['Azure Batch Job Submitter', 'Azure Batch Account Reader'],
  'Microsoft.Storage/storageAccounts': [
    'Storage Blob Data Owner',
    'Storage Queue Data Contributor',
    'Storage Table Data Contributor',
  ],
  'Microsoft.Insights/components': ['Monitoring Metrics Publisher'],
};

function appProblems(subject: Subject, site: Resource): readonly Problem[] {
  const problems: Problem[] = [];
  const own = identitiesOf(site);
  const able = isSystemAssigned(site) ? [...own, site.id] : own;
  for (const [type, roles] of Object.entries(needs)) {
    for (const resource of ofType(subject, type)) {
      for (const role of roles) {
        if (hasRole(subject, able, role, resource)) continue;
        const should = `the app needs it: a roleAssignment for an identity of ${site.name}`;
        problems.push(problem(resource, `role ${role}`, 'is missing', should));
      }
    }
  }
  const settings = appSettingsOf(subject, site);
  for (const vault of ofType(subject, 'Microsoft.KeyVault/vaults')) {
    if (!settings.some(({ value }) => vaultReference(value)?.vault === vault.name)) continue;
    const reader = textAt(site.body, 'properties', 'keyVaultReferenceIdentity');
    const readers = reader === undefined || reader === 'SystemAssigned' ? [site.id] : [reader];
    const isKnown = reader === undefined ? isSystemAssigned(site) : able.some(id => readers.includes(id));
    if (!isKnown) {
      const should = "it must be an identity of the app: by itself Azure reads references with the system's";
      problems.push(problem(site, 'properties.keyVaultReferenceIdentity', shown(reader), should));
    } else if (!hasRole(subject, readers, 'Key Vault Secrets User', vault)) {
      const should = 'the app needs it to read its secrets';
      problems.push(problem(vault, 'role Key Vault Secrets User', 'is missing', should));
    }
  }
  // Without it the client library asks for the system's identity, and there is none.
  const clients = isSystemAssigned(site) ? [] : ['AZURE_CLIENT_ID', 'AzureWebJobsStorage__clientId'];
  for (const name of clients) {
    const setting = settings.find(each => each.name === name);
    if (setting && own.some(id => clientOf(id) === setting.value)) continue;
    const should = 'it must be the client id of an identity of the app, which has none of its own';
    problems.push(
      problem(
        setting?.from ?? site,
        setting ? `${setting.path}.value` : `app setting ${name}`,
        shown(setting?.value),
        should,
      ),
    );
  }
  return problems;
}

function poolProblems(subject: Subject, pool: Resource): readonly Problem[] {
  const own = identitiesOf(pool);
  const container = [
    'properties',
    'deploymentConfiguration',
    'virtualMachineConfiguration',
    'containerConfiguration',
  ];
  const registries = listAt(pool.body, ...container, 'containerRegistries');
  const path = `${container.join('.')}.containerRegistries`;
  if (registries.length === 0) {
    return [problem(pool, path, 'is not set', 'nodes need it to pull the images of their agents')];
  }
  return registries.flatMap((each, index) => {
    const id = textAt(each, 'identityReference', 'resourceId');
    const property = `${path}[${index}].identityReference.resourceId`;
    if (id === undefined || !own.some(other => sameId(other, id))) {
      return [problem(pool, property, shown(id), 'it must be an identity of this pool')];
    }
    const server = textAt(each, 'registryServer') ?? '';
    const registry = ofType(subject, 'Microsoft.ContainerRegistry/registries').find(({ name }) =>
      server.startsWith(`${name}.`),
    );
    // Another's registry is another's to open.
    if (!registry || hasRole(subject, [id], 'AcrPull', registry)) return [];
    return [problem(registry, 'role AcrPull', 'is missing', `pool ${pool.name} needs it to pull images`)];
  });
}

export const identityRules: readonly Rule[] = [
  {
    name: 'app and pools have the identities and roles that they need',
    why: 'what is missing shows as a refusal in a log, minutes after the deployment',
    check: subject => [
      ...ofType(subject, 'Microsoft.Web/sites').flatMap(site => appProblems(subject, site)),
      ...ofType(subject, 'Microsoft.Batch/batchAccounts/pools').flatMap(pool => poolProblems(subject, pool)),
    ],
  },
];
