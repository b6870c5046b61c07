import * as z from 'zod';
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

export type StorageConfig =
  | { readonly connectionString: string }
  | {
      readonly queueServiceUri: string;
      readonly tableServiceUri: string;
      readonly clientId: string | undefined;
    };

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

const profileName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,19}$/,
    'must be 1 to 20 of a-z, 0-9 and "-", and start with a letter or digit',
  );
const batchId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z, a-z, 0-9, "_" and "-"');
const image = z
  .string()
  .max(200)
  .regex(
    /^[a-z0-9]+(?:[._/-][a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$/,
    'must be repository:tag without a registry',
  );

/** A text that is a number, in words. */
function aNumber(least: number, most: number): z.ZodType<number> {
  const message = `must be a number from ${least} to ${most}`;
  return z.coerce.number(message).min(least, message).max(most, message);
}

/** Its name goes into URLs, environments and log lines. */
const agentPool = z
  .string()
  .trim()
  .max(128)
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters');

const profileSchema = z.strictObject({
  devOpsPool: agentPool.min(1),
  batchPool: batchId,
  image,
  os: z.enum(['linux', 'windows']).default('linux'),
  slots: z.int().min(1).max(256).default(1),
  maxAlive: z.int().min(1).max(1_000_000).default(1_000),
  maxWaiting: z.int().min(1).max(1_000_000).default(10_000),
  attempts: z.int().min(1).max(10).default(3),
  timeoutMinutes: z.int().min(1).max(120).default(30),
  idleMinutes: z.number().min(0.05).max(1_440).default(10),
  agentAuth: z.enum(['token', 'identity']).optional(),
});

const articleImageSchema = z.record(
  z.string().min(1).max(64),
  z.strictObject({
    profile: profileName /** With a build type of 40 characters a tag still has at most 128. */,
    tag: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,86}$/, 'must be an image tag of at most 87 characters'),
  }),
);

/**
 * The article's images with today's tags: the systems it used are past their end of life. `default` stands for every
 * other type, as in the article.
 */
const defaultArticleImages: Record<string, ArticleImage> = {
  'ubuntu-18.04': { profile: 'ubuntu', tag: 'ubuntu-22.04-azdo' },
  'ubuntu-latest': { profile: 'ubuntu', tag: 'ubuntu-24.04-azdo' },
  'windows-latest': { profile: 'windows', tag: 'windows-core-ltsc2022-azdo' },
  default: { profile: 'ubuntu', tag: 'ubuntu-24.04-azdo' },
};

const secretNames = /Key$|Token$|^AzureWebJobsStorage$|HEADERS$|CONNECTION_STRING$/;

type Env = Readonly<Record<string, string | undefined>>;

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
  const articleImages = read.optional('AgentOSTypes', json(articleImageSchema)) ?? {};
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
    articleImages: { ...defaultArticleImages, ...articleImages },
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

interface Reader {
  required<T>(name: string, schema: z.ZodType<T>): T | undefined;
  optional<T>(name: string, schema: z.ZodType<T>): T | undefined;
}

/** An empty setting counts as absent: that is how portals and pipelines leave a value out. */
function reader(env: Env, problems: string[]): Reader {
  const optional = <T>(name: string, schema: z.ZodType<T>): T | undefined => {
    const value = env[name];
    if (value === undefined || value === '') return undefined;
    if (value.startsWith('@Microsoft.KeyVault(')) {
      // Azure hands the text on as it is then, and for a token it could pass.
      problems.push(
        `${name}: its Key Vault reference was not resolved. Check that the secret exists and that this app's identity ` +
          'may read it.',
      );
      return undefined;
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      const where = issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
      problems.push(`${name}${where}: ${issue.message} (${masked(name, value)}).`);
    }
    return undefined;
  };
  return {
    optional,
    required: (name, schema) => {
      if (!env[name]) problems.push(`${name} is missing.`);
      return optional(name, schema);
    },
  };
}

/** What may be shown of a setting's value: never a secret, nor what may hold one. */
export const masked = (name: string, value: string): string =>
  secretNames.test(name) || mayHoldSecret(value)
    ? `it is set, ${value.length} characters, not shown`
    : `it is ${JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)}`;

