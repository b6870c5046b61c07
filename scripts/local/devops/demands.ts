/**
 * Demands of a job against the capabilities of an agent, as the service compares them: names and values in any case.
 *
 *     name                    the capability exists
 *     name -equals value      … and has this value
 *     name -gtVersion 2.1.0   … and is a version of at least this (the service adds one of these to every job)
 */
export type Demand =
  | { readonly kind: 'exists'; readonly name: string }
  | { readonly kind: 'equals' | 'gtVersion'; readonly name: string; readonly value: string };

export type Capabilities = Readonly<Record<string, string>>;

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

export function satisfies(capabilities: Capabilities, demands: readonly string[]): boolean {
  const byName = new Map(Object.entries(capabilities).map(([name, value]) => [name.toLowerCase(), value]));
  return demands.every(text => {
    const demand = parseDemand(text);
    const value = byName.get(demand.name.toLowerCase());
    if (value === undefined) return false;
    if (demand.kind === 'exists') return true;
    if (demand.kind === 'equals') return value.toLowerCase() === demand.value.toLowerCase();
    return compareVersions(value, demand.value) >= 0;
  });
}

/** What an agent offers: its own, the user's, and what the registration itself tells. */
export const capabilitiesOf = (agent: {
  readonly name: string;
  readonly version: string;
  readonly systemCapabilities: Capabilities;
  readonly userCapabilities: Capabilities;
}): Capabilities => ({
  'Agent.Name': agent.name,
  'Agent.Version': agent.version,
  ...agent.systemCapabilities,
  ...agent.userCapabilities,
});

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
