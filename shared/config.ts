import * as z from 'zod';
import { aNumber, base64Key, commaSeparated, serviceUrl, tokenKeys, trueOrFalse } from './config/formats.js';
import { readArticleImages, readProfiles } from './config/profiles.js';
import { type Env, type Reader, reader } from './config/reader.js';
import { readStorage, type StorageConfig } from './config/storage.js';
import { readTelemetry, type TelemetryConfig } from './config/telemetry.js';
import { isLoopbackHost } from './domain/plan-url.js';
import type { ArticleImage, Profile } from './domain/profile.js';

/** Everything that can be set, read once at start and never again. */
export interface Config {
  readonly storage: StorageConfig;
  readonly batch: {
    readonly url: string;
    readonly apiVersion: string;
    /** Absent: managed identity. */
    readonly sharedKey: { readonly account: string; readonly key: string } | undefined;
  };
  readonly registry: { readonly server: string | undefined; readonly identity: string | undefined };
  readonly devOps: {
    /** Organisation URL, ending in `/`. */
    readonly url: string;
    /** Absent: managed identity. */
    readonly token: string | undefined;
  };
  /** By name, in the order of configuration; the first is the default. */
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly articleImages: Readonly<Record<string, ArticleImage>>;
  /** Newest first; the first seals, all unseal. */
  readonly callbackTokenKeys: readonly Uint8Array[];
  readonly allowedPlanHosts: readonly string[];
  readonly watchSeconds: number;
  readonly replyQueues: readonly string[];
  /** Who may open the operators' page: whoever has a function key, or whoever the platform has signed in. */
  readonly dashboardAuth: DashboardAuth;
  /** Whether the placeholder of each agent pool is made by itself, and again when it is missing. */
  readonly keepPlaceholders: boolean;
  /** Where callers reach the API when no request tells, without a trailing slash. */
  readonly publicUrl: string;
  /** Where traces and metrics go; absent: nowhere. */
  readonly telemetry: TelemetryConfig | undefined;
  /** A JSON object a line, for machines, or text with the fields at its end, for people. */
  readonly logFormat: 'json' | 'text';
}

export type DashboardAuth = 'key' | 'easyAuth';

/** Names every setting that is missing or malformed, in one go. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `${problems.length === 1 ? 'A setting needs' : `${problems.length} settings need`} attention:\n` +
        problems.map(problem => `  - ${problem}`).join('\n'),
    );
    this.problems = problems;
    // Hosts print it. Where in our code it was noticed helps nobody who has a setting to mend.
    this.stack = this.message;
  }
}

/**
 * Reads all settings.
 *
 * @param env e.g. `process.env`.
 * @returns a frozen configuration.
 * @throws ConfigError that names everything wrong at once; it never contains a secret.
 */
export function readConfig(env: Env): Config {
  const problems: string[] = [];
  const read = reader(env, problems);

  const storage = readStorage(read, problems);
  const batchUrl = read.required('BatchAccountUrl', serviceUrl);
  const batchKey = read.optional('BatchAccountKey', base64Key(1));
  const batchName = read.optional(
    'BatchAccountName',
    z.string().regex(/^[a-z0-9]{3,24}$/, 'must be 3 to 24 of a-z and 0-9'),
  );
  if (env['BatchAccountKey'] && !env['BatchAccountName']) {
    problems.push('BatchAccountName is missing; it is needed with BatchAccountKey.');
  }
  const devOpsUrl = read.required('AzDOUrl', serviceUrl);
  const devOpsToken = read.optional(
    'AzDOToken',
    z.string().regex(/^[\x21-\x7e]{8,4096}$/, 'must be a token without spaces'),
  );
  const profiles = readProfiles(read, problems, devOpsToken !== undefined);
  const articleImages = readArticleImages(read);
  const callbackTokenKeys = read.required('CallbackTokenKey', tokenKeys) ?? [];
  const allowedPlanHosts =
    read.optional(
      'AllowedPlanHosts',
      commaSeparated(z.string().regex(/^[a-z0-9.-]+(?::\d{1,5})?$/i, 'must be host names')),
    ) ?? (devOpsUrl === undefined ? [] : [new URL(devOpsUrl).host]);
  const watchSeconds = read.optional('WatchSeconds', aNumber(0.2, 300)) ?? 5;
  const replyQueues =
    read.optional(
      'ReplyQueues',
      commaSeparated(z.string().regex(/^[a-z0-9](?:-?[a-z0-9]){2,62}$/, 'must be queue names')),
    ) ?? [];
  const keepPlaceholders = read.optional('KeepPlaceholders', trueOrFalse) ?? true;
  const registryServer = read.optional(
    'ContainerRegistryServer',
    z.string().regex(/^[a-z0-9.-]+(?::\d{1,5})?$/i, 'must be a host name'),
  );
  const registryIdentity = read.optional(
    'ContainerRegistryIdentity',
    z.string().regex(/^\/subscriptions\/[\w./()-]{1,500}$/, 'must be a resource id'),
  );
  const apiVersion = read.optional(
    'BatchApiVersion',
    z.string().regex(/^\d{4}-\d\d-\d\d(?:\.\d+\.\d+)?$/, 'must look like 2022-10-01.16.0'),
  );
  const telemetry = readTelemetry(env, read);
  const logFormat = read.optional('LogFormat', z.enum(['json', 'text']));
  const dashboardAuth = readDashboardAuth(env, read, problems);
  const hostname = env['WEBSITE_HOSTNAME'];

  if (problems.length > 0 || !storage || !batchUrl || !devOpsUrl) throw new ConfigError(problems);
  return deepFreeze({
    storage,
    batch: {
      url: batchUrl,
      apiVersion: apiVersion ?? '2022-10-01.16.0',
      sharedKey:
        batchKey !== undefined && batchName !== undefined ? { account: batchName, key: batchKey } : undefined,
    },
    registry: { server: registryServer, identity: registryIdentity },
    devOps: { url: devOpsUrl.endsWith('/') ? devOpsUrl : `${devOpsUrl}/`, token: devOpsToken },
    profiles,
    articleImages,
    callbackTokenKeys,
    allowedPlanHosts: allowedPlanHosts.map(host => host.toLowerCase()),
    watchSeconds,
    replyQueues,
    dashboardAuth,
    keepPlaceholders,
    publicUrl: hostname
      ? `${isLoopbackHost(hostname.split(':')[0] ?? '') ? 'http' : 'https'}://${hostname}/api`
      : '/api',
    telemetry,
    // On Azure a line is searched for before it is read.
    logFormat: logFormat ?? (env['WEBSITE_SITE_NAME'] ? 'json' : 'text'),
  });
}

/** Without the platform's sign-in anybody could send the headers that tell who has signed in. */
function readDashboardAuth(env: Env, read: Reader, problems: string[]): DashboardAuth {
  const auth = read.optional(
    'DashboardAuth',
    z.enum(['key', 'easyAuth'], { error: 'must be "key" or "easyAuth"' }),
  );
  if (auth === 'easyAuth' && env['WEBSITE_AUTH_ENABLED']?.toLowerCase() !== 'true') {
    problems.push(
      'DashboardAuth: "easyAuth" needs App Service authentication, and the platform does not say that it is on ' +
        '(WEBSITE_AUTH_ENABLED). Turn it on for this app, or use "key".',
    );
  }
  return auth ?? 'key';
}

/** Keys stay as they are: typed arrays can't be frozen. */
function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null && !ArrayBuffer.isView(part)) deepFreeze(part);
  }
  return Object.freeze(value);
}
