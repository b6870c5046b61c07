import { at, listAt, textAt } from '../template/json.js';
import {
  labelOf,
  mustBe,
  ofType,
  type Problem,
  problem,
  type Rule,
  type Subject,
  sameId,
  shown,
} from './rule.js';

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

/** Whether a property, or each part of it where it is a list, is the id of a resource of a type. */
function mustLeadTo(
  subject: Subject,
  type: string,
  to: string,
  ...path: readonly string[]
): readonly Problem[] {
  const ids = ofType(subject, to).map(({ id }) => id);
  return ofType(subject, type).flatMap(resource => {
    const value = at(resource.body, ...path);
    const named = typeof value === 'string' ? [value] : listAt(value).map(String);
    if (named.length > 0 && named.every(each => ids.some(id => sameId(id, each)))) return [];
    return [problem(resource, path.join('.'), shown(value), `it must be a ${to} of this template`)];
  });
}

function workbookProblems(subject: Subject): readonly Problem[] {
  return ofType(subject, 'Microsoft.Insights/workbooks').flatMap(workbook => {
    try {
      JSON.parse(textAt(workbook.body, 'properties', 'serializedData') ?? '');
      return [];
    } catch (error) {
      const is = `is no JSON: ${error instanceof Error ? error.message : String(error)}`;
      return [problem(workbook, 'properties.serializedData', is, 'mend infra/monitoring/workbook.json')];
    }
  });
}

const alertType = 'Microsoft.Insights/scheduledQueryRules';
const component = 'Microsoft.Insights/components';

export const monitoringRules: readonly Rule[] = [
  {
    name: 'what is done to Batch, registry and vault is logged',
    why: 'who read a secret or pushed an image is asked afterwards',
    check: diagnosticProblems,
  },
  {
    name: 'alerts look at the telemetry of the app, and somebody is told',
    why: 'nobody would know that requests wait',
    check: subject => [
      ...ofType(subject, alertType).flatMap(alert => mustBe(alert, 'properties.enabled', true)),
      ...ofType(subject, 'Microsoft.Insights/actionGroups').flatMap(group =>
        mustBe(group, 'properties.enabled', true),
      ),
      ...mustLeadTo(subject, alertType, component, 'properties', 'scopes'),
      ...mustLeadTo(
        subject,
        alertType,
        'Microsoft.Insights/actionGroups',
        'properties',
        'actions',
        'actionGroups',
      ),
      ...mustLeadTo(subject, 'Microsoft.Insights/workbooks', component, 'properties', 'sourceId'),
      ...workbookProblems(subject),
    ],
  },
  {
    name: 'telemetry is kept in the workspace',
    why: 'a component without one is of the kind that Azure has retired',
    check: subject => [
      ...mustLeadTo(
        subject,
        component,
        'Microsoft.OperationalInsights/workspaces',
        'properties',
        'WorkspaceResourceId',
      ),
      ...ofType(subject, component).flatMap(each => mustBe(each, 'properties.IngestionMode', 'LogAnalytics')),
    ],
  },
];
