import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { listenBacklog, type RunningService } from '../service.js';
import { addAdminApi } from './admin-api.js';
import { loadApp } from './app-loader.js';
import { extraInputs, triggerOf, unsupportedBindings } from './bindings.js';
import { CoreModule, type RegisteredFunction } from './core-module.js';
import type { TypedData } from './core-types.js';
import { type RunningDurable, startDurable } from './durable/start.js';
import { withRetries } from './function-retry.js';
import { type HostConfig, readHostConfig } from './host-config.js';
import { addHttpTriggers, createHttpServer } from './http.js';
import { HttpLoad } from './http-load.js';
import { type InvocationCall, type InvocationOutcome, Invoker } from './invoker.js';
import { type KeptPort, keepPort } from './kept-port.js';
import { durableSystemKey, openKeys } from './keys.js';
import { createLog, errorMessage, type Log } from './log.js';
import { bindingDataOf } from './outputs/binding-data.js';
import { blobOutput } from './outputs/blob.js';
import { type OutputBinding, sendOutputs } from './outputs/output.js';
import { queueOutput } from './outputs/queue.js';
import { smsOutput } from './outputs/sms.js';
import { QueueListener } from './queue-trigger.js';
import { readSettings, resolveConnection, resolvePercentNames, type Settings } from './settings.js';
import { sleep } from './storage.js';
import { parseSchedule, TimerListener } from './timer-trigger.js';

export interface HostOptions {
  /** Folder of the built app: host.json, package.json, local.settings.json. */
  readonly appDir: string;
  /** Where the host keeps keys and timer states; default `<app>/.local/host`. */
  readonly dataDir?: string;
  /** Default `<data>/keys.json`. */
  readonly keysFile?: string;
  /** 0 or absent: a free port. */
  readonly port?: number;
  /** The one to take of the free ones, if it is free. */
  readonly preferredPort?: number;
  readonly env?: Settings;
  /** Called when the host can't go on; default: the process ends. */
  readonly onFatal?: () => void;
}

/** Running invocations get this long to end when the host is told to stop. */
const drainMs = 4_000;

const QueueTrigger = z.looseObject({
  queueName: z.string().min(1),
  connection: z.string().optional(),
  dataType: z.string().optional(),
});
const TimerTrigger = z.looseObject({
  schedule: z.string().min(1),
  runOnStartup: z.boolean().optional(),
  useMonitor: z.boolean().optional(),
});

/**
 * Starts a host for one app. Only one per process: the app registers itself through a hook into `require`, and its
 * settings become the process's environment, as in a Functions worker.
 *
 * @throws Error that names everything that keeps the app from being served
 */
export async function startHost(options: HostOptions): Promise<RunningService> {
  const { appDir } = options;
  const env = options.env ?? process.env;
  const settings = await readSettings(appDir, env);
  const config = await readHostConfig(appDir, settings);
  const log = createLog(config.logLevels);
  for (const [name, value] of Object.entries(settings)) process.env[name] ??= value;
  process.env['AZURE_FUNCTIONS_ENVIRONMENT'] ??= 'Development';

  const port = await keepPort(options.port, options.preferredPort);
  try {
    // As in the cloud, an app can read its own address while it loads. The SDK of Durable needs it, too: it replaces
    // the origin of its URLs by localhost:7071 otherwise.
    process.env['WEBSITE_HOSTNAME'] ??= `127.0.0.1:${port.port}`;
    return await startApp(options, settings, config, log, port);
  } finally {
    await port.release();
  }
}

async function startApp(
  options: HostOptions,
  settings: Settings,
  config: HostConfig,
  log: Log,
  port: KeptPort,
): Promise<RunningService> {
  const { appDir } = options;
  const core = new CoreModule(log);
  core.install();
  await loadApp(appDir);
  const functions = [...core.functions.values()].filter(
    ({ metadata }) => !isDisabled(metadata.name, settings),
  );
  const problems = unsupportedBindings(functions);
  if (functions.length === 0) problems.push('The app registered no function.');
  if (problems.length > 0) throw new Error(problems.join('\n'));

  return await new Host(options, settings, config, log, core, functions, port).start();
}

