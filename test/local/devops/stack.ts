import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { getBearerHandler, getPersonalAccessTokenHandler, WebApi } from 'azure-devops-node-api';
import * as z from 'zod';
import { type DevOpsOptions, type RunningDevOps, startDevOps } from '../../../scripts/local/devops/server.js';

const script = (name: string): string =>
  fileURLToPath(new URL(`../../../scripts/local/${name}/main.js`, import.meta.url));

/** What a test opened, closed again in the opposite order whatever became of the test. */
const openThings: Array<() => unknown> = [];
const later = (close: () => unknown): void => void openThings.push(close);
export async function closeAll(): Promise<void> {
  for (const close of openThings.splice(0).toReversed()) await close();
}

export async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'devops-'));
  later(() => rm(made, { recursive: true, force: true, maxRetries: 5 }));
  return made;
}

/** Quick answers to silence, so that no test waits for seconds. */
const quick = { offlineAfterMs: 300, messageHoldMs: 2_000, lockMs: 60_000 };

export async function start(options: Partial<DevOpsOptions> = {}): Promise<RunningDevOps> {
  const running = await startDevOps({
    ...quick,
    pools: ['linux'],
    ...options,
    dataDir: options.dataDir ?? (await folder()),
  });
  later(() => running.close());
  return running;
}

export interface Process {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Everything it printed, stdout and stderr. */
  output(): string;
  readonly exit: Promise<number | null>;
  /** Waits until it has printed this. */
  printed(text: string): Promise<void>;
}

export function run(
  name: 'devops' | 'agent',
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd?: string,
): Process {
  const child = spawn(process.execPath, [script(name), ...args], {
    env: { PATH: process.env['PATH'], ...env },
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const exit = once(child, 'close').then(() => child.exitCode);
  later(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exit;
  });
  return {
    child,
    pid: child.pid ?? 0,
    output: () => output,
    exit,
    printed: async text =>
      until(`"${text}" is printed`, () => output.includes(text) || undefined).then(() => undefined),
  };
}

/** Starts an agent process of a pool, in a folder of its own. */
export async function agent(
  devops: { readonly collectionUrl: string; readonly pat: string },
  env: Readonly<Record<string, string>> = {},
): Promise<Process> {
  return run(
    'agent',
    [],
    {
      AZDO_URL: devops.collectionUrl,
      AZDO_POOL: 'linux',
      AZDO_AGENT: 'eph-1',
      AZDO_AGENT_DISPOSE: 'true',
      AZDO_TOKEN: devops.pat,
      ...env,
    },
    await folder(),
  );
}

/** Waits for a condition instead of a time. */
export async function until<Value>(
  what: string,
  look: () => Promise<Value | undefined> | Value | undefined,
): Promise<Value> {
  const end = Date.now() + 10_000;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await sleep(20);
  }
}

export const webApi = (devops: { readonly collectionUrl: string; readonly pat: string }): WebApi =>
  new WebApi(devops.collectionUrl, getPersonalAccessTokenHandler(devops.pat));

export const jobApi = (url: string, token: string): WebApi => new WebApi(url, getBearerHandler(token));

const RunView = z.looseObject({
  runId: z.string(),
  buildId: z.int(),
  attempt: z.int(),
  state: z.string(),
  result: z.string().nullable(),
  projectId: z.string(),
  planId: z.string(),
  timelineId: z.string(),
  jobId: z.string(),
  taskInstanceId: z.string(),
  request: z.object({
    status: z.int().nullable(),
    requestId: z.string().nullable(),
    response: z.string().nullable(),
    error: z.string().nullable(),
    completions: z.array(z.object({ result: z.string(), at: z.string(), accepted: z.boolean() })),
  }),
  job: z
    .object({
      requestId: z.int().nullable(),
      agentName: z.string().nullable(),
      state: z.string(),
      result: z.string().nullable(),
    })
    .nullable(),
  variables: z.record(z.string(), z.string()),
  issues: z.array(z.object({ type: z.string(), message: z.string() })),
  log: z.array(z.string()).optional(),
});
export type RunView = z.infer<typeof RunView>;

