import ipaddr from 'ipaddr.js';
import { type Json, listAt, textAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { ofType, type Problem, problem, type Rule, type Subject, sameId, shown } from './rule.js';

/** Docker's own network on every node: what has an address in it can't be reached from a container. */
const docker = '172.17.0.0/16';

interface Range {
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

/** @returns undefined where it is no range, or where it begins in the midst of itself (10.0.0.5/24). */
function rangeOf(text: string | undefined): Range | undefined {
  if (text === undefined || !ipaddr.IPv4.isValidCIDR(text)) return undefined;
  const [address, bits] = ipaddr.IPv4.parseCIDR(text);
  const first = address.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0);
  const size = 2 ** (32 - bits);
  return first % size === 0 ? { first, last: first + size - 1, text } : undefined;
}

const overlaps = (a: Range, b: Range): boolean => a.first <= b.last && b.first <= a.last;
const isWithin = (a: Range, b: Range): boolean => a.first >= b.first && a.last <= b.last;

export interface Subnet {
  readonly id: string;
  readonly name: string;
  readonly body: Json;
  readonly network: Resource;
  /** The resource that makes it: the network, or the subnet by itself. */
  readonly from: Resource;
  /** The path to it in that resource, with a dot at the end where there is one. */
  readonly path: string;
}

export function subnetsOf(subject: Subject): readonly Subnet[] {
  const networks = ofType(subject, 'Microsoft.Network/virtualNetworks');
  const inside = networks.flatMap(network =>
    listAt(network.body, 'properties', 'subnets').map((body, index) => {
      const name = textAt(body, 'name') ?? String(index);
      const path = `properties.subnets[${index}].`;
      return { id: `${network.id}/subnets/${name}`, name, body, network, from: network, path };
    }),
  );
  const beside = ofType(subject, 'Microsoft.Network/virtualNetworks/subnets').flatMap(from => {
    const network = networks.find(each => from.id.toLowerCase().startsWith(`${each.id}/`.toLowerCase()));
    const name = from.name.split('/').at(-1) ?? from.name;
    return network ? [{ id: from.id, name, body: from.body, network, from, path: '' }] : [];
  });
  return [...inside, ...beside];
}

/** The prefixes of a subnet, each with its property. */
function prefixesOf(
  subnet: Subnet,
): readonly { readonly property: string; readonly text: string | undefined }[] {
  const many = listAt(subnet.body, 'properties', 'addressPrefixes');
  if (many.length > 0) {
    return many.map((prefix, index) => ({
      property: `${subnet.path}properties.addressPrefixes[${index}]`,
      text: typeof prefix === 'string' ? prefix : undefined,
    }));
  }
  const property = `${subnet.path}properties.addressPrefix`;
  return [{ property, text: textAt(subnet.body, 'properties', 'addressPrefix') }];
}

function addressProblems(subject: Subject): readonly Problem[] {
  const problems: Problem[] = [];
  const dockers = rangeOf(docker);
  for (const network of ofType(subject, 'Microsoft.Network/virtualNetworks')) {
    for (const [index, space] of listAt(
      network.body,
      'properties',
      'addressSpace',
      'addressPrefixes',
    ).entries()) {
      const range = rangeOf(typeof space === 'string' ? space : undefined);
      const should =
        range === undefined
          ? 'it must be a range such as 10.0.0.0/16 that begins at its first address'
          : `it must not overlap ${docker}, which Docker uses on every node`;
      if (range === undefined || (dockers && overlaps(range, dockers)))
        problems.push(
          problem(network, `properties.addressSpace.addressPrefixes[${index}]`, shown(space), should),
        );
    }
  }
  const seen: { readonly subnet: Subnet; readonly range: Range }[] = [];
  for (const subnet of subnetsOf(subject)) {
    const spaces = listAt(subnet.network.body, 'properties', 'addressSpace', 'addressPrefixes').map(space =>
      rangeOf(typeof space === 'string' ? space : undefined),
    );
    for (const { property, text } of prefixesOf(subnet)) {
      const complain = (should: string): void => {
        problems.push(problem(subnet.from, property, `${shown(text)} (subnet ${subnet.name})`, should));
      };
      const range = rangeOf(text);
      if (!range) {
        complain('it must be a range such as 10.0.1.0/24 that begins at its first address');
        continue;
      }
      if (!spaces.some(space => space && isWithin(range, space))) {
        const all = spaces.map(space => space?.text ?? 'no range').join(', ');
        complain(`it must lie inside the network's ${all}`);
      }
      if (dockers && overlaps(range, dockers)) {
        complain(`it must not overlap ${docker}, which Docker uses on every node`);
      }
      for (const other of seen) {
        if (other.subnet.network === subnet.network && overlaps(range, other.range)) {
          complain(`it must not overlap ${other.range.text} of subnet ${other.subnet.name}`);
        }
      }
      seen.push({ subnet, range });
    }
  }
  return problems;
}

const endpointsIn = (subject: Subject, { id }: Subnet): readonly Resource[] =>
  ofType(subject, 'Microsoft.Network/privateEndpoints').filter(({ body }) =>
    sameId(textAt(body, 'properties', 'subnet', 'id') ?? '', id),
  );

/** Addresses of a subnet that the platform keeps. */
const kept = 5;

/** Nodes that the formula of a pool may ask for, as far as it says so in plain numbers. */
function mostNodes(pool: Resource): number {
  const formula = textAt(pool.body, 'properties', 'scaleSettings', 'autoScale', 'formula') ?? '';
  const last = (name: string): number =>
    Number([...formula.matchAll(new RegExp(`^${name} *= *(\\d+) *;`, 'gm'))].at(-1)?.[1] ?? 0);
  return Math.max(last('maxLowPriorityNodes'), last('maxDedicatedNodes'));
}

function roomProblems(subject: Subject): readonly Problem[] {
  const sites = ofType(subject, 'Microsoft.Web/sites');
  const pools = ofType(subject, 'Microsoft.Batch/batchAccounts/pools');
  return subnetsOf(subject).flatMap(subnet => {
    const isIts = (id: string | undefined): boolean => id !== undefined && sameId(id, subnet.id);
    const nodes = pools
      .filter(({ body }) => isIts(textAt(body, 'properties', 'networkConfiguration', 'subnetId')))
      .reduce((sum, pool) => sum + mostNodes(pool), 0);
    const app = sites.some(({ body }) => isIts(textAt(body, 'properties', 'virtualNetworkSubnetId')))
      ? 32
      : 0;
    // The registry has two: for itself and for its data.
    const endpoints = endpointsIn(subject, subnet).length;
    const needed = Math.max(app, (nodes > 0 ? nodes + kept : 0) + (endpoints > 0 ? endpoints + 1 + kept : 0));
    return prefixesOf(subnet).flatMap(({ property, text }) => {
      const range = rangeOf(text);
      const room = range === undefined ? needed : range.last - range.first + 1;
      if (room >= needed) return [];
      const is = `${shown(text)} (subnet ${subnet.name}), which has ${room} addresses`;
      const what = app > 0 ? 'Flex Consumption' : nodes > 0 ? `${nodes} nodes` : `${endpoints} endpoints`;
      return [problem(subnet.from, property, is, `it must have ${needed}, for ${what} and the platform`)];
    });
  });
}

/** What a subnet says it is for: of the resources that use one, the app's needs to be its own. */
function delegationProblems(subject: Subject): readonly Problem[] {
  const subnets = subnetsOf(subject);
  const find = (id: string): Subnet | undefined => subnets.find(subnet => sameId(subnet.id, id));
  const delegation = 'Microsoft.App/environments';
  const apps = ofType(subject, 'Microsoft.Web/sites').flatMap(site => {
    const id = textAt(site.body, 'properties', 'virtualNetworkSubnetId');
    const subnet = id === undefined ? undefined : find(id);
    if (!subnet) {
      return [
        problem(site, 'properties.virtualNetworkSubnetId', shown(id), 'it must be a subnet of this network'),
      ];
    }
    const services = listAt(subnet.body, 'properties', 'delegations').map(each =>
      textAt(each, 'properties', 'serviceName'),
    );
    if (services.includes(delegation)) return [];
    const property = `${subnet.path}properties.delegations`;
    const is = `${shown(services.map(String))} (subnet ${subnet.name})`;
    return [problem(subnet.from, property, is, `it must name ${delegation}, as the app's plan demands`)];
  });
  const pools = ofType(subject, 'Microsoft.Batch/batchAccounts/pools').flatMap(pool => {
    const property = 'properties.networkConfiguration.subnetId';
    const id = textAt(pool.body, 'properties', 'networkConfiguration', 'subnetId') ?? '';
    const subnet = find(id);
    if (!subnet) return [problem(pool, property, shown(id), 'it must be a subnet of this network')];
    const is = `is subnet ${subnet.name}`;
    if (listAt(subnet.body, 'properties', 'delegations').length > 0)
      return [problem(pool, property, is, 'a subnet that is delegated takes no nodes')];
    if (endpointsIn(subject, subnet).length === 0) return [];
    return [problem(pool, property, is, 'nodes need one of their own, without private endpoints')];
  });
  return [...apps, ...pools];
}

export const subnetRules: readonly Rule[] = [
  {
    name: `every subnet is inside the network, overlaps no other, and stays out of ${docker}`,
    why: 'Azure refuses the first two when it deploys; of the third, a container learns when it can reach nobody',
    check: addressProblems,
  },
  {
    name: 'every subnet has room for what is in it',
    why: 'nodes that get no address do not come, and Azure takes no app into a subnet that is too small',
    check: roomProblems,
  },
  {
    name: 'app and nodes are in subnets made for them',
    why: 'a Flex Consumption app needs a subnet delegated to it, and nodes one that is not',
    check: delegationProblems,
  },
];
