import { createRequire } from 'node:module';
import * as z from 'zod';
import type { RunningService } from '../service.js';
import { type AzuriteServer, openAzurite } from './azurite.js';
import { connectionStringOf, type StoragePorts } from './connection-string.js';
import { writeThrough } from './write-through.js';

export interface StorageOptions {
  readonly dataDir: string;
  /** 0 or absent: a free one. */
  readonly ports?: Partial<StoragePorts>;
  /** Answer every write once it is saved, which is slow where much is stored; default: only while it is little. */
  readonly saveEveryWrite?: boolean;
}

export interface RunningStorage extends RunningService {
  readonly ports: StoragePorts;
  readonly connectionString: string;
}

const portOf = ({ httpServer }: AzuriteServer): number => {
  const address = httpServer.address();
  if (address === null || typeof address === 'string') throw new Error('Azurite has no port.');
  return address.port;
};

/** Starts blob, queue and table storage in this process, on the loopback interface only. */
export async function startStorage({
  dataDir,
  ports = {},
  saveEveryWrite = false,
}: StorageOptions): Promise<RunningStorage> {
  silenceTelemetry();
  const azurite = await openAzurite(dataDir, {
    blob: ports.blob ?? 0,
    queue: ports.queue ?? 0,
    table: ports.table ?? 0,
  });
  const servers = [azurite.blob, azurite.queue, azurite.table];
  const started: AzuriteServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.map(server => server.close()));
  };
  try {
    for (const server of servers) {
      writeThrough(server.httpServer, server.databases, saveEveryWrite);
      await server.start();
      started.push(server);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const actual = { blob: portOf(azurite.blob), queue: portOf(azurite.queue), table: portOf(azurite.table) };
  const connectionString = connectionStringOf(actual);
  return {
    url: `http://127.0.0.1:${actual.blob}`,
    details: { connectionString },
    ports: actual,
    connectionString,
    close,
  };
}

/** Azurite reports to its makers unless told otherwise; nothing of this stack calls out. */
function silenceTelemetry(): void {
  const Telemetry = z.object({ AzuriteTelemetryClient: z.custom<{ enableTelemetry: boolean }>() });
  const module: unknown = createRequire(import.meta.url)('azurite/dist/src/common/Telemetry');
  Telemetry.parse(module).AzuriteTelemetryClient.enableTelemetry = false;
}
