import type { Profile } from '../domain/profile.js';
import type { AgentRegistry, LiveRequest } from '../ports.js';
import type { ReconcileMemory } from './reconcile-memory.js';
import type { SweepDependencies } from './remove-orphans.js';
import { type RestartDependencies, restartLost } from './restart-lost.js';
import { sweep } from './sweep.js';
import { unhindered } from './unhindered.js';

export type ReconcileDependencies = RestartDependencies &
  SweepDependencies & { readonly registry: Pick<AgentRegistry, 'ensurePlaceholder'> };

/** Leftovers cost money and do no other harm: one that was seen twice is gone within a minute and a half. */
const sweepEveryRounds = 2;

/**
 * The table is the truth; this makes everything else follow it: every pool with live requests is watched, every live
 * request has an orchestration, every agent pool has its placeholder, and what no request owns goes.
 *
 * No part stops another by its failure. A round that is asked for while one is going on is left out.
 */
export const reconcile =
  (dependencies: ReconcileDependencies, memory: ReconcileMemory) => async (): Promise<void> => {
    const { store, config, log } = dependencies;
    if (memory.running) {
      log.info('Reconcile is still at its last round; this one is left out.');
      return;
    }
    memory.running = true;
    try {
      await unhindered(log, 'The live requests could not be reconciled', async () => {
        const live = await store.live();
        await ensureWatches(dependencies, live);
        await restartLost(dependencies, live);
      });
      await unhindered(log, "Rows that can't be read could not be told of", async () =>
        tellUnreadable(dependencies, memory),
      );
      if (config.keepPlaceholders) await ensurePlaceholders(dependencies, [...config.profiles.values()]);
      if (memory.round % sweepEveryRounds === 0) {
        await unhindered(log, 'Leftovers could not be looked for', async () => sweep(dependencies, memory));
      }
    } finally {
      memory.round += 1;
      memory.running = false;
    }
  };

async function ensureWatches(
  { orchestrations, log }: ReconcileDependencies,
  live: readonly LiveRequest[],
): Promise<void> {
  for (const devOpsPool of new Set(live.map(request => request.devOpsPool))) {
    await unhindered(log, `The watch of pool ${devOpsPool} could not be ensured`, async () =>
      orchestrations.ensureWatch(devOpsPool),
    );
  }
}

/** Once a row: it stays as it is until a person has looked at it. */
async function tellUnreadable(
  { store, log }: ReconcileDependencies,
  { told }: ReconcileMemory,
): Promise<void> {
  const rows = await store.unreadable();
  for (const { rowKey, why } of rows) {
    if (told.has(rowKey)) continue;
    told.add(rowKey);
    log.error(
      `${why} Its request stands still and is left out of every list, and whatever runs for it goes on. Mend the ` +
        `row ${rowKey}, or delete it: then what is left of its request is removed. Rows like it now: ${rows.length}.`,
    );
  }
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