/** The control API, as a person with curl uses it. */
export async function control(
  devops: { readonly url: string },
  method: string,
  route: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${devops.url}/_local${route}`, {
    method,
    ...(body !== undefined && {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  return { status: response.status, body: await response.json() };
}

export async function play(devops: { readonly url: string }, definition: unknown): Promise<RunView> {
  const { status, body } = await control(devops, 'POST', '/runs', definition);
  if (status !== 201) throw new Error(`the run was refused: ${JSON.stringify(body)}`);
  return RunView.parse(body);
}

export async function show(devops: { readonly url: string }, runId: string, wait = 0): Promise<RunView> {
  return RunView.parse((await control(devops, 'GET', `/runs/${runId}?wait=${wait}`)).body);
}

export const logText = (view: RunView): string => (view.log ?? []).join('\n');

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface TestFunction {
  readonly url: string;
  readonly received: Received[];
  /** The first call, when it is there. */
  readonly first: () => Promise<Received>;
}

/** A tiny function app that keeps what it got. */
export async function testFunction(
  answer: (call: Received) => { status?: number; body?: string; delayMs?: number } | undefined = () =>
    undefined,
): Promise<TestFunction> {
  const received: Received[] = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const { method = '', url = '', rawHeaders, headers } = request;
      const call = { method, url, rawHeaders, headers, body };
      received.push(call);
      const { status = 202, body: text = '{"requestId":"req-1"}', delayMs = 0 } = answer(call) ?? {};
      const send = (): void =>
        void response.writeHead(status, { 'Content-Type': 'application/json' }).end(text);
      if (delayMs > 0) setTimeout(send, delayMs).unref();
      else send();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  later(() => {
    server.closeAllConnections();
    return new Promise(resolve => server.close(resolve));
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${isInet(address) ? address.port : 0}/api/agents`,
    received,
    first: async () => until('the function is called', () => received[0]),
  };
}

const isInet = (address: string | AddressInfo | null): address is AddressInfo =>
  typeof address === 'object' && address !== null;

/** What a function knows of its pipeline, from the headers of a call. */
export interface Pipeline {
  readonly url: string;
  readonly project: string;
  readonly hub: string;
  readonly plan: string;
  readonly timeline: string;
  readonly job: string;
  readonly task: string;
  readonly token: string;
}

export function pipelineOf(call: Received): Pipeline {
  const header = (name: string): string => {
    const value = call.headers[name.toLowerCase()];
    if (typeof value !== 'string') throw new Error(`the call has no header ${name}`);
    return value;
  };
  return {
    url: header('PlanUrl'),
    project: header('ProjectId'),
    hub: header('HubName'),
    plan: header('PlanId'),
    timeline: header('TimelineId'),
    job: header('JobId'),
    task: header('TaskInstanceId'),
    token: header('AuthToken'),
  };
}

/** Ends the server task, the way the product does: through the typed client's own REST client. */
export async function completeTask(
  pipeline: Pipeline,
  event: Readonly<Record<string, unknown>> = {},
): Promise<number> {
  const { url, project, hub, plan, job, task, token } = pipeline;
  const answer = await jobApi(url, token).rest.create<unknown>(
    `${url}${project}/_apis/distributedtask/hubs/${hub}/plans/${plan}/events?api-version=2.0-preview.1`,
    { name: 'TaskCompleted', taskId: task, jobId: job, result: 'succeeded', ...event },
  );
  return answer.statusCode;
}

const ClientError = z.object({
  statusCode: z.int(),
  message: z.string(),
  result: z.object({ typeKey: z.string(), message: z.string() }).optional(),
});

/** The error that a call of the typed client ends with. @throws when it does not. */
export async function refusal(call: Promise<unknown>): Promise<z.infer<typeof ClientError>> {
  try {
    await call;
  } catch (error) {
    return ClientError.parse(error);
  }
  throw new Error('the call was expected to be refused, and was not');
}

/** All files below a folder that contain one of the texts. */
export async function filesWith(dir: string, texts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const content = await readFile(file, 'utf8');
    if (texts.some(text => content.includes(text))) found.push(file);
  }
  return found;
}
