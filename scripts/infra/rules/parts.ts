import { ofType, problem, type Rule } from './rule.js';

/** What it is made of: types that a deployment must have, and why. */
const needed: Readonly<Record<string, string>> = {
  'Microsoft.ManagedIdentity/userAssignedIdentities': 'who app and nodes are',
  'Microsoft.Network/virtualNetworks': 'the private network',
  'Microsoft.Network/natGateways': 'the one way out',
  'Microsoft.Network/publicIPAddresses': 'the one address that others see',
  'Microsoft.Network/networkSecurityGroups': 'what guards the subnets',
  'Microsoft.Network/privateEndpoints': 'the ways to the services',
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups': 'the names of the private endpoints',
  'Microsoft.Network/privateDnsZones': 'the names of the services in the network',
  'Microsoft.Network/privateDnsZones/virtualNetworkLinks': 'the names of the services in the network',
  'Microsoft.Batch/batchAccounts': 'what runs the agents',
  'Microsoft.Batch/batchAccounts/pools': 'the nodes of the agents',
  'Microsoft.ContainerRegistry/registries': 'the images of the agents',
  'Microsoft.Storage/storageAccounts': 'queues and tables of the app',
  'Microsoft.Storage/storageAccounts/blobServices': 'the package of the app',
  'Microsoft.Storage/storageAccounts/blobServices/containers': 'the package of the app',
  'Microsoft.KeyVault/vaults': 'the secrets of the app',
  'Microsoft.Web/serverfarms': 'the plan of the app',
  'Microsoft.Web/sites': 'the app',
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': 'that nobody deploys with a password',
  'Microsoft.Authorization/roleAssignments': 'what app and nodes may do',
  'Microsoft.OperationalInsights/workspaces': 'where logs are kept',
  'Microsoft.Insights/components': 'where telemetry goes',
  'Microsoft.Insights/diagnosticSettings': 'the logs of the services',
  'Microsoft.Insights/actionGroups': 'who is told of alerts',
  'Microsoft.Insights/scheduledQueryRules': 'the rules of infra/monitoring/alerts.bicep',
  'Microsoft.Insights/workbooks': 'the workbook of infra/monitoring/workbook.bicep',
};

/** What it may have beside. */
const judged: ReadonlySet<string> = new Set(
  [
    ...Object.keys(needed),
    'Microsoft.KeyVault/vaults/secrets',
    'Microsoft.Web/sites/config',
    'Microsoft.Network/virtualNetworks/subnets',
    'Microsoft.Network/publicIPPrefixes',
    'Microsoft.Network/networkInterfaces',
    'Microsoft.Authorization/roleDefinitions',
  ].map(type => type.toLowerCase()),
);

export const partRules: readonly Rule[] = [
  {
    name: 'nothing is missing: network, services, app, alerts and workbook',
    why: 'what is not there breaks no other rule, and nobody would know that requests wait',
    check: subject =>
      Object.entries(needed)
        .filter(([type]) => ofType(subject, type).length === 0)
        .map(([type, what]) => ({
          file: subject.templates[0]?.file ?? '',
          resource: type,
          property: '',
          is: 'is missing',
          should: `${what} must be part of it`,
        })),
  },
  {
    name: 'nothing is deployed that no rule judges',
    why: 'a service of another kind would be open, and nobody would look',
    check: subject =>
      subject.resources
        .filter(({ type }) => !judged.has(type.toLowerCase()))
        .map(resource =>
          problem(
            resource,
            'type',
            'is judged by no rule',
            'remove it, or write rules for it and name it in scripts/infra/rules/parts.ts',
          ),
        ),
  },
];
