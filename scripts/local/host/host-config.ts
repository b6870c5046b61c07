import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { type LogLevel, logLevels, toLogLevel } from './log.js';
import { readJsonFile, type Settings } from './settings.js';
import { parseTimeSpan } from './time-span.js';

const Duration = z.string().transform((text, context) => {
  const ms = parseTimeSpan(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `"${text}" is not a duration (hh:mm:ss)` });
  return z.NEVER;
});
const Level = z.string().transform((text, context) => {
  const level = toLogLevel(text);
  if (level) return level;
  context.addIssue({ code: 'custom', message: `"${text}" is none of ${logLevels.join(', ')}` });
  return z.NEVER;
});
/** Overrides through the environment arrive as text. */
const Count = (minimum: number, maximum = Number.MAX_SAFE_INTEGER) =>
  z.coerce.number().pipe(z.int().min(minimum).max(maximum));

const HttpOptions = z.looseObject({
  routePrefix: z.string().default('api'),
  /** -1: no limit. */
  maxConcurrentRequests: z.coerce
    .number()
    .pipe(z.union([z.literal(-1), z.int().min(1)]))
    .default(-1),
});

const QueueOptions = z.looseObject({
  messageEncoding: z.enum(['base64', 'none']).default('base64'),
  batchSize: Count(1, 32).default(16),
  newBatchThreshold: Count(0).optional(),
  maxDequeueCount: Count(1).default(5),
  visibilityTimeout: Duration.default(0),
  maxPollingInterval: Duration.default(60_000),
});

const DurableOptions = z.looseObject({
  hubName: z.string().min(1).default('TestHubName'),
  maxConcurrentActivityFunctions: Count(1).default(10 * availableParallelism()),
  maxConcurrentOrchestratorFunctions: Count(1).default(10 * availableParallelism()),
  storageProvider: z
    .looseObject({
      type: z.string().optional(),
      connectionName: z.string().optional(),
      connectionStringName: z.string().optional(),
    })
    .prefault({}),
  defaultVersion: z.string().optional(),
});

const HostJson = z.looseObject({
  version: z.literal('2.0'),
  logging: z.looseObject({ logLevel: z.record(z.string(), Level).prefault({}) }).prefault({}),
  extensions: z
    .looseObject({
      http: HttpOptions.prefault({}),
      queues: QueueOptions.prefault({}),
      durableTask: DurableOptions.prefault({}),
    })
    .prefault({}),
});

export type QueueConfig = z.output<typeof QueueOptions> & { readonly newBatchThreshold: number };
export type DurableConfig = z.output<typeof DurableOptions>;

/** What this host reads of host.json; durations in milliseconds. */
export interface HostConfig {
  readonly routePrefix: string;
  /** HTTP functions that run at once; infinite where there is no limit. */
  readonly maxConcurrentRequests: number;
  readonly logLevels: Readonly<Record<string, LogLevel>>;
  readonly queues: QueueConfig;
  readonly durable: DurableConfig;
}

/** Reads host.json, with settings `AzureFunctionsJobHost__a__b` laid over `a.b` as in Azure. */
export async function readHostConfig(appDir: string, settings: Settings): Promise<HostConfig> {
  const path = join(appDir, 'host.json');
  const file = await readJsonFile(path);
  if (file === undefined) throw new Error(`${appDir} is not a Functions app: it has no host.json.`);
  return parseHostConfig(withOverrides(file, settings), path);
}

export function parseHostConfig(file: unknown, path: string): HostConfig {
  const parsed = HostJson.safeParse(file);
  if (!parsed.success)
    throw new Error(`${path} can't be used. ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
  const { extensions, logging } = parsed.data;
  const provider = extensions.durableTask.storageProvider.type;
  if (provider !== undefined && provider.toLowerCase() !== 'azurestorage') {
    throw new Error(
      `${path} asks for the Durable storage provider "${provider}"; this host has only AzureStorage.`,
    );
  }
  const { queues, http } = extensions;
  return {
    routePrefix: http.routePrefix,
    maxConcurrentRequests: http.maxConcurrentRequests < 0 ? Infinity : http.maxConcurrentRequests,
    logLevels: { default: 'information', ...logging.logLevel },
    queues: { ...queues, newBatchThreshold: queues.newBatchThreshold ?? Math.floor(queues.batchSize / 2) },
    durable: extensions.durableTask,
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function withOverrides(file: unknown, settings: Settings): unknown {
  const prefix = 'AzureFunctionsJobHost__';
  const root: unknown = structuredClone(file);
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined || !name.startsWith(prefix)) continue;
    let at: unknown = root;
    const path = name.slice(prefix.length).split('__');
    for (const [index, wanted] of path.entries()) {
      if (!isObject(at)) break;
      const owner: Record<string, unknown> = at;
      const key = Object.keys(owner).find(k => k.toLowerCase() === wanted.toLowerCase()) ?? wanted;
      if (index === path.length - 1) owner[key] = value;
      else {
        owner[key] ??= {};
        at = owner[key];
      }
    }
  }
  return root;
}
