import type { Config } from '../config.js';
import type { Profile } from '../domain/profile.js';
import type { BatchPoolSetup, BatchProbe } from '../ports/probes.js';
import type { Clock } from '../ports.js';
import { awayRemedy, type Check, clockCheck, type Finding, ok } from './checks.js';

const role = 'Azure Batch Job Submitter';

export function batchChecks({
  config,
  batch,
  clock,
}: {
  readonly config: Pick<Config, 'batch' | 'profiles'>;
  readonly batch: BatchProbe;
  readonly clock: Clock;
}): readonly Check[] {
  const signInRemedy = config.batch.sharedKey
    ? 'Check BatchAccountUrl, and that BatchAccountName and BatchAccountKey belong together and to it.'
    : `Check BatchAccountUrl, and give this app's identity the role ${role} on the Batch account.`;
  const profiles = [...config.profiles.values()];
  const pools = [...new Set(profiles.map(({ batchPool }) => batchPool))];
  return [
    {
      area: 'batch',
      name: 'Azure Batch accepts the sign-in',
      isSignIn: true,
      remedy: signInRemedy,
      remedyWhenAway: awayRemedy('BatchAccountUrl'),
      run: async () => {
        await batch.signIn();
        return ok(
          config.batch.sharedKey ? 'Signed in with the account key.' : "Signed in with the app's identity.",
        );
      },
    },
    clockCheck('batch', 'Azure Batch', clock, async () => (await batch.signIn()).serviceTime),
    ...pools.map(
      (poolId): Check => ({
        area: 'batch',
        name: `Batch pool "${poolId}" can run the agents`,
        remedy: signInRemedy,
        run: async () => {
          const users = profiles.filter(({ batchPool }) => batchPool === poolId);
          return judgePool(poolId, users, await batch.pool(poolId));
        },
      }),
    ),
    ...pools.slice(0, 1).map(
      (poolId): Check => ({
        area: 'batch',
        name: 'Batch jobs can be made and removed',
        remedy: config.batch.sharedKey
          ? "See the message: the account's quota of active jobs, or a key that was taken back."
          : `Give this app's identity the role ${role} on the Batch account.`,
        run: async () => {
          await batch.makeJob(poolId);
          return ok(`An empty job on pool ${poolId} was made and removed.`);
        },
      }),
    ),
  ];
}

function judgePool(poolId: string, profiles: readonly Profile[], pool: BatchPoolSetup | undefined): Finding {
  const names = profiles.map(({ name }) => name).join(', ');
  if (!pool) {
    return {
      status: 'failed',
      detail: `There is no Batch pool ${poolId}, which ${names} use${profiles.length === 1 ? 's' : ''}.`,
      remedy: `Create pool ${poolId} in the Batch account, or correct batchPool in AgentProfiles.`,
    };
  }
  if (pool.problem) {
    const isQuota = pool.problem.code === 'QuotaReached';
    return {
      status: isQuota ? 'warning' : 'failed',
      detail: pool.problem.message,
      remedy: isQuota
        ? "Have the Batch account's core quota raised in the Azure portal (Quotas), or make the pool smaller."
        : `See pool ${poolId} in the Azure portal or Batch Explorer: its resize errors and the errors of its nodes.`,
    };
  }
  const tooSmall = profiles.find(({ slots }) => slots > pool.slotsPerNode);
  if (tooSmall) {
    return {
      status: 'failed',
      detail: `Profile ${tooSmall.name} takes ${tooSmall.slots} slots, and a node of pool ${poolId} has ${pool.slotsPerNode}: its tasks would wait for ever.`,
      remedy: `Lower slots of profile ${tooSmall.name} in AgentProfiles, or raise taskSlotsPerNode of pool ${poolId}.`,
    };
  }
  if (!pool.takesContainers) {
    return {
      status: 'failed',
      detail: `Pool ${poolId} has no container configuration, so it can't run the image of ${names}.`,
      remedy: `Create pool ${poolId} anew with containerConfiguration (type DockerCompatible); infra/main.bicep shows it.`,
    };
  }
  const otherSystem = profiles.find(({ os }) => pool.os !== undefined && pool.os !== os);
  if (otherSystem) {
    return {
      status: 'failed',
      detail: `Profile ${otherSystem.name} is for ${otherSystem.os}, and the nodes of pool ${poolId} run ${pool.os ?? '?'}.`,
      remedy: `Correct os or batchPool of profile ${otherSystem.name} in AgentProfiles.`,
    };
  }
  const nodes = `${pool.currentNodes} of ${pool.targetNodes} nodes, ${pool.state}, ${pool.allocationState}`;
  if (!pool.scales && pool.targetNodes === 0) {
    return {
      status: 'warning',
      detail: `Pool ${poolId} has no nodes and does not scale by itself (${nodes}).`,
      remedy: `Give pool ${poolId} nodes or an autoscale formula.`,
    };
  }
  return ok(`It has ${nodes}; ${pool.slotsPerNode} task slots a node.`);
}
