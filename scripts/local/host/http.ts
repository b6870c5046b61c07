import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RouteOptions,
} from 'fastify';
import * as z from 'zod';
import { extraInputs } from './bindings.js';
import type { RegisteredFunction } from './core-module.js';
import type { HttpRequestData, OutputData, ResponseCookie } from './core-types.js';
import type { HttpLoad } from './http-load.js';
import { passThrough } from './http-stream.js';
import type { InvocationCall, InvocationOutcome } from './invoker.js';
import { createKeyCheck, type Keys, keysFor } from './keys.js';
import { errorText, type Log } from './log.js';
import { sendProblem } from './problem.js';
import { type Route, translateRoute } from './routes.js';

/** Azure's own limit. */
const bodyLimitBytes = 100 * 1024 * 1024;

const HttpTrigger = z.looseObject({
  route: z.string().optional(),
  methods: z.array(z.string()).default(['GET', 'POST']),
  authLevel: z.enum(['anonymous', 'function', 'admin', 'system', 'user']).default('anonymous'),
});

/** A server that answers problems; routes are added by the triggers. */
export function createHttpServer(log: Log): FastifyInstance {
  const server = Fastify({
    bodyLimit: bodyLimitBytes,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    // Refused below, in words: Node.js by itself answers with nothing.
    http: { requireHostHeader: false },
    clientErrorHandler: refuseBrokenHttp,
    frameworkErrors: (_error, _request, reply) => void refuse(reply),
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, maxParamLength: 4096 },
  });
  takeBodiesAsBytes(server);
  server.addHook('onRequest', async (request, reply) => {
    const { host = request.raw.httpVersion === '1.0' ? '' : undefined } = request.headers;
    if (host === undefined || !isHost(host)) await refuse(reply, 'Its Host header names no host.');
  });
  server.setErrorHandler((error: unknown, request, reply) => {
    const status = statusOf(error);
    if (status === 413) {
      return sendProblem(reply, 413, 'PayloadTooLarge', `The body is larger than ${bodyLimitBytes} bytes.`);
    }
    if (status < 500) return refuse(reply);
    log.write('error', 'Host.Http', `${request.method} ${pathOf(request.url)} failed: ${errorText(error)}`);
    return sendProblem(reply, 500, 'InternalServerError', 'The host failed to answer. Its log says why.');
  });
  return server;
}

const refuse = (reply: FastifyReply, why = 'Its path or its body is malformed.'): FastifyReply =>
  sendProblem(reply, 400, 'BadRequest', `The request could not be read. ${why}`);

/** Handlers get a URL that is made of it, and making one of anything else throws. */
const isHost = (host: string): boolean =>
  host === '' || (/^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(host) && URL.canParse(`http://${host}`));

/** What is no HTTP, or more of it than we read, never becomes a request: its socket is all there is. */
function refuseBrokenHttp(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable) return;
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const status = tooLarge ? 431 : 400;
  const title = STATUS_CODES[status] ?? '';
  const detail = tooLarge
    ? 'The headers or the path are too large.'
    : 'The request is not HTTP as it should be.';
  const code = tooLarge ? 'HeadersTooLarge' : 'BadRequest';
  const body = JSON.stringify({ title, status, detail, code });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function takeBodiesAsBytes(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/** URLs are logged and matched without their query: keys and tokens travel there. */
const pathOf = (url: string): string => {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
};

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500;
  return typeof error.statusCode === 'number' ? error.statusCode : 500;
}

export interface HttpTriggerOptions {
  readonly server: FastifyInstance;
  readonly routePrefix: string;
  readonly keys: Keys;
  readonly functions: readonly RegisteredFunction[];
  readonly invoke: (target: RegisteredFunction, call: InvocationCall) => Promise<InvocationOutcome>;
  /** The app's own HTTP server, through which requests go when it streams. */
  readonly streamUri: string | undefined;
  readonly inputs: Parameters<typeof extraInputs>[1];
  readonly load: HttpLoad;
  readonly log: Log;
}

