import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CallCounts } from './faults/call-counts.js';
import { type Call, type Fault, Faults, noteOutcome } from './faults/faults.js';
import { addCallRoutes, addFaultRoutes } from './faults/routes.js';
import type { Presets } from './faults/rule.js';

export interface FaultOptions {
  readonly presets: Presets;
  /** Makes the chances of rules with a probability reproducible. */
  readonly seed: number;
}

/** Of a request whose client was, or will be, told something else than what became of it. */
const betrayed = new WeakSet<FastifyRequest>();

/** Whether a fault takes the place of the request's own answer. */
export const isFaulted = (request: FastifyRequest): boolean => betrayed.has(request);

/** Not a reason for the process to go on. */
const pause = (ms: number): Promise<void> => sleep(ms, undefined, { ref: false });
const forEver = (): Promise<never> => new Promise(() => undefined);

/** Adds counting and fault rules to a stand-in, and the routes that control them (faults/routes.ts). */
export function addCallsAndFaults(server: FastifyInstance, options: FaultOptions): void {
  const counts = new CallCounts();
  const faults = new Faults(options.presets, options.seed);
  const done = new WeakMap<FastifyRequest, Fault>();

  const begin = async (fault: Fault, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { rule, answer } = fault;
    done.set(request, fault);
    if (rule.when !== 'none') betrayed.add(request);
    if (rule.delayMs > 0) await pause(rule.delayMs);
    if (rule.when !== 'before') return;
    if (rule.hang || rule.status === 0) {
      reply.hijack();
      if (!rule.hang) request.raw.socket.destroy();
      return;
    }
    if (answer.type !== undefined) reply.type(answer.type);
    await reply.code(rule.status).headers(rule.headers).send(answer.text);
  };

  server.addHook('onRequest', async (request, reply) => {
    if (isControl(request)) return;
    const call = callOf(request);
    counts.add(call.name, call.client);
    const fault = faults.decide(call, 'arrival');
    if (fault) await begin(fault, request, reply);
  });

  server.addHook('preHandler', async (request, reply) => {
    if (isControl(request) || done.has(request) || !faults.needsContent) return;
    const fault = faults.decide({ ...callOf(request), content: textOf(request.body) }, 'content');
    if (fault) await begin(fault, request, reply);
  });

  server.addHook('onSend', async (request, reply, payload) => {
    const fault = done.get(request);
    if (!fault) return payload;
    const { rule, answer } = fault;
    if (rule.when !== 'before') noteOutcome(fault.bite, reply.statusCode);
    if (rule.holdMs > 0) await pause(rule.holdMs);
    if (rule.when === 'before') return payload;
    if (rule.when === 'none') {
      reply.headers(rule.headers);
      return payload;
    }
    if (payload instanceof Readable) payload.destroy();
    if (rule.hang) return forEver();
    if (rule.status === 0) {
      // The request has been read by now: only its connection can still be broken.
      request.raw.socket.destroy();
      return payload;
    }
    reply.removeHeader('content-length').removeHeader('content-type');
    if (answer.type !== undefined) reply.type(answer.type);
    reply.code(rule.status).headers(rule.headers);
    return answer.text;
  });

  addCallRoutes(server, counts);
  addFaultRoutes(server, faults);
}

const isControl = (request: FastifyRequest): boolean => request.url.startsWith('/_local/');

const callOf = (request: FastifyRequest): Call => ({
  name: `${request.method} ${request.routeOptions.url ?? '(no route)'}`,
  url: request.url,
  client: request.headers['user-agent'] ?? '',
  params: Object.fromEntries(
    Object.entries(request.params ?? {}).map(([name, value]) => [name, String(value)]),
  ),
});

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (Buffer.isBuffer(body)) return body.toString();
  return JSON.stringify(body) ?? '';
}
