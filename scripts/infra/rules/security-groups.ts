import ipaddr from 'ipaddr.js';
import { at, type Json, listAt, textAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { ofType, type Problem, problem, type Rule, type Subject, sameId, shown } from './rule.js';
import { type Subnet, subnetsOf } from './subnets.js';

const groupType = 'Microsoft.Network/networkSecurityGroups';
type Direction = 'Inbound' | 'Outbound';

/** One rule of a group, its ranges and ports as lists. */
interface SecurityRule {
  readonly path: string;
  readonly name: string;
  readonly direction: string | undefined;
  readonly access: string | undefined;
  readonly protocol: string | undefined;
  readonly priority: number;
  readonly sources: readonly string[];
  readonly destinations: readonly string[];
  readonly ports: readonly string[];
}

const rulesOf = (group: Resource): readonly SecurityRule[] =>
  listAt(group.body, 'properties', 'securityRules').map((rule, index) => {
    const both = (one: string, many: string): readonly string[] =>
      [at(rule, 'properties', one), ...listAt(rule, 'properties', many)].flatMap(each =>
        typeof each === 'string' ? [each] : [],
      );
    return {
      path: `properties.securityRules[${index}].properties`,
      name: textAt(rule, 'name') ?? String(index),
      direction: textAt(rule, 'properties', 'direction'),
      access: textAt(rule, 'properties', 'access'),
      protocol: textAt(rule, 'properties', 'protocol'),
      priority: Number(at(rule, 'properties', 'priority')),
      sources: both('sourceAddressPrefix', 'sourceAddressPrefixes'),
      destinations: both('destinationAddressPrefix', 'destinationAddressPrefixes'),
      ports: both('destinationPortRange', 'destinationPortRanges'),
    };
  });

/** Whether a range, or a tag, is so wide that it names nobody. */
export function isEverywhere(range: string): boolean {
  if (['*', 'any', 'internet'].includes(range.toLowerCase())) return true;
  // 0.0.0.0/1 and 128.0.0.0/1 are everybody in two steps; the widest private range is a /8.
  return ipaddr.isValidCIDR(range) && ipaddr.parseCIDR(range)[1] < 8;
}

const isDenyAll = (rule: SecurityRule, direction: Direction): boolean =>
  rule.direction === direction &&
  rule.access === 'Deny' &&
  rule.protocol === '*' &&
  [rule.sources, rule.destinations, rule.ports].every(list => list.includes('*'));

function groupProblems(group: Resource): readonly Problem[] {
  const rules = rulesOf(group);
  const problems: Problem[] = [];
  const complain = ({ path, name }: SecurityRule, property: string, is: string, should: string): void => {
    problems.push(problem(group, `${path}.${property}`, `${is} (rule ${name})`, should));
  };
  for (const rule of rules) {
    const needed = { sourceAddressPrefix: rule.sources, destinationAddressPrefix: rule.destinations };
    for (const [property, list] of Object.entries({ ...needed, destinationPortRange: rule.ports }))
      if (list.length === 0) complain(rule, property, 'is not set', 'Azure refuses a rule without it');
    const twin = rules.find(
      other => other !== rule && other.direction === rule.direction && other.priority === rule.priority,
    );
    if (twin) complain(rule, 'priority', shown(rule.priority), `rule ${twin.name} has the same`);
    if (rule.access !== 'Allow') continue;
    const open = rule.sources.find(isEverywhere);
    if (rule.direction === 'Inbound' && open !== undefined)
      complain(rule, 'sourceAddressPrefix', shown(open), 'a narrower source must be named');
    if (rule.direction === 'Outbound' && rule.destinations.some(isEverywhere) && rule.ports.some(isNotHttps))
      complain(rule, 'destinationPortRange', shown(rule.ports), 'to the internet it must be "443"');
  }
  for (const direction of ['Inbound', 'Outbound'] as const) {
    const last = rules
      .filter(rule => rule.direction === direction)
      .toSorted((a, b) => a.priority - b.priority)
      .at(-1);
    if (last && isDenyAll(last, direction)) continue;
    const should = `the last rule ${direction.toLowerCase()} must deny all (*): else the platform's own hold, which allow all of the network`;
    problems.push(
      problem(group, 'properties.securityRules', last ? `end with ${last.name}` : `have none`, should),
    );
  }
  return problems;
}

const isNotHttps = (port: string): boolean => port !== '443';

const groupOf = (subject: Subject, subnet: Subnet): Resource | undefined => {
  const id = textAt(subnet.body, 'properties', 'networkSecurityGroup', 'id');
  return id === undefined ? undefined : ofType(subject, groupType).find(group => sameId(group.id, id));
};

function unguarded(subject: Subject): readonly Problem[] {
  return subnetsOf(subject).flatMap(subnet => {
    if (groupOf(subject, subnet)) return [];
    const id = textAt(subnet.body, 'properties', 'networkSecurityGroup', 'id');
    const property = `${subnet.path}properties.networkSecurityGroup.id`;
    const is = `${shown(id)} (subnet ${subnet.name})`;
    return [problem(subnet.from, property, is, 'a network security group of this template must guard it')];
  });
}

/** Subnets that call the world: those of app and nodes. */
export function callers(subject: Subject): readonly Subnet[] {
  const ids: readonly (Json | undefined)[] = [
    ...ofType(subject, 'Microsoft.Web/sites').map(site =>
      at(site.body, 'properties', 'virtualNetworkSubnetId'),
    ),
    ...ofType(subject, 'Microsoft.Batch/batchAccounts/pools').map(pool =>
      at(pool.body, 'properties', 'networkConfiguration', 'subnetId'),
    ),
  ];
  return subnetsOf(subject).filter(({ id }) =>
    ids.some(other => typeof other === 'string' && sameId(other, id)),
  );
}

/** Azure DevOps, sign-in and telemetry have addresses all over the internet. */
function locked(subject: Subject): readonly Problem[] {
  const groups = new Set(callers(subject).flatMap(subnet => groupOf(subject, subnet) ?? []));
  return [...groups].flatMap(group => {
    const first = rulesOf(group)
      .filter(
        ({ direction, destinations, ports, protocol }) =>
          direction === 'Outbound' &&
          destinations.some(isEverywhere) &&
          ports.some(port => port === '443' || port === '*') &&
          ['*', 'tcp'].includes(protocol?.toLowerCase() ?? ''),
      )
      .toSorted((a, b) => a.priority - b.priority)[0];
    if (first?.access === 'Allow') return [];
    const should = 'a rule outbound must allow Tcp to Internet on 443';
    return [problem(group, 'properties.securityRules', 'let nobody call Azure DevOps', should)];
  });
}

export const securityGroupRules: readonly Rule[] = [
  {
    name: 'no network security group lets the internet in, and each denies what it does not name',
    why: 'nodes run what others send them, and nobody outside has to reach them',
    check: subject => [...ofType(subject, groupType).flatMap(groupProblems), ...unguarded(subject)],
  },
  { name: 'app and nodes may call Azure DevOps', why: 'no agent would ever register', check: locked },
];
