import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchServiceModels } from '@azure/batch';
import { BatchServiceClient, BatchSharedKeyCredentials } from '@azure/batch';
import * as z from 'zod';

import type { ImageCommands } from '../../../scripts/local/batch/images.js';
import { isAlive } from '../../../scripts/local/batch/processes.js';
import { PoolConfig } from '../../../scripts/local/batch/records.js';
import {
  type LocalBatch,
  type LocalBatchOptions,
  startLocalBatch,
} from '../../../scripts/local/batch/server.js';

/** Any Node.js script stands for a container image: its path is the task's command line. */
export const images: ImageCommands = [{ image: 'registry.test/node:*', command: [process.execPath] }];

export const pool = (changes: z.input<typeof PoolConfig>): PoolConfig =>
  PoolConfig.parse({ bootMs: 20, idleMs: 60_000, ...changes });

export const clientOf = ({
  account,
  key,
  url,
}: Pick<LocalBatch, 'account' | 'key' | 'url'>): BatchServiceClient =>
  new BatchServiceClient(new BatchSharedKeyCredentials(account, key), url, { noRetryPolicy: true });

/** A temporary folder for one test file; `remove` at its end. */
export class Scratch {
  readonly path = mkdtempSync(join(tmpdir(), 'local-batch-'));

  /** Writes a script; returns how a task's command line names it. */
  script(name: string, code: string): string {
    const file = join(this.path, `${name}.mjs`);
    writeFileSync(file, code);
    return `"${file}"`;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export const startBatch = (dataDir: string, options: Partial<LocalBatchOptions> = {}): Promise<LocalBatch> =>
  startLocalBatch({
    dataDir,
    runner: 'process',
    images,
    killGraceMs: 1_000,
    pools: [pool({ id: 'batchLinux' })],
    ...options,
  });

/** A container task that runs a script. */
export const scriptTask = (
  id: string,
  commandLine: string,
  more: Partial<BatchServiceModels.TaskAddParameter> = {},
): BatchServiceModels.TaskAddParameter => ({
  id,
  commandLine,
  containerSettings: { imageName: 'registry.test/node:20' },
  ...more,
});

/** Asks until the answer is wanted; fails with the last answer. */
export async function until<T>(
  ask: () => Promise<T> | T,
  wanted: (answer: T) => boolean,
  ms = 8_000,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`Not within ${ms} ms; last: ${JSON.stringify(answer)}`);
    await sleep(15);
  }
}

export const taskIn = (
  client: BatchServiceClient,
  jobId: string,
  taskId: string,
  state: BatchServiceModels.TaskState,
): Promise<BatchServiceModels.TaskGetResponse> =>
  until(
    () => client.task.get(jobId, taskId),
    task => task.state === state,
  );

/** The answer as it came over the wire. */
export const wire = <R>({ _response: response }: { _response: R }): R => response;

export async function textOf({
  readableStreamBody,
}: {
  readableStreamBody?: NodeJS.ReadableStream;
}): Promise<string> {
  let text = '';
  for await (const chunk of readableStreamBody ?? []) text += chunk.toString();
  return text;
}

const WireError = z.object({
  statusCode: z.number(),
  body: z.object({
    'odata.metadata': z.string(),
    code: z.string(),
    message: z.object({
      lang: z.literal('en-US'),
      value: z.string().regex(/\nRequestId:[0-9a-f-]{36}\nTime:\d{4}-.*Z$/),
    }),
    values: z.array(z.object({ key: z.string(), value: z.string() })).optional(),
  }),
});

/** What the client threw, held to the documented shape: status, code, and the values as `key=value`. */
export async function errorOf(
  call: Promise<unknown>,
): Promise<{ status: number; code: string; values: string[] }> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    const { statusCode, body } = WireError.parse(error);
    return {
      status: statusCode,
      code: body.code,
      values: (body.values ?? []).map(({ key, value }) => `${key}=${value}`),
    };
  }
  throw new Error(`It should have failed, but answered ${JSON.stringify(answer)}`);
}

/** For calls that answer with a stream: of their errors the client keeps the status alone. */
export const statusOf = (call: Promise<unknown>): Promise<number> => call.then(() => 200, statusOfError);

const statusOfError = (error: unknown): number =>
  z.object({ statusCode: z.number() }).parse(error).statusCode;

/** A signed request that the client's own checks would not let through. */
export async function raw(
  client: BatchServiceClient,
  url: string,
  method: 'GET' | 'POST' | 'PATCH',
  body?: string,
): Promise<{ status: number; code: string; values: string[] }> {
  const answer = await client.sendRequest({
    url: `${url}${url.includes('?') ? '&' : '?'}api-version=2022-10-01.16.0`,
    method,
    ...(body !== undefined && {
      body,
      headers: { 'content-type': 'application/json; odata=minimalmetadata' },
    }),
    disableJsonStringifyOnBody: true,
  });
  const { code, values = [] } = WireError.shape.body.parse(JSON.parse(answer.bodyAsText ?? ''));
  return { status: answer.status, code, values: values.map(({ key, value }) => `${key}=${value}`) };
}

/** Whether a process runs. One that has ended but that nobody has waited for yet does not. */
export const processLives = (pid: number): boolean => isAlive({ pid });
