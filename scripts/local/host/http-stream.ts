import { randomUUID } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpRequestData, TypedData } from './core-types.js';
import type { InvocationCall, InvocationOutcome } from './invoker.js';

const invocationIdHeader = 'x-ms-invocation-id';

/**
 * Serves a request of an app that streams (`app.setup({ enableHttpStream: true })`): `@azure/functions` then opens an
 * HTTP server of its own, and the host passes request and answer through it while the function runs.
 *
 * @param uri of the app's server
 * @throws what the function threw, if it had not begun to answer
 */
export async function passThrough(
  uri: string,
  request: FastifyRequest,
  reply: FastifyReply,
  data: HttpRequestData,
  invoke: (call: Pick<InvocationCall, 'invocationId' | 'triggerMetadata'>) => Promise<InvocationOutcome>,
): Promise<FastifyReply> {
  const invocationId = randomUUID();
  const triggerMetadata: Record<string, TypedData> = { Headers: { json: JSON.stringify(data.headers) } };
  for (const [name, value] of Object.entries(data.params)) triggerMetadata[name] = { string: value };

  const passed = httpRequest(new URL(request.url, uri), {
    method: request.method,
    headers: {
      ...data.headers,
      [invocationIdHeader]: invocationId,
      'x-forwarded-host': request.host,
      'x-forwarded-proto': request.protocol,
    },
  });
  request.raw.pipe(passed);
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    passed.on('response', resolve);
    passed.on('error', reject);
  });
  // Both are awaited below, but the one that loses the race may still fail.
  answered.catch(() => undefined);
  try {
    const invoked = invoke({ invocationId, triggerMetadata });
    const first = await Promise.race([answered, invoked.then(outcome => ({ outcome }))]);
    if ('outcome' in first && (first.outcome.result === null || first.outcome.result === undefined)) {
      passed.destroy();
      return reply.code(204).send();
    }
    invoked.catch(() => undefined);
    const answer = await answered;
    reply.code(answer.statusCode ?? 200);
    for (const [name, value] of Object.entries(answer.headers)) {
      if (
        value !== undefined &&
        name !== invocationIdHeader &&
        name !== 'connection' &&
        name !== 'keep-alive'
      ) {
        reply.header(name, value);
      }
    }
    return reply.send(answer);
  } catch (error) {
    passed.destroy();
    throw error;
  }
}
