import { EventEmitter, once } from 'node:events';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import getPort from 'get-port';
import * as z from 'zod';
import { type Diagnosis, diagnosisSchema } from '../../shared/answers/diagnosis.js';
import { placeholderResultsSchema, placeholdersSchema } from '../../shared/answers/placeholders.js';
import { type Pools, poolsSchema } from '../../shared/answers/pools.js';
import {
  type Events,
  eventsSchema,
  requestPageSchema,
  shownRequestSchema,
} from '../../shared/answers/request.js';
import { isEnded } from '../../shared/domain/request.js';

type Shown = z.infer<typeof shownRequestSchema>;
type Entry = Shown['history'][number];

export const fakeAppKey = 'the-key-that-opens-everything';

const Ask = z.looseObject({
  profile: z.string().optional(),
  requestId: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
});
const Query = z.object({
  wait: z.coerce.number().default(0),
  after: z.coerce.number().optional(),
  state: z.string().optional(),
  profile: z.string().optional(),
  tag: z.string().optional(),
});
const Params = z.object({ id: z.string() });

/** What the command line sees of an app: it keeps requests and does nothing about them unless it is told to. */
export class FakeApp {
  readonly requests = new Map<string, Shown>();
  readonly calls: string[] = [];
  readonly bodies: unknown[] = [];
  /** How many calls wait for something to happen. */
  waiting = 0;
  pools: Pools = { at: new Date().toISOString(), pools: [] };
  diagnosis: Diagnosis = { at: new Date().toISOString(), version: '0.1.0', checks: [] };
  readonly #events: Events['events'] = [];
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #server: FastifyInstance | undefined;
  #gone = new AbortController();
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Also after a stop: on the same port, with all that it had. */
  async start(): Promise<void> {
    this.#port ||= await getPort();
    this.#server = this.#routes(Fastify({ forceCloseConnections: true }));
    await this.#server.listen({ host: '127.0.0.1', port: this.#port });
  }

  async stop(): Promise<void> {
    // At once, as a host that is killed: whoever waits gets no answer.
    this.#server?.server.closeAllConnections();
    await this.#server?.close();
    this.#server = undefined;
    this.timeUp();
  }

  /** Whoever waits is answered now, as when the time is up. */
  timeUp(): void {
    this.#gone.abort();
    this.#gone = new AbortController();
  }

  /** A request that has just been accepted. */
  add(requestId: string, more: Partial<Shown> = {}): Shown {
    const at = new Date().toISOString();
    const request: Shown = {
      requestId,
      profile: 'ubuntu',
      state: 'accepted',
      attempt: 0,
      agentName: null,
      devOpsPool: 'Private Ubuntu',
      batch: null,
      createdAt: at,
      updatedAt: at,
      onlineAt: null,
      endedAt: null,
      timings: { queuedMs: null, provisioningMs: null, startingMs: null, toOnlineMs: null },
      failure: null,
      history: [],
      tags: {},
      links: { self: `${this.url}/api/agents/${requestId}`, pipeline: null, help: null },
      ...more,
    };
    this.requests.set(requestId, request);
    return this.change(requestId, request.state, 'Asked for over HTTP.');
  }

  /** The next line of its life. */
  change(requestId: string, state: Entry['state'], detail: string, more: Partial<Shown> = {}): Shown {
    const before = this.requests.get(requestId);
    if (!before) throw new Error(`There is no request ${requestId}.`);
    const at = new Date().toISOString();
    const attempt = more.attempt ?? before.attempt;
    const entry: Entry = { state, at, attempt, detail };
    const after: Shown = {
      ...before,
      state,
      updatedAt: at,
      endedAt: isEnded(state) ? at : null,
      ...more,
      history: [...before.history, entry],
    };
    this.requests.set(requestId, after);
    const { profile, agentName, failure } = after;
    this.#events.push({ ...entry, requestId, profile, agentName, failureCode: failure?.code ?? null });
    this.#changes.emit('change');
    return after;
  }

