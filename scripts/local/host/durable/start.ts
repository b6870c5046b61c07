import type { FastifyInstance } from 'fastify';
import { extraInputs, triggerOf } from '../bindings.js';
import type { RegisteredFunction } from '../core-module.js';
import type { OutputData, TypedData } from '../core-types.js';
import type { DurableConfig } from '../host-config.js';
import { givenKey } from '../http.js';
import type { InvocationCall, InvocationOutcome } from '../invoker.js';
import { createKeyCheck } from '../keys.js';
import { errorMessage, type Log } from '../log.js';
import { resolveConnection, resolvePercentNames, type Settings } from '../settings.js';
import { openTable } from '../storage.js';
import { clientBinding, type DurableUrls } from './client-binding.js';
import { type DurableFunctions, Engine } from './engine.js';
import { lockHub } from './lock.js';
import { addManagementApi } from './management-api.js';
import { Store } from './store.js';

export interface DurableOptions {
  readonly server: FastifyInstance;
  readonly log: Log;
  readonly config: DurableConfig;
  readonly settings: Settings;
  readonly functions: readonly RegisteredFunction[];
  readonly invoke: (target: RegisteredFunction, call: InvocationCall) => Promise<InvocationOutcome>;
  /** URL of the host, once it listens. */
  readonly webhookUrl: () => string;
  /** Secret path of the API for the app's own clients. */
  readonly rpcPath: string;
  readonly systemKeys: readonly string[];
  readonly systemKey: string;
  readonly inputs: { readonly durableClient: () => TypedData };
  readonly onLost: () => void;
}

export interface RunningDurable {
  readonly engine: Engine;
  clientBinding(): string;
  close(): Promise<void>;
}

const webhookPath = '/runtime/webhooks/durabletask';

/** Prepares the Durable engine and its HTTP API; undefined when the app has no use for it. */
export async function startDurable(options: DurableOptions): Promise<RunningDurable | undefined> {
  const { config, settings, log, server } = options;
  if (!usesDurable(options.functions)) return undefined;
  const where = 'host.json (extensions.durableTask)';
  const hubName = tableSafe(resolvePercentNames(config.hubName, settings, where));
  const { connectionName, connectionStringName } = config.storageProvider;
  const connection = resolveConnection(connectionName ?? connectionStringName, settings, where);
  const table = openTable(connection, `${hubName}Instances`);
  const lock = await lockHub(table, log, { lost: options.onLost, deleted: () => engine.forget() });
  const store = new Store(table, log, () => {
    // Whoever noticed must not wait for it: letting go of an instance waits for what it is just storing.
    lock.check().catch((error: unknown) => {
      log.write('error', 'Host.Durable', `The task hub could not be made again yet: ${errorMessage(error)}`);
    });
  });
  const engine: Engine = new Engine({
    store,
    log,
    functions: durableFunctions(options),
    maxActivities: config.maxConcurrentActivityFunctions,
    maxOrchestrators: config.maxConcurrentOrchestratorFunctions,
    defaultVersion: config.defaultVersion,
    untilHubIsThere: () => lock.check(),
  });
  const urls = (): DurableUrls => ({
    webhookUrl: `${options.webhookUrl()}${webhookPath}`,
    rpcUrl: `${options.webhookUrl()}${options.rpcPath}`,
    hubName,
    systemKey: options.systemKey,
  });
  const opens = createKeyCheck(options.systemKeys);
  addManagementApi(server, { engine, prefix: webhookPath, urls, opens: request => opens(givenKey(request)) });
  addManagementApi(server, { engine, prefix: options.rpcPath, urls });
  let binding: string | undefined;
  return {
    engine,
    clientBinding: () => {
      binding ??= clientBinding(urls());
      return binding;
    },
    async close() {
      await engine.close();
      await lock.release();
    },
  };
}

const usesDurable = (functions: readonly RegisteredFunction[]): boolean =>
  functions.some(({ metadata }) =>
    Object.values(metadata.bindings).some(({ type }) =>
      ['orchestrationtrigger', 'activitytrigger', 'durableclient', 'orchestrationclient'].includes(
        type.toLowerCase(),
      ),
    ),
  );

/** A hub name may hold only letters and digits and must leave room for the table's suffix. */
function tableSafe(hubName: string): string {
  if (/^[A-Za-z][A-Za-z0-9]{2,44}$/.test(hubName)) return hubName;
  throw new Error(
    `The Durable hub name "${hubName}" can't name tables: it must be 3 to 45 letters and digits and begin with a letter.`,
  );
}

function durableFunctions({ functions, invoke, inputs }: DurableOptions): DurableFunctions {
  const byTrigger = (type: string) =>
    new Map(
      functions.flatMap(target => {
        const trigger = triggerOf(target.metadata, type);
        return trigger
          ? [[target.metadata.name.toLowerCase(), { target, input: trigger.name }] as const]
          : [];
      }),
    );
  const orchestrators = byTrigger('orchestrationTrigger');
  const activities = byTrigger('activityTrigger');
  return {
    known: { orchestrators: new Set(orchestrators.keys()), activities: new Set(activities.keys()) },
    orchestrator(name, binding) {
      const found = orchestrators.get(name.toLowerCase());
      if (!found) return undefined;
      const inputData = [
        { name: found.input, data: { string: binding } },
        ...extraInputs(found.target.metadata, inputs),
      ];
      return invoke(found.target, { inputData, successLevel: 'debug', logFailure: false });
    },
    activity(name, input, instanceId) {
      const found = activities.get(name.toLowerCase());
      if (!found) return undefined;
      const inputData = [
        { name: found.input, data: { json: input ?? 'null' } },
        ...extraInputs(found.target.metadata, inputs),
      ];
      const triggerMetadata = { InstanceId: { json: JSON.stringify(instanceId) } };
      return invoke(found.target, { inputData, triggerMetadata }).then(({ response }) =>
        resultText(response.returnValue),
      );
    },
  };
}

/** JSON text of what an activity returned. */
function resultText(data: OutputData | null | undefined): string {
  if (!data) return 'null';
  if (data.json !== undefined) return data.json;
  if (data.string !== undefined) return JSON.stringify(data.string);
  if (data.bytes) return JSON.stringify(Buffer.from(data.bytes).toString('base64'));
  return String(data.int ?? data.double ?? 'null');
}
