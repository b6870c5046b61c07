import { guidOf } from './functions.js';
import type { JsonObject } from './json.js';

/**
 * What Azure tells of a resource only after it is made, in the form that Azure gives it. It depends on the resource's
 * id alone, so that whoever gets a role can be recognised by it.
 */
type Made = (name: string, id: string, location: string) => JsonObject;

export const principalOf = (id: string): string => remembered('principal', id.toLowerCase());
export const clientOf = (id: string): string => remembered('client', id.toLowerCase());

const known = new Map<string, string>();

/** Every role assignment is compared with every identity. */
function remembered(kind: string, id: string): string {
  const key = `${kind} ${id}`;
  const value = known.get(key) ?? guidOf(kind, id);
  known.set(key, value);
  return value;
}

const table: Readonly<Record<string, Made>> = {
  'Microsoft.ManagedIdentity/userAssignedIdentities': (_, id) => ({
    principalId: principalOf(id),
    clientId: clientOf(id),
    tenantId: guidOf('tenant'),
  }),
  'Microsoft.Batch/batchAccounts': (name, _, location) => ({
    accountEndpoint: `${name}.${location}.batch.azure.com`,
    nodeManagementEndpoint: `${guidOf(name)}.${location}.service.batch.azure.com`,
  }),
  'Microsoft.ContainerRegistry/registries': name => ({ loginServer: `${name}.azurecr.io` }),
  'Microsoft.KeyVault/vaults': name => ({ vaultUri: `https://${name}.vault.azure.net/` }),
  'Microsoft.KeyVault/vaults/secrets': name => {
    const [vault = '', secret = ''] = name.split('/');
    const uri = `https://${vault}.vault.azure.net/secrets/${secret}`;
    return { secretUri: uri, secretUriWithVersion: `${uri}/0123456789abcdef0123456789abcdef` };
  },
  'Microsoft.Storage/storageAccounts': name => ({
    primaryEndpoints: Object.fromEntries(
      ['blob', 'queue', 'table', 'file', 'dfs', 'web'].map(service => [
        service,
        `https://${name}.${service}.core.windows.net/`,
      ]),
    ),
  }),
  'Microsoft.Insights/components': (name, id) => ({
    ConnectionString: `InstrumentationKey=${guidOf('instrumentation', id)};IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/;ApplicationId=${guidOf('app', id)}`,
    InstrumentationKey: guidOf('instrumentation', id),
    AppId: guidOf('app', id),
    Name: name,
  }),
  'Microsoft.OperationalInsights/workspaces': (_, id) => ({ customerId: guidOf('customer', id) }),
  'Microsoft.Web/sites': name => ({
    defaultHostName: `${name}.azurewebsites.net`,
    possibleOutboundIpAddresses: '20.0.0.1',
    outboundIpAddresses: '20.0.0.1',
  }),
  'Microsoft.Network/publicIPAddresses': () => ({ ipAddress: '20.1.2.3' }),
};

export const runtimeValues = (type: string, name: string, id: string, location: string): JsonObject =>
  table[type]?.(name, id, location) ?? {};
