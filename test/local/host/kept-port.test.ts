import { once } from 'node:events';
import { createServer } from 'node:net';
import getPort from 'get-port';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keepPort } from '../../../scripts/local/host/kept-port.js';

const keeping = suite('keepPort');

/** Whether somebody else could listen there. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen({ host: '127.0.0.1', port });
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

keeping(
  'gives the preferred port to one of those who ask at the same moment, and others to the others',
  async () => {
    const preferred = await getPort();
    const kept = await Promise.all([1, 2, 3].map(async () => keepPort(0, preferred)));
    const ports = kept.map(({ port }) => port);
    assert.is(new Set(ports).size, 3);
    assert.ok(ports.includes(preferred));
    for (const each of kept) {
      assert.not.ok(await isFree(each.port));
      await each.release();
      assert.ok(await isFree(each.port));
      await each.release();
    }
  },
);

keeping('leaves a port that was asked for to whoever listens there', async () => {
  const wanted = await getPort();
  assert.is((await keepPort(wanted, 1)).port, wanted);
  assert.ok(await isFree(wanted));
});

keeping.run();
