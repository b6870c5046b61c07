import { listAt, textAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { mustBe, ofType, type Problem, problem, type Rule, type Subject, sameId, shown } from './rule.js';
import { subnetsOf } from './subnets.js';

/** What of each service has to be reachable inside the network, and the zone that its names are in. */
const services: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'Microsoft.Batch/batchAccounts': {
    batchAccount: 'privatelink.batch.azure.com',
    nodeManagement: 'privatelink.batch.azure.com',
  },
  'Microsoft.ContainerRegistry/registries': { registry: 'privatelink.azurecr.io' },
  'Microsoft.KeyVault/vaults': { vault: 'privatelink.vaultcore.azure.net' },
  'Microsoft.Storage/storageAccounts': {
    blob: 'privatelink.blob.core.windows.net',
    queue: 'privatelink.queue.core.windows.net',
    table: 'privatelink.table.core.windows.net',
  },
};

export interface Link {
  readonly endpoint: Resource;
  readonly target: string;
  readonly groups: readonly string[];
}

/** Which private endpoint leads to what. */
export const linksOf = (subject: Subject): readonly Link[] =>
  ofType(subject, 'Microsoft.Network/privateEndpoints').flatMap(endpoint =>
    ['privateLinkServiceConnections', 'manualPrivateLinkServiceConnections'].flatMap(list =>
      listAt(endpoint.body, 'properties', list).flatMap(each => {
        const target = textAt(each, 'properties', 'privateLinkServiceId');
        const groups = listAt(each, 'properties', 'groupIds').map(String);
        return target === undefined ? [] : [{ endpoint, target, groups }];
      }),
    ),
  );

function missingEndpoints(subject: Subject): readonly Problem[] {
  const links = linksOf(subject);
  return Object.entries(services).flatMap(([type, groups]) =>
    ofType(subject, type).flatMap(service =>
      Object.keys(groups)
        .filter(group => !links.some(link => sameId(link.target, service.id) && link.groups.includes(group)))
        .map(group =>
          problem(
            service,
            `private endpoint ${group}`,
            'is missing',
            'a private endpoint of this template must lead to it',
          ),
        ),
    ),
  );
}

function zoneProblems(subject: Subject): readonly Problem[] {
  const zones = ofType(subject, 'Microsoft.Network/privateDnsZones');
  const zoneLinks = ofType(subject, 'Microsoft.Network/privateDnsZones/virtualNetworkLinks');
  const zoneGroups = ofType(subject, 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups');
  const unlinked = zones
    .filter(zone => !zoneLinks.some(({ id }) => id.toLowerCase().startsWith(`${zone.id}/`.toLowerCase())))
    .map(zone =>
      problem(zone, 'virtualNetworkLinks', 'is missing', 'the network must be linked to the zone'),
    );
  const networks = ofType(subject, 'Microsoft.Network/virtualNetworks');
  const astray = zoneLinks.flatMap(link => {
    const id = textAt(link.body, 'properties', 'virtualNetwork', 'id');
    return [
      ...(id !== undefined && networks.some(network => sameId(network.id, id))
        ? []
        : [
            problem(
              link,
              'properties.virtualNetwork.id',
              shown(id),
              'it must be the network of this template',
            ),
          ]),
      // Nodes would write their names among those of the service.
      ...mustBe(link, 'properties.registrationEnabled', false),
    ];
  });
  const named = linksOf(subject).flatMap(({ endpoint, target, groups }) => {
    const service = subject.resources.find(({ id }) => sameId(id, target));
    const ids = zoneGroups
      .filter(({ id }) => id.toLowerCase().startsWith(`${endpoint.id}/`.toLowerCase()))
      .flatMap(group => listAt(group.body, 'properties', 'privateDnsZoneConfigs'))
      .flatMap(config => textAt(config, 'properties', 'privateDnsZoneId') ?? []);
    return groups.flatMap(group => {
      const wanted = services[service?.type ?? '']?.[group];
      if (wanted === undefined || ids.some(id => id.toLowerCase().endsWith(`/${wanted}`))) return [];
      const is =
        ids.length === 0 ? 'is missing' : `leads to ${ids.map(id => id.split('/').at(-1)).join(', ')}`;
      return [problem(endpoint, 'privateDnsZoneGroups', is, `it must register the endpoint in ${wanted}`)];
    });
  });
  const orphans = zoneGroups.flatMap(group =>
    listAt(group.body, 'properties', 'privateDnsZoneConfigs').flatMap((config, index) => {
      const id = textAt(config, 'properties', 'privateDnsZoneId');
      if (id !== undefined && zones.some(zone => sameId(zone.id, id))) return [];
      const property = `properties.privateDnsZoneConfigs[${index}].properties.privateDnsZoneId`;
      return [problem(group, property, shown(id), 'it must be a zone of this template')];
    }),
  );
  return [...unlinked, ...astray, ...named, ...orphans];
}

export const privateEndpointRules: readonly Rule[] = [
  {
    name: 'every closed service has its private endpoints',
    why: 'the app, the nodes and their images could not reach it',
    check: missingEndpoints,
  },
  {
    name: 'every private endpoint is found by name',
    why: 'its name would lead to the public address, which refuses',
    check: zoneProblems,
  },
  {
    name: 'every private endpoint is in a subnet of the network',
    why: 'nobody could reach it there',
    check: subject => {
      const subnets = subnetsOf(subject);
      return ofType(subject, 'Microsoft.Network/privateEndpoints').flatMap(endpoint => {
        const id = textAt(endpoint.body, 'properties', 'subnet', 'id');
        const subnet = subnets.find(each => id !== undefined && sameId(each.id, id));
        if (!subnet)
          return [
            problem(endpoint, 'properties.subnet.id', shown(id), 'it must be a subnet of this network'),
          ];
        const policies = textAt(subnet.body, 'properties', 'privateEndpointNetworkPolicies');
        if (policies === 'Enabled' || policies === 'NetworkSecurityGroupEnabled') return [];
        const property = `${subnet.path}properties.privateEndpointNetworkPolicies`;
        const should = 'it must be "Enabled": else its network security group does not hold for endpoints';
        return [problem(subnet.from, property, `${shown(policies)} (subnet ${subnet.name})`, should)];
      });
    },
  },
  {
    name: 'every private endpoint is accepted by itself',
    why: 'one that somebody has to accept leads nowhere until then',
    check: subject =>
      ofType(subject, 'Microsoft.Network/privateEndpoints').flatMap(endpoint => {
        const list = 'manualPrivateLinkServiceConnections';
        if (listAt(endpoint.body, 'properties', list).length === 0) return [];
        return [problem(endpoint, `properties.${list}`, 'is set', 'use privateLinkServiceConnections')];
      }),
  },
];
