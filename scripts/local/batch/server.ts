import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';

import { runProgram } from '../agent/program.js';
import { FormulaError } from '../autoscale/formula.js';
import { addCallsAndFaults } from '../calls.js';
import { addClock, ServiceClock } from '../clock.js';
import { listenBacklog, type RunningService } from '../service.js';
import { Engine } from './engine.js';
import { BatchError, errorBody } from './errors.js';
import { batchPresets } from './fault-presets.js';
import { pathOf, sendJson } from './http.js';
import { defaultImages, type ImageCommands } from './images.js';
import { lockFolder } from './lock.js';
import { PoolConfig } from './records.js';
import { controlRoutes } from './routes-control.js';
import { fileRoutes } from './routes-files.js';
import { jobRoutes } from './routes-jobs.js';
import { poolRoutes } from './routes-pools.js';
import { taskRoutes } from './routes-tasks.js';
import type { Runner } from './runner.js';
import { dockerAnswers, dockerRunner } from './runner-docker.js';
import { inlineRunner } from './runner-inline.js';
import { processRunner } from './runner-process.js';
import { type AccountKey, authenticate } from './shared-key.js';

export interface LocalBatchOptions {
  /** 0 or absent: a free one. */
  readonly port?: number;
  readonly dataDir: string;
  readonly account?: string;
  /** Base64; absent: made at the first start and kept in the data folder. */
  readonly key?: string;
  readonly pools?: readonly PoolConfig[];
  readonly images?: ImageCommands;
  /** `auto`: containers when a Docker engine answers. `inline`: agents run inside this process (runner-inline.ts). */
  readonly runner?: 'auto' | Runner['kind'];
  /** From SIGTERM to SIGKILL when a task is ended, in milliseconds. */
  readonly killGraceMs?: number;
  /** Makes the chances of fault rules reproducible; absent: by chance. */
  readonly seed?: number | undefined;
  /** How far its clock is ahead, or behind when negative. */
  readonly skewSeconds?: number;
  /** The account's quota of active jobs. */
  readonly maxActiveJobs?: number;
}

export interface LocalBatch extends RunningService, AccountKey {
  readonly runner: Runner['kind'];
}

const defaultPools: readonly PoolConfig[] = [
  PoolConfig.parse({ id: 'batchLinux', os: 'linux' }),
  PoolConfig.parse({ id: 'batchWindows', os: 'windows' }),
];

const apiVersions = new Set(['2022-10-01.16.0', '2025-06-01']);
/** The service's own limit for a collection of tasks. */
const maxBodyBytes = 1_048_576;
/** Below the time that `runService` gives a part to end. */
const closeGraceMs = 3_000;

