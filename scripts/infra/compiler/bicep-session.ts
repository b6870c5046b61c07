import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { compilerEnvironment, temporaryFiles } from './find-compiler.js';

/** One run of the compiler that answers many questions: to start it takes longer than to compile everything we have. */
const position = z.object({ line: z.int(), char: z.int() });

const diagnosticSchema = z.object({
  source: z.string(),
  range: z.object({ start: position, end: position }),
  level: z.string(),
  code: z.string(),
  message: z.string(),
});
export type Diagnostic = z.infer<typeof diagnosticSchema>;

const compiled = z.object({
  success: z.boolean(),
  diagnostics: z.array(diagnosticSchema),
  contents: z.string().nullish(),
});
const compiledParameters = z.object({
  diagnostics: z.array(diagnosticSchema),
  /** A file of parameters as JSON; not there where it does not compile. */
  parameters: z.string().nullish(),
});
const formatted = z.object({ contents: z.string() });
const references = z.object({ filePaths: z.array(z.string()) });
const snapshotAnswer = z.object({ snapshot: z.string() });
const message = z.object({
  id: z.union([z.int(), z.string()]).nullish(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

/** It answers within a second or two, on a slow machine within ten. */
const patienceMs = 60_000;

export interface BicepSession {
  /** Compiles and lints a file with all that it includes. */
  compile(path: string): Promise<z.infer<typeof compiled>>;
  /** Compiles and lints a `.bicepparam`. */
  compileParameters(path: string): Promise<z.infer<typeof compiledParameters>>;
  format(path: string): Promise<string>;
  /** The file itself, and every file that it includes. */
  references(path: string): Promise<readonly string[]>;
  /** What a deployment by a `.bicepparam` would make, as JSON. */
  snapshot(path: string, scope: SnapshotScope): Promise<string>;
  /** Where files can be that it is asked about; it is gone afterwards. */
  readonly folder: string;
  close(): Promise<void>;
}

interface BicepOptions {
  /** The compiler. */
  readonly path: string;
  /** Where it may have a folder of its own. */
  readonly cache: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

interface SnapshotScope {
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly resourceGroup: string;
  readonly location: string;
}

/** Starts the compiler as a server (JSON-RPC with headers, as language servers speak it). */
export async function openBicep({ path, cache, env, signal }: BicepOptions): Promise<BicepSession> {
  await mkdir(cache, { recursive: true });
  await removeLeftOver(cache);
  const folder = await mkdtemp(join(cache, 'run-'));
  const child = spawn(path, ['jsonrpc', '--stdio'], {
    env: { ...env, ...compilerEnvironment(cache), ...temporaryFiles(folder) },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  const waiting = new Map<
    number,
    { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }
  >();
  let said = '';
  let ended: Error | undefined;
  const fail = (error: Error): void => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  child.stderr.on('data', (data: Buffer) => {
    said = `${said}${data.toString()}`.slice(-2000);
  });
  child.on('error', fail);
  child.on('close', code => fail(new Error(`The Bicep compiler has ended (exit code ${code}). ${said}`)));
  // What it has ended over is told by `close`.
  child.stdin.on('error', () => undefined);

  let unread = Buffer.alloc(0);
  child.stdout.on('data', (data: Buffer) => {
    unread = Buffer.concat([unread, data]);
    for (;;) {
      const headers = unread.indexOf('\r\n\r\n');
      const length = /Content-Length: *(\d+)/i.exec(unread.subarray(0, Math.max(headers, 0)).toString())?.[1];
      const end = headers + 4 + Number(length);
      if (length === undefined || unread.length < end) return;
      const parsed = message.safeParse(JSON.parse(unread.subarray(headers + 4, end).toString()));
      unread = unread.subarray(end);
      if (!parsed.success) continue;
      const { id, result, error } = parsed.data;
      const asker = waiting.get(Number(id));
      waiting.delete(Number(id));
      if (error) asker?.reject(new Error(`The Bicep compiler says: ${error.message}`));
      else asker?.resolve(result);
    }
  });

  let last = 0;
  async function ask<T>(method: string, params: object, answer: z.ZodType<T>): Promise<T> {
    if (ended) throw ended;
    last += 1;
    const id = last;
    const reply = new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new Error(`The Bicep compiler has not answered ${method} within ${patienceMs / 1000} s. ${said}`),
        );
      }, patienceMs);
      const settled =
        <V>(settle: (value: V) => void) =>
        (value: V): void => {
          clearTimeout(timer);
          settle(value);
        };
      waiting.set(id, { resolve: settled(resolve), reject: settled(reject) });
    });
    const text = JSON.stringify({ jsonrpc: '2.0', id, method: `bicep/${method}`, params });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    return answer.parse(await reply);
  }

  return {
    compile: file => ask('compile', { path: file }, compiled),
    compileParameters: file =>
      ask('compileParams', { path: file, parameterOverrides: {} }, compiledParameters),
    format: async file => (await ask('format', { path: file }, formatted)).contents,
    references: async file => (await ask('getFileReferences', { path: file }, references)).filePaths,
    snapshot: async (file, scope) => {
      const metadata = { ...scope, managementGroupId: null, deploymentName: null };
      return (await ask('getSnapshot', { path: file, metadata, externalInputs: [] }, snapshotAnswer))
        .snapshot;
    },
    folder,
    close: async () => {
      if (!ended) {
        const closed = once(child, 'close');
        child.stdin.end();
        child.kill();
        await closed;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Folders of runs that were killed: no run takes an hour. */
async function removeLeftOver(cache: string): Promise<void> {
  const names = (await readdir(cache)).filter(name => /^(?:run|restore)-/.test(name));
  for (const name of names) {
    const path = join(cache, name);
    // Another run may remove it at this moment.
    const made = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - made > 3_600_000) await rm(path, { recursive: true, force: true });
  }
}
