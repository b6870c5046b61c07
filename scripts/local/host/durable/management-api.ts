import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { sendUnauthorized } from '../http.js';
import { sendProblem } from '../problem.js';
import { type DurableUrls, managementUrls } from './client-binding.js';
import { DurableRefusal, type Engine, type Filter, type InstanceState } from './engine.js';
import { statusPayload } from './status.js';
import { hasEnded } from './store.js';

export interface ManagementApiOptions {
  readonly engine: Engine;
  /** Path prefix of the API. */
  readonly prefix: string;
  readonly urls: () => DurableUrls;
  /** Says whether a request carries a key that opens the API; absent where the prefix itself is a secret. */
  readonly opens?: (request: FastifyRequest) => boolean;
}

const Flag = (byDefault: boolean) =>
  z
    .string()
    .optional()
    .transform(text => (text === undefined ? byDefault : text.toLowerCase() === 'true'));
const Time = z
  .string()
  .optional()
  .transform((text, context) => {
    if (text === undefined || text === '') return undefined;
    const time = new Date(text);
    if (!Number.isNaN(time.getTime())) return time;
    context.addIssue({ code: 'custom', message: `"${text}" is not a time` });
    return z.NEVER;
  });
const Shown = z.looseObject({
  showInput: Flag(true),
  showHistory: Flag(false),
  showHistoryOutput: Flag(false),
  returnInternalServerErrorOnFailure: Flag(false),
});
const FilterQuery = z.looseObject({
  createdTimeFrom: Time,
  createdTimeTo: Time,
  runtimeStatus: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .transform(value => (value === undefined ? undefined : [value].flat().flatMap(part => part.split(',')))),
  instanceIdPrefix: z.string().optional(),
  top: z.coerce.number().pipe(z.int().min(1).max(1_000)).default(100),
});
const Params = z.looseObject({ id: z.string(), name: z.string() }).partial();
const Reason = z.looseObject({ reason: z.string().default('') });
const Token = z.looseObject({ after: z.string() });

class BadRequest extends Error {}

/**
 * The HTTP API of Durable Functions: for people and other systems under `/runtime/webhooks/durabletask` with the
 * system key, and the same for this host's functions (the SDK's client calls it) under a path that only they know.
 */
