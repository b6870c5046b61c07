import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import getPort from 'get-port';
import * as z from 'zod';
import { programs } from '../../../scripts/local/stack/programs.js';
import { startLocalStorage } from '../../support/local-storage.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** The path of a compiled sample app. */
export const sample = (name: string): string => fileURLToPath(new URL(`samples/${name}.js`, import.meta.url));

/** Samples that are no TypeScript stay where they are written. */
export const sourceSample = (name: string): string => join(root, 'test/local/host/samples', name);

const children = new Set<ChildProcess>();
// A test that fails must leave no process behind either.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Waits until `read` gives something else than undefined or false. */
export async function until<T>(
  what: string,
  read: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 15_000,
): Promise<T> {
  const last = Date.now() + ms;
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > last) throw new Error(`Waited ${ms} ms in vain: ${what}`);
    await new Promise(resolve => {
      setTimeout(resolve, 15);
    });
  }
}

export interface Azurite {
  readonly connection: string;
  /** What happens to calls of the table service: `down` refuses them, `deaf` does them and loses the answer. */
  tables: 'up' | 'down' | 'deaf';
  stop(): Promise<void>;
}

/** Azurite, with its table service behind a gate. */
export async function startAzurite(): Promise<Azurite> {
  const storage = await startLocalStorage();
  const table = Number(/TableEndpoint=http:\/\/127\.0\.0\.1:(\d+)/.exec(storage.connectionString)?.[1]);

  const sockets = new Set<Socket>();
  let state: Azurite['tables'] = 'up';
  const proxy = createServer(client => {
    if (state === 'down') {
      client.destroy();
      return;
    }
    const server = connect(table, '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server);
    server.on('data', (chunk: Buffer) => {
      if (state === 'deaf') client.destroy();
      else client.write(chunk);
    });
  });
  const proxyPort = await getPort();
  proxy.listen(proxyPort, '127.0.0.1');
  await once(proxy, 'listening');

  return {
    connection: storage.connectionString.replace(`:${table}/`, `:${proxyPort}/`),
    get tables() {
      return state;
    },
    set tables(next) {
      state = next;
      if (next === 'down') for (const socket of sockets) socket.destroy();
    },
    async stop() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await storage.close();
    },
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

export interface AppFolder {
  readonly dir: string;
  /** Lines that the app's functions have written with `trace`. */
  trace(): string[];
  /** Lets functions that wait at a gate of this name go on. */
  openGate(name: string): Promise<void>;
  remove(): Promise<void>;
}

/** Makes an app folder whose entry is the given file. */
export async function makeApp(options: {
  readonly main: string;
  readonly settings?: Record<string, string>;
  readonly hostJson?: Record<string, unknown>;
}): Promise<AppFolder> {
  const dir = await mkdtemp(join(tmpdir(), 'host-test-'));
  const tracePath = join(dir, 'trace.txt');
  await mkdir(join(dir, 'gates'));
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
  await writeFile(tracePath, '');
  await writeFile(join(dir, 'package.json'), JSON.stringify({ main: options.main }));
  await writeFile(join(dir, 'host.json'), JSON.stringify({ version: '2.0', ...options.hostJson }));
  const Values = { TRACE_FILE: tracePath, GATES: join(dir, 'gates'), ...options.settings };
  await writeFile(join(dir, 'local.settings.json'), JSON.stringify({ IsEncrypted: false, Values }));
  return {
    dir,
    trace: () => readFileSync(tracePath, 'utf8').split('\n').filter(Boolean),
    openGate: name => writeFile(join(dir, 'gates', name), ''),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

const KeysFile = z.looseObject({
  masterKey: z.string(),
  functionKeys: z.looseObject({ default: z.string() }),
  systemKeys: z.looseObject({ durabletask_extension: z.string() }),
  functions: z.record(z.string(), z.record(z.string(), z.string())),
});

export const Status = z.looseObject({
  name: z.string(),
  instanceId: z.string(),
  runtimeStatus: z.string(),
  input: z.unknown().optional(),
  output: z.unknown().optional(),
  customStatus: z.unknown().optional(),
  createdTime: z.string(),
  lastUpdatedTime: z.string(),
  historyEvents: z.array(z.looseObject({ EventType: z.string() })).optional(),
});
export type Status = z.output<typeof Status>;

export class RunningHost {
  output = '';
  private constructor(
    readonly url: string,
    readonly app: AppFolder,
    private readonly child: ChildProcess,
  ) {}

  /** Starts the host as a process of its own. Rejects with its output when it does not get ready. */
  static async start(app: AppFolder, args: readonly string[] = []): Promise<RunningHost> {
    const env: NodeJS.ProcessEnv = { ...process.env };
    for (const name of Object.keys(env))
      if (/^(AzureWebJobs|WEBSITE_|TRACE_FILE|GATES)/.test(name)) delete env[name];
    const child = fork(programs.host, ['--app', app.dir, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env,
    });
    children.add(child);
    let text = '';
    let host: RunningHost | undefined;
    const collect = (chunk: unknown): void => {
      text += String(chunk);
      if (host) host.output = text;
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    const url = await new Promise<string>((resolve, reject) => {
      child.once('message', message => resolve(z.object({ url: z.string() }).parse(message).url));
      child.once('close', code => reject(new HostExit(code, text)));
    });
    host = new RunningHost(url, app, child);
    host.output = text;
    return host;
  }

  /** As `kill -9`. */
  kill(): Promise<void> {
    return end(this.child, 'SIGKILL');
  }
  stop(): Promise<void> {
    return end(this.child, 'SIGTERM');
  }
  get exitCode(): number | null {
    return this.child.exitCode;
  }

  async keys(): Promise<z.output<typeof KeysFile>> {
    return KeysFile.parse(JSON.parse(await readFile(join(this.app.dir, '.local/host/keys.json'), 'utf8')));
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, init);
  }

  /** Calls Durable's management API with its key. */
  async durable(path: string, init: RequestInit = {}): Promise<Response> {
    const key = (await this.keys()).systemKeys.durabletask_extension;
    return await this.fetch(`/runtime/webhooks/durabletask${path}`, {
      ...init,
      headers: { 'x-functions-key': key, 'content-type': 'application/json' },
    });
  }

  async startNew(orchestrator: string, input?: unknown, id?: string): Promise<string> {
    const response = await this.durable(`/orchestrators/${orchestrator}${id === undefined ? '' : `/${id}`}`, {
      method: 'POST',
      body: JSON.stringify(input ?? null),
    });
    if (response.status !== 202)
      throw new Error(`Start of ${orchestrator}: ${response.status} ${await response.text()}`);
    return z.looseObject({ id: z.string() }).parse(await response.json()).id;
  }

  async raise(id: string, event: string, data?: unknown): Promise<number> {
    const body = data === undefined ? undefined : JSON.stringify(data);
    const response = await this.durable(`/instances/${id}/raiseEvent/${event}`, {
      method: 'POST',
      ...(body !== undefined && { body }),
    });
    return response.status;
  }

  async status(id: string, query = ''): Promise<Status> {
    const response = await this.durable(`/instances/${id}${query}`);
    return Status.parse(await response.json());
  }

  /** Waits for the instance's end. */
  ended(id: string): Promise<Status> {
    return until(`instance ${id} to end\n${this.output}`, async () => {
      const status = await this.status(id);
      return ['Pending', 'Running', 'Suspended'].includes(status.runtimeStatus) ? undefined : status;
    });
  }
}

export class HostExit extends Error {
  constructor(
    readonly code: number | null,
    readonly output: string,
  ) {
    super(`The host ended with ${code}: ${output}`);
  }
}
