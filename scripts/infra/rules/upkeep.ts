import { objectAt, textAt } from '../template/json.js';
import { type Problem, problem, type Rule, type Subject, shown } from './rule.js';

/** The oldest API version of each type that has the properties that are used here. */
const versions: Readonly<Record<string, string>> = {
  'Microsoft.Batch/batchAccounts': '2025-06-01',
  'Microsoft.Network': '2025-05-01',
  'Microsoft.Web': '2024-11-01',
  'Microsoft.ContainerRegistry/registries': '2025-11-01',
  'Microsoft.ManagedIdentity/userAssignedIdentities': '2024-11-30',
  'Microsoft.KeyVault/vaults': '2024-11-01',
  'Microsoft.Storage/storageAccounts': '2025-08-01',
  'Microsoft.Authorization/roleAssignments': '2022-04-01',
};

/** Versions of types that have no others. */
const previews = ['Microsoft.Insights/diagnosticSettings 2021-05-01-preview'];
/** Types of Microsoft.Network that have versions of their own. */
const others = /^Microsoft\.Network\/(?:privateDnsZones|dnsResolvers)/;

function versionProblems(subject: Subject): readonly Problem[] {
  return subject.resources.flatMap(resource => {
    const { type, apiVersion } = resource;
    const prefix = Object.keys(versions).find(each => type === each || type.startsWith(`${each}/`));
    const oldest = prefix === undefined || others.test(type) ? undefined : versions[prefix];
    if (oldest !== undefined && apiVersion < oldest) {
      return [problem(resource, 'apiVersion', shown(apiVersion), `it must be ${oldest} or newer`)];
    }
    if (!apiVersion.endsWith('-preview') || previews.includes(`${type} ${apiVersion}`)) return [];
    return [problem(resource, 'apiVersion', shown(apiVersion), 'previews are taken away at short notice')];
  });
}

export const upkeepRules: readonly Rule[] = [
  {
    name: 'every API version has what is used, and stays',
    why: 'an older one drops properties in silence, such as one that closes a door',
    check: versionProblems,
  },
  {
    name: 'every parameter says what it is for',
    why: 'the portal shows nothing else to whoever fills them in',
    check: subject => {
      const [main] = subject.templates;
      return Object.entries(objectAt(main?.template, 'parameters'))
        .filter(([, declared]) => !textAt(declared, 'metadata', 'description')?.trim())
        .map(([name]) => ({
          file: main?.file ?? '',
          resource: `parameter ${name}`,
          property: 'metadata.description',
          is: 'is missing',
          should: 'say what it is for: @description(…)',
        }));
    },
  },
];
