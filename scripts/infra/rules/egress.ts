import { at, listAt, textAt } from '../template/json.js';
import { ofType, type Problem, problem, type Rule, type Subject, sameId, shown } from './rule.js';
import { callers } from './security-groups.js';
import { subnetsOf } from './subnets.js';

const gateways = 'Microsoft.Network/natGateways';

function outbound(subject: Subject): readonly Problem[] {
  const nats = ofType(subject, gateways);
  const noAddress = nats
    .filter(nat =>
      ['publicIpAddresses', 'publicIpPrefixes'].every(
        list => listAt(nat.body, 'properties', list).length === 0,
      ),
    )
    .map(nat =>
      problem(nat, 'properties.publicIpAddresses', 'is not set', 'without an address nothing gets out'),
    );
  const open = subnetsOf(subject)
    .filter(({ body }) => at(body, 'properties', 'defaultOutboundAccess') !== false)
    .map(({ from, path, name, body }) => {
      const is = `${shown(at(body, 'properties', 'defaultOutboundAccess'))} (subnet ${name})`;
      return problem(from, `${path}properties.defaultOutboundAccess`, is, 'it must be false');
    });
  const elsewhere = callers(subject).flatMap(({ from, path, name, body }) => {
    const id = textAt(body, 'properties', 'natGateway', 'id');
    if (id !== undefined && nats.some(nat => sameId(nat.id, id))) return [];
    const is = `${shown(id)} (subnet ${name})`;
    return [
      problem(from, `${path}properties.natGateway.id`, is, 'it must be the NAT gateway of this template'),
    ];
  });
  return [...noAddress, ...open, ...elsewhere];
}

export const egressRules: readonly Rule[] = [
  {
    name: 'what goes out leaves by the NAT gateway',
    why: "without it nothing gets out, or by an address of Azure's that nobody can allow in a firewall",
    check: outbound,
  },
];
