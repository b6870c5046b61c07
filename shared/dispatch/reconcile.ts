import type { Profile } from '../domain/profile.js';
import type { AgentRegistry, LiveRequest, Log } from '../ports.js';
import { type BeginDependencies, beginLifecycle } from './begin-lifecycle.js';

export interface ReconcileDependencies extends BeginDependencies {
  readonly registry: Pick<AgentRegistry, 'ensurePlaceholder'>;
  readonly log: Log;
}

/** A step that is being tried again is no reason to step in. */
const quietMs = 60_000;
/** A request that nobody has begun to start has probably lost its message: its caller waits for nothing. */
const unstartedMs = 20_000;
/** How often this runs, see `functions/timers.ts`. */
const roundMs = 20_000;
const atMost = 200;
const atOnce = 16;

/**
 * The table is the truth; this makes everything else follow it: every pool with live requests is watched, every live
 * request has an orchestration, every agent pool has its placeholder.
 */
export const reconcile = (dependencies: ReconcileDependencies) => async (): Promise<void> => {
  const { store, orchestrations, config, clock, log } = dependencies;
  const live = await store.live();
  for (const devOpsPool of new Set(live.map(request => request.devOpsPool))) {
    await unhindered(log, `The watch of pool ${devOpsPool} could not be ensured`, async () =>
      orchestrations.ensureWatch(devOpsPool),
    );
  }

  const now = clock.now().getTime();
  const quietFor = (ms: number) => (request: LiveRequest) => now - Date.parse(lastMove(request)) > ms;
  const unstarted = live
    .filter(isUnstarted)
    .filter(quietFor(unstartedMs))
    .toSorted((one, other) => one.createdAt.localeCompare(other.createdAt));
  const quiet = live.filter(request => !isUnstarted(request)).filter(quietFor(quietMs));
  const looked = [...unstarted, ...turn(quiet, Math.floor(now / roundMs))].slice(0, atMost);
  for (let from = 0; from < looked.length; from += atOnce) {
    await Promise.all(looked.slice(from, from + atOnce).map(async request => restart(dependencies, request)));
  }
  await ensurePlaceholders(dependencies, [...config.profiles.values()]);
};

const isUnstarted = ({ state, startClaimedAt }: LiveRequest): boolean =>
  state === 'accepted' && startClaimedAt === undefined;

const lastMove = ({ updatedAt, startClaimedAt }: LiveRequest): string =>
  startClaimedAt !== undefined && startClaimedAt > updatedAt ? startClaimedAt : updatedAt;

/** Each round another part, or the requests after the first ones would never have their turn. */
function turn<T>(all: readonly T[], round: number): readonly T[] {
  const first = all.length === 0 ? 0 : (round * atMost) % all.length;
  return [...all.slice(first), ...all.slice(0, first)].slice(0, atMost);
}

async function restart(dependencies: ReconcileDependencies, { requestId }: LiveRequest): Promise<void> {
  const { store, log } = dependencies;
  await unhindered(log, `Request ${requestId} could not be reconciled`, async () => {
    const stored = await store.get(requestId);
    if (!stored) return;
    const found = await beginLifecycle(dependencies, stored);
    if (found === 'started') log.warn(`Request ${requestId} had no orchestration; it is started again.`);
  });
}

async function ensurePlaceholders(
  { registry, log }: ReconcileDependencies,
  profiles: readonly Profile[],
): Promise<void> {
  for (const { name, devOpsPool, os } of profiles) {
    await unhindered(
      log,
      `Profile ${name}: pool ${devOpsPool} could not be given its placeholder`,
      async () => registry.ensurePlaceholder(devOpsPool, os),
    );
  }
}

/** What can't be helped now must not keep the others from being helped. */
async function unhindered(log: Log, what: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    log.error(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
