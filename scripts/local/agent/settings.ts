import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What the agent is told, by environment alone: the article's names, and a few of this stack. */
export interface AgentSettings {
  /** AZDO_URL: the organisation, e.g. `https://dev.azure.com/contoso`. */
  readonly url: string;
  /** AZDO_POOL, AZDO_AGENT */
  readonly pool: string;
  readonly name: string;
  /** AZDO_AGENT_DISPOSE=true: run one job, unregister, end. Else: job after job until it is asked to end. */
  readonly dispose: boolean;
  /** AZDO_TOKEN, or the content of AZDO_TOKEN_FILE; absent: a managed identity. */
  readonly token: string | undefined;
  /** AZDO_IDENTITY_ENDPOINT: in place of the metadata service of the virtual machine. */
  readonly identityEndpoint: string;
  /** AZDO_WORK: folder for jobs. */
  readonly work: string;
  /** AZDO_EXPIRES_AT: refuse to start after this moment. */
  readonly expiresAt: Date | undefined;
}

const metadataService = 'http://169.254.169.254/metadata/identity/oauth2/token';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings, or lists every problem: one line each.
 *
 * @param cwd what relative paths in them start from
 */
export function readSettings(
  env: Environment,
  cwd: string,
): { settings: AgentSettings; problems?: never } | { settings?: never; problems: string[] } {
  const problems: string[] = [];
  const required = (name: string, meaning: string): string => {
    const value = env[name]?.trim() ?? '';
    if (value === '') problems.push(`${name} is missing: ${meaning}.`);
    return value;
  };

  const url = required('AZDO_URL', 'the address of the Azure DevOps organisation');
  if (url !== '' && !isHttp(url)) problems.push(`AZDO_URL is not an http(s) address: ${url}`);
  const pool = required('AZDO_POOL', 'the agent pool to register in');
  const name = required('AZDO_AGENT', 'the name of this agent');

  let token = env['AZDO_TOKEN'];
  const tokenFile = env['AZDO_TOKEN_FILE'] ?? '';
  if ((token ?? '') === '' && tokenFile !== '') {
    try {
      token = readFileSync(path.resolve(cwd, tokenFile), 'utf8').trim();
    } catch {
      problems.push(`AZDO_TOKEN_FILE can't be read: ${tokenFile}`);
    }
  }

  const fence = env['AZDO_EXPIRES_AT'] ?? '';
  const expiresAt = fence === '' ? undefined : new Date(fence);
  if (expiresAt && Number.isNaN(expiresAt.getTime())) {
    problems.push(`AZDO_EXPIRES_AT is not an ISO 8601 time: ${fence}`);
  }

  if (problems.length > 0) return { problems };
  return {
    settings: {
      url: url.replace(/\/+$/, ''),
      pool,
      name,
      dispose: env['AZDO_AGENT_DISPOSE']?.toLowerCase() === 'true',
      token: token === '' ? undefined : token,
      identityEndpoint: env['AZDO_IDENTITY_ENDPOINT'] ?? metadataService,
      work: path.resolve(cwd, env['AZDO_WORK'] ?? '_work'),
      expiresAt,
    },
  };
}

function isHttp(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
