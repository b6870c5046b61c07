import type { FastifyInstance } from 'fastify';
import * as z from 'zod';

/** A day: more would only be a typing error. */
const Skew = z.number().min(-86_400).max(86_400);
const Setting = z.strictObject({ skewSeconds: Skew });

/** A service's clock as its clients see it: it may differ from theirs. */
export class ServiceClock {
  constructor(public skewSeconds = 0) {}

  get skewMs(): number {
    return Math.round(this.skewSeconds * 1_000);
  }

  now(): number {
    return Date.now() + this.skewMs;
  }
}

/** Of the properties that the service itself dates; what clients gave (an environment variable, say) stays as it is. */
const dated =
  /("\w*(?:Time|On|At|Until|lastModified)"\s*:\s*")(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?Z)(?=")/g;

/**
 * Lets a stand-in tell its time by a clock that is wrong: in the `Date` and `Last-Modified` headers and in whatever it
 * dates in its answers. Inside it goes on by the clock of the machine, which no client can tell.
 *
 *     GET, PUT /_local/clock   { "skewSeconds": 600 }; ahead when positive
 */
export function addClock(server: FastifyInstance, clock: ServiceClock): void {
  server.addHook('onSend', async (request, reply, payload) => {
    if (clock.skewMs === 0 || request.url.startsWith('/_local/')) return payload;
    reply.header('date', new Date(clock.now()).toUTCString());
    const modified = Date.parse(String(reply.getHeader('last-modified')));
    if (!Number.isNaN(modified)) {
      reply.header('last-modified', new Date(modified + clock.skewMs).toUTCString());
    }
    if (!String(reply.getHeader('content-type')).includes('json')) return payload;
    if (typeof payload === 'string') return shifted(payload, clock.skewMs);
    return Buffer.isBuffer(payload) ? Buffer.from(shifted(payload.toString(), clock.skewMs)) : payload;
  });

  server.get('/_local/clock', async () => ({ skewSeconds: clock.skewSeconds }));
  server.put('/_local/clock', async (request, reply) => {
    const parsed = Setting.safeParse(request.body);
    if (!parsed.success) return reply.code(400).send({ error: z.prettifyError(parsed.error) });
    clock.skewSeconds = parsed.data.skewSeconds;
    return reply.code(204).send();
  });
}

const shifted = (json: string, skewMs: number): string =>
  json.replace(
    dated,
    (_all, name: string, time: string) => name + new Date(Date.parse(time) + skewMs).toISOString(),
  );
