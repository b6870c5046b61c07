import type { Diagnosis } from '../answers/diagnosis.js';
import type { SettingFact } from '../config/setting-list.js';
import type { Config } from '../config.js';
import type { BatchProbe, DevOpsProbe, StorageProbe } from '../ports/probes.js';
import type { Clock, Orchestrations, TokenSeal } from '../ports.js';
import { batchChecks } from './check-batch.js';
import { devOpsChecks } from './check-devops.js';
import { settingChecks } from './check-settings.js';
import { storageChecks } from './check-storage.js';
import { type Check, ok, runChecks } from './checks.js';
import { kept } from './kept.js';

export interface DiagnosisDependencies {
  readonly config: Config;
  readonly version: string;
  readonly settings: readonly SettingFact[];
  readonly storage: StorageProbe;
  readonly batch: BatchProbe;
  readonly devOps: DevOpsProbe;
  readonly seal: TokenSeal;
  readonly clock: Clock;
}

/**
 * Tries everything for real, all at once. Whoever asks while it is going on gets the same answer; nothing is kept of
 * it, because people mend something and ask again.
 */
export function diagnose(
  dependencies: DiagnosisDependencies,
): (orchestrations: Pick<Orchestrations, 'runningLifecycle'>) => Promise<Diagnosis> {
  const { clock, version } = dependencies;
  return kept(clock, 0, async orchestrations => {
    const checks = await runChecks(clock, [
      ...settingChecks(dependencies),
      ...storageChecks(dependencies),
      ...batchChecks(dependencies),
      ...devOpsChecks(dependencies),
      orchestrationsCheck(orchestrations),
    ]);
    return { at: clock.now().toISOString(), version, checks: [...checks] };
  });
}

const orchestrationsCheck = (orchestrations: Pick<Orchestrations, 'runningLifecycle'>): Check => ({
  area: 'orchestrations',
  name: 'Durable Functions answers',
  remedy:
    "See the host's log about the task hub: its storage is that of AzureWebJobsStorage, where this app's identity " +
    'needs the roles Storage Blob Data Owner, Storage Queue Data Contributor and Storage Table Data Contributor.',
  run: async () => {
    // No request has this id: it is not one.
    await orchestrations.runningLifecycle('doctor_probe');
    return ok('It was asked for an orchestration that does not exist, and said so.');
  },
});
