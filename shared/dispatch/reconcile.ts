import type { Profile } from '../domain/profile.js';
import type { AgentRegistry, LiveRequest, Log } from '../ports.js';
import { type BeginDependencies, beginLifecycle } from './begin-lifecycle.js';

export interface ReconcileDependencies extends BeginDependencies {
  readonly registry: Pick<AgentRegistry, 'ensurePlaceholder'>;
  readonly log: Log;
}

/** A message that is on its way, or a step that is being tried again, is no reason to step in. */
const quietMs = 60_000;
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
    await orchestrations.ensureWatch(devOpsPool);
  }

  const quietSince = new Date(clock.now().getTime() - quietMs).toISOString();
  const quiet = live.filter(request => lastMove(request) < quietSince).slice(0, atMost);
  for (let from = 0; from < quiet.length; from += atOnce) {
    await Promise.all(quiet.slice(from, from + atOnce).map(async request => restart(dependencies, request)));
  }
  await ensurePlaceholders(dependencies, [...config.profiles.values()]);
  if (live.length > 0) log.info(`Reconciled ${live.length} live requests, ${quiet.length} of them quiet.`);
};

const lastMove = ({ updatedAt, startClaimedAt }: LiveRequest): string =>
  startClaimedAt !== undefined && startClaimedAt > updatedAt ? startClaimedAt : updatedAt;

async function restart(dependencies: ReconcileDependencies, { requestId }: LiveRequest): Promise<void> {
  const { store, log } = dependencies;
  try {
    const stored = await store.get(requestId);
    if (!stored) return;
    const found = await beginLifecycle(dependencies, stored);
    if (found === 'started') log.warn(`Request ${requestId} had no orchestration; it is started again.`);
  } catch (error) {
    // One request that can't be helped now must not keep the others from being helped.
    log.error(
      `Request ${requestId} could not be reconciled: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function ensurePlaceholders(
  { registry, log }: ReconcileDependencies,
  profiles: readonly Profile[],
): Promise<void> {
  for (const { name, devOpsPool, os } of profiles) {
    try {
      await registry.ensurePlaceholder(devOpsPool, os);
    } catch (error) {
      log.warn(
        `Profile ${name}: pool ${devOpsPool} could not be given its placeholder: ` +
          (error instanceof Error ? error.message : String(error)),
      );
    }
  }
}
