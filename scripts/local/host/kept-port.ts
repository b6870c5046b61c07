import { once } from 'node:events';
import { createServer } from 'node:net';

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
 */
export async function keepPort(wanted = 0): Promise<KeptPort> {
  if (wanted !== 0) return { port: wanted, release: async () => {} };
  const server = createServer(socket => socket.destroy());
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string')
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
