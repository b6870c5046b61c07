import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { batchRefusal, endOf, mustShowNoSecret, playRequest, startServices } from './play-request.js';

/** The key that sealed the token of a waiting pipeline is replaced while its request is on its way. */
const services = await startServices();
const rotated = suite('a CallbackTokenKey that is replaced');

rotated('with the older one beside it, lets every pipeline have its answer', async () => {
  const played = await playRequest(services, { keys: older => [randomBytes(32), older] });
  assert.is(endOf(played), 'completed');
  assert.ok(played.request.callback?.acknowledgedAt);
  assert.is(played.counts['POST event'], 1);
  mustShowNoSecret(played);
});

for (const { name, options, ends } of [
  { name: 'with an agent that comes', options: {}, ends: 'completed' },
  {
    name: 'with no agent to be had',
    options: { faults: [{ on: 'GET pool', answer: batchRefusal(404, 'PoolNotFound') }] },
    ends: 'deadLettered PoolMissing nodeAllocation',
  },
] as const) {
  rotated(
    `without the older one, ${name}, leaves requests their true end, which says what is wrong`,
    async () => {
      const played = await playRequest(services, { ...options, keys: () => [randomBytes(32)] });
      const { request, world } = played;
      assert.is(endOf(played), ends);
      assert.is(played.counts['POST event'], 0);
      assert.match(
        request.callback?.refusedWith ?? '',
        'can not be unsealed with the configured CallbackTokenKey',
      );
      assert.ok(request.history.some(({ detail }) => detail.includes('CallbackTokenKey')));
      assert.ok(world.log.lines.some(line => line.startsWith('error') && line.includes('CallbackTokenKey')));
      assert.is(request.callback?.sealedToken, undefined);
      mustShowNoSecret(played);
    },
  );
}

rotated.after(() => services.close());
rotated.run();
