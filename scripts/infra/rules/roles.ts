import { type JsonObject, listAt, objectAt, textAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { principalOf } from '../template/runtime-values.js';
import { ofType, type Problem, problem, type Rule, type Subject, shown } from './rule.js';

interface Role {
  readonly name: string;
  /** Types of resources that it may be given at. */
  readonly at: readonly string[];
}

const storage = [
  'Microsoft.Storage/storageAccounts',
  'Microsoft.Storage/storageAccounts/blobServices/containers',
];

/** The roles that this system needs, and where. Each is the least that does its work. */
const roles: Readonly<Record<string, Role>> = {
  '48e5e92e-a480-4e71-aa9c-2778f4c13781': {
    name: 'Azure Batch Job Submitter',
    at: ['Microsoft.Batch/batchAccounts'],
  },
  '11076f67-66f6-4be0-8f6b-f0609fd05cc9': {
    name: 'Azure Batch Account Reader',
    at: ['Microsoft.Batch/batchAccounts'],
  },
  '7f951dda-4ed3-4680-a7ca-43fe172d538d': { name: 'AcrPull', at: ['Microsoft.ContainerRegistry/registries'] },
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': { name: 'Storage Blob Data Owner', at: storage },
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': { name: 'Storage Blob Data Contributor', at: storage },
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': { name: 'Storage Queue Data Contributor', at: storage },
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': { name: 'Storage Table Data Contributor', at: storage },
  '3913510d-42f4-4e42-8a64-420c390055eb': {
    name: 'Monitoring Metrics Publisher',
    at: ['Microsoft.Insights/components'],
  },
  '4633458b-17de-408a-b874-0445c86b69e6': {
    name: 'Key Vault Secrets User',
    at: ['Microsoft.KeyVault/vaults', 'Microsoft.KeyVault/vaults/secrets'],
  },
};

const tooMuch: Readonly<Record<string, string>> = {
  '8e3af657-a8ff-443c-a75c-2fe8c4bcb635': 'Owner',
  'b24988ac-6180-42a0-ab88-20f7382dd24c': 'Contributor',
  '18d7d88d-d35e-4fb5-a5c3-7773c20a72d9': 'User Access Administrator',
  'f58310d9-a9f6-439a-9e8d-f62e7b41a168': 'Role Based Access Control Administrator',
  'acdd72a7-3385-48ef-bd42-f606fba81ae7': 'Reader',
};

export const roleNameOf = (assignment: Resource): string => {
  const id = roleIdOf(assignment);
  return roles[id]?.name ?? tooMuch[id] ?? id;
};

const roleIdOf = (assignment: Resource): string =>
  textAt(assignment.body, 'properties', 'roleDefinitionId')?.split('/').at(-1)?.toLowerCase() ?? '';

export const scopeOf = (assignment: Resource): string =>
  assignment.id.slice(0, assignment.id.toLowerCase().lastIndexOf('/providers/microsoft.authorization/'));

/** The type of the resource that an id names, or undefined for a group or subscription. */
function typeOfId(id: string): string | undefined {
  const provider = id.split('/providers/').at(-1);
  if (!id.includes('/providers/') || provider === undefined) return undefined;
  const [namespace = '', ...parts] = provider.split('/');
  return [namespace, ...parts.filter((_, index) => index % 2 === 0)].join('/');
}

function assignmentProblems(subject: Subject, assignment: Resource): readonly Problem[] {
  const id = roleIdOf(assignment);
  const role = roles[id];
  const problems: Problem[] = [];
  const complain = (property: string, is: string, should: string): void => {
    problems.push(problem(assignment, property, is, should));
  };
  const known = Object.values(roles).map(({ name }) => name);
  if (!role) {
    const name = tooMuch[id];
    complain(
      'properties.roleDefinitionId',
      name === undefined
        ? `${shown(id)}, a role unknown here`
        : `is ${name}, which may do more than is needed`,
      `use one of: ${known.join(', ')} (a role that is truly needed is added to scripts/infra/rules/roles.ts)`,
    );
  }
  const scope = scopeOf(assignment);
  const type = typeOfId(scope);
  if (type === undefined) {
    complain(
      'scope',
      `is ${scope.split('/').slice(-2).join(' ')}`,
      'a role is given at one resource, not at all of a group',
    );
  } else if (role && !role.at.some(allowed => allowed.toLowerCase() === type.toLowerCase())) {
    complain('scope', `is a ${type}`, `${role.name} is given at ${role.at.join(' or ')}`);
  }
  const principal = textAt(assignment.body, 'properties', 'principalId');
  const identities = subject.resources.map(resource => principalOf(resource.id));
  const given = Object.values(subject.parameters);
  if (principal === undefined || !(identities.includes(principal) || given.includes(principal))) {
    complain(
      'properties.principalId',
      shown(principal),
      'it must be an identity of this template or a parameter',
    );
  }
  const kind = textAt(assignment.body, 'properties', 'principalType');
  const kinds = identities.includes(principal ?? '')
    ? ['ServicePrincipal']
    : ['ServicePrincipal', 'User', 'Group'];
  if (kind === undefined || !kinds.includes(kind)) {
    complain(
      'properties.principalType',
      shown(kind),
      `it must be ${kinds.join(' or ')}: a new identity is not found without`,
    );
  }
  return problems;
}

const stars = (role: Resource, permission: JsonObject, index: number): readonly Problem[] =>
  ['actions', 'dataActions'].flatMap(list =>
    listAt(permission, list).flatMap((action, place) =>
      typeof action === 'string' && action.includes('*')
        ? [
            problem(
              role,
              `properties.permissions[${index}].${list}[${place}]`,
              shown(action),
              'each action must be named in full',
            ),
          ]
        : [],
    ),
  );

export const roleRules: readonly Rule[] = [
  {
    name: 'every role is one that is known to be needed, at one resource, for a named identity',
    why: 'whoever takes over the app or a node has what these roles allow, and no more',
    check: subject =>
      ofType(subject, 'Microsoft.Authorization/roleAssignments').flatMap(assignment =>
        assignmentProblems(subject, assignment),
      ),
  },
  {
    name: 'no role of our own allows *',
    why: 'it would allow what does not exist yet',
    check: subject =>
      ofType(subject, 'Microsoft.Authorization/roleDefinitions').flatMap(role =>
        listAt(role.body, 'properties', 'permissions').flatMap((permission, index) =>
          stars(role, objectAt(permission), index),
        ),
      ),
  },
];