/** A user and password, or a signature, in a URL; or a secret that was put into another setting by mistake. */
const mayHoldSecret = (value: string): boolean =>
  /:\/\/[^/]*@|[?&][a-z]+=|(?:Key|Signature|password|token|secret)\w*["']?\s*[=:]/i.test(value);

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

function readStorage(read: Reader, problems: string[]): StorageConfig | undefined {
  const connectionString = read.optional(
    'AzureWebJobsStorage',
    z
      .string()
      .refine(isEncrypted, { error: 'must reach storage by https', abort: true })
      .refine(
        isComplete,
        'must be a whole connection string: DefaultEndpointsProtocol, AccountName, AccountKey and EndpointSuffix, ' +
          'or SharedAccessSignature; with QueueEndpoint and TableEndpoint in place of EndpointSuffix',
      ),
  );
  if (connectionString !== undefined) return { connectionString };
  const queueServiceUri = read.optional('AzureWebJobsStorage__queueServiceUri', serviceUrl);
  const tableServiceUri = read.optional('AzureWebJobsStorage__tableServiceUri', serviceUrl);
  if (queueServiceUri === undefined || tableServiceUri === undefined) {
    problems.push(
      'AzureWebJobsStorage is missing; set it, or AzureWebJobsStorage__queueServiceUri and ' +
        'AzureWebJobsStorage__tableServiceUri for an identity.',
    );
    return undefined;
  }
  return {
    queueServiceUri,
    tableServiceUri,
    clientId: read.optional(
      'AzureWebJobsStorage__clientId',
      z.string().regex(/^[\w-]{1,64}$/, 'must be a client id'),
    ),
  };
}

function readProfiles(read: Reader, problems: string[], hasToken: boolean): ReadonlyMap<string, Profile> {
  const configured = read.optional('AgentProfiles', json(z.record(profileName, profileSchema)));
  const ubuntuPool = read.optional('AzDOUbuntuPool', agentPool);
  const windowsPool = read.optional('AzDOWindowsPool', agentPool);
  const profiles = new Map<string, z.infer<typeof profileSchema>>(Object.entries(configured ?? {}));
  if (!configured) {
    if (ubuntuPool) profiles.set('ubuntu', defaultProfile(ubuntuPool, 'linux'));
    if (windowsPool) profiles.set('windows', defaultProfile(windowsPool, 'windows'));
  }
  // A malformed AgentProfiles is a problem already told.
  if (profiles.size === 0 && problems.every(problem => !problem.startsWith('AgentProfiles'))) {
    problems.push('No profile is configured: set AzDOUbuntuPool, AzDOWindowsPool or AgentProfiles.');
  }
  const result = new Map<string, Profile>();
  for (const [name, profile] of profiles) {
    const agentAuth = profile.agentAuth ?? (hasToken ? 'token' : 'identity');
    if (agentAuth === 'token' && !hasToken) {
      problems.push(`AgentProfiles at ${name}.agentAuth: "token" needs the setting AzDOToken.`);
    }
    result.set(name, { ...profile, name, agentAuth });
  }
  return result;
}

const defaultProfile = (devOpsPool: string, os: 'linux' | 'windows'): z.infer<typeof profileSchema> =>
  profileSchema.parse({
    devOpsPool,
    os,
    batchPool: os === 'linux' ? 'batchLinux' : 'batchWindows',
    image: os === 'linux' ? 'azdo-agent:ubuntu-24.04-azdo' : 'azdo-agent:windows-core-ltsc2022-azdo',
  });

/** https, or http where nothing leaves the machine; nothing in it that is not an address. */
const serviceUrl = z
  .string()
  .refine(isServiceUrl, 'must be an https URL without user name, query and fragment');

function isServiceUrl(text: string): boolean {
  try {
    const url = new URL(text);
    const isAddress = !url.username && !url.password && !url.search && !url.hash;
    return (
      isAddress && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname)))
    );
  } catch {
    return false;
  }
}

/** The clients of storage demand this much when they are made, which is later than a wrong setting must be told. */
function isComplete(connectionString: string): boolean {
  const has = (name: string, value = '[^;]'): boolean =>
    new RegExp(`(?:^|;)\\s*${name}=${value}`).test(connectionString);
  const addresses = has('QueueEndpoint') && has('TableEndpoint');
  return (
    connectionString.startsWith('UseDevelopmentStorage=true') ||
    (addresses && has('SharedAccessSignature')) ||
    (has('DefaultEndpointsProtocol', 'https?(?:;|$)') &&
      has('AccountName') &&
      has('AccountKey') &&
      (addresses || has('EndpointSuffix')))
  );
}

/** Whatever a connection string names is reached by https, or is on this machine. */
function isEncrypted(connectionString: string): boolean {
  const parts = new Map(
    connectionString.split(';').map(part => {
      const [name = '', ...value] = part.split('=');
      return [name.trim().toLowerCase(), value.join('=').trim()] as const;
    }),
  );
  const endpoints = [...parts].filter(([name]) => /endpoint$|^developmentstorageproxyuri$/.test(name));
  const byDefault = ['queueendpoint', 'tableendpoint'].some(name => !parts.has(name));
  return (
    endpoints.every(([, url]) => isServiceUrl(url)) &&
    !(byDefault && parts.get('defaultendpointsprotocol')?.toLowerCase() === 'http')
  );
}

const base64Key = (bytes: number): z.ZodType<string> =>
  z.string().refine(text => isBase64(text) && Buffer.from(text, 'base64').length >= bytes, 'must be base64');

const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0;

const tokenKeys = z
  .string()
  .transform(text => text.split(',').map(key => key.trim()))
  .refine(
    keys => keys.length <= 2 && keys.every(key => isBase64(key) && Buffer.from(key, 'base64').length === 32),
    'must be 32 bytes in base64, or two such keys separated by a comma, the newest first',
  )
  .transform(keys => keys.map((key): Uint8Array => Buffer.from(key, 'base64')));

const trueOrFalse = z
  .string()
  .regex(/^(?:true|false)$/i, 'must be true or false')
  .transform(text => text.toLowerCase() === 'true');

const commaSeparated = (item: z.ZodType<string, string>): z.ZodType<string[]> =>
  z
    .string()
    .transform(text =>
      text
        .split(',')
        .map(part => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(item).min(1));

function json<T>(schema: z.ZodType<T>): z.ZodType<T> {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);
}

/** Keys stay as they are: typed arrays can't be frozen. */
function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null && !ArrayBuffer.isView(part)) deepFreeze(part);
  }
  return Object.freeze(value);
}
