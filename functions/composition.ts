import { app, type InvocationContext } from '@azure/functions';
import type { TokenCredential } from '@azure/identity';
import { getClient } from 'durable-functions';
import type { Dependencies, WithOrchestrations } from '../shared/activities/dependencies.js';
import { durableOrchestrations } from '../shared/adapters/durable-orchestrations.js';
import { onFirstUse, portOnFirstUse } from '../shared/adapters/on-first-use.js';
import { createOpenTelemetry, type OpenTelemetry } from '../shared/adapters/open-telemetry.js';
import type { StorageAccount } from '../shared/adapters/storage-account.js';
import { createSystemClock } from '../shared/adapters/system-clock.js';
import { createTokenSeal } from '../shared/adapters/token-seal.js';
import type { IntakeDependencies } from '../shared/api/ask-for-agent.js';
import { health } from '../shared/api/health.js';
import { showOpenApi } from '../shared/api/show-openapi.js';
import type { TelemetryConfig } from '../shared/config/telemetry.js';
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
import { linesTo } from '../shared/telemetry/log-line.js';
import { noTelemetry } from '../shared/telemetry/no-telemetry.js';
import { observed, type Ports } from '../shared/telemetry/observed.js';
import type { Service } from '../shared/telemetry/observed-port.js';
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

const openTelemetry = config.telemetry && traceInto(config.telemetry);
export const telemetry = openTelemetry?.telemetry ?? noTelemetry;

function traceInto(where: TelemetryConfig): OpenTelemetry {
  const { azureMonitor } = where;
  return createOpenTelemetry(async () => {
    // It would tell its maker how it is used, at an address of its own.
    process.env['APPLICATION_INSIGHTS_NO_STATSBEAT'] ??= 'true';
    const { openTelemetrySink } = await import('../shared/adapters/open-telemetry-exporters.js');
    const signIn = azureMonitor?.identity && (await storageIdentity(azureMonitor.identity.clientId));
    return openTelemetrySink(where, signIn, message => console.warn(message));
  });
}

const tables = async () => loaded(import('../shared/adapters/table-request-store.js'));
const queues = async () => loaded(import('../shared/adapters/storage-queue.js'));

const { batch, devOps, registry } = config;
const clock = createSystemClock();
const throttledBy = (service: Service) => (): void => telemetry.count('agents.throttles', { service });
const ports: Ports = {
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
      onNodes: (batchPool, byState) => {
        for (const [state, nodes] of byState)
          telemetry.record('agents.pool.nodes', nodes, { batchPool, state });
      },
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
      onThrottle: throttledBy('devops'),
    });
  }, {}),
  pipeline: portOnFirstUse<PipelineCallback>(async () => {
    const { createDevOpsPipelineCallback } = await loaded(
      import('../shared/adapters/devops-pipeline-callback.js'),
    );
    return createDevOpsPipelineCallback(clock, throttledBy('callback'));
  }, {}),
};
const watched = openTelemetry ? observed(ports, telemetry) : ports;
/** Both limits count the same rows; they are exact within one process only because there is one of each in it. */
const limits = { config, clock, listings: createLiveListings({ store: watched.store, clock }) };
export const shared: Omit<Dependencies & IntakeDependencies, 'log'> = {
  ...watched,
  config,
  deadLetters: portOnFirstUse<DrainableQueue>(async () => {
    const { createDrainableQueue, deadLetterQueueName } = await queues();
    return createDrainableQueue(await storageAccount('queue'), deadLetterQueueName);
  }, {}),
  poison: portOnFirstUse<DrainableQueue>(async () => {
    const { createDrainableQueue, poisonQueueName } = await queues();
    return createDrainableQueue(await storageAccount('queue'), poisonQueueName);
  }, {}),
  seal: createTokenSeal({ keys: config.callbackTokenKeys }),
  clock,
  telemetry,
  admission: createAdmissionGate(limits),
  backlog: createBacklogGate(limits),
  random: Math.random,
};

/** Nearly every call needs storage: it is loaded once the functions are registered, not while the first call waits. */
setImmediate(() => {
  const first = Promise.all([tables(), queues()]);
  if (openTelemetry) void first.then(openTelemetry.open).catch(tellThatItIsOff);
});
if (openTelemetry) app.hook.appTerminate(openTelemetry.flush);

/** The work goes on without it. */
function tellThatItIsOff(error: unknown): void {
  console.warn(`Telemetry is off: ${error instanceof Error ? error.message : String(error)}`);
}

/** For functions that neither start nor tell orchestrations; log lines go where the invocation's go. */
export const intakeOf = (context: InvocationContext): Dependencies & IntakeDependencies => ({
  ...shared,
  log: logOf(context),
});

export const logOf = (context: InvocationContext): Log =>
  linesTo(
    {
      info: line => context.info(line),
      warn: line => context.warn(line),
      error: line => context.error(line),
    },
    config.logFormat,
    openTelemetry?.current ?? (() => ({})),
  );

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

export const openApi = showOpenApi(async () => {
  const { openApiText } = await loaded(import('../shared/openapi/document.js'));
  return openApiText();
});

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
