import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { samples } from '../../scripts/infra/samples.js';
import type { Json, JsonObject } from '../../scripts/infra/template/json.js';
import { changedAt, plant, plantResource, problemsOf, template } from './planting.js';

/** Planted defects: each must be found, and named by file, resource and property. */
interface Defect {
  readonly what: string;
  readonly changed: JsonObject;
  readonly file: string;
  /** Begin of the resource's label. */
  readonly resource: string;
  readonly property: string;
  /** A part of how it should be. */
  readonly should: string;
}

const storage = 'Microsoft.Storage/storageAccounts';
const batch = 'Microsoft.Batch/batchAccounts';
const pool = 'Microsoft.Batch/batchAccounts/pools';
const registry = 'Microsoft.ContainerRegistry/registries';
const vault = 'Microsoft.KeyVault/vaults';
const site = 'Microsoft.Web/sites';
const network = 'Microsoft.Network/virtualNetworks';
const role = 'Microsoft.Authorization/roleAssignments';
const roles = 'Microsoft.Authorization/roleDefinitions';
const insights = 'Microsoft.Insights/components';
const workspace = 'Microsoft.OperationalInsights/workspaces';
const secret = 'Microsoft.KeyVault/vaults/secrets';
const plan = 'Microsoft.Web/serverfarms';
const blobContainer = 'Microsoft.Storage/storageAccounts/blobServices/containers';
const group = 'Microsoft.Network/networkSecurityGroups';
const nat = 'Microsoft.Network/natGateways';
const endpoint = 'Microsoft.Network/privateEndpoints';
const zoneLink = 'Microsoft.Network/privateDnsZones/virtualNetworkLinks';
const alert = 'Microsoft.Insights/scheduledQueryRules';
const workbook = 'Microsoft.Insights/workbooks';

const fileOf: Readonly<Record<string, string>> = {
  [storage]: 'storage',
  [batch]: 'batch',
  [pool]: 'pool',
  [registry]: 'registry',
  [vault]: 'vault',
  [site]: 'app',
  [network]: 'network',
  [insights]: 'observability',
  [workspace]: 'observability',
  [secret]: 'vault',
  [plan]: 'app',
  [blobContainer]: 'storage',
  [group]: 'network',
  [nat]: 'network',
  [endpoint]: 'private-endpoint',
  [zoneLink]: 'private-dns-zone',
  [alert]: '../monitoring/alerts',
  [workbook]: '../monitoring/workbook',
};

const defect = (
  type: string,
  property: string,
  value: Json | undefined,
  should: string,
  shown = property.replace(/\.(\d+)/g, '[$1]'),
): Defect => ({
  what: `${type} ${property} ${value === undefined ? 'is gone' : `is ${JSON.stringify(value).slice(0, 60)}`}`,
  changed: plant(type, property, value),
  file: `infra/modules/${fileOf[type]}.bicep`.replace('modules/../', ''),
  resource: `${type} `,
  property: shown,
  should,
});

const container = 'properties.deploymentConfiguration.virtualMachineConfiguration.containerConfiguration';
const address = 'properties.networkConfiguration.publicIPAddressConfiguration.provision';
const formula = 'properties.scaleSettings.autoScale.formula';
const settings = 'properties.siteConfig.appSettings';
const prefix = (subnet: number): string => `properties.subnets.${subnet}.properties.addressPrefix`;
/** A rule of a security group that lets everybody in, or out, but for what is said. */
const rule = (direction: string, other: JsonObject): JsonObject => ({
  name: 'Planted',
  properties: {
    priority: 4000,
    direction,
    access: 'Allow',
    protocol: 'Tcp',
    sourceAddressPrefix: '*',
    sourcePortRange: '*',
    destinationAddressPrefix: 'Internet',
    destinationPortRange: '443',
    ...other,
  },
});
const inbound = (other: JsonObject): JsonObject => rule('Inbound', other);
const outbound = (other: JsonObject): JsonObject => rule('Outbound', other);
const denial = (direction: string, other: JsonObject = {}): JsonObject =>
  rule(direction, {
    priority: 4096,
    access: 'Deny',
    protocol: '*',
    destinationAddressPrefix: '*',
    destinationPortRange: '*',
    ...other,
  });

/** The rules of all security groups are these. */
const rules = (property: string, should: string, ...list: readonly JsonObject[]): Defect =>
  defect(group, 'properties.securityRules', list, should, `properties.securityRules${property}`);

