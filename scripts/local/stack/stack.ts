import { join, resolve } from 'node:path';
import { inheritedEnvironment } from './environment.js';
import { lockFolder } from './folder-lock.js';
import { batchAccount, defaultAgentPools, hostSettings } from './host-settings.js';
import type { Ready } from './part.js';
import { neededParts, type PartName, partNames, type Settings } from './plan.js';
import { defaultApp, portArguments, programs } from './programs.js';
import { openSecrets } from './secrets.js';
import { type StackEvent, Supervisor } from './supervisor.js';

export interface StackOptions {
  /** Where every part keeps its data; it is made when missing and stays. */
  readonly dataDir: string;
  /** Folder of the built app that the host loads; default: this product. */
  readonly app?: string;
  /** Settings of the app. One that names a real service keeps its stand-in from being started. */
  readonly settings?: Settings;
  /** Parts to start; default: those that the settings call for. */
  readonly parts?: readonly PartName[];
  /** Ports that must be these; others are free ones. */
  readonly ports?: Partial<Record<Exclude<PartName, 'storage'>, number>>;
  /** Let fault rules make the storage misbehave, too: `PUT {url('storage')}/_local/faults`. */
  readonly storageFaults?: boolean;
  /** Makes the chances of the stand-ins' fault rules reproducible. */
  readonly seed?: number;
  /** Further arguments of a part. */
  readonly args?: Partial<Record<PartName, readonly string[]>>;
  /** Other programs in place of the parts'. */
  readonly programs?: Partial<Record<PartName, string>>;
  /** How often a part that dies by itself is started again; default: never. */
  readonly restarts?: number;
  readonly onEvent?: (event: StackEvent) => void;
  /** Calls the start off: what runs already is ended. */
  readonly signal?: AbortSignal;
}

export interface Stack {
  readonly dataDir: string;
  readonly parts: readonly PartName[];
  /** What the app was given; its secrets too. */
  readonly settings: Readonly<Record<string, string>>;
  /** Key that opens every function. */
  readonly functionKey: string;
  /** Personal access token of the stand-in for Azure DevOps. */
  readonly pat: string;
  /** Where a part answers, without a `/` at the end; throws for one that was not started. */
  url(part: PartName): string;
  /** Process id of a part; undefined while it does not run. */
  pid(part: PartName): number | undefined;
  /** The last lines that a part printed. */
  output(part: PartName): string;
  /** Kills a part with SIGKILL and leaves it dead. */
  kill(part: PartName): Promise<void>;
  /** Starts a part that was killed, on the same port and data. */
  start(part: PartName): Promise<void>;
  /** Kills a part and starts it again. */
  restart(part: PartName): Promise<void>;
  /**
   * Ends every part, the host first.
   *
   * @throws a sentence when a part did not end cleanly or left a process behind; everything has ended even so
   */
  stop(): Promise<void>;
}

/**
 * Starts the one-machine stack: each part as a process of its own, which ends when this one does.
 *
 * @throws a sentence about the part that would not start; whatever had started has ended by then
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const dataDir = resolve(options.dataDir);
  const unlock = await lockFolder(dataDir);
  const supervisor = new Supervisor({
    restarts: options.restarts ?? 0,
    onEvent: options.onEvent ?? (() => {}),
    signal: options.signal,
  });
  const stop = async (): Promise<void> => {
    try {
      await supervisor.stop();
    } finally {
      await unlock();
    }
  };
  try {
    return { ...(await startParts(dataDir, supervisor, options)), stop };
  } catch (error) {
    // Why it did not start says more than how what had started ended.
    await stop().catch(() => undefined);
    throw error;
  }
}

async function startParts(
  dataDir: string,
  supervisor: Supervisor,
  options: StackOptions,
): Promise<Omit<Stack, 'stop'>> {
  const given = options.settings ?? {};
  const wanted = options.parts ?? neededParts(given);
  const secrets = await openSecrets(dataDir);
  const env = inheritedEnvironment();
  const launch = (
    name: PartName,
    args: readonly string[],
    extraEnv: Readonly<Record<string, string>> = {},
  ): Promise<Ready> | undefined =>
    wanted.includes(name)
      ? supervisor.launch(name, {
          name,
          program: options.programs?.[name] ?? programs[name],
          args: last => [
            ...portArguments(name, last, options.ports),
            '--data',
            join(dataDir, name),
            ...args,
            ...(options.args?.[name] ?? []),
          ],
          env: { ...env, ...extraEnv },
        })
      : undefined;

  const agentPools = [
    given['AzDOUbuntuPool'] || defaultAgentPools.ubuntu,
    given['AzDOWindowsPool'] || defaultAgentPools.windows,
  ];
  const seed = options.seed === undefined ? [] : ['--seed', String(options.seed)];
  const storage = await launch('storage', options.storageFaults ? ['--faults', ...seed] : []);
  const devops = await launch('devops', ['--pools', agentPools.join(','), ...seed], {
    AZDO_LOCAL_PAT: secrets.pat,
    // Where a pipeline's PublishToAzureServiceBus ends up.
    AZDO_LOCAL_QUEUE_STORAGE: storage?.details?.['connectionString'] ?? given['AzureWebJobsStorage'] ?? '',
  });
  const batch = await launch('batch', ['--account', batchAccount, ...seed]);
  const settings = hostSettings(given, { storage, batch, devops, ...secrets });
  await launch('host', ['--app', options.app ?? defaultApp, '--keys', secrets.keysFile], settings);

  return {
    dataDir,
    parts: partNames.filter(name => wanted.includes(name)),
    settings,
    functionKey: secrets.functionKey,
    pat: secrets.pat,
    url: name => supervisor.part(name).ready.url.replace(/\/$/, ''),
    pid: name => supervisor.part(name).pid,
    output: name => supervisor.part(name).output,
    kill: name => supervisor.part(name).kill(),
    start: name => supervisor.start(name),
    restart: async name => {
      await supervisor.part(name).kill();
      await supervisor.start(name);
    },
  };
}
