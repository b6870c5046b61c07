import { portOnFirstUse } from '../../shared/adapters/on-first-use.js';
import { createSystemClock } from '../../shared/adapters/system-clock.js';
import type {
  AgentRegistry,
  Compute,
  DrainableQueue,
  PipelineCallback,
  RequestQueue,
  RequestStore,
} from '../../shared/ports.js';
import { observed, type Ports } from '../../shared/telemetry/observed.js';
import type { Service } from '../../shared/telemetry/observed-port.js';
import { loaded } from './load.js';
import { config } from './settings.js';
import { batchAccount, organization, storageAccount } from './sign-in.js';
import { isTraced, telemetry } from './telemetry.js';

/** Which adapter stands behind each port; it is loaded, and its SDK with it, when the port is first called. */

const tables = async () => loaded(import('../../shared/adapters/table-request-store.js'));
const queues = async () => loaded(import('../../shared/adapters/storage-queue.js'));

/** Nearly every call needs storage. */
export const loadStorage = async (): Promise<void> => {
  await Promise.all([tables(), queues()]);
};

export const clock = createSystemClock();
const throttledBy = (service: Service) => (): void => telemetry.count('agents.throttles', { service });
const countNodes = (batchPool: string, byState: ReadonlyMap<string, number>): void => {
  for (const [state, nodes] of byState) telemetry.record('agents.pool.nodes', nodes, { batchPool, state });
};

const unobserved: Ports = {
  store: portOnFirstUse<RequestStore>(
    async () => {
      const { createTableRequestStore } = await tables();
      return createTableRequestStore({ account: await storageAccount('table') });
    },
    { remembered: () => undefined },
  ),
  queue: portOnFirstUse<RequestQueue>(async () => {
    const { createStorageQueue } = await queues();
    return createStorageQueue({ account: await storageAccount('queue') });
  }, {}),
  compute: portOnFirstUse<Compute>(async () => {
    const [{ createBatchCompute }, { installationIdOf }] = await Promise.all([
      loaded(import('../../shared/adapters/batch-compute.js')),
      loaded(import('../../shared/adapters/installation.js')),
    ]);
    const { server, identity } = config.registry;
    return createBatchCompute({
      ...(await batchAccount()),
      installation: installationIdOf(await storageAccount('table')),
      onNodes: countNodes,
      ...(server !== undefined && identity !== undefined
        ? { registry: { server, identityResourceId: identity } }
        : {}),
    });
  }, {}),
  registry: portOnFirstUse<AgentRegistry>(async () => {
    const { createDevOpsAgentRegistry } = await loaded(
      import('../../shared/adapters/devops-agent-registry.js'),
    );
    return createDevOpsAgentRegistry({ ...(await organization()), onThrottle: throttledBy('devops') });
  }, {}),
  pipeline: portOnFirstUse<PipelineCallback>(async () => {
    const { createDevOpsPipelineCallback } = await loaded(
      import('../../shared/adapters/devops-pipeline-callback.js'),
    );
    return createDevOpsPipelineCallback(clock, throttledBy('callback'));
  }, {}),
};

export const ports: Ports = isTraced ? observed(unobserved, telemetry) : unobserved;

export const deadLetters = portOnFirstUse<DrainableQueue>(async () => {
  const { createDrainableQueue, deadLetterQueueName } = await queues();
  return createDrainableQueue(await storageAccount('queue'), deadLetterQueueName);
}, {});

export const poison = portOnFirstUse<DrainableQueue>(async () => {
  const { createDrainableQueue, poisonQueueName } = await queues();
  return createDrainableQueue(await storageAccount('queue'), poisonQueueName);
}, {});
