import type { InvocationContext } from '@azure/functions';
import { DefaultAzureCredential, ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import { getClient } from 'durable-functions';
import type { Dependencies, WithOrchestrations } from '../shared/activities/dependencies.js';
import { createBatchCompute } from '../shared/adapters/batch-compute.js';
import { createDevOpsAgentRegistry } from '../shared/adapters/devops-agent-registry.js';
import { createDevOpsPipelineCallback } from '../shared/adapters/devops-pipeline-callback.js';
import { durableOrchestrations } from '../shared/adapters/durable-orchestrations.js';
import { installationIdOf } from '../shared/adapters/installation.js';
import type { StorageAccount } from '../shared/adapters/storage-account.js';
import {
  createDrainableQueue,
  createStorageQueue,
  deadLetterQueueName,
  poisonQueueName,
} from '../shared/adapters/storage-queue.js';
import { createSystemClock } from '../shared/adapters/system-clock.js';
import { createTableRequestStore } from '../shared/adapters/table-request-store.js';
import { createTokenSeal } from '../shared/adapters/token-seal.js';
import type { IntakeDependencies } from '../shared/api/ask-for-agent.js';
import { health } from '../shared/api/health.js';
import { type Config, readConfig, type StorageConfig } from '../shared/config.js';
import { createAdmissionGate } from '../shared/limits/admission-gate.js';
import { createBacklogGate } from '../shared/limits/backlog-gate.js';
import { createLiveListings } from '../shared/limits/live-listings.js';
import type { Log } from '../shared/ports.js';
import { lifecycleName, situationEvent, watchName } from '../shared/workflow/contract.js';

/** The composition root: the one place that reads the environment and chooses the adapters. */
const config: Config = readConfig(process.env);

let identity: TokenCredential | undefined;
const credential = (): TokenCredential => {
  identity ??= new DefaultAzureCredential();
  return identity;
};

const storageAccount = (storage: StorageConfig, service: 'queue' | 'table'): StorageAccount =>
  'connectionString' in storage
    ? { connectionString: storage.connectionString }
    : {
        serviceUri: service === 'queue' ? storage.queueServiceUri : storage.tableServiceUri,
        credential:
          storage.clientId === undefined
            ? credential()
            : new ManagedIdentityCredential({ clientId: storage.clientId }),
      };

const { batch, devOps, registry } = config;
const clock = createSystemClock();
const store = createTableRequestStore({ account: storageAccount(config.storage, 'table') });
/** Both limits count the same rows; they are exact within one process only because there is one of each in it. */
const limits = { config, clock, listings: createLiveListings({ store, clock }) };
const queueAccount = storageAccount(config.storage, 'queue');
const shared: Omit<Dependencies & IntakeDependencies, 'log'> = {
  config,
  store,
  queue: createStorageQueue({ account: queueAccount }),
  deadLetters: createDrainableQueue(queueAccount, deadLetterQueueName),
  poison: createDrainableQueue(queueAccount, poisonQueueName),
  compute: createBatchCompute({
    accountUrl: batch.url,
    apiVersion: batch.apiVersion,
    installation: installationIdOf(storageAccount(config.storage, 'table')),
    auth: batch.sharedKey
      ? { accountName: batch.sharedKey.account, accountKey: batch.sharedKey.key }
      : { credential: credential() },
    ...(registry.server !== undefined && registry.identity !== undefined
      ? { registry: { server: registry.server, identityResourceId: registry.identity } }
      : {}),
  }),
  registry: createDevOpsAgentRegistry({
    organizationUrl: devOps.url,
    auth: devOps.token === undefined ? { credential: credential() } : { personalAccessToken: devOps.token },
  }),
  pipeline: createDevOpsPipelineCallback(),
  seal: createTokenSeal({ keys: config.callbackTokenKeys }),
  clock,
  admission: createAdmissionGate(limits),
  backlog: createBacklogGate(limits),
  random: Math.random,
};

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
  }),
});

export const checkHealth = health(shared);
