import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi, statesOf } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { changeBatchPool, openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;

const limits = suite('the limits of a profile');

limits.before(async () => {
  const image = 'azdo-agent:ubuntu-24.04-azdo';
  ({ stack, end } = await openWorld({
    profiles: {
      single: { devOpsPool: pools.hasty, batchPool: 'batchLinux', image, maxAlive: 1 },
      narrow: { devOpsPool: pools.windows, batchPool: 'batchWindows', image, maxWaiting: 2 },
    },
  }));
  api = agentsApi(stack);
});
limits.after(async () => end());

limits('maxAlive: one after the other, in order; meanwhile accepted, and it is told why', async () => {
  for (const requestId of ['one', 'two', 'gone', 'three']) await api.ask({ profile: 'single', requestId });
  await api.until('one', 'online');
  const waits = await waitFor('the last one to be deferred', async () => {
    const shown = await api.get('three');
    return shown.history.length > 1 && shown;
  });
  assert.is(waits.state, 'accepted');
  assert.is(waits.history.length, 2);
  assert.match(
    waits.history[1]?.detail ?? '',
    /^Waits for a free place: profile single allows 1 agent at once/,
  );
  // The first may have taken its place by then, or just be about to.
  assert.match(
    waits.history[1]?.detail ?? '',
    /(1 of them in use; 2|0 of them in use; 3) requests are ahead\./,
  );

  assert.is((await api.cancel('gone')).status, 202);
  const gone = await api.end('gone');
  assert.equal(statesOf(gone), ['accepted', 'cancelled']);

  await api.cancel('one');
  const two = await api.until('two', 'online');
  assert.is((await api.get('three')).state, 'accepted');
  await api.cancel('two');
  await api.until('three', 'online');
  await api.cancel('three');
  const three = await api.end('three');
  assert.equal(statesOf(three), ['accepted', 'provisioning', 'starting', 'online', 'cancelled']);

  const begun = ({ history }: typeof two): number =>
    Date.parse(history.find(({ state }) => state === 'provisioning')?.at ?? '');
  const ended = async (requestId: string): Promise<number> =>
    Date.parse((await api.end(requestId)).endedAt ?? '');
  assert.ok(begun(two) >= (await ended('one')), 'the second began before the first had ended');
  assert.ok(begun(three) >= (await ended('two')), 'the third began before the second had ended');
  await nothingLeft(stack);
});

const Problem = z.object({ code: z.string(), status: z.number(), detail: z.string() });

limits('maxWaiting: 429 once so many wait, until one of them has its agent', async () => {
  await changeBatchPool(stack, 'batchWindows', { maxNodes: 0 });
  const ask = async (requestId: string, path = '/agents') =>
    api.call('POST', path, { profile: 'narrow', requestId });
  assert.is((await ask('first')).status, 202);
  assert.is((await ask('second')).status, 202);
  for (const path of ['/agents', '/ProvideAzDOAgent']) {
    const refused = await ask('third', path);
    assert.is(refused.status, 429, refused.text);
    assert.match(refused.headers.get('content-type') ?? '', /^application\/problem\+json/);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    const problem = Problem.parse(refused.json);
    assert.is(problem.code, 'TooManyWaiting');
    assert.match(problem.detail, /"narrow" has 2 requests that wait .* maxWaiting is 2/);
  }
  assert.is((await api.call('GET', '/agents/third')).status, 404, 'a refused request was kept');
  assert.is((await ask('second')).headers.get('idempotent-replay'), 'true');

  await changeBatchPool(stack, 'batchWindows', { maxNodes: 2 });
  await api.until('first', 'online');
  await waitFor('the third to be accepted', async () => (await ask('third')).status === 202, {
    timeoutMs: 4_000,
    everyMs: 200,
  });
  for (const requestId of ['first', 'second', 'third']) await api.cancel(requestId);
  for (const requestId of ['first', 'second', 'third']) await api.end(requestId);
  await nothingLeft(stack);
});

limits.run();
