import { once } from 'node:events';
import http from 'node:http';

export interface HoldingProxy {
  readonly url: string;
  /** Resolves when the call that is to be held has arrived. */
  readonly held: Promise<void>;
  release(): void;
  close(): Promise<void>;
}

/** Passes everything on, but holds the first call that matches back until it is released: a slow network. */
export async function startHoldingProxy(target: string, matches: RegExp): Promise<HoldingProxy> {
  const { hostname, port } = new URL(target);
  let arrived: () => void = () => {};
  let release: () => void = () => {};
  const held = new Promise<void>(resolve => {
    arrived = resolve;
  });
  const released = new Promise<void>(resolve => {
    release = resolve;
  });
  let isFirst = true;

  const server = http.createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const isHeld = isFirst && matches.test(`${method} ${url}`);
    if (isHeld) {
      isFirst = false;
      arrived();
    }
    const forward = (): void => {
      const onward = http.request({ hostname, port, method, path: url, headers }, answer => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      request.pipe(onward);
    };
    if (isHeld) void released.then(forward);
    else forward();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    held,
    release,
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
