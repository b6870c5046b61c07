import type { IncomingMessage, Server, ServerResponse } from 'node:http';

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** Puts a listener in front of the one that Azurite has given its server. */
export function wrapListener(
  server: Server,
  wrapper: (request: IncomingMessage, response: ServerResponse, listener: RequestListener) => void,
): void {
  const [inner, ...more] = server.listeners('request');
  if (!inner || more.length > 0)
    throw new Error('Azurite should have one request listener: its structure has changed.');
  const listener: RequestListener = (request, response) => {
    Reflect.apply(inner, server, [request, response]);
  };
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    wrapper(request, response, listener);
  });
}
