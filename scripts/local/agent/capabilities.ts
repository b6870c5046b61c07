import { faultVariable } from './fault.js';

/** Version of the agent that this one behaves like. */
export const agentVersion = '4.255.0';

/** Longer values are not capabilities: the real agent leaves them out as well. */
const maxValueLength = 1024;

/** Never shown to anyone and never given to a job: the agent's own credentials, and how it is to misbehave. */
export const privateNames: readonly string[] = [
  'AZDO_TOKEN',
  'AZDO_TOKEN_FILE',
  'AZDO_IDENTITY_ENDPOINT',
  faultVariable,
];

const systems: Readonly<Partial<Record<NodeJS.Platform, string>>> = { win32: 'Windows_NT', darwin: 'Darwin' };

type Environment = Readonly<Record<string, string | undefined>>;

/** What the agent tells about itself: its environment, less what the image lists as not to be told. */
export function systemCapabilities(
  env: Environment,
  agentName: string,
  platform: NodeJS.Platform,
): Record<string, string> {
  const hidden = new Set(
    [env['VSO_AGENT_IGNORE'], env['AZDO_ENV_IGNORE']]
      .flatMap(names => names?.split(',') ?? [])
      .concat(privateNames, 'VSO_AGENT_IGNORE', 'AZDO_ENV_IGNORE')
      .map(name => name.trim().toLowerCase()),
  );
  const capabilities: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value.length >= maxValueLength || hidden.has(name.toLowerCase())) continue;
    if (name.toUpperCase().startsWith('VSTS_AGENT_INPUT_')) continue;
    capabilities[name] = value;
  }
  return {
    ...capabilities,
    'Agent.Name': agentName,
    'Agent.OS': systems[platform] ?? 'Linux',
    'Agent.Version': agentVersion,
  };
}