/** Starts the local Batch: the REST API on loopback, tasks as processes or containers, state in `dataDir`. */
export async function startLocalBatch(options: LocalBatchOptions): Promise<LocalBatch> {
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(join(dataDir, 'server.lock'));
  try {
    return await start(options, dataDir, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function start(options: LocalBatchOptions, dataDir: string, unlock: () => void): Promise<LocalBatch> {
  const account: AccountKey = {
    account: options.account ?? 'localbatch',
    key: options.key ?? keptKey(join(dataDir, 'account-key')),
  };
  const runner = await chooseRunner(options.runner ?? 'auto', options.images ?? defaultImages);
  const seed = options.seed ?? randomInt(2 ** 31);
  const killGraceMs = options.killGraceMs ?? 5_000;
  const engine = new Engine({
    dataDir,
    account: account.account,
    runner,
    killGraceMs,
    maxActiveJobs: options.maxActiveJobs ?? 300,
    seed,
  });
  const pools = options.pools ?? defaultPools;
  try {
    const problems = await readFormulas(engine, pools);
    if (problems.length > 0) throw new Error(problems.join('\n'));
    engine.pools.configure(pools);
    const kept = engine.pools.list().map(({ config }) => config);
    // Set over the API, and read then: what this version makes of them must not keep tasks and other pools away.
    for (const problem of await readFormulas(engine, kept)) {
      console.error(
        `${problem}\nIt was kept from before. The pool has as many nodes as its formula said last until it gets another.`,
      );
    }
  } catch (error) {
    engine.store.close();
    throw error;
  }

  const server = buildServer(engine, account, seed, options.skewSeconds);
  engine.url = await server.listen({ host: '127.0.0.1', port: options.port ?? 0, backlog: listenBacklog });
  // Only now: a server that can't have its port must not have touched a task.
  engine.resume();

  return {
    url: engine.url,
    ...account,
    runner: runner.kind,
    close: async () => {
      await server.close();
      await engine.close(Math.min(killGraceMs, closeGraceMs));
      unlock();
    },
  };
}

/** @returns for each pool whose formula can't be read everything that is wrong with it. */
async function readFormulas(engine: Engine, pools: readonly PoolConfig[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { id, autoScaleFormula } of pools) {
    try {
      await engine.pools.scaling.prepare(autoScaleFormula);
    } catch (error) {
      if (!(error instanceof FormulaError)) throw error;
      problems.push(`The autoScaleFormula of pool ${id} can't be read:\n${error.message}`);
    }
  }
  return problems;
}

async function chooseRunner(wanted: 'auto' | Runner['kind'], images: ImageCommands): Promise<Runner> {
  const processes = processRunner(images);
  if (wanted === 'inline') return inlineRunner(images, runProgram, processes);
  const useDocker = wanted === 'docker' || (wanted === 'auto' && (await dockerAnswers()));
  return useDocker ? dockerRunner(processes) : processes;
}

function buildServer(engine: Engine, account: AccountKey, seed: number, skewSeconds = 0): FastifyInstance {
  const server = Fastify({
    bodyLimit: maxBodyBytes,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    genReqId: () => randomUUID(),
    routerOptions: {
      caseSensitive: false,
      maxParamLength: 1_000,
      querystringParser: text => Object.fromEntries(new URLSearchParams(text)),
    },
  });

  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(body.toString()));
    } catch {
      done(new BatchError('InvalidRequestBody', [{ key: 'Reason', value: 'The body is not JSON.' }]));
    }
  });

  server.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith('/_local/')) return;
    reply.header('request-id', request.id);
    reply.header('DataServiceVersion', '3.0');
    reply.header('DataServiceId', engine.url + pathOf(request));
    const clientRequestId = request.headers['client-request-id'];
    if (clientRequestId !== undefined && request.headers['return-client-request-id']?.toString() === 'true') {
      reply.header('client-request-id', clientRequestId);
    }
  });
  // Before the checks: a service in trouble answers so to everyone.
  const clock = new ServiceClock(skewSeconds);
  addClock(server, clock);
  addCallsAndFaults(server, { presets: batchPresets, seed });
  server.addHook('onRequest', async (request, reply) => {
    if (reply.sent || request.url.startsWith('/_local/')) return;
    authenticate(
      { method: request.method, url: request.url, headers: request.raw.headers },
      account,
      clock.now(),
    );
    checkVersion(request);
  });

  server.setErrorHandler(async (error, request, reply) =>
    sendError(toBatchError(error), request, reply, engine),
  );
  server.setNotFoundHandler(async (request, reply) =>
    sendError(
      new BatchError('InvalidUri', [
        { key: 'Reason', value: `The local Batch does not have ${request.method} ${pathOf(request)}.` },
      ]),
      request,
      reply,
      engine,
    ),
  );

  jobRoutes(server, engine);
  taskRoutes(server, engine);
  poolRoutes(server, engine);
  fileRoutes(server, engine);
  controlRoutes(server, engine);
  return server;
}

function checkVersion(request: FastifyRequest): void {
  const version = new URLSearchParams(request.url.split('?')[1] ?? '').get('api-version');
  if (version === null) {
    throw new BatchError('MissingRequiredQueryParameter', [
      { key: 'QueryParameterName', value: 'api-version' },
    ]);
  }
  if (!apiVersions.has(version)) {
    throw new BatchError('UnsupportedRequestVersion', [{ key: 'api-version', value: version }]);
  }
}

function toBatchError(error: unknown): BatchError {
  if (error instanceof BatchError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new BatchError('RequestBodyTooLarge', [{ key: 'MaxLimit', value: String(maxBodyBytes) }]);
  }
  if (typeof code === 'string' && code.startsWith('FST_ERR_CTP')) return new BatchError('InvalidRequestBody');
  // Never the request: its body may hold secrets.
  console.error(`The local Batch failed: ${error instanceof Error ? error.stack : String(error)}`);
  return new BatchError('InternalError');
}

function sendError(
  error: BatchError,
  request: FastifyRequest,
  reply: FastifyReply,
  engine: Engine,
): FastifyReply {
  reply.code(error.status);
  if (request.method === 'HEAD') return reply.send();
  const element = 'Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element';
  return sendJson(reply, {
    'odata.metadata': `${engine.url}/$metadata#${element}`,
    ...errorBody(error, request.id),
  });
}

function keptKey(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const key = randomBytes(64).toString('base64');
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  return key;
}