const settingValue = (name: string, value: string, should: string): Defect =>
  defect(
    site,
    `${settings}.${settingIndex(name)}.value`,
    value,
    should,
    `${settings}[${settingIndex(name)}].value`,
  );

const runtime = 'properties.functionAppConfig.runtime';
const packages = 'properties.functionAppConfig.deployment.storage';
const site1 = 'properties.siteConfig';
const oldRules = `${site1}.ipSecurityRestrictions`;

/** Where a setting is in the list, by its name. */
function settingIndex(name: string): number {
  const text = JSON.stringify(template);
  const list = text.slice(text.indexOf('"appSettings":['));
  return [...list.slice(0, list.indexOf(`"${name}"`)).matchAll(/"name":"[A-Za-z]/g)].length;
}

const defects: readonly Defect[] = [
  defect(pool, address, 'BatchManaged', '"NoPublicIPAddresses"'),
  defect(pool, address, undefined, '"NoPublicIPAddresses"'),
  defect(pool, 'properties.networkConfiguration.subnetId', undefined, 'in a subnet'),
  defect(pool, 'properties.taskSlotsPerNode', 65, 'four a core'),
  defect(pool, 'properties.targetNodeCommunicationMode', 'Simplified', 'leave it out'),
  defect(pool, formula, undefined, 'come and go'),
  defect(pool, formula, '$TargetDedicatedNodes = 1 +', '', `${formula} at 1:28`),
  defect(pool, `${container}.containerImageNames`, [], 'waited for'),
  defect(
    pool,
    `${container}.containerRegistries.0.identityReference.resourceId`,
    '/subscriptions/x',
    'identity of this pool',
  ),
  defect(storage, 'properties.allowSharedKeyAccess', undefined, 'false'),
  defect(storage, 'properties.allowSharedKeyAccess', true, 'false'),
  defect(storage, 'properties.allowBlobPublicAccess', true, 'false'),
  defect(storage, 'properties.minimumTlsVersion', 'TLS1_0', 'TLS1_2'),
  defect(storage, 'properties.publicNetworkAccess', 'Enabled', '"Disabled"'),
  defect(storage, 'properties.networkAcls.defaultAction', 'Allow', '"Deny"'),
  defect(vault, 'properties.publicNetworkAccess', undefined, '"Disabled"'),
  defect(registry, 'properties.publicNetworkAccess', 'Enabled', '"Disabled"'),
  defect(batch, 'properties.networkProfile.nodeManagementAccess.defaultAction', 'Allow', '"Deny"'),
  defect(storage, 'apiVersion', '2019-06-01', '2025-08-01'),
  defect(batch, 'properties.allowedAuthenticationModes', ['AAD', 'SharedKey'], '["AAD"]'),
  defect(batch, 'properties.allowedAuthenticationModes', undefined, '["AAD"]'),
  defect(registry, 'properties.adminUserEnabled', true, 'false'),
  defect(insights, 'properties.DisableLocalAuth', false, 'true'),
  defect(vault, 'properties.enableRbacAuthorization', false, 'true'),
  defect(site, 'properties.httpsOnly', false, 'true'),
  defect(site, 'properties.siteConfig.minTlsVersion', '1.0', '"1.2"'),
  defect(site, 'properties.siteConfig.ipSecurityRestrictionsDefaultAction', 'Allow', '"Deny"'),
  defect(site, 'properties.siteConfig.scmIpSecurityRestrictionsDefaultAction', undefined, '"Deny"'),
  defect(
    site,
    'properties.siteConfig.ipSecurityRestrictions',
    [{ action: 'Allow', ipAddress: '0.0.0.0/0' }],
    'must be named',
    'properties.siteConfig.ipSecurityRestrictions[0].ipAddress',
  ),
  defect(
    site,
    'properties.siteConfig.ipSecurityRestrictions',
    [{ action: 'Allow', ipAddress: 'AzureCloud', tag: 'ServiceTag' }],
    'AzureDevOps',
    'properties.siteConfig.ipSecurityRestrictions[0].ipAddress',
  ),
  defect(site, 'properties.keyVaultReferenceIdentity', undefined, 'identity of the app'),
  defect(
    site,
    `${settings}.${settingIndex('WatchSeconds')}.name`,
    'WatchSecond',
    'did you mean WatchSeconds?',
  ),
  defect(
    site,
    `${settings}.${settingIndex('WatchSeconds')}`,
    { name: 'LogFormat', value: '' },
    'set it',
    'app setting WatchSeconds',
  ),
  defect(
    site,
    `${settings}.${settingIndex('WatchSeconds')}.value`,
    'often',
    'would not start',
    `${settings}[${settingIndex('WatchSeconds')}]`,
  ),
  defect(
    site,
    `${settings}.${settingIndex('AZURE_CLIENT_ID')}.value`,
    'somebody',
    'client id',
    `${settings}[${settingIndex('AZURE_CLIENT_ID')}].value`,
  ),
  defect(
    site,
    `${settings}.${settingIndex('BatchAccountName')}`,
    { name: 'BatchAccountKey', value: 'a2V5' },
    'leave it out',
    `${settings}[${settingIndex('BatchAccountName')}]`,
  ),
  defect(network, prefix(1), '10.0.0.0/24', "inside the network's 172.18.0.0/16"),
  defect(network, prefix(1), '172.18.3.0/26', 'overlap 172.18.0.0/22 of subnet nodes'),
  defect(network, prefix(1), '172.18.4.1/27', 'first address'),
  defect(network, prefix(0), '172.17.0.0/24', '172.17.0.0/16, which Docker uses'),
  defect(network, 'properties.subnets.1.properties.delegations', [], 'Microsoft.App/environments'),
  defect(
    network,
    'properties.subnets.0.properties.networkSecurityGroup',
    undefined,
    'guard it',
    'properties.subnets[0].properties.networkSecurityGroup.id',
  ),
  rules('[0].properties.sourceAddressPrefix', 'narrower', inbound({})),
  rules('[0].properties.sourceAddressPrefix', 'narrower', inbound({ sourceAddressPrefix: '128.0.0.0/1' })),
  rules('[0].properties.sourceAddressPrefix', 'without it', inbound({ sourceAddressPrefix: null })),
  rules('[1].properties.priority', 'the same', inbound({}), inbound({ name: 'Twin' })),
  rules('[0].properties.destinationPortRange', '"443"', outbound({ destinationPortRange: '*' })),
  rules('', 'inbound must deny all', denial('Outbound')),
  rules('', 'outbound must deny all', denial('Inbound'), denial('Outbound', { protocol: 'Tcp' })),
  rules('', 'must allow Tcp to Internet', denial('Inbound'), denial('Outbound')),
  defect(network, 'properties.addressSpace.addressPrefixes.0', '172.16.0.0/12', 'Docker uses'),
  defect(network, prefix(1), '172.18.4.0/28', 'it must have 32, for Flex Consumption'),
  defect(network, prefix(0), '172.18.0.0/28', 'it must have 33, for 28 nodes'),
  defect(network, prefix(2), '172.18.4.32/29', 'it must have 13, for 7 endpoints'),
  defect(network, 'properties.subnets.0.properties.defaultOutboundAccess', undefined, 'false'),
  defect(
    network,
    'properties.subnets.0.properties.natGateway',
    undefined,
    'NAT gateway of this template',
    'properties.subnets[0].properties.natGateway.id',
  ),
  defect(network, 'properties.subnets.2.properties.privateEndpointNetworkPolicies', 'Disabled', '"Enabled"'),
  defect(nat, 'properties.publicIpAddresses', undefined, 'nothing gets out'),
  defect(
    pool,
    'properties.networkConfiguration.subnetId',
    "[replace(parameters('subnetId'), '/nodes', '/endpoints')]",
    'without private endpoints',
  ),
  defect(pool, 'properties.networkConfiguration.endpointConfiguration', {}, 'forwards ports'),
  defect(pool, 'properties.interNodeCommunication', 'Enabled', '"Disabled"'),
  defect(pool, 'properties.userAccounts', [], 'password'),
  defect(pool, 'properties.startTask', {}, 'nothing but their images'),
  defect(pool, 'properties.taskSchedulingPolicy.nodeFillType', 'Spread', '"Pack"'),
  defect(
    pool,
    'properties.deploymentConfiguration.virtualMachineConfiguration.nodeAgentSkuId',
    'batch.node.windows amd64',
    'the os of its profile is linux',
  ),
  defect(pool, formula, 'maxDedicatedNodes = 5;', "the pool's own: 20"),
  defect(storage, 'kind', 'BlobStorage', '"StorageV2"'),
  defect(storage, 'properties.networkAcls.bypass', 'AzureServices', '"None"'),
  defect(storage, 'properties.networkAcls.ipRules', [{ value: '203.0.113.7' }], 'must be empty'),
  defect(storage, 'properties.allowCrossTenantReplication', undefined, 'false'),
  defect(storage, 'properties.defaultToOAuthAuthentication', undefined, 'true'),
  defect(storage, 'name', 'a-name', '3 to 24 of a-z and 0-9'),
  defect(blobContainer, 'properties.publicAccess', 'Container', '"None"'),
  defect(vault, 'properties.enableSoftDelete', false, 'true'),
  defect(vault, 'properties.enabledForTemplateDeployment', true, 'false'),
  defect(vault, 'name', 'a-vault-with-a-name-too-long', '3 to 24 letters'),
  defect(secret, 'properties.attributes.enabled', false, 'true'),
  defect(registry, 'sku.name', 'Basic', '"Premium"'),
  defect(batch, 'properties.poolAllocationMode', 'UserSubscription', '"BatchService"'),
  defect(
    batch,
    'properties.autoStorage',
    { authenticationMode: 'StorageKeys' },
    'left out',
    'properties.autoStorage.authenticationMode',
  ),
  defect(plan, 'sku.name', 'Y1', '"FC1"'),
  defect(site, `${runtime}.version`, '18', '"22"'),
  defect(site, `${packages}.authentication.type`, 'StorageAccountConnectionString', 'UserAssignedIdentity'),
  defect(site, `${packages}.authentication.userAssignedIdentityResourceId`, 'x', 'identity of the app'),
  defect(site, `${packages}.value`, 'https://x.blob.core.windows.net/y', 'container of this template'),
  defect(site, 'properties.publicNetworkAccess', 'Disabled', '"Enabled"'),
  defect(site, `${site1}.scmIpSecurityRestrictionsUseMain`, true, 'false'),
  defect(site, `${site1}.remoteDebuggingEnabled`, true, 'false'),
  defect(site, `${site1}.cors`, { allowedOrigins: ['*'] }, 'named', `${site1}.cors.allowedOrigins`),
  defect(site, oldRules, [], 'pipelines ask for agents'),
  defect(site, oldRules, [{ ipAddress: '0.0.0.0/1' }], 'must be named', `${oldRules}[0].ipAddress`),
  settingValue('AzureWebJobsStorage__credential', 'managed', 'looks for a key'),
  settingValue('AzureWebJobsStorage__queueServiceUri', 'https://x.blob.core.windows.net', 'queue service'),
  settingValue('APPLICATIONINSIGHTS_AUTHENTICATION_STRING', 'Authorization=AAD', 'client id of the app'),
  settingValue('OTEL_EXPORTER_OTLP_HEADERS', 'api-key=x', 'secret of the vault'),
  defect(
    site,
    `${settings}.${settingIndex('AzureWebJobsStorage__blobServiceUri')}`,
    { name: 'NODE_OPTIONS', value: '' },
    'set it',
    'app setting AzureWebJobsStorage__blobServiceUri',
  ),
  {
    ...settingValue('BatchAccountName', 'another', 'it must be ba'),
    property: `${settings}[${settingIndex('BatchAccountName')}]`,
  },
  defect(endpoint, 'properties.manualPrivateLinkServiceConnections', [{}], 'privateLinkServiceConnections'),
  defect(zoneLink, 'properties.virtualNetwork.id', '/x', 'network of this template'),
  defect(zoneLink, 'properties.registrationEnabled', true, 'false'),
  defect(alert, 'properties.enabled', false, 'true'),
  defect(alert, 'properties.scopes', ['/x'], insights),
  defect(alert, 'properties.actions.actionGroups', [], 'actionGroups'),
  defect(workbook, 'properties.serializedData', '{', 'workbook.json'),
  defect(insights, 'properties.WorkspaceResourceId', undefined, workspace),
  {
    what: 'a type with a plain secret',
    changed: changedAt(template, ['definitions', '_1.settingsType'], {
      type: 'object',
      properties: { OTEL_EXPORTER_OTLP_HEADERS: { type: 'string' } },
    }),
    file: 'infra/main.bicep',
    resource: 'type _1.settingsType',
    property: 'properties.OTEL_EXPORTER_OTLP_HEADERS',
    should: 'secure parameter',
  },
  {
    what: 'a service that no rule judges',
    changed: plantResource({
      type: 'Microsoft.ServiceBus/namespaces',
      apiVersion: '2024-01-01',
      name: 'bus',
      properties: {},
    }),
    file: 'infra/main.bicep',
    resource: 'Microsoft.ServiceBus/namespaces bus',
    property: 'type',
    should: 'write rules for it',
  },
  {
    what: 'the role Contributor',
    changed: plant(
      role,
      'properties.roleDefinitionId',
      `/providers/${roles}/b24988ac-6180-42a0-ab88-20f7382dd24c`,
    ),
    file: 'infra/modules/batch.bicep',
    resource: role,
    property: 'properties.roleDefinitionId',
    should: 'use one of',
  },
  {
    what: 'a role that nobody knows',
    changed: plant(
      role,
      'properties.roleDefinitionId',
      `/providers/${roles}/00000000-0000-0000-0000-000000000000`,
    ),
    file: 'infra/modules/vault.bicep',
    resource: role,
    property: 'properties.roleDefinitionId',
    should: 'use one of',
  },
  {
    what: 'a role for all of the resource group',
    changed: plant(role, 'scope'),
    file: 'infra/modules/registry.bicep',
    resource: role,
    property: 'scope',
    should: 'at one resource',
  },
  {
    what: 'a role without the type of who gets it',
    changed: plant(role, 'properties.principalType'),
    file: 'infra/modules/vault.bicep',
    resource: role,
    property: 'properties.principalType',
    should: 'ServicePrincipal',
  },
  {
    what: 'a role that the app lacks',
    changed: plant(role, 'properties.principalId', 'nobody'),
    file: 'infra/modules/storage.bicep',
    resource: storage,
    property: 'role Storage Queue Data Contributor',
    should: 'the app needs it',
  },
  {
    what: 'a role of our own that allows everything',
    changed: plantResource({
      type: 'Microsoft.Authorization/roleDefinitions',
      apiVersion: '2022-04-01',
      name: 'all',
      properties: { permissions: [{ actions: ['*'] }] },
    }),
    file: 'infra/main.bicep',
    resource: 'Microsoft.Authorization/roleDefinitions all',
    property: 'properties.permissions[0].actions[0]',
    should: 'named in full',
  },
  {
    what: 'one more public address',
    changed: plantResource({
      type: 'Microsoft.Network/publicIPAddresses',
      apiVersion: '2025-05-01',
      name: 'stray',
      properties: { publicIPAllocationMethod: 'Static' },
    }),
    file: 'infra/main.bicep',
    resource: 'Microsoft.Network/publicIPAddresses stray',
    property: '',
    should: 'NAT gateway',
  },
  {
    what: 'a network card with a public address',
    changed: plantResource({
      type: 'Microsoft.Network/networkInterfaces',
      apiVersion: '2025-05-01',
      name: 'card',
      properties: { ipConfigurations: [{ properties: { publicIPAddress: { id: 'x' } } }] },
    }),
    file: 'infra/main.bicep',
    resource: 'Microsoft.Network/networkInterfaces card',
    property: 'properties.ipConfigurations[0].properties.publicIPAddress',
    should: 'NAT gateway',
  },
  {
    ...defect(network, 'apiVersion', '2025-05-01', '"Static"'),
    what: 'an address that may change',
    changed: plant('Microsoft.Network/publicIPAddresses', 'properties.publicIPAllocationMethod', 'Dynamic'),
    resource: 'Microsoft.Network/publicIPAddresses ',
    property: 'properties.publicIPAllocationMethod',
  },
  {
    ...defect(network, 'apiVersion', '2025-05-01', 'subnet of this network'),
    what: 'an endpoint in another network',
    changed: plant('Microsoft.Network/privateEndpoints', 'properties.subnet.id', '/subscriptions/x'),
    file: 'infra/modules/private-endpoint.bicep',
    resource: 'Microsoft.Network/privateEndpoints ',
    property: 'properties.subnet.id',
  },
  defect(pool, 'name', 'account/pool.1', '1 to 64'),
  defect(site, `${settings}.0.value`, 'AccountName=a;AccountKey=b', 'identity', `${settings}[0].value`),
  {
    what: 'no alerts',
    changed: plant('Microsoft.Insights/scheduledQueryRules', 'condition', false),
    file: 'infra/main.bicep',
    resource: 'Microsoft.Insights/scheduledQueryRules',
    property: '',
    should: 'infra/monitoring/alerts.bicep',
  },
  {
    what: 'a key that is asked for',
    changed: changedAt(template, ['outputs', 'key'], {
      type: 'string',
      value: "[listKeys(resourceId('Microsoft.Batch/batchAccounts', 'x'), '2025-06-01').primary]",
    }),
    file: 'infra/main.bicep',
    resource: 'Microsoft.Batch/batchAccounts/x',
    property: 'listKeys()',
    should: 'identity',
  },
  {
    what: 'a secret in an output',
    changed: changedAt(template, ['outputs', 'key'], {
      type: 'string',
      value: "[parameters('callbackTokenKey')]",
    }),
    file: 'infra/main.bicep',
    resource: 'output key',
    property: 'value',
    should: 'leave it out',
  },
  {
    what: 'a secret in an app setting',
    changed: changedAt(
      template,
      ['resources', 'app', 'properties', 'parameters', 'callbackTokenKeyReference'],
      { value: "[parameters('callbackTokenKey')]" },
    ),
    file: 'infra/modules/app.bicep',
    resource: site,
    property: `${settings}[${settingIndex('CallbackTokenKey')}].value`,
    should: 'refer to a secret',
  },
  {
    what: 'a secret with a default',
    changed: changedAt(template, ['parameters', 'azDOToken', 'defaultValue'], 'abc'),
    file: 'infra/main.bicep',
    resource: 'parameter azDOToken',
    property: 'defaultValue',
    should: 'no default',
  },
  {
    what: 'a secret that is not secure',
    changed: changedAt(template, ['parameters', 'azDOToken', 'type'], 'string'),
    file: 'infra/main.bicep',
    resource: 'parameter azDOToken',
    property: 'type',
    should: '@secure()',
  },
  {
    what: 'a parameter that says nothing',
    changed: changedAt(template, ['parameters', 'location', 'metadata'], undefined),
    file: 'infra/main.bicep',
    resource: 'parameter location',
    property: 'metadata.description',
    should: '@description',
  },
  ...(
    [
      [
        'registryEndpoint',
        'infra/modules/registry.bicep',
        registry,
        'private endpoint registry',
        'lead to it',
      ],
      ['queueEndpoint', 'infra/modules/storage.bicep', storage, 'private endpoint queue', 'lead to it'],
    ] as const
  ).map(([module, file, resource, property, should]) => ({
    what: `no ${module}`,
    changed: without(module),
    file,
    resource,
    property,
    should,
  })),
  {
    what: 'a zone that nobody is linked to',
    changed: plant('Microsoft.Network/privateDnsZones/virtualNetworkLinks', 'condition', false),
    file: 'infra/modules/private-dns-zone.bicep',
    resource: 'Microsoft.Network/privateDnsZones ',
    property: 'virtualNetworkLinks',
    should: 'linked',
  },
  {
    what: 'an endpoint in the wrong zone',
    changed: changedAt(
      template,
      ['resources', 'vaultEndpoint', 'properties', 'parameters', 'zoneId', 'value'],
      "[reference('blobZone').outputs.zoneId.value]",
    ),
    file: 'infra/modules/private-endpoint.bicep',
    resource: 'Microsoft.Network/privateEndpoints ',
    property: 'privateDnsZoneGroups',
    should: 'privatelink.vaultcore.azure.net',
  },
  {
    what: 'a vault whose log nobody keeps',
    changed: plant('Microsoft.Insights/diagnosticSettings', 'condition', false),
    file: 'infra/modules/vault.bicep',
    resource: vault,
    property: 'diagnosticSettings',
    should: 'workspace',
  },
];

/** The template without one of its modules. */
function without(module: string): JsonObject {
  return changedAt(template, ['resources', module, 'condition'], false);
}

const plants = suite('planted defects');

for (const { what, changed, file, resource, property, should } of defects) {
  plants(what, () => {
    const problems = problemsOf(changed);
    const found = problems.find(
      each =>
        each.file === file &&
        each.resource.startsWith(resource) &&
        each.property === property &&
        each.should.includes(should),
    );
    assert.ok(found, `It is not named; what is: ${JSON.stringify(problems.slice(0, 6), undefined, 1)}`);
  });
}

plants.run();

const committed = suite('the committed template');

for (const sample of samples) {
  committed(`has no defect: ${sample.name}`, () => assert.equal(problemsOf(template, sample), []));
}

committed.run();
