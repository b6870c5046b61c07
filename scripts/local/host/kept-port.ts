import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

export interface KeptPort {
  readonly port: number;
  /** Lets it go, for whoever is to listen there the next moment. */
  release(): Promise<void>;
}

/**
 * A port of this machine that nobody else gets until it is released: an app is told its address before it is loaded,
 * as in the cloud, and can be listened for only afterwards.
 *
 * @param wanted 0 or absent: a free one. One that is named is left to whoever listens there to be refused.
 * @param preferred where a free one is wanted: this one, if it is free. Who asks first whether it is, and takes it
 *   later, finds that another has done the same.
 */
export async function keepPort(wanted = 0, preferred = 0): Promise<KeptPort> {
  if (wanted !== 0) return { port: wanted, release: async () => {} };
  const server = (preferred === 0 ? undefined : await hold(preferred)) ?? (await hold(0));
  const address = server?.address();
  if (!server || address === null || typeof address === 'string' || address === undefined)
    throw new Error('No port of this machine could be had.');
  return {
    port: address.port,
    release: async () => {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

/** @returns undefined when the port can't be had */
async function hold(port: number): Promise<Server | undefined> {
  const server = createServer(socket => socket.destroy());
  try {
    server.listen({ host: '127.0.0.1', port });
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
