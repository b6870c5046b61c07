import { linksOf } from '../rules/private-endpoints.js';
import { roleNameOf, scopeOf } from '../rules/roles.js';
import { ofType, type Subject, sameId } from '../rules/rule.js';
import { type Subnet, subnetsOf } from '../rules/subnets.js';
import { at, isObject, listAt, text, textAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { principalOf } from '../template/runtime-values.js';
import type { Arrow, Box, Group } from './dot.js';

const colors = {
  app: '#2f81f7',
  nodes: '#2f9e63',
  service: '#9067d6',
  network: '#d98324',
  outside: '#8a929c',
  watching: '#c2527f',
};

const services: Readonly<Record<string, string>> = {
  'Microsoft.Batch/batchAccounts': 'Batch account',
  'Microsoft.ContainerRegistry/registries': 'Container registry',
  'Microsoft.Storage/storageAccounts': 'Storage account',
  'Microsoft.KeyVault/vaults': 'Key Vault',
};

const watching: Readonly<Record<string, string>> = {
  'Microsoft.Insights/components': 'Application Insights',
  'Microsoft.OperationalInsights/workspaces': 'Log Analytics workspace',
};

/** Who works with an identity: the app, or nodes. */
interface Holder {
  readonly who: 'app' | 'nodes';
  readonly resource: Resource;
}

export interface Picture {
  readonly members: readonly (Box | Group)[];
  readonly arrows: readonly Arrow[];
}

/** What is deployed, and who talks to whom, as the template says it. */
export function pictureOf(subject: Subject): Picture {
  const sites = ofType(subject, 'Microsoft.Web/sites');
  const pools = ofType(subject, 'Microsoft.Batch/batchAccounts/pools');
  const holders: readonly Holder[] = [
    ...sites.map(resource => ({ who: 'app' as const, resource })),
    ...pools.map(resource => ({ who: 'nodes' as const, resource })),
  ];
  const grants = grantsOf(subject, holders);
  const subnets = subnetsOf(subject);
  const inSubnet = (subnet: Subnet): readonly (Box | Group)[] => [
    ...sites
      .filter(site => isIn(subnet, textAt(site.body, 'properties', 'virtualNetworkSubnetId')))
      .map(siteBox),
    ...pools
      .filter(pool => isIn(subnet, textAt(pool.body, 'properties', 'networkConfiguration', 'subnetId')))
      .map(poolBox),
    ...endpointBoxes(subject, subnet),
  ];
  const networks = ofType(subject, 'Microsoft.Network/virtualNetworks').map(network => ({
    id: network.name,
    title: `Virtual network ${listAt(network.body, 'properties', 'addressSpace', 'addressPrefixes').map(text).join(', ')}`,
    members: subnets
      .filter(subnet => subnet.network === network)
      .map(subnet => ({
        id: subnet.id,
        title: `subnet ${subnet.name}  ${textAt(subnet.body, 'properties', 'addressPrefix') ?? ''}`,
        members: inSubnet(subnet),
      })),
  }));
  const zones = ofType(subject, 'Microsoft.Network/privateDnsZones');
  const serviceBoxes = Object.entries(services).flatMap(([type, kind]) =>
    ofType(subject, type).map(resource => serviceBox(kind, resource, grants)),
  );
  return {
    members: [
      ...corporate(subject),
      {
        id: 'outside',
        kind: 'outside',
        title: 'Azure DevOps',
        lines: ['pipelines, agent pools'],
        color: colors.outside,
      },
      ...networks,
      {
        id: 'services',
        title: 'Services: no public access, no keys',
        members: serviceBoxes,
      },
      ...(zones.length > 0 ? [zonesBox(zones)] : []),
      { id: 'watching', title: 'What it tells of itself', members: watchingBoxes(subject, grants) },
      ...gatewayBoxes(subject),
    ],
    arrows: [
      ...callers(sites),
      ...corporate(subject).flatMap(({ id }) =>
        holders.map(({ resource }) => ({ from: id, to: resource.id, back: true })),
      ),
      ...privateArrows(subject, holders, grants),
      ...outgoing(subject, subnets, holders),
      ...telemetry(subject, grants),
    ],
  };
}

const isIn = (subnet: Subnet, id: string | undefined): boolean => id !== undefined && sameId(subnet.id, id);

interface Grant {
  readonly who: 'app' | 'nodes';
  readonly role: string;
  /** Id of the resource that it is given at. */
  readonly scope: string;
}

function grantsOf(subject: Subject, holders: readonly Holder[]): readonly Grant[] {
  return ofType(subject, 'Microsoft.Authorization/roleAssignments').flatMap(assignment => {
    const principal = textAt(assignment.body, 'properties', 'principalId');
    const holder = holders.find(({ resource }) => {
      const named = at(resource.body, 'identity', 'userAssignedIdentities');
      const ids = isObject(named) ? Object.keys(named) : [];
      return [resource.id, ...ids].some(id => principalOf(id) === principal);
    });
    return holder ? [{ who: holder.who, role: roleNameOf(assignment), scope: scopeOf(assignment) }] : [];
  });
}

const short = (role: string): string => role.replace(/^(?:Azure Batch|Storage|Key Vault) /, '');

/** `app may: Job Submitter, Account Reader` */
const grantLines = (resource: Resource, grants: readonly Grant[]): readonly string[] =>
  (['app', 'nodes'] as const).flatMap(who => {
    const roles = grants
      .filter(each => each.who === who && sameId(each.scope, resource.id))
      .map(({ role }) => short(role));
    return roles.length > 0 ? [`${who}: ${roles[0]}`, ...roles.slice(1).map(role => `        ${role}`)] : [];
  });

const siteBox = (site: Resource): Box => ({
  id: site.id,
  kind: 'Functions app',
  title: 'the app',
  lines: ['Flex Consumption', 'own identity'],
  color: colors.app,
});

const poolBox = (pool: Resource): Box => ({
  id: pool.id,
  kind: 'Batch pool',
  title: pool.name.split('/').at(-1) ?? pool.name,
  lines: [`${textAt(pool.body, 'properties', 'vmSize')}, autoscaled`, 'own identity, no public address'],
  color: colors.nodes,
});

const serviceBox = (kind: string, resource: Resource, grants: readonly Grant[]): Box => ({
  id: resource.id,
  kind,
  title: resource.name.replace(/[a-z2-7]{13}$/, '…'),
  lines: grantLines(resource, grants),
  color: colors.service,
});

const zonesBox = (zones: readonly Resource[]): Box => ({
  id: 'zones',
  kind: 'Private DNS zones of the network',
  title: `${zones.length} zones`,
  lines: zones.map(({ name }) => name),
  color: colors.network,
});

/** The endpoints of a service are one box: what differs is only which part of it they lead to. */
const endpointId = (target: string): string => `endpoint of ${target}`;

function endpointBoxes(subject: Subject, subnet: Subnet): readonly Box[] {
  const links = linksOf(subject).filter(({ endpoint }) =>
    isIn(subnet, textAt(endpoint.body, 'properties', 'subnet', 'id')),
  );
  const targets = [...new Set(links.map(({ target }) => target))];
  return targets.map(target => {
    const groups = links.filter(link => link.target === target).flatMap(link => link.groups);
    return {
      id: endpointId(target),
      kind: groups.length > 1 ? 'private endpoints' : 'private endpoint',
      title: groups.join(', '),
      lines: [],
      color: colors.network,
    };
  });
}

function watchingBoxes(subject: Subject, grants: readonly Grant[]): readonly Box[] {
  const boxes = Object.entries(watching).flatMap(([type, kind]) =>
    ofType(subject, type).map(resource => ({
      id: resource.id,
      kind,
      title: resource.name,
      lines: grantLines(resource, grants),
      color: colors.watching,
    })),
  );
  const alerts = ofType(subject, 'Microsoft.Insights/scheduledQueryRules');
  const workbooks = ofType(subject, 'Microsoft.Insights/workbooks');
  const title = `${alerts.length} alert rules, ${workbooks.length} workbook`;
  return [...boxes, { id: 'alerts', kind: 'Azure Monitor', title, lines: [], color: colors.watching }];
}

/** The network that all this is for: agents call what is in it. */
function corporate(subject: Subject): readonly Box[] {
  const prefixes = listAt(subject.parameters, 'corporateAddressPrefixes').map(String);
  if (prefixes.length === 0) return [];
  const box = { id: 'corporate', kind: 'outside', title: 'Corporate network', color: colors.outside };
  return [{ ...box, lines: [prefixes.join(', '), 'peered by its owners'] }];
}

const gatewayBoxes = (subject: Subject): readonly Box[] =>
  ofType(subject, 'Microsoft.Network/natGateways').map(gateway => ({
    id: gateway.id,
    kind: 'NAT gateway',
    title: gateway.name,
    lines: ['the one public address,', 'for what goes out'],
    color: colors.network,
  }));

/** Who may call the app, as its own rules name them. */
const callers = (sites: readonly Resource[]): readonly Arrow[] =>
  sites.flatMap(site =>
    listAt(site.body, 'properties', 'siteConfig', 'ipSecurityRestrictions')
      .filter(rule => textAt(rule, 'ipAddress') === 'AzureDevOps')
      .map(() => ({ from: 'outside', to: site.id, label: 'HTTPS, key' })),
  );

/** Whoever has a role at a service, or runs in it, reaches it through its endpoint. */
function privateArrows(
  subject: Subject,
  holders: readonly Holder[],
  grants: readonly Grant[],
): readonly Arrow[] {
  const targets = [...new Set(linksOf(subject).map(({ target }) => target))];
  return targets.flatMap(target => {
    const users = holders.filter(
      ({ who, resource }) =>
        resource.id.toLowerCase().startsWith(`${target}/`.toLowerCase()) ||
        grants.some(grant => grant.who === who && sameId(grant.scope, target)),
    );
    return [
      ...users.map(({ resource }) => ({ from: resource.id, to: endpointId(target) })),
      { from: endpointId(target), to: target },
      // In the column of the services.
      { from: endpointId(target), to: 'zones', look: 'hidden' as const },
    ];
  });
}

function outgoing(
  subject: Subject,
  subnets: readonly Subnet[],
  holders: readonly Holder[],
): readonly Arrow[] {
  const gateways = ofType(subject, 'Microsoft.Network/natGateways');
  const used = gateways.flatMap(gateway =>
    holders
      .filter(({ resource }) => {
        const id =
          textAt(resource.body, 'properties', 'virtualNetworkSubnetId') ??
          textAt(resource.body, 'properties', 'networkConfiguration', 'subnetId');
        const subnet = subnets.find(each => isIn(each, id));
        const its = textAt(subnet?.body, 'properties', 'natGateway', 'id');
        return its !== undefined && sameId(its, gateway.id);
      })
      .map(({ resource }) => ({ from: resource.id, to: gateway.id, look: 'dashed' as const })),
  );
  return used;
}

/** What the app sends, where it is kept, and who reads it. */
const telemetry = (subject: Subject, grants: readonly Grant[]): readonly Arrow[] =>
  ofType(subject, 'Microsoft.Insights/components').flatMap(component => [
    ...ofType(subject, 'Microsoft.Web/sites')
      .filter(() => grants.some(grant => grant.who === 'app' && sameId(grant.scope, component.id)))
      .map(site => ({ from: site.id, to: component.id, look: 'dashed' as const })),
    ...ofType(subject, 'Microsoft.OperationalInsights/workspaces')
      .filter(({ id }) => sameId(id, textAt(component.body, 'properties', 'WorkspaceResourceId') ?? ''))
      .map(({ id }) => ({ from: component.id, to: id })),
    { from: component.id, to: 'alerts', back: true },
  ]);
