import * as z from 'zod';
import type { ArticleImage, Profile } from '../domain/profile.js';
import { json } from './formats.js';
import type { Reader } from './reader.js';

const profileName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,19}$/,
    'must be 1 to 20 of a-z, 0-9 and "-", and start with a letter or digit',
  );
const batchId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z, a-z, 0-9, "_" and "-"');
const image = z
  .string()
  .max(200)
  .regex(
    /^[a-z0-9]+(?:[._/-][a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$/,
    'must be repository:tag without a registry',
  );

/** Its name goes into URLs, environments and log lines. */
const agentPool = z
  .string()
  .trim()
  .max(128)
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters');

const profileSchema = z.strictObject({
  devOpsPool: agentPool.min(1),
  batchPool: batchId,
  image,
  os: z.enum(['linux', 'windows']).default('linux'),
  slots: z.int().min(1).max(256).default(1),
  maxAlive: z.int().min(1).max(1_000_000).default(1_000),
  maxWaiting: z.int().min(1).max(1_000_000).default(10_000),
  attempts: z.int().min(1).max(10).default(3),
  timeoutMinutes: z.int().min(1).max(120).default(30),
  idleMinutes: z.number().min(0.05).max(1_440).default(10),
  agentAuth: z.enum(['token', 'identity']).optional(),
});

const articleImageSchema = z.record(
  z.string().min(1).max(64),
  z.strictObject({
    profile: profileName /** With a build type of 40 characters a tag still has at most 128. */,
    tag: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,86}$/, 'must be an image tag of at most 87 characters'),
  }),
);

/**
 * The article's images with today's tags: the systems it used are past their end of life. `default` stands for every
 * other type, as in the article.
 */
const defaultArticleImages: Record<string, ArticleImage> = {
  'ubuntu-18.04': { profile: 'ubuntu', tag: 'ubuntu-22.04-azdo' },
  'ubuntu-latest': { profile: 'ubuntu', tag: 'ubuntu-24.04-azdo' },
  'windows-latest': { profile: 'windows', tag: 'windows-core-ltsc2022-azdo' },
  default: { profile: 'ubuntu', tag: 'ubuntu-24.04-azdo' },
};

/** The kinds of agents, by name, in the order of configuration. */
export function readProfiles(
  read: Reader,
  problems: string[],
  hasToken: boolean,
): ReadonlyMap<string, Profile> {
  const configured = read.optional('AgentProfiles', json(z.record(profileName, profileSchema)));
  const ubuntuPool = read.optional('AzDOUbuntuPool', agentPool);
  const windowsPool = read.optional('AzDOWindowsPool', agentPool);
  const profiles = new Map<string, z.infer<typeof profileSchema>>(Object.entries(configured ?? {}));
  if (!configured) {
    if (ubuntuPool) profiles.set('ubuntu', defaultProfile(ubuntuPool, 'linux'));
    if (windowsPool) profiles.set('windows', defaultProfile(windowsPool, 'windows'));
  }
  // A malformed AgentProfiles is a problem already told.
  if (profiles.size === 0 && problems.every(problem => !problem.startsWith('AgentProfiles'))) {
    problems.push('No profile is configured: set AzDOUbuntuPool, AzDOWindowsPool or AgentProfiles.');
  }
  const result = new Map<string, Profile>();
  for (const [name, profile] of profiles) {
    const agentAuth = profile.agentAuth ?? (hasToken ? 'token' : 'identity');
    if (agentAuth === 'token' && !hasToken) {
      problems.push(`AgentProfiles at ${name}.agentAuth: "token" needs the setting AzDOToken.`);
    }
    result.set(name, { ...profile, name, agentAuth });
  }
  return result;
}

const defaultProfile = (devOpsPool: string, os: 'linux' | 'windows'): z.infer<typeof profileSchema> =>
  profileSchema.parse({
    devOpsPool,
    os,
    batchPool: os === 'linux' ? 'batchLinux' : 'batchWindows',
    image: os === 'linux' ? 'azdo-agent:ubuntu-24.04-azdo' : 'azdo-agent:windows-core-ltsc2022-azdo',
  });

/** What the article's types of agents stand for. */
export const readArticleImages = (read: Reader): Readonly<Record<string, ArticleImage>> => ({
  ...defaultArticleImages,
  ...read.optional('AgentOSTypes', json(articleImageSchema)),
});
