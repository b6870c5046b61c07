import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { imagesFolder } from './catalog.js';
import { Refusal } from './refusal.js';

const file = join(imagesFolder, 'agent.json');
const notes = (version: string): string =>
  `https://github.com/microsoft/azure-pipelines-agent/releases/tag/v${version}`;

const version = z.string().regex(/^\d+\.\d+\.\d+$/, 'must be three numbers, as in 5.279.0');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits');
const Release = z.strictObject({
  version,
  sha256: z.strictObject({ 'linux-x64': sha256.nullable(), 'win-x64': sha256.nullable() }),
});
type Release = z.infer<typeof Release>;
export type Platform = keyof Release['sha256'];

/** The agent that goes into the images, and what its packages must be: infra/images/agent.json. */
export async function readRelease(path = file): Promise<Release> {
  const text = await readFile(path, 'utf8');
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new Refusal(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = Release.safeParse(content);
  if (!parsed.success)
    throw new Refusal(`${path} is not what it should be:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** @throws {Refusal} where nobody has pinned it: a checksum of what is downloaded just now would prove nothing. */
export function checksumOf(release: Release, platform: Platform): string {
  const sum = release.sha256[platform];
  if (sum !== null) return sum;
  throw new Refusal(
    `infra/images/agent.json has no SHA-256 for ${platform} of agent ${release.version}. Take it from the release notes, ` +
      `${notes(release.version)}, and pin it: npm run images -- pin ${release.version} --${platform} SHA256`,
  );
}

/**
 * Writes another version, or checksums of the same one. Those of another version are forgotten: they can't be right.
 *
 * @returns the platforms that have none now.
 */
export async function pinRelease(
  wanted: string,
  sums: Partial<Record<Platform, string>>,
  path = file,
): Promise<readonly string[]> {
  const before = await readRelease(path);
  const kept = before.version === wanted ? before.sha256 : { 'linux-x64': null, 'win-x64': null };
  const lower = Object.fromEntries(Object.entries(sums).map(([key, sum]) => [key, sum.toLowerCase()]));
  const next = Release.safeParse({ version: wanted, sha256: { ...kept, ...lower } });
  if (!next.success) throw new Refusal(z.prettifyError(next.error));
  await writeFile(path, `${JSON.stringify(next.data, undefined, 2)}\n`);
  return Object.entries(next.data.sha256).flatMap(([platform, sum]) => (sum === null ? [platform] : []));
}
