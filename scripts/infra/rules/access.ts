import { listAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { mustBe, ofType, type Problem, problem, type Rule, shown } from './rule.js';

const tls = ['TLS1_2', 'TLS1_3'];

/** Closed to the internet, and, if it were opened, closed to all that is not named. */
const closed = (resource: Resource, ...lists: readonly string[]): readonly Problem[] => [
  ...mustBe(resource, 'properties.publicNetworkAccess', 'Disabled'),
  ...lists.flatMap(list => mustBe(resource, `properties.${list}.defaultAction`, 'Deny')),
  // A range that is allowed here needs no private endpoint.
  ...lists.flatMap(list =>
    ['ipRules', 'virtualNetworkRules', 'resourceAccessRules'].flatMap(name => {
      const allowed = listAt(resource.body, 'properties', ...list.split('.'), name);
      const property = `properties.${list}.${name}`;
      return allowed.length === 0
        ? []
        : [problem(resource, property, shown(allowed), 'it must be empty: private endpoints are the way in')];
    }),
  ),
];

/** Nothing answers whoever is not named. */
export const accessRules: readonly Rule[] = [
  {
    name: 'storage, vault, registry and Batch deny by default',
    why: 'what is reachable from everywhere is only one stolen token away from everybody',
    check: subject => [
      ...ofType(subject, 'Microsoft.Storage/storageAccounts').flatMap(account => [
        ...closed(account, 'networkAcls'),
        ...mustBe(account, 'properties.networkAcls.bypass', 'None'),
      ]),
      ...ofType(subject, 'Microsoft.KeyVault/vaults').flatMap(vault => closed(vault, 'networkAcls')),
      ...ofType(subject, 'Microsoft.ContainerRegistry/registries').flatMap(registry => [
        ...closed(registry, 'networkRuleSet'),
        // Others have no private endpoints.
        ...mustBe(registry, 'sku.name', 'Premium'),
      ]),
      ...ofType(subject, 'Microsoft.Batch/batchAccounts').flatMap(account =>
        closed(account, 'networkProfile.accountAccess', 'networkProfile.nodeManagementAccess'),
      ),
    ],
  },
  {
    name: 'storage is encrypted on the way and shows nothing to strangers',
    why: 'old TLS can be read on the way, and an anonymous container from everywhere',
    check: subject => [
      ...ofType(subject, 'Microsoft.Storage/storageAccounts').flatMap(account => [
        ...mustBe(account, 'kind', 'StorageV2'),
        ...mustBe(account, 'properties.allowBlobPublicAccess', false),
        ...mustBe(account, 'properties.allowCrossTenantReplication', false),
        // Else the portal, and tools that do as it does, ask for a key, and there is none.
        ...mustBe(account, 'properties.defaultToOAuthAuthentication', true),
        ...mustBe(account, 'properties.supportsHttpsTrafficOnly', true),
        ...mustBe(account, 'properties.minimumTlsVersion', ...tls),
      ]),
      ...ofType(subject, 'Microsoft.Storage/storageAccounts/blobServices/containers').flatMap(container =>
        mustBe(container, 'properties.publicAccess', 'None'),
      ),
    ],
  },
  {
    name: 'the vault asks roles, and can be restored',
    why: 'access policies let a contributor give himself every secret; without purge protection a lost seal key is lost',
    check: subject => [
      ...ofType(subject, 'Microsoft.KeyVault/vaults').flatMap(vault => [
        ...mustBe(vault, 'properties.enableRbacAuthorization', true),
        ...mustBe(vault, 'properties.enablePurgeProtection', true),
        ...mustBe(vault, 'properties.enableSoftDelete', true),
        ...['Deployment', 'DiskEncryption', 'TemplateDeployment'].flatMap(whom =>
          mustBe(vault, `properties.enabledFor${whom}`, false),
        ),
      ]),
      ...ofType(subject, 'Microsoft.KeyVault/vaults/secrets').flatMap(secret =>
        mustBe(secret, 'properties.attributes.enabled', true),
      ),
    ],
  },
];
