import { evaluate, type Special } from './evaluate.js';
import { extensionId } from './functions.js';
import type { Json } from './json.js';

/** Where it is deployed, as far as the template can ask. */
export const sampleScope = {
  subscriptionId: '11111111-1111-1111-1111-111111111111',
  tenantId: '22222222-2222-2222-2222-222222222222',
  resourceGroup: 'rg-agents',
  location: 'westeurope',
} as const;

const { subscriptionId, tenantId, resourceGroup, location } = sampleScope;
const subscription = `/subscriptions/${subscriptionId}`;

/** Id of the resource group. */
export const group = `${subscription}/resourceGroups/${resourceGroup}`;

/** `resourceId([subscription], [group], type, names…)` */
function resourceId(values: readonly Json[]): string {
  const words = values.map(String);
  const start = words.findIndex(word => word.includes('/') && !word.startsWith('/'));
  const [type = '', ...names] = words.slice(start);
  const before = words.slice(0, start);
  const inGroup = before.at(-1) ?? resourceGroup;
  const inSubscription = before.at(-2) ?? subscriptionId;
  return extensionId(`/subscriptions/${inSubscription}/resourceGroups/${inGroup}`, type, ...names);
}

/** What every template can ask for, whatever is in it. */
export const surroundings: Readonly<Record<string, Special>> = {
  resourceGroup: () => ({ id: group, name: resourceGroup, location, tags: {} }),
  subscription: () => ({ id: subscription, subscriptionId, tenantId, displayName: 'Sample' }),
  tenant: () => ({ tenantId }),
  environment: () => ({
    name: 'AzureCloud',
    resourceManager: 'https://management.azure.com/',
    suffixes: { storage: 'core.windows.net', keyvaultDns: '.vault.azure.net', acrLoginServer: '.azurecr.io' },
  }),
  resourceId: (args, inner) => resourceId(args.map(arg => evaluate(arg, inner))),
  subscriptionResourceId: (args, inner) => {
    const [type = '', ...names] = args.map(arg => evaluate(arg, inner));
    return extensionId(subscription, type, ...names);
  },
};
