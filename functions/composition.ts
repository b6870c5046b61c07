import type { InvocationContext } from '@azure/functions';
import type { TokenCredential } from '@azure/identity';
import { getClient } from 'durable-functions';
import type { Dependencies, WithOrchestrations } from '../shared/activities/dependencies.js';
import { durableOrchestrations } from '../shared/adapters/durable-orchestrations.js';
import { onFirstUse, portOnFirstUse } from '../shared/adapters/on-first-use.js';
import type { StorageAccount } from '../shared/adapters/storage-account.js';
import { createSystemClock } from '../shared/adapters/system-clock.js';
import { createTokenSeal } from '../shared/adapters/token-seal.js';
import type { IntakeDependencies } from '../shared/api/ask-for-agent.js';
import { health } from '../shared/api/health.js';
import { type Config, readConfig } from '../shared/config.js';
import type { BuiltPage } from '../shared/dashboard/show-page.js';
import { createAdmissionGate } from '../shared/limits/admission-gate.js';
import { createBacklogGate } from '../shared/limits/backlog-gate.js';
import { createLiveListings } from '../shared/limits/live-listings.js';
import type {
  AgentRegistry,
  Compute,
  DrainableQueue,
  Log,
  PipelineCallback,
  RequestQueue,
  RequestStore,
} from '../shared/ports.js';
import { lifecycleName, situationEvent, wakeEvent, watchName } from '../shared/workflow/contract.js';

/**
 * The composition root: the one place that reads the environment and chooses the adapters. Settings are read while
 * the app loads, so that wrong ones keep it from starting. SDKs are not: they take longer to load than all the rest,
 * and a new instance has to say which functions it has before it gets its first call.
 */
export const config: Config = readConfig(process.env);

/**
 * Node.js remembers for good that a module could not be loaded, even if it only lacked a file handle for a moment.
 * So a process that can't load its own code ends, as it would have at its start: the host begins another one, and
 * whatever this one was doing is done again, as after any other death.
 */
export const loaded = async <T>(importing: Promise<T>): Promise<T> => {
  try {
    return await importing;
  } catch (error) {
    console.error('Ending, because a part of the app could not be loaded:', error);
    process.exit(1);
  }
};

export const identity = onFirstUse(async (): Promise<TokenCredential> => {
  const { DefaultAzureCredential } = await loaded(import('@azure/identity'));
  return new DefaultAzureCredential();
});

const storageIdentity = async (clientId: string | undefined): Promise<TokenCredential> => {
  if (clientId === undefined) return identity();
  const { ManagedIdentityCredential } = await loaded(import('@azure/identity'));
  return new ManagedIdentityCredential({ clientId });
};

export const storageAccount = async (service: 'queue' | 'table'): Promise<StorageAccount> => {
  const { storage } = config;
  return 'connectionString' in storage
    ? { connectionString: storage.connectionString }
    : {
        serviceUri: service === 'queue' ? storage.queueServiceUri : storage.tableServiceUri,
        credential: await storageIdentity(storage.clientId),
      };
};

const tables = async () => loaded(import('../shared/adapters/table-request-store.js'));
const queues = async () => loaded(import('../shared/adapters/storage-queue.js'));

const { batch, devOps, registry } = config;
const clock = createSystemClock();
const store = portOnFirstUse<RequestStore>(
  async () => {
    const { createTableRequestStore } = await tables();
    return createTableRequestStore({ account: await storageAccount('table') });
  },
  { remembered: () => undefined },
);
/** Both limits count the same rows; they are exact within one process only because there is one of each in it. */
const limits = { config, clock, listings: createLiveListings({ store, clock }) };
export const shared: Omit<Dependencies & IntakeDependencies, 'log'> = {
  config,
  store,
  queue: portOnFirstUse<RequestQueue>(async () => {
    const { createStorageQueue } = await queues();
    return createStorageQueue({ account: await storageAccount('queue') });
  }, {}),
  deadLetters: portOnFirstUse<DrainableQueue>(async () => {
    const { createDrainableQueue, deadLetterQueueName } = await queues();
    return createDrainableQueue(await storageAccount('queue'), deadLetterQueueName);
  }, {}),
  poison: portOnFirstUse<DrainableQueue>(async () => {
    const { createDrainableQueue, poisonQueueName } = await queues();
    return createDrainableQueue(await storageAccount('queue'), poisonQueueName);
  }, {}),
  compute: portOnFirstUse<Compute>(async () => {
    const [{ createBatchCompute }, { installationIdOf }] = await Promise.all([
      loaded(import('../shared/adapters/batch-compute.js')),
      loaded(import('../shared/adapters/installation.js')),
    ]);
    return createBatchCompute({
      accountUrl: batch.url,
      apiVersion: batch.apiVersion,
      installation: installationIdOf(await storageAccount('table')),
      auth: batch.sharedKey
        ? { accountName: batch.sharedKey.account, accountKey: batch.sharedKey.key }
        : { credential: await identity() },
      ...(registry.server !== undefined && registry.identity !== undefined
        ? { registry: { server: registry.server, identityResourceId: registry.identity } }
        : {}),
    });
  }, {}),
  registry: portOnFirstUse<AgentRegistry>(async () => {
    const { createDevOpsAgentRegistry } = await loaded(import('../shared/adapters/devops-agent-registry.js'));
    return createDevOpsAgentRegistry({
      organizationUrl: devOps.url,
      auth:
        devOps.token === undefined ? { credential: await identity() } : { personalAccessToken: devOps.token },
    });
  }, {}),
  pipeline: portOnFirstUse<PipelineCallback>(async () => {
    const { createDevOpsPipelineCallback } = await loaded(
      import('../shared/adapters/devops-pipeline-callback.js'),
    );
    return createDevOpsPipelineCallback();
  }, {}),
  seal: createTokenSeal({ keys: config.callbackTokenKeys }),
  clock,
  admission: createAdmissionGate(limits),
  backlog: createBacklogGate(limits),
  random: Math.random,
};

/** Nearly every call needs storage: it is loaded once the functions are registered, not while the first call waits. */
setImmediate(() => {
  void tables();
  void queues();
});

/** For functions that neither start nor tell orchestrations; log lines go where the invocation's go. */
export const intakeOf = (context: InvocationContext): Dependencies & IntakeDependencies => ({
  ...shared,
  log: logOf(context),
});

export const logOf = (context: InvocationContext): Log => ({
  info: message => context.info(message),
  warn: message => context.warn(message),
  error: message => context.error(message),
});

/** For functions with a durable client among their inputs. */
export const dependenciesOf = (context: InvocationContext): WithOrchestrations => ({
  ...intakeOf(context),
  orchestrations: durableOrchestrations(getClient(context), {
    lifecycle: lifecycleName,
    watch: watchName,
    event: situationEvent,
    wake: wakeEvent,
  }),
});

export const checkHealth = health(shared);

/** With Easy Auth the platform signs people in, who have no key; every answer asks for its headers instead. */
export const dashboardAccess = {
  dashboardAuth: config.dashboardAuth,
  authLevel: config.dashboardAuth === 'easyAuth' ? 'anonymous' : 'function',
} as const;

/** Larger than the rest of the app, and few instances are ever asked for it. */
export const builtPage = onFirstUse(async (): Promise<BuiltPage> => {
  const { page } = await loaded(import('../shared/dashboard/built-page.js'));
  return page;
});
