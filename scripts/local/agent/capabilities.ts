import { faultVariable } from './fault.js';

/** Version of the agent that this one behaves like. */
export const agentVersion = '4.255.0';

/** Longer values are not capabilities: the real agent leaves them out as well. */
const maxValueLength = 1024;

/** What the real agent reads from its environment and takes out of it: its token, for one. */
const inputPrefix = 'VSTS_AGENT_INPUT_';

const systems: Readonly<Partial<Record<NodeJS.Platform, string>>> = { win32: 'Windows_NT', darwin: 'Darwin' };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the agent tells about itself: its environment, less what `VSO_AGENT_IGNORE` lists as not to be told.
 *
 * @param hidden further names that are not to be told
 */
export function systemCapabilities(
  env: Environment,
  agentName: string,
  platform: NodeJS.Platform,
  hidden: readonly string[] = [],
): Record<string, string> {
  const untold = new Set(
    [...namesIn(env['VSO_AGENT_IGNORE']), 'VSO_AGENT_IGNORE', ...hidden].map(name => name.toLowerCase()),
  );
  const capabilities: Record<string, string> = {};
  for (const [name, value] of Object.entries(withoutInput(env))) {
    if (value === undefined || value.length >= maxValueLength || untold.has(name.toLowerCase())) continue;
    capabilities[name] = value;
  }
  return {
    ...capabilities,
    'Agent.Name': agentName,
    'Agent.OS': systems[platform] ?? 'Linux',
    'Agent.Version': agentVersion,
  };
}

export const withoutInput = (env: Environment): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.toUpperCase().startsWith(inputPrefix)));

/**
 * What the image's start script keeps from its agent: how that gets its credentials; and what is no part of any image:
 * how it is to misbehave.
 */
const privateNames: readonly string[] = [
  'AZDO_TOKEN',
  'AZDO_TOKEN_FILE',
  'AZDO_IDENTITY_ENDPOINT',
  faultVariable,
];

export const withoutPrivate = (env: Environment): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !privateNames.includes(name)));

/** The names that the image's own list says are not to be told. */
export const imageIgnore = (env: Environment): string[] => [
  ...namesIn(env['AZDO_ENV_IGNORE']),
  'AZDO_ENV_IGNORE',
];

const namesIn = (list = ''): string[] => list.split(',').map(name => name.trim());
