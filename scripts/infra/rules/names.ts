import { ofType, problem, type Rule, shown } from './rule.js';

/** What Azure takes as names, where a wrong one is refused only when it is deployed. */
const names: Readonly<Record<string, { readonly pattern: RegExp; readonly means: string }>> = {
  'Microsoft.Storage/storageAccounts': { pattern: /^[a-z0-9]{3,24}$/, means: '3 to 24 of a-z and 0-9' },
  'Microsoft.Batch/batchAccounts': { pattern: /^[a-z0-9]{3,24}$/, means: '3 to 24 of a-z and 0-9' },
  'Microsoft.ContainerRegistry/registries': {
    pattern: /^[A-Za-z0-9]{5,50}$/,
    means: '5 to 50 letters and digits',
  },
  'Microsoft.KeyVault/vaults': {
    pattern: /^(?=.{3,24}$)[A-Za-z](?:-?[A-Za-z0-9])*$/,
    means: '3 to 24 letters, digits and single hyphens, beginning with a letter',
  },
  'Microsoft.KeyVault/vaults/secrets': {
    pattern: /^[A-Za-z0-9-]{1,127}$/,
    means: 'letters, digits and hyphens',
  },
  'Microsoft.Web/sites': {
    pattern: /^(?=.{2,60}$)[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]$/,
    means: '2 to 60 letters, digits and hyphens',
  },
  'Microsoft.Web/serverfarms': {
    pattern: /^[A-Za-z0-9-]{1,60}$/,
    means: '1 to 60 letters, digits and hyphens',
  },
  'Microsoft.OperationalInsights/workspaces': {
    pattern: /^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$/,
    means: '4 to 63 letters, digits and hyphens',
  },
  'Microsoft.ManagedIdentity/userAssignedIdentities': {
    pattern: /^[A-Za-z0-9][A-Za-z0-9_-]{2,127}$/,
    means: '3 to 128 letters, digits, hyphens and underscores',
  },
  'Microsoft.Storage/storageAccounts/blobServices/containers': {
    pattern: /^(?=.{3,63}$)[a-z0-9](?:-?[a-z0-9])*$/,
    means: '3 to 63 of a-z, 0-9 and single hyphens',
  },
  'Microsoft.Batch/batchAccounts/pools': {
    pattern: /^[A-Za-z0-9_-]{1,64}$/,
    means: '1 to 64 of A-Z, a-z, 0-9, "_" and "-"',
  },
};

export const nameRules: readonly Rule[] = [
  {
    name: 'everything is named as Azure takes it',
    why: 'it refuses a name in the midst of a deployment',
    check: subject =>
      Object.entries(names).flatMap(([type, { pattern, means }]) =>
        ofType(subject, type).flatMap(resource => {
          const name = resource.name.split('/').at(-1) ?? '';
          return pattern.test(name) ? [] : [problem(resource, 'name', shown(name), `it must be ${means}`)];
        }),
      ),
  },
];
