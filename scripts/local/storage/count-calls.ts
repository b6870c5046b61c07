import type { IncomingMessage, Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { wrapListener } from './request-listener.js';
import type { StorageService } from './storage-call.js';
import { isBatch, type StorageCounts } from './storage-counts.js';

/**
 * Counts what comes to a server of Azurite, and answers `/_local/` there.
 *
 * @param control must be ready
 */
export function countCalls(
  service: StorageService,
  server: Server,
  counts: StorageCounts,
  control: FastifyInstance,
): void {
  wrapListener(server, (request, response, listener) => {
    const { method = 'GET', url = '/' } = request;
    if (url.startsWith('/_local/')) {
      control.routing(request, response);
      return;
    }
    const client = request.headers['user-agent'] ?? '';
    if (isBatch(service, url)) onBody(request, body => counts.add(service, method, url, client, body));
    else counts.add(service, method, url, client);
    listener(request, response);
  });
}

/** Looks at a body as it is put in for whoever reads it: a reader more would take it away from Azurite. */
function onBody(request: IncomingMessage, tell: (body: string) => void): void {
  const chunks: Buffer[] = [];
  const push = request.push.bind(request);
  request.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    else if (chunk === null) tell(Buffer.concat(chunks).toString('latin1'));
    return push(chunk, encoding);
  };
}
