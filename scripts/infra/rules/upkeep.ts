import { at, listAt, objectAt, textAt } from '../template/json.js';
import { labelOf, ofType, type Problem, problem, type Rule, type Subject, sameId, shown } from './rule.js';

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

const logged = [
  'Microsoft.Batch/batchAccounts',
  'Microsoft.ContainerRegistry/registries',
  'Microsoft.KeyVault/vaults',
];

function diagnosticProblems(subject: Subject): readonly Problem[] {
  const settings = ofType(subject, 'Microsoft.Insights/diagnosticSettings');
  const workspaces = ofType(subject, 'Microsoft.OperationalInsights/workspaces').map(({ id }) => id);
  return logged
    .flatMap(type => ofType(subject, type))
    .flatMap(resource => {
      const its = settings.find(({ id }) =>
        id.toLowerCase().startsWith(`${resource.id}/providers/microsoft.insights/`.toLowerCase()),
      );
      if (!its)
        return [problem(resource, 'diagnosticSettings', 'is missing', 'its log must go to the workspace')];
      const to = textAt(its.body, 'properties', 'workspaceId');
      const isKept = to !== undefined && workspaces.some(id => sameId(id, to));
      const logs = listAt(its.body, 'properties', 'logs');
      return [
        ...(isKept
          ? []
          : [problem(its, 'properties.workspaceId', shown(to), 'it must be the workspace of this template')]),
        ...(logs.some(log => at(log, 'enabled') === true)
          ? []
          : [problem(its, 'properties.logs', shown(logs), `the log of ${labelOf(resource)} must be on`)]),
      ];
    });
}

const monitoring: Readonly<Record<string, string>> = {
  'Microsoft.Insights/scheduledQueryRules': 'the rules of infra/monitoring/alerts.bicep',
  'Microsoft.Insights/workbooks': 'the workbook of infra/monitoring/workbook.bicep',
};

export const upkeepRules: readonly Rule[] = [
  {
    name: 'every API version has what is used, and stays',
    why: 'an older one drops properties in silence, such as one that closes a door',
    check: versionProblems,
  },
  {
    name: 'what is done to Batch, registry and vault is logged',
    why: 'who read a secret or pushed an image is asked afterwards',
    check: diagnosticProblems,
  },
  {
    name: 'alerts and workbook come with it',
    why: 'nobody would know that requests wait',
    check: subject =>
      Object.entries(monitoring)
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
