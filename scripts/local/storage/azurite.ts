import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import Module, { createRequire } from 'node:module';
import { join } from 'node:path';
import * as z from 'zod';
import type { Database } from './write-through.js';

/**
 * Azurite's servers as objects of this process. Its command line would start them as well, but as a process that
 * outlives a killed parent, whose end can't be awaited and whose databases can't be reached.
 */
export interface AzuriteServer {
  readonly httpServer: Server;
  readonly databases: readonly Database[];
  start(): Promise<void>;
  close(): Promise<void>;
}

const require = createRequire(import.meta.url);
const host = '127.0.0.1';

/**
 * Azurite's telemetry is started by its command line alone, yet its client, a third of all that Azurite loads, comes with
 * every server: here it finds an empty module, so that a start is quicker, and nothing can ever be sent.
 */
function leaveOutTelemetry(): void {
  const client = createRequire(require.resolve('azurite/package.json')).resolve('applicationinsights');
  const nothing = new Module(client);
  nothing.loaded = true;
  require.cache[client] = nothing;
}

type Constructor = new (...args: unknown[]) => unknown;
const ClassModule = z.object({ default: z.custom<Constructor>(value => typeof value === 'function') });

/** Each required by its whole name, so that a bundler finds them. */
const modules = {
  BlobServer: (): unknown => require('azurite/dist/src/blob/BlobServer'),
  BlobConfiguration: (): unknown => require('azurite/dist/src/blob/BlobConfiguration'),
  QueueServer: (): unknown => require('azurite/dist/src/queue/QueueServer'),
  QueueConfiguration: (): unknown => require('azurite/dist/src/queue/QueueConfiguration'),
  TableServer: (): unknown => require('azurite/dist/src/table/TableServer'),
  TableConfiguration: (): unknown => require('azurite/dist/src/table/TableConfiguration'),
} as const satisfies Record<string, () => unknown>;
type ModuleName = keyof typeof modules;

const loadClass = (name: ModuleName): Constructor => ClassModule.parse(modules[name]()).default;

/** Azurite reports to its makers unless told otherwise; nothing of this stack calls out. */
function silenceTelemetry(): void {
  const Telemetry = z.object({ AzuriteTelemetryClient: z.custom<{ enableTelemetry: boolean }>() });
  const module: unknown = require('azurite/dist/src/common/Telemetry');
  Telemetry.parse(module).AzuriteTelemetryClient.enableTelemetry = false;
}

const Store = z.object({ db: z.custom<Database>(value => value !== null && typeof value === 'object') });
const AzuriteObject = z.object({
  httpServer: z.custom<Server>(value => value !== null && typeof value === 'object'),
  metadataStore: Store,
  extentMetadataStore: Store.optional(),
  start: z.custom<() => Promise<void>>(value => typeof value === 'function'),
  close: z.custom<() => Promise<void>>(value => typeof value === 'function'),
});

function open(
  serverClass: ModuleName,
  configurationClass: ModuleName,
  args: readonly unknown[],
): AzuriteServer {
  const server = new (loadClass(serverClass))(new (loadClass(configurationClass))(...args));
  const { httpServer, metadataStore, extentMetadataStore, start, close } = AzuriteObject.parse(server);
  return {
    httpServer,
    databases: [metadataStore.db, ...(extentMetadataStore ? [extentMetadataStore.db] : [])],
    start: () => start.call(server),
    close: () => close.call(server),
  };
}

/** Positions as in the constructors of Azurite's configurations. */
const keepAliveSeconds = 5;
const accessLog = [false, undefined] as const;
const debugLog = [false, undefined] as const;
/** Strict about what it does not support, but not about the age of the client. */
const checks = { loose: false, skipApiVersionCheck: true };

const extents = (dataDir: string, folder: string): unknown[] => [
  { locationId: 'Default', locationPath: join(dataDir, folder), maxConcurrency: 10 },
];

export async function openAzurite(
  dataDir: string,
  ports: { readonly blob: number; readonly queue: number; readonly table: number },
): Promise<{ blob: AzuriteServer; queue: AzuriteServer; table: AzuriteServer }> {
  await mkdir(dataDir, { recursive: true });
  leaveOutTelemetry();
  silenceTelemetry();
  const withExtents = (kind: 'blob' | 'queue'): unknown[] => [
    host,
    ports[kind],
    keepAliveSeconds,
    join(dataDir, `${kind}.json`),
    join(dataDir, `${kind}-extents.json`),
    extents(dataDir, `${kind}-extents`),
    ...accessLog,
    ...debugLog,
    checks.loose,
    checks.skipApiVersionCheck,
  ];
  return {
    blob: open('BlobServer', 'BlobConfiguration', withExtents('blob')),
    queue: open('QueueServer', 'QueueConfiguration', withExtents('queue')),
    table: open('TableServer', 'TableConfiguration', [
      host,
      ports.table,
      keepAliveSeconds,
      join(dataDir, 'table.json'),
      // The table's configuration has its logs the other way round.
      debugLog[0],
      ...accessLog,
      debugLog[1],
      checks.loose,
      checks.skipApiVersionCheck,
    ]),
  };
}
