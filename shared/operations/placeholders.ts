import type { PlaceholderResults, Placeholders } from '../answers/placeholders.js';
import type { Config } from '../config.js';
import { TransientError } from '../domain/failure.js';
import { placeholderNameOf } from '../domain/names.js';
import type { AgentRegistry } from '../ports.js';

export interface PlaceholderDependencies {
  readonly config: Config;
  readonly registry: Pick<AgentRegistry, 'ensurePlaceholder' | 'hasPlaceholder' | 'removePlaceholder'>;
}

type Os = 'linux' | 'windows';
type Result = PlaceholderResults['results'][number];

interface Place {
  readonly devOpsPool: string;
  readonly os: Os;
}

/** Where profiles want one; a pool of two systems has two. */
function wantedPlaces({ profiles }: Config): readonly Place[] {
  const places = new Map<string, Place>();
  for (const { devOpsPool, os } of profiles.values())
    places.set(`${os} ${devOpsPool.toLowerCase()}`, { devOpsPool, os });
  return [...places.values()];
}

/** @throws TransientError when Azure DevOps can't be asked; a pool that is missing has none. */
export async function listPlaceholders({ config, registry }: PlaceholderDependencies): Promise<Placeholders> {
  const placeholders = await Promise.all(
    wantedPlaces(config).map(async ({ devOpsPool, os }) => ({
      devOpsPool,
      agentName: placeholderNameOf(os),
      present: (await unlessMissing(registry.hasPlaceholder(devOpsPool, os))) ?? false,
      kept: config.keepPlaceholders,
    })),
  );
  return { placeholders };
}

/**
 * Makes the placeholders of pools, or removes them.
 *
 * @param asked names of agent pools; undefined: all that profiles name.
 * @throws TransientError when Azure DevOps can't be asked; what was done by then is done.
 */
export async function settlePlaceholders(
  dependencies: PlaceholderDependencies,
  action: 'ensure' | 'remove',
  asked: readonly string[] | undefined,
): Promise<PlaceholderResults> {
  const wanted = wantedPlaces(dependencies.config);
  const named = new Map((asked ?? []).map(name => [name.trim().toLowerCase(), name.trim()]));
  const ofProfiles = asked ? wanted.filter(({ devOpsPool }) => named.has(devOpsPool.toLowerCase())) : wanted;
  for (const { devOpsPool } of ofProfiles) named.delete(devOpsPool.toLowerCase());
  const settle = action === 'ensure' ? ensure : remove;
  const results = await Promise.all([
    ...ofProfiles.map(async place => settle(dependencies, place)),
    ...[...named.values()].map(async devOpsPool =>
      action === 'ensure' ? unknownSystem(devOpsPool) : removeStray(dependencies, devOpsPool),
    ),
  ]);
  return { results };
}

async function ensure({ registry }: PlaceholderDependencies, { devOpsPool, os }: Place): Promise<Result> {
  const wasThere = await unlessMissing(registry.hasPlaceholder(devOpsPool, os));
  if (wasThere === undefined) return missing(devOpsPool);
  if (!wasThere) await registry.ensurePlaceholder(devOpsPool, os);
  const detail = `${placeholderNameOf(os)} ${wasThere ? 'was there already' : 'is registered'}.`;
  return { devOpsPool, outcome: 'present', detail };
}

async function remove({ config, registry }: PlaceholderDependencies, place: Place): Promise<Result> {
  const { devOpsPool, os } = place;
  if (config.keepPlaceholders) {
    return {
      devOpsPool,
      outcome: 'refused',
      detail:
        `A profile names this pool and KeepPlaceholders is true, so ${placeholderNameOf(os)} would be made again ` +
        'within 20 seconds. Set KeepPlaceholders to false first, or take the pool out of the profiles.',
    };
  }
  const outcome = await unlessMissing(registry.removePlaceholder(devOpsPool, os));
  if (outcome === undefined) return missing(devOpsPool);
  const detail = `${placeholderNameOf(os)} ${outcome === 'removed' ? 'is removed' : 'was not there'}.`;
  return { devOpsPool, outcome, detail };
}

/** Left over in a pool that no profile names any more: which system it was for nobody knows. */
async function removeStray({ registry }: PlaceholderDependencies, devOpsPool: string): Promise<Result> {
  const removed: string[] = [];
  for (const os of ['linux', 'windows'] as const) {
    const outcome = await unlessMissing(registry.removePlaceholder(devOpsPool, os));
    if (outcome === undefined) return missing(devOpsPool);
    if (outcome === 'removed') removed.push(placeholderNameOf(os));
  }
  return removed.length === 0
    ? { devOpsPool, outcome: 'absent', detail: 'There was no placeholder in it.' }
    : { devOpsPool, outcome: 'removed', detail: `Removed: ${removed.join(', ')}.` };
}

const unknownSystem = (devOpsPool: string): Result => ({
  devOpsPool,
  outcome: 'refused',
  detail: 'No profile names this pool, so it is not known for which system. Name it in AgentProfiles first.',
});

const missing = (devOpsPool: string): Result => ({
  devOpsPool,
  outcome: 'poolMissing',
  detail:
    'Azure DevOps has no agent pool of this name that this app may see. Create it, make its identity or the owner ' +
    "of its token Administrator of it, or correct the profile's devOpsPool.",
});

async function unlessMissing<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof TransientError && error.failure.code === 'AgentPoolMissing') return undefined;
    throw error;
  }
}
