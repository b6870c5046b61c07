import { once } from 'node:events';
import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify from 'fastify';
import { type Fault, Faults, noteOutcome } from '../faults/faults.js';
import { addFaultRoutes } from '../faults/routes.js';
import type { StoragePorts } from './connection-string.js';
import { storagePresets } from './fault-presets.js';
import type { StorageService } from './storage-call.js';
import type { StorageCounts } from './storage-counts.js';

export interface FaultProxy {
  readonly ports: StoragePorts;
  close(): Promise<void>;
}

const services = ['blob', 'queue', 'table'] as const satisfies readonly StorageService[];
/** Azurite closes idle connections after 5 s: one must not be taken for a call just then. */
const idleConnectionMs = 3_000;

/**
 * Stands in front of blob, queue and table storage and passes every call on as it came, so that its signature stays
 * good, unless a fault rule says otherwise. Each of the three ports has the control API of faults/routes.ts.
 *
 * @param wanted ports to listen on; 0: a free one
 */
export async function startFaultProxy(
  target: StoragePorts,
  wanted: StoragePorts,
  seed: number,
  counts: StorageCounts,
): Promise<FaultProxy> {
  const faults = new Faults(storagePresets, seed);
  const control = Fastify();
  counts.addRoutes(control);
  addFaultRoutes(control, faults);
  await control.ready();
  const agent = new http.Agent({ keepAlive: true, timeout: idleConnectionMs });

  const serve = async (
    service: StorageService,
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> => {
    const body = await buffer(request);
    const { method = 'GET', url = '/' } = request;
    const client = request.headers['user-agent'] ?? '';
    const call = { ...counts.add(service, method, url, client, body.toString('latin1')), url, client };
    const fault =
      faults.decide(call, 'arrival') ??
      (faults.needsContent ? faults.decide({ ...call, content: body.toString() }, 'content') : undefined);
    const passOn = (): Promise<http.IncomingMessage> =>
      new Promise((resolve, reject) => {
        http
          .request({
            agent,
            host: '127.0.0.1',
            port: target[service],
            method,
            path: url,
            // As they came, order and case too.
            headers: request.rawHeaders,
            setHost: false,
          })
          .once('response', resolve)
          .once('error', reject)
          .end(body);
      });
    if (fault) return misbehave(fault, passOn, request, response);
    const answer = await passOn();
    response.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
    await pipeline(answer, response);
  };

  const listen = async (service: StorageService): Promise<http.Server> => {
    const server = http.createServer((request, response) => {
      if (request.url?.startsWith('/_local/')) return control.routing(request, response);
      // Neither side may know what became of the other: the client sees a broken connection, as in the cloud.
      serve(service, request, response).catch(() => request.socket.destroy());
    });
    server.listen(wanted[service], '127.0.0.1');
    await once(server, 'listening');
    return server;
  };

  const servers: http.Server[] = [];
  const close = async (): Promise<void> => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    agent.destroy();
    await control.close();
  };
  try {
    for (const service of services) servers.push(await listen(service));
  } catch (error) {
    await close();
    throw error;
  }
  const [blob = 0, queue = 0, table = 0] = servers.map(portOf);
  return { ports: { blob, queue, table }, close };
}

async function misbehave(
  { rule, bite, answer }: Fault,
  passOn: () => Promise<http.IncomingMessage>,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  await sleep(rule.delayMs, undefined, { ref: false });
  if (rule.when !== 'before') {
    const real = await passOn();
    const body = await buffer(real);
    const status = real.statusCode ?? 500;
    noteOutcome(bite, status);
    await sleep(rule.holdMs, undefined, { ref: false });
    if (rule.when === 'none') {
      response.writeHead(status, [...real.rawHeaders, ...Object.entries(rule.headers).flat()]).end(body);
      return;
    }
  }
  if (rule.hang) return;
  if (rule.status === 0) {
    request.socket.destroy();
    return;
  }
  const type = answer.text.startsWith('<?xml') ? 'application/xml' : answer.type;
  response.writeHead(rule.status, { ...(type !== undefined && { 'content-type': type }), ...rule.headers });
  response.end(answer.text);
}

function portOf(server: http.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The fault proxy has no port.');
  return address.port;
}