export function addManagementApi(server: FastifyInstance, options: ManagementApiOptions): void {
  const { engine, prefix, opens } = options;

  server.register(
    async api => {
      api.addHook('onRequest', async (request, reply) => {
        if (opens && !opens(request)) return sendUnauthorized(reply);
        return undefined;
      });
      api.setErrorHandler((error: unknown, _request, reply) => {
        if (error instanceof DurableRefusal)
          return sendProblem(reply, error.status, 'DurableRefusal', error.message);
        if (error instanceof BadRequest) return sendProblem(reply, 400, 'BadRequest', error.message);
        throw error;
      });

      const start = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
        const { name = '', id } = Params.parse(request.params);
        const query = decode(
          z.looseObject({
            version: z.string().optional(),
            timeout: z.coerce.number().min(0).optional(),
          }),
          request.query,
        );
        const instanceId = await engine.startNew({
          name,
          instanceId: id === '' ? undefined : id,
          version: query.version,
          input: jsonBody(request),
        });
        if (query.timeout !== undefined) {
          await engine.waitForEnd(instanceId, query.timeout * 1000);
          const state = await engine.get(instanceId);
          if (state && hasEnded(state.record.runtimeStatus)) return sendEnd(reply, state);
        }
        return sendAccepted(reply, options.urls(), instanceId);
      };
      api.post('/orchestrators/:name', start);
      api.post('/orchestrators/:name/:id', start);

      api.get('/instances', async (request, reply) => {
        const query = decode(FilterQuery, request.query);
        const shown = decode(Shown, request.query);
        const after = readToken(request.headers['x-ms-continuation-token']);
        const all = engine
          .find(toFilter(query))
          .filter(({ instanceId }) => after === undefined || instanceId > after);
        const page = all.slice(0, query.top);
        const last = page.at(-1);
        if (last && all.length > page.length) {
          const token = Buffer.from(JSON.stringify({ after: last.instanceId })).toString('base64');
          reply.header('x-ms-continuation-token', token);
        }
        const states: InstanceState[] = [];
        for (const { instanceId } of page) {
          const state = await engine.get(instanceId);
          if (state) states.push(state);
        }
        return sendJson(
          reply,
          200,
          states.map(state => statusPayload(state, { ...shown, showHistory: false })),
        );
      });

      api.get('/instances/:id', async (request, reply) => {
        const { id = '' } = Params.parse(request.params);
        const shown = decode(Shown, request.query);
        const state = await engine.get(id, shown.showHistory);
        if (!state) throw new DurableRefusal(404, `No instance with ID '${id}' was found.`);
        const { runtimeStatus } = state.record;
        const payload = statusPayload(state, shown);
        if (!hasEnded(runtimeStatus)) {
          reply.headers({ location: options.urls() && statusUrl(options.urls(), id), 'retry-after': '10' });
          return sendJson(reply, 202, payload);
        }
        const failed = runtimeStatus === 'Failed' && shown.returnInternalServerErrorOnFailure;
        return sendJson(reply, failed ? 500 : 200, payload);
      });

      api.delete('/instances', async (request, reply) => {
        const filter = toFilter(decode(FilterQuery, request.query));
        return sendPurged(reply, await engine.purgeBy(filter));
      });
      api.delete('/instances/:id', async (request, reply) => {
        const { id = '' } = Params.parse(request.params);
        return sendPurged(reply, (await engine.purge(id)) ? 1 : 0);
      });

      api.post('/instances/:id/raiseEvent/:name', async (request, reply) => {
        const { id = '', name = '' } = Params.parse(request.params);
        const data = jsonBody(request);
        await engine.raiseEvent(id, name, data);
        return reply.code(202).send();
      });

      const withReason =
        (act: (id: string, reason: string) => Promise<void>) =>
        async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
          const { id = '' } = Params.parse(request.params);
          await act(id, decode(Reason, request.query).reason);
          return reply.code(202).send();
        };
      api.post(
        '/instances/:id/terminate',
        withReason((id, reason) => engine.terminate(id, reason)),
      );
      api.post(
        '/instances/:id/suspend',
        withReason((id, reason) => engine.suspend(id, reason)),
      );
      api.post(
        '/instances/:id/resume',
        withReason((id, reason) => engine.resume(id, reason)),
      );
      api.post(
        '/instances/:id/rewind',
        withReason(id => engine.rewind(id)),
      );

      api.post('/instances/:id/restart', async (request, reply) => {
        const { id = '' } = Params.parse(request.params);
        const { restartWithNewInstanceId } = decode(
          z.looseObject({ restartWithNewInstanceId: Flag(true) }),
          request.query,
        );
        const instanceId = await engine.restart(id, restartWithNewInstanceId);
        return sendAccepted(reply, options.urls(), instanceId);
      });

      const entities = async (): Promise<never> => {
        throw new BadRequest('Durable entities are not supported by this host.');
      };
      api.all('/entities', entities);
      api.all('/entities/*', entities);
    },
    { prefix },
  );
}

function decode<T>(schema: z.ZodType<T>, query: unknown): T {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  throw new BadRequest(`The query can't be read. ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
}

const toFilter = (query: z.output<typeof FilterQuery>): Filter => ({
  createdTimeFrom: query.createdTimeFrom,
  createdTimeTo: query.createdTimeTo,
  runtimeStatus: query.runtimeStatus,
  instanceIdPrefix: query.instanceIdPrefix,
});

/** The body as JSON text, as compact as the SDK's own; null when there is none. */
function jsonBody(request: FastifyRequest): string | null {
  const { body } = request;
  if (!Buffer.isBuffer(body) || body.length === 0) return null;
  try {
    return JSON.stringify(JSON.parse(body.toString('utf8')));
  } catch {
    throw new BadRequest('The body must be JSON.');
  }
}

function readToken(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  try {
    return Token.parse(JSON.parse(Buffer.from(header, 'base64').toString('utf8'))).after;
  } catch {
    throw new BadRequest('The x-ms-continuation-token was not given out by this host.');
  }
}

const sendJson = (reply: FastifyReply, status: number, body: unknown): FastifyReply =>
  reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));

const statusUrl = (urls: DurableUrls, instanceId: string): string =>
  managementUrls(urls, instanceId)['statusQueryGetUri'] ?? '';

function sendAccepted(reply: FastifyReply, urls: DurableUrls, instanceId: string): FastifyReply {
  reply.headers({ location: statusUrl(urls, instanceId), 'retry-after': '10' });
  return sendJson(reply, 202, managementUrls(urls, instanceId));
}

function sendEnd(reply: FastifyReply, { record }: InstanceState): FastifyReply {
  const output: unknown = record.output === null ? null : JSON.parse(record.output);
  return sendJson(reply, record.runtimeStatus === 'Failed' ? 500 : 200, output);
}

const sendPurged = (reply: FastifyReply, instancesDeleted: number): FastifyReply =>
  sendJson(reply, instancesDeleted > 0 ? 200 : 404, { instancesDeleted });
