import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { askForAgent } from '../../shared/api/ask-for-agent.js';
import type { ApiResponse } from '../../shared/api/problem.js';
import { end } from '../../shared/domain/lifecycle.js';
import { fail } from '../contracts/fail.js';
import { apiCall, bodyOf, pipelineHeaders } from '../fakes/api-call.js';
import { createWorld, haveRequest, linuxPool, type World, windowsPool } from '../fakes/world.js';
import { documented } from '../support/documented.js';

const worldOf = (maxWaiting = 1): World =>
  createWorld({
    env: {
      AgentProfiles: JSON.stringify({
        ubuntu: { devOpsPool: linuxPool, batchPool: 'b', image: 'i', maxWaiting },
        windows: { devOpsPool: windowsPool, batchPool: 'b', image: 'i', os: 'windows' },
      }),
    },
  });

const ask = async (
  world: World,
  body: object,
  { articleRoute = false, headers = {} } = {},
): Promise<ApiResponse> =>
  documented(
    articleRoute ? 'requestAgentAsArticle' : 'requestAgent',
    await askForAgent(world, { articleRoute })(apiCall({ body, headers })),
  );

const test = suite('POST with too many waiting');

test('is refused with 429 under both routes, says when to come again and what helps, and keeps nothing', async () => {
  for (const articleRoute of [false, true]) {
    const world = worldOf(2);
    await ask(world, {}, { articleRoute });
    await ask(world, {}, { articleRoute });
    const kept = world.store.requests().length;
    const response = await ask(world, { requestId: 'third' }, { articleRoute });
    assert.is(response.status, 429);
    assert.is(response.headers['content-type'], 'application/problem+json');
    assert.ok(Number(response.headers['retry-after']) > 0);
    const problem = bodyOf(response);
    assert.is(problem['code'], 'TooManyWaiting');
    assert.is(problem['status'], 429);
    assert.match(String(problem['title']), /wait/);
    assert.match(
      String(problem['detail']),
      /Profile "ubuntu" has 2 requests .* maxWaiting is 2.*again later/,
    );
    assert.is(world.store.requests().length, kept);
    assert.is(world.queue.sent.length, kept);
  }
});

test('refuses no other profile, and nothing that is wrong in itself is told to come again', async () => {
  const world = worldOf();
  await ask(world, {});
  assert.is((await ask(world, { profile: 'windows' })).status, 202);
  assert.is((await ask(world, { profile: 'mainframe' })).status, 400);
});

test('joins what is alive, by its id or by its pipeline, however many wait', async () => {
  const world = worldOf();
  await ask(world, { requestId: 'mine' });
  for (const articleRoute of [false, true]) {
    const response = await ask(world, { requestId: 'mine' }, { articleRoute });
    assert.is(response.status, 202);
    assert.is(response.headers['idempotent-replay'], 'true');
  }
  const byPipeline = worldOf();
  const first = await ask(byPipeline, {}, { headers: pipelineHeaders });
  const again = await ask(byPipeline, {}, { headers: pipelineHeaders });
  assert.is(again.status, 202);
  assert.is(bodyOf(again)['requestId'], bodyOf(first)['requestId']);
  assert.is(byPipeline.store.requests().length, 1);
});

test('joins what another process let in between our look and our refusal', async () => {
  const world = worldOf();
  world.store.beforeNext('live', async () => haveRequest(world, 'accepted', { requestId: 'mine' }));
  const response = await ask(world, { requestId: 'mine' });
  assert.is(response.status, 202);
  assert.is(response.headers['idempotent-replay'], 'true');
});

test('answers with what has ended, however many wait', async () => {
  const world = worldOf();
  await ask(world, { requestId: 'done' });
  const stored = (await world.store.get('done')) ?? fail('it is not there');
  const at = world.clock.now().toISOString();
  await world.store.replace(stored, end(stored.request, { to: 'cancelled', at, detail: 'x' }));
  world.clock.advance(1_001);
  await ask(world, {});
  assert.is((await ask(world, {})).status, 429);
  const response = await ask(world, { requestId: 'done' });
  assert.is(response.status, 200);
  assert.is(bodyOf(response)['state'], 'cancelled');
});

test('a pipeline that asks anew under an id that has ended needs a place like any other', async () => {
  const world = worldOf();
  const headers = pipelineHeaders;
  await ask(world, { requestId: 'again' }, { headers });
  const stored = (await world.store.get('again')) ?? fail('it is not there');
  const at = world.clock.now().toISOString();
  const ended = end(stored.request, { to: 'cancelled', at, detail: 'x' });
  await world.store.replace(stored, { ...ended, callback: { result: 'failed', acknowledgedAt: at } });
  world.clock.advance(1_001);
  await ask(world, { requestId: 'other' });
  assert.is((await ask(world, { requestId: 'again' }, { headers })).status, 429);
  const other = (await world.store.get('other')) ?? fail('it is not there');
  await world.store.replace(other, end(other.request, { to: 'cancelled', at, detail: 'x' }));
  world.clock.advance(1_001);
  const response = await ask(world, { requestId: 'again' }, { headers });
  assert.is(response.status, 202);
  assert.is((await world.store.get('again'))?.request.generation, 2);
  assert.is((await ask(world, {})).status, 429, 'it has taken the place');
});

test.run();
