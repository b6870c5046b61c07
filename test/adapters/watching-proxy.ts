import { once } from 'node:events';
import http from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface WatchingProxy {
  readonly url: string;
  /** Every call so far, e.g. `POST $batch` or `GET T1(:key)`, oldest first. */
  readonly calls: readonly string[];
  /** How many connections were made so far. */
  readonly connections: () => number;
  /** The next calls of such a name take effect, and their callers never hear of it: the connection breaks. */
  loseNext(name: RegExp, times: number): void;
  /** The answer to the next call of such a name waits until it is released; `held` resolves when it is there. */
  holdNext(name: RegExp): { readonly held: Promise<void>; release(): void };
  close(): Promise<void>;
}

/** Passes everything on to table storage, and counts it. */
export async function startWatchingProxy(target: string): Promise<WatchingProxy> {
  const { hostname, port } = new URL(target);
  const agent = new http.Agent({ keepAlive: true });
  const calls: string[] = [];
  let losing: { readonly name: RegExp; left: number } | undefined;

  let holding:
    | { readonly name: RegExp; readonly arrived: () => void; readonly released: Promise<void> }
    | undefined;

  const serve = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const { method = '', url = '', headers } = request;
    const path = (url.split('?')[0] ?? '').split('/').at(-1) ?? '';
    const name = `${method} ${path.replace(/\(.+\)$/, '(:key)')}`;
    calls.push(name);
    const isLost = losing !== undefined && losing.left > 0 && losing.name.test(name);
    if (isLost && losing) losing.left -= 1;
    const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
      http
        .request({ agent, hostname, port, method, path: url, headers }, resolve)
        .on('error', reject)
        .end(body);
    });
    const content = await buffer(answer);
    const hold = holding?.name.test(name) ? holding : undefined;
    if (hold) {
      holding = undefined;
      hold.arrived();
      await hold.released;
    }
    if (isLost) response.destroy();
    else response.writeHead(answer.statusCode ?? 502, answer.headers).end(content);
  };

  const server = http.createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    connections: () => connections,
    loseNext: (name, times) => {
      losing = { name, left: times };
    },
    holdNext: name => {
      let arrived: () => void = () => {};
      let release: () => void = () => {};
      const held = new Promise<void>(resolve => {
        arrived = resolve;
      });
      const released = new Promise<void>(resolve => {
        release = resolve;
      });
      holding = { name, arrived, released };
      return { held, release: () => release() };
    },
    close: async () => {
      agent.destroy();
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
