import { randomInt } from 'node:crypto';
import Fastify from 'fastify';
import type { RunningService } from '../service.js';
import { type AzuriteServer, openAzurite } from './azurite.js';
import { cheapen } from './cheaper-collections.js';
import { connectionStringOf, type StoragePorts } from './connection-string.js';
import { countCalls } from './count-calls.js';
import { type FaultProxy, startFaultProxy } from './fault-proxy.js';
import { StorageCounts } from './storage-counts.js';
import { writeThrough } from './write-through.js';

export interface StorageOptions {
  readonly dataDir: string;
  /** 0 or absent: a free one. */
  readonly ports?: Partial<StoragePorts>;
  /** Stand a proxy that fault rules make misbehave (fault-proxy.ts) in front; the ports are its own then. */
  readonly faults?: boolean;
  /** Makes the chances of fault rules reproducible; absent: by chance. */
  readonly seed?: number | undefined;
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

const portsOf = ({ blob, queue, table }: Record<keyof StoragePorts, AzuriteServer>): StoragePorts => ({
  blob: portOf(blob),
  queue: portOf(queue),
  table: portOf(table),
});

/**
 * Starts blob, queue and table storage in this process, on the loopback interface only. Each port counts its calls
 * (storage-counts.ts).
 */
export async function startStorage(options: StorageOptions): Promise<RunningStorage> {
  const { dataDir, ports = {}, faults = false, saveEveryWrite = false } = options;
  const { seed = randomInt(2 ** 31) } = options;
  const anyPorts = { blob: 0, queue: 0, table: 0 };
  const wanted = { ...anyPorts, ...ports };
  const azurite = await openAzurite(dataDir, faults ? anyPorts : wanted);
  const servers = [
    ['blob', azurite.blob],
    ['queue', azurite.queue],
    ['table', azurite.table],
  ] as const;
  const started: AzuriteServer[] = [];
  const counts = new StorageCounts();
  const control = Fastify();
  let proxy: FaultProxy | undefined;
  const close = async (): Promise<void> => {
    // First, so that nothing that its clients still ask for finds storage gone.
    await proxy?.close();
    await Promise.all([control.close(), ...started.map(server => server.close())]);
  };
  try {
    counts.addRoutes(control);
    await control.ready();
    for (const [service, server] of servers) {
      writeThrough(server.httpServer, server.databases, saveEveryWrite);
      if (!faults) countCalls(service, server.httpServer, counts, control);
      await server.start();
      started.push(server);
      server.databases.forEach(cheapen);
    }
    if (faults) proxy = await startFaultProxy(portsOf(azurite), wanted, seed, counts);
  } catch (error) {
    await close();
    throw error;
  }
  const actual = proxy?.ports ?? portsOf(azurite);
  const connectionString = connectionStringOf(actual);
  return {
    url: `http://127.0.0.1:${actual.blob}`,
    details: { connectionString },
    ports: actual,
    connectionString,
    close,
  };
}