/** Serves the functions with an HTTP trigger. Returns lines that tell a person where each is. */
export function addHttpTriggers(options: HttpTriggerOptions): string[] {
  const { server, keys, log, load } = options;
  const served: { readonly route: Route; readonly methods: readonly string[] }[] = [];
  const lines: string[] = [];
  const routes: RouteOptions[] = [];

  for (const target of options.functions) {
    const { name, bindings } = target.metadata;
    const [triggerName, binding] = Object.entries(bindings).find(([, b]) => isHttpTrigger(b.type)) ?? [];
    if (triggerName === undefined) continue;
    const trigger = HttpTrigger.parse(binding);
    const template = trigger.route ?? name;
    const route = translateRoute(options.routePrefix, template);
    const methods = trigger.methods.map(method => method.toUpperCase());
    served.push({ route, methods });
    lines.push(
      `${name}: [${methods.join(',')}] /${[options.routePrefix, template].filter(Boolean).join('/')}`,
    );
    const opens =
      trigger.authLevel === 'anonymous' ? undefined : createKeyCheck(keysFor(keys, name, trigger.authLevel));

    for (const { path, names } of route.paths) {
      routes.push({
        method: methods,
        url: path,
        handler: async (request, reply) => {
          // Azure answers 401 with an empty body; a body that says what to do costs a caller nothing.
          if (opens && !opens(givenKey(request))) return sendUnauthorized(reply);
          const started = performance.now();
          const others = extraInputs(target.metadata, options.inputs);
          const data = toRequestData(request, names, route.defaults);
          const inputData = [{ name: triggerName, data: { http: data } }, ...others];
          try {
            if (options.streamUri !== undefined) {
              const { streamUri } = options;
              return await load.run(() =>
                passThrough(streamUri, request, reply, data, call =>
                  options.invoke(target, { ...call, inputData }),
                ),
              );
            }
            sendAnswer(reply, answerOf(await load.run(() => options.invoke(target, { inputData }))));
          } catch {
            // Logged where it was invoked. The message may hold anything, so the caller doesn't get it.
            return sendProblem(
              reply,
              500,
              'FunctionFailed',
              `Function ${name} failed. The host's log says why.`,
            );
          }
          if (log.enabled('debug', 'Host.Http')) {
            const ms = Math.round(performance.now() - started);
            log.write(
              'debug',
              'Host.Http',
              `${request.method} ${pathOf(request.url)} ${reply.statusCode} ${ms}ms`,
            );
          }
          return reply;
        },
      });
    }
  }

  server.register(async scope => {
    if (options.streamUri !== undefined) {
      // Untouched: the body goes on to the app as it comes.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    }
    for (const route of routes) scope.route(route);
  });
  server.setNotFoundHandler((request, reply) => {
    const path = pathOf(request.url);
    const allowed = new Set(
      served.filter(({ route }) => route.matches(path)).flatMap(({ methods }) => methods),
    );
    // Azure's host answers 404 here; 405 tells the caller that only the method is wrong.
    if (allowed.size > 0) {
      const allow = [...allowed].join(', ');
      return sendProblem(reply, 405, 'MethodNotAllowed', `${path} takes ${allow}, not ${request.method}.`, {
        allow,
      });
    }
    return sendProblem(reply, 404, 'NotFound', `No function answers at ${path}.`);
  });
  return lines;
}

/** What the function returned, or left in an HTTP output; undefined: nothing. */
const answerOf = ({ response }: InvocationOutcome): OutputData['http'] =>
  response.returnValue?.http ?? response.outputData.find(output => output.data.http)?.data.http;

const isHttpTrigger = (type: string): boolean => type.toLowerCase() === 'httptrigger';

export function givenKey(request: FastifyRequest): string | undefined {
  const header = request.headers['x-functions-key'];
  if (typeof header === 'string') return header;
  return new URL(request.url, 'http://host').searchParams.get('code') ?? undefined;
}

export const sendUnauthorized = (reply: FastifyReply): FastifyReply =>
  sendProblem(
    reply,
    401,
    'Unauthorized',
    'A valid key is needed: as the query parameter "code" or the header "x-functions-key".',
  );

function toRequestData(
  request: FastifyRequest,
  names: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, string>>,
): HttpRequestData {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const params: Record<string, string> = { ...defaults };
  if (typeof request.params === 'object' && request.params !== null) {
    for (const [key, value] of Object.entries(request.params)) {
      const name = names[key];
      if (name !== undefined && typeof value === 'string' && value !== '') params[name] = value;
    }
  }
  return {
    method: request.method,
    url: `${request.protocol}://${request.host || '127.0.0.1'}${request.url}`,
    headers,
    params,
    ...(Buffer.isBuffer(request.body) && request.body.length > 0 && { body: { bytes: request.body } }),
  };
}

/** The router frames the answer itself; a length or an encoding from the app could contradict it. */
const framing = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'upgrade']);

function sendAnswer(reply: FastifyReply, answer: OutputData['http']): void {
  if (!answer) {
    reply.code(204).send();
    return;
  }
  reply.code(Number(answer.statusCode) || 200);
  for (const [name, value] of Object.entries(answer.headers)) {
    if (!framing.has(name.toLowerCase())) reply.header(name, value);
  }
  for (const cookie of answer.cookies) reply.header('set-cookie', cookieText(cookie));
  const bytes = answer.body?.bytes;
  if (bytes && bytes.byteLength > 0) {
    reply.send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } else {
    reply.send();
  }
}

function cookieText(cookie: ResponseCookie): string {
  const parts = [`${cookie.name}=${encodeURIComponent(cookie.value)}`];
  const maxAge = cookie.maxAge?.value;
  if (typeof maxAge === 'number') parts.push(`Max-Age=${Math.floor(maxAge)}`);
  if (cookie.domain?.value) parts.push(`Domain=${cookie.domain.value}`);
  if (cookie.path?.value) parts.push(`Path=${cookie.path.value}`);
  const seconds = cookie.expires?.value?.seconds;
  if (seconds !== undefined) parts.push(`Expires=${new Date(seconds * 1000).toUTCString()}`);
  if (cookie.httpOnly?.value) parts.push('HttpOnly');
  if (cookie.secure?.value) parts.push('Secure');
  const sameSite = { lax: 'Lax', strict: 'Strict', explicitNone: 'None' }[cookie.sameSite ?? ''];
  if (sameSite) parts.push(`SameSite=${sameSite}`);
  return parts.join('; ');
}