const isDisabled = (name: string, settings: Settings): boolean =>
  ['true', '1'].includes(
    (
      settings[`AzureWebJobs.${name}.Disabled`] ??
      settings[`AzureWebJobs_${name}_Disabled`] ??
      ''
    ).toLowerCase(),
  );

class Host {
  readonly #invoker: Invoker;
  readonly #outputs: ReadonlyMap<string, OutputBinding>;
  readonly #queues: QueueListener[] = [];
  readonly #timers: TimerListener[] = [];
  readonly #dataDir: string;
  readonly #load: HttpLoad;
  #durable: RunningDurable | undefined;

  constructor(
    private readonly options: HostOptions,
    private readonly settings: Settings,
    private readonly config: HostConfig,
    private readonly log: Log,
    private readonly core: CoreModule,
    private readonly functions: readonly RegisteredFunction[],
    private readonly port: KeptPort,
  ) {
    this.#dataDir = options.dataDir ?? join(options.appDir, '.local', 'host');
    this.#invoker = new Invoker(core, log);
    this.#load = new HttpLoad(config.maxConcurrentRequests);
    const named = {
      resolve: (text: string, where: string) => resolvePercentNames(text, settings, where),
      connection: (name: string | undefined, where: string) => resolveConnection(name, settings, where),
    };
    this.#outputs = new Map(
      [
        queueOutput({
          ...named,
          encoding: config.queues.messageEncoding,
          sent: queueName => this.#nudgeQueues(queueName),
        }),
        blobOutput(named),
        smsOutput({ ...named, log }),
      ].map(output => [output.type, output]),
    );
  }

  async start(): Promise<RunningService> {
    const { functions, config, log, core } = this;
    const keysFile = this.options.keysFile ?? join(this.#dataDir, 'keys.json');
    const names = functions.map(({ metadata }) => metadata.name);
    const keys = await openKeys(keysFile, names);
    const problems = [...this.#addQueues(), ...this.#addTimers()];
    if (problems.length > 0) throw new Error(problems.join('\n'));

    const server = createHttpServer(log);
    let url = '';
    const durable = await startDurable({
      server,
      log,
      config: config.durable,
      settings: this.settings,
      functions,
      invoke: (target, call) => this.#invoke(target, call),
      webhookUrl: () => url,
      rpcPath: `/durable-${randomBytes(16).toString('hex')}`,
      systemKeys: [keys.masterKey, ...Object.values(keys.systemKeys)],
      systemKey: keys.systemKeys[durableSystemKey] ?? keys.masterKey,
      inputs: this.#inputs,
      onLost: this.options.onFatal ?? (() => process.exit(1)),
    });
    this.#durable = durable;
    try {
      await core.runHooks('appStart', this.#invoker.appHookContext());
      // As the worker does: @azure/functions forbids changes of its setup once it has been asked.
      const capabilities: Record<string, string> = {};
      await core.programmingModel?.getCapabilities?.(capabilities);
      const lines = addHttpTriggers({
        server,
        routePrefix: config.routePrefix,
        keys,
        functions,
        log,
        inputs: this.#inputs,
        load: this.#load,
        streamUri: capabilities['HttpUri'],
        invoke: async (target, call) => {
          try {
            return await this.#invoke(target, call);
          } finally {
            // What a function has sent to a queue by itself need not wait for the end of a pause.
            if (call.inputData.some(({ data }) => data.http && data.http.method !== 'GET'))
              this.#nudgeQueues();
          }
        },
      });
      addAdminApi({ server, masterKey: keys.masterKey, timers: () => this.#timers });
      core.seal();

      await this.port.release();
      url = await server.listen({ host: '127.0.0.1', port: this.port.port, backlog: listenBacklog });
      await durable?.engine.start();
      for (const queue of this.#queues) queue.start();
      for (const timer of this.#timers) await timer.start();
      for (const line of [...lines, ...this.#describeTriggers()])
        log.write('information', 'Host.Startup', line);
      log.write('information', 'Host.Startup', `Keys are in ${keysFile}`);
    } catch (error) {
      await Promise.all([...this.#queues, ...this.#timers].map(listener => listener.stop()));
      await server.close();
      await durable?.close();
      throw error;
    }
    return { url, close: () => this.#close(server) };
  }

  async #close(server: { close(): unknown }): Promise<void> {
    const { log } = this;
    const listeners = [...this.#queues, ...this.#timers];
    const stopped = Promise.all(listeners.map(listener => listener.stop()));
    this.#durable?.engine.drain();
    await Promise.race([Promise.all([stopped, this.#invoker.idle(drainMs)]), sleep(drainMs)]);
    await server.close();
    try {
      await this.core.runHooks('appTerminate', this.#invoker.appHookContext());
    } catch (error) {
      log.write('error', 'Host.Shutdown', `An appTerminate hook failed: ${errorMessage(error)}`);
    }
    await this.#durable?.close();
  }

  async #invoke(target: RegisteredFunction, call: InvocationCall): Promise<InvocationOutcome> {
    const outcome = await this.#invoker.invoke(target, call);
    await sendOutputs(this.#outputs, target.metadata, outcome.response, () =>
      bindingDataOf(call.inputData[0]?.data, call.triggerMetadata),
    );
    return outcome;
  }

  readonly #inputs = {
    durableClient: (): TypedData => {
      if (!this.#durable) throw new Error('The Durable engine is not running.');
      return { json: this.#durable.clientBinding() };
    },
  };

  #addQueues(): string[] {
    const problems: string[] = [];
    for (const target of this.functions) {
      const trigger = triggerOf(target.metadata, 'queueTrigger');
      if (!trigger) continue;
      const { name } = target.metadata;
      const where = `The queue trigger of function "${name}"`;
      try {
        const { queueName, connection, dataType } = QueueTrigger.parse(trigger.binding);
        this.#queues.push(
          new QueueListener({
            functionName: name,
            queueName: resolvePercentNames(queueName, this.settings, where),
            connection: resolveConnection(connection, this.settings, where),
            config: this.config.queues,
            binary: dataType?.toLowerCase() === 'binary',
            log: this.log,
            untilCalm: ms => this.#load.calm(ms),
            run: async (data, triggerMetadata) => {
              const inputData = [{ name: trigger.name, data }, ...extraInputs(target.metadata, this.#inputs)];
              await this.#invoke(target, { inputData, triggerMetadata });
            },
          }),
        );
      } catch (error) {
        problems.push(errorMessage(error));
      }
    }
    return problems;
  }

  #addTimers(): string[] {
    const problems: string[] = [];
    for (const target of this.functions) {
      const trigger = triggerOf(target.metadata, 'timerTrigger');
      if (!trigger) continue;
      const { name } = target.metadata;
      const where = `The timer trigger of function "${name}"`;
      try {
        const { schedule, runOnStartup, useMonitor } = TimerTrigger.parse(trigger.binding);
        this.#timers.push(
          new TimerListener({
            functionName: name,
            schedule: parseSchedule(
              resolvePercentNames(schedule, this.settings, where),
              this.settings['WEBSITE_TIME_ZONE'] || undefined,
            ),
            runOnStartup: runOnStartup ?? false,
            useMonitor,
            statusDir: join(this.#dataDir, 'timers'),
            log: this.log,
            run: data =>
              withRetries(target.metadata.retryOptions, async retryContext => {
                const inputData = [
                  { name: trigger.name, data },
                  ...extraInputs(target.metadata, this.#inputs),
                ];
                await this.#invoke(target, { inputData, ...(retryContext && { retryContext }) });
              }),
          }),
        );
      } catch (error) {
        problems.push(`${where} can't be used: ${errorMessage(error)}`);
      }
    }
    return problems;
  }

  /** @param queueName absent: all */
  #nudgeQueues(queueName?: string): void {
    for (const queue of this.#queues) {
      if (queueName === undefined || queue.queueName === queueName) queue.nudge();
    }
  }

  #describeTriggers(): string[] {
    return this.functions.flatMap(({ metadata }) => {
      const type =
        Object.values(metadata.bindings).find(binding => /trigger$/i.test(binding.type))?.type ?? '';
      return type.toLowerCase() === 'httptrigger' ? [] : [`${metadata.name}: ${type}`];
    });
  }
}
