/**
 * Demands of a job against the capabilities of an agent, as the service compares them: names and values in any case.
 *
 *     name                    the capability exists
 *     name -equals value      … and has this value
 *     name -gtVersion 2.1.0   … and is a version of at least this (the service adds one of these to every job)
 */
export type Demand =
  | { readonly kind: 'exists'; readonly name: string }
  | { readonly kind: 'equals'; readonly name: string; readonly value: string }
  | { readonly kind: 'gtVersion'; readonly name: string; readonly value: string };

export type Capabilities = Readonly<Record<string, string>>;
/** Values by name in lower case. */
type Offer = ReadonlyMap<string, string>;

/** @throws {Error} a sentence that quotes the text, when it is not a demand. */
export function parseDemand(text: string): Demand {
  const [name = '', operator, ...rest] = text.trim().split(/\s+/);
  const value = rest.join(' ');
  if (name === '' || name.startsWith('-'))
    throw new Error(`"${text}" is not a demand: it names no capability.`);
  if (operator === undefined) return { kind: 'exists', name };
  if (value === '') throw new Error(`"${text}" is not a demand: ${operator} needs a value.`);
  if (operator.toLowerCase() === '-equals') return { kind: 'equals', name, value };
  if (operator.toLowerCase() === '-gtversion') return { kind: 'gtVersion', name, value };
  throw new Error(`"${text}" is not a demand: ${operator} is neither -equals nor -gtVersion.`);
}

export const offerOf = (capabilities: Capabilities): Offer =>
  new Map(Object.entries(capabilities).map(([name, value]) => [name.toLowerCase(), value]));

export function satisfies(offer: Offer, demands: readonly Demand[]): boolean {
  return demands.every(demand => {
    const value = offer.get(demand.name.toLowerCase());
    if (value === undefined) return false;
    if (demand.kind === 'exists') return true;
    if (demand.kind === 'equals') return value.toLowerCase() === demand.value.toLowerCase();
    return compareVersions(value, demand.value) >= 0;
  });
}

interface OfferingAgent {
  readonly name: string;
  readonly version: string;
  readonly systemCapabilities: Capabilities;
  readonly userCapabilities: Capabilities;
}

/** Each job is held against each agent of its pool; an agent that changes is another object. */
const offers = new WeakMap<OfferingAgent, Offer>();

/** What an agent offers: its own, the user's, and what the registration itself tells. */
export function capabilitiesOf(agent: OfferingAgent): Offer {
  let offer = offers.get(agent);
  if (!offer) {
    offer = offerOf({
      'Agent.Name': agent.name,
      'Agent.Version': agent.version,
      ...agent.systemCapabilities,
      ...agent.userCapabilities,
    });
    offers.set(agent, offer);
  }
  return offer;
}

function compareVersions(left: string, right: string): number {
  const a = left.split('.').map(Number);
  const b = right.split('.').map(Number);
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (Number.isNaN(difference)) return -1;
    if (difference !== 0) return difference;
  }
  return 0;
}
