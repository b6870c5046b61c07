import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import getPort from 'get-port';

export interface LocalStorage {
  readonly connectionString: string;
  close(): Promise<void>;
}

const readyTimeoutMs = 20_000;
/** Azurite's published development account; not a secret. */
const account = 'devstoreaccount1';
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** A real storage server in memory, on free ports, gone with the test. */
export async function startAzurite(): Promise<LocalStorage> {
  const [blob, queue, table] = [await getPort(), await getPort(), await getPort()];
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const mode = '--inMemoryPersistence --silent --disableTelemetry --skipApiVersionCheck';
  const hosts = '--blobHost 127.0.0.1 --queueHost 127.0.0.1 --tableHost 127.0.0.1';
  const ports = `--blobPort ${blob} --queuePort ${queue} --tablePort ${table}`;
  const args = [mode, hosts, ports].flatMap(part => part.split(' '));
  const child = spawn(process.execPath, [program, ...args], { stdio: 'ignore' });
  await answers(`http://127.0.0.1:${queue}/`, child);
  await answers(`http://127.0.0.1:${table}/`, child);
  return {
    connectionString: [
      'DefaultEndpointsProtocol=http',
      `AccountName=${account}`,
      `AccountKey=${key}`,
      `QueueEndpoint=http://127.0.0.1:${queue}/${account}`,
      `TableEndpoint=http://127.0.0.1:${table}/${account}`,
    ].join(';'),
    close: () => end(child),
  };
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  while (Date.now() < deadline && child.exitCode === null) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer) return;
    await delay(50);
  }
  await end(child);
  throw new Error(`Azurite does not answer at ${url}.`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
