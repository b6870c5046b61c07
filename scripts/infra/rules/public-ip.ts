import { at, isList, isObject, type Json, listAt, textAt } from '../template/json.js';
import { mustBe, ofType, problem, type Rule, sameId, shown } from './rule.js';

/** Where a public address is at home: what goes out leaves through it, and nothing comes in. */
const gateways = 'Microsoft.Network/natGateways';

/** Every property of a resource that gives it a public address. */
function* publicAddresses(value: Json, path: string): Generator<string> {
  if (isList(value)) {
    for (const [index, part] of value.entries()) yield* publicAddresses(part, `${path}[${index}]`);
  } else if (isObject(value)) {
    for (const [name, part] of Object.entries(value)) {
      const here = `${path}.${name}`;
      const isSet = isList(part) ? part.length > 0 : part !== null;
      if (/^publicIP(?:Address|Prefix)(?:es)?$/i.test(name) && isSet) yield here;
      else yield* publicAddresses(part, here);
    }
  }
}

export const publicIpRules: readonly Rule[] = [
  {
    name: 'no node has a public address',
    why: 'an agent that can be reached from the internet is a way into the private network',
    check: subject =>
      ofType(subject, 'Microsoft.Batch/batchAccounts/pools').flatMap(pool => [
        ...mustBe(
          pool,
          'properties.networkConfiguration.publicIPAddressConfiguration.provision',
          'NoPublicIPAddresses',
        ),
        ...(textAt(pool.body, 'properties', 'networkConfiguration', 'subnetId') === undefined
          ? [
              problem(
                pool,
                'properties.networkConfiguration.subnetId',
                'is not set',
                'nodes must be in a subnet of the private network',
              ),
            ]
          : []),
        ...(at(pool.body, 'properties', 'networkConfiguration', 'endpointConfiguration') === undefined
          ? []
          : [
              problem(
                pool,
                'properties.networkConfiguration.endpointConfiguration',
                'is set',
                'leave it out: it forwards ports of the internet to nodes',
              ),
            ]),
      ]),
  },
  {
    name: "no public address but the NAT gateway's own",
    why: 'nothing here is to be reached from the internet but the app, and that is guarded by its own rules',
    check: subject => {
      const owned = ofType(subject, gateways).flatMap(gateway =>
        ['publicIpAddresses', 'publicIpPrefixes'].flatMap(list =>
          listAt(gateway.body, 'properties', list).flatMap(each => textAt(each, 'id') ?? []),
        ),
      );
      const strays = ['Microsoft.Network/publicIPAddresses', 'Microsoft.Network/publicIPPrefixes']
        .flatMap(type => ofType(subject, type))
        .filter(({ id }) => !owned.some(other => sameId(other, id)))
        .map(address => problem(address, '', 'is a public address', 'only a NAT gateway may have one'));
      const users = subject.resources
        .filter(({ type }) => type !== gateways)
        .flatMap(resource =>
          [...publicAddresses(at(resource.body, 'properties') ?? null, 'properties')].map(path =>
            problem(resource, path, 'is set', 'only a NAT gateway may have a public address'),
          ),
        );
      return [...strays, ...users];
    },
  },
  {
    name: 'the public address of the NAT gateway stays the same',
    why: 'others allow it in their firewalls',
    check: subject =>
      ofType(subject, 'Microsoft.Network/publicIPAddresses').flatMap(address => {
        const method = textAt(address.body, 'properties', 'publicIPAllocationMethod');
        if (method === 'Static') return [];
        return [
          problem(address, 'properties.publicIPAllocationMethod', shown(method), 'it must be "Static"'),
        ];
      }),
  },
];