  #routes(server: FastifyInstance): FastifyInstance {
    server.addHook('onRequest', async ({ method, url, headers }, reply) => {
      this.calls.push(`${method} ${url}`);
      if (url !== '/api/health' && headers['x-functions-key'] !== fakeAppKey) await reply.code(401).send('');
    });
    server.get('/api/health', async () => ({
      status: 'healthy',
      dependencies: { storage: { reachable: true } },
    }));
    server.post('/api/agents', async ({ body }, reply) => {
      this.bodies.push(body);
      const { profile = 'ubuntu', requestId = 'made-up', tags = {} } = Ask.parse(body);
      const before = this.requests.get(requestId);
      if (before) reply.header('idempotent-replay', 'true');
      if (profile !== 'ubuntu') {
        return problem(reply, 400, 'InvalidRequest', '2 things are wrong.', [
          { in: 'body', name: 'profile', detail: 'must be one of ubuntu' },
          { in: 'body', name: 'capabilities.PATH', detail: 'is a reserved name' },
        ]);
      }
      reply.code(before && isEnded(before.state) ? 200 : 202);
      return before ?? this.add(requestId, { profile, tags });
    });
    server.get('/api/agents/:id', async ({ params, query }, reply) => {
      const { id } = Params.parse(params);
      const first = this.requests.get(id);
      if (!first) return problem(reply, 404, 'RequestNotFound', `No agent request has the id "${id}".`);
      const { wait } = Query.parse(query);
      await this.#until(wait, () => this.requests.get(id)?.state !== first.state || isEnded(first.state));
      return shownRequestSchema.parse(this.requests.get(id));
    });
    server.get('/api/agents', async ({ query }) => {
      const { state, profile, tag } = Query.parse(query);
      const requests = [...this.requests.values()].filter(
        request =>
          (state === undefined || request.state === state) &&
          (profile === undefined || request.profile === profile) &&
          (tag === undefined ||
            Object.entries(request.tags).some(([name, value]) => `${name}=${value}` === tag)),
      );
      return requestPageSchema.parse({ requests: requests.toReversed(), continuation: null });
    });
    server.delete('/api/agents/:id', async ({ params }, reply) => {
      const { id } = Params.parse(params);
      const request = this.requests.get(id);
      if (!request) return problem(reply, 404, 'RequestNotFound', `No agent request has the id "${id}".`);
      if (isEnded(request.state)) {
        return problem(reply, 409, 'RequestEnded', `Request ${id} is ${request.state} already.`);
      }
      return reply.code(202).send(request);
    });
    server.get('/api/pools', async () => poolsSchema.parse(this.pools));
    server.get('/api/events', async ({ query }) => {
      const { after = this.#events.length, wait } = Query.parse(query);
      await this.#until(wait, () => this.#events.length > after);
      return eventsSchema.parse({ events: this.#events.slice(after), next: String(this.#events.length) });
    });
    const placeholder = { devOpsPool: 'Private Ubuntu', agentName: 'azdo-batch-agents-placeholder-linux' };
    server.get('/api/placeholders', async () =>
      placeholdersSchema.parse({ placeholders: [{ ...placeholder, present: true, kept: true }] }),
    );
    server.post('/api/placeholders/:id', async ({ params, body }) => {
      const { id } = Params.parse(params);
      const { devOpsPools = [placeholder.devOpsPool] } = z
        .object({ devOpsPools: z.array(z.string()).optional() })
        .parse(body);
      const outcome = id === 'ensure' ? 'present' : 'removed';
      return placeholderResultsSchema.parse({
        results: devOpsPools.map(devOpsPool =>
          devOpsPool === 'Nowhere'
            ? { devOpsPool, outcome: 'poolMissing', detail: 'Azure DevOps has no such pool.' }
            : { devOpsPool, outcome, detail: 'So it is.' },
        ),
      });
    });
    server.post('/api/diagnosis', async () => diagnosisSchema.parse(this.diagnosis));
    return server;
  }

  async #until(seconds: number, done: () => boolean): Promise<void> {
    const late = AbortSignal.any([AbortSignal.timeout(seconds * 1_000), this.#gone.signal]);
    this.waiting += 1;
    while (!done() && !late.aborted) {
      await once(this.#changes, 'change', { signal: late }).catch(() => undefined);
    }
    this.waiting -= 1;
  }
}

const problem = (
  reply: FastifyReply,
  status: number,
  code: string,
  detail: string,
  errors: readonly object[] = [],
): FastifyReply =>
  reply
    .code(status)
    .type('application/problem+json')
    .send({ title: code, status, code, detail, ...(errors.length > 0 ? { errors } : {}) });
