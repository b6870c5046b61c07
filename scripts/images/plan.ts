import { join } from 'node:path';
import { catalog, type ImageName, repository } from './catalog.js';
import { Refusal } from './refusal.js';
import { checksumOf, type readRelease } from './release.js';

export const engines = ['docker', 'podman', 'buildah', 'acr'] as const;
export type Engine = (typeof engines)[number];

/** A program and its arguments; nothing secret is ever among them. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

export interface BuildRequest {
  readonly images: readonly ImageName[];
  readonly engine: Engine;
  readonly tag?: string | undefined;
  readonly base?: string | undefined;
  /** A folder below linux/variants: what it adds is built upon our image, under our tag and its name. */
  readonly variant?: string | undefined;
  /** Registry to push to: its server, `contoso.azurecr.io`. */
  readonly push?: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Given to the engine as they are. */
  readonly engineOptions: readonly string[];
}

type Release = Awaited<ReturnType<typeof readRelease>>;

/** What is to be run, in order. @throws {Refusal} with everything that is wrong at once. */
export function planBuild(request: BuildRequest, release: Release): readonly Command[] {
  const problems = checkRequest(request);
  if (problems.length > 0) throw new Refusal(problems.join('\n'));
  return request.images.flatMap(name => commandsFor(name, request, release));
}

function checkRequest({ images, engine, tag, base, variant, push }: BuildRequest): readonly string[] {
  const problems: string[] = [];
  const systems = new Set(images.map(name => catalog[name].os));
  if (images.length > 1 && tag !== undefined)
    problems.push('--tag is for one image, and this builds several.');
  if (images.length > 1 && base !== undefined)
    problems.push('--base is for one image, and this builds several.');
  if (variant !== undefined && (images.length > 1 || systems.has('windows')))
    problems.push('--variant is for the image linux.');
  if (variant !== undefined && !/^[a-z0-9][a-z0-9._-]{0,39}$/.test(variant))
    problems.push(`--variant is not the name of a folder in infra/images/linux/variants: ${variant}`);
  if (tag !== undefined && !isTag(tag)) problems.push(`--tag is not a tag: ${tag}`);
  if (push !== undefined && !isRegistry(push))
    problems.push(`--push is not the server of a registry, as contoso.azurecr.io: ${push}`);
  if (systems.has('windows') && (engine === 'podman' || engine === 'buildah'))
    problems.push(
      `${engine} can't build Windows images: use --engine docker on Windows, or --engine acr anywhere.`,
    );
  if (systems.size > 1 && engine === 'docker')
    problems.push(
      'A Docker engine builds for one system: build linux and windows one by one, or use --engine acr.',
    );
  if (engine === 'acr' && push === undefined)
    problems.push('--engine acr builds in a registry: say in which by --push NAME.azurecr.io.');
  return problems;
}

const isTag = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(text);
const isRegistry = (text: string): boolean => /^[a-z0-9][a-z0-9.-]*(?::\d{1,5})?$/i.test(text);

function commandsFor(name: ImageName, request: BuildRequest, release: Release): readonly Command[] {
  const { engine, push, variant } = request;
  const image = catalog[name];
  const standard = request.tag ?? (variant === undefined ? image.tag : `${image.tag}-${variant}`);
  const local = `${repository}:${standard}`;
  const full = push === undefined ? local : `${push}/${local}`;
  const upon = push === undefined ? `${repository}:${image.tag}` : `${push}/${repository}:${image.tag}`;
  const buildArgs =
    variant === undefined
      ? { BASE: request.base ?? image.base, ...agentArgs(request, release, image.platform) }
      : { BASE: request.base ?? upon };
  const context = variant === undefined ? image.context : join(image.context, 'variants', variant);
  const options = [
    ...Object.entries({ ...buildArgs, ...request.buildArgs }).flatMap(([key, value]) => [
      '--build-arg',
      `${key}=${value}`,
    ]),
    ...request.engineOptions,
  ];
  if (engine === 'acr') {
    const args = ['acr', 'build', '--registry', registryName(push ?? ''), '--image', local];
    return [{ program: 'az', args: [...args, '--platform', image.os, ...options, context] }];
  }
  const verb = engine === 'buildah' ? 'bud' : 'build';
  const build: Command = { program: engine, args: [verb, '--tag', full, ...options, context] };
  return push === undefined ? [build] : [build, { program: engine, args: ['push', full] }];
}

/** Version and checksum belong together: who gives one of them gives the other. */
function agentArgs(
  { buildArgs }: BuildRequest,
  release: Release,
  platform: 'linux-x64' | 'win-x64',
): Readonly<Record<string, string>> {
  const { AGENT_VERSION: version, AGENT_SHA256: sum } = buildArgs;
  if (sum !== undefined) return { AGENT_VERSION: release.version };
  if (version !== undefined && version !== release.version) {
    throw new Refusal(
      `--build-arg AGENT_VERSION=${version} needs its AGENT_SHA256: the one in infra/images/agent.json is of ${release.version}.`,
    );
  }
  return { AGENT_VERSION: release.version, AGENT_SHA256: checksumOf(release, platform) };
}

const registryName = (registry: string): string => registry.split('.', 1)[0] ?? registry;

/** Copies an image from another registry, which the registry does by itself: nothing passes through this machine. */
export function planImport(request: {
  readonly registry: string;
  readonly source: string;
  readonly tag?: string | undefined;
  /** Replace what has this tag. */
  readonly force: boolean;
}): Command {
  const { registry, source, tag, force } = request;
  const problems: string[] = [];
  if (!isRegistry(registry)) problems.push(`--registry is not the name of a registry: ${registry}`);
  if (tag !== undefined && !isTag(tag)) problems.push(`--tag is not a tag: ${tag}`);
  const [, sourceTag] = /^[^/\s@]+\/[^\s@:]+:([A-Za-z0-9_][A-Za-z0-9._-]{0,127})$/.exec(source) ?? [];
  if (sourceTag === undefined)
    problems.push(
      `--source is not an image with its registry and tag, as ghcr.io/contoso/azdo-agent:1: ${source}`,
    );
  if (problems.length > 0) throw new Refusal(problems.join('\n'));
  const image = `${repository}:${tag ?? sourceTag ?? ''}`;
  const args = ['acr', 'import', '--name', registryName(registry), '--source', source, '--image', image];
  return { program: 'az', args: force ? [...args, '--force'] : args };
}
