import fastify, { type FastifyInstance } from 'fastify';
import * as z from 'zod';
import { listenBacklog, type RunningService } from '../service.js';
import { Kept } from './kept.js';
import { MetricsBody, TracesBody } from './otlp.js';
import { showLatest, showMetrics, showTrace } from './show.js';

export interface TracesOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Told of each body that is received, as it came. */
  readonly onBody?: (path: string, body: string) => void;
}

const bodyLimitBytes = 16 * 1024 * 1024;

/**
 * A collector of OpenTelemetry for one machine: takes traces and metrics by OTLP over HTTP (as JSON) on loopback, keeps
 * the last of them in memory, and shows them as text and as JSON. Point `OTEL_EXPORTER_OTLP_ENDPOINT` at it.
 */
export async function startTraces({ port = 0, onBody }: TracesOptions = {}): Promise<RunningService> {
  const kept = new Kept();
  const server = fastify({ bodyLimit: bodyLimitBytes, forceCloseConnections: true });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));

  const take = <T>(path: string, schema: z.ZodType<T>, keep: (value: T) => void): void => {
    server.post(path, async (request, reply) => {
      const body = String(request.body);
      onBody?.(path, body);
      const read = parse(body, schema);
      if (read === undefined) {
        return reply.code(400).send({
          message: 'This collector takes OTLP as JSON only: OTEL_EXPORTER_OTLP_PROTOCOL=http/json.',
        });
      }
      keep(read);
      return {};
    });
  };
  take('/v1/traces', TracesBody, spans => kept.addSpans(spans));
  take('/v1/metrics', MetricsBody, points => kept.addPoints(points));
  show(server, kept);
  const url = await server.listen({ host: '127.0.0.1', port, backlog: listenBacklog });
  return { url, close: async () => server.close() };
}

function parse<T>(body: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

const Params = z.object({ id: z.string() });

function show(server: FastifyInstance, kept: Kept): void {
  const text = 'text/plain; charset=utf-8';
  server.get('/', async (_request, reply) => reply.type(text).send(showLatest(kept.latest())));
  server.get('/metrics', async (_request, reply) => reply.type(text).send(showMetrics(kept.points())));
  server.get('/traces/:id', async (request, reply) => {
    const { id } = Params.parse(request.params);
    const asJson = id.endsWith('.json') || request.headers.accept?.includes('json') === true;
    const traces = kept.find(id.replace(/\.json$/, ''));
    if (traces.length === 0) {
      return reply
        .code(404)
        .type(text)
        .send('No trace of this request has come; steps are sent a second after they are over.\n');
    }
    return asJson ? { traces } : reply.type(text).send(traces.map(showTrace).join('\n'));
  });
}
