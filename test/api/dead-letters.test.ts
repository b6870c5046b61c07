import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { listDeadLetters, settleDeadLetters, showDeadLetter } from '../../shared/api/dead-letters.js';
import type { ApiResponse } from '../../shared/api/problem.js';
import { dispatchMessage } from '../../shared/dispatch/dispatch-message.js';
import { apiCall, bodyOf, named } from '../fakes/api-call.js';
import { haveDeadLetter } from '../fakes/dead-letters.js';
import { createWorld, haveRequest, holdsSecret, originalMessage, type World } from '../fakes/world.js';
import { documented } from '../support/documented.js';

const Page = z.object({
  deadLetters: z.array(z.looseObject({ requestId: z.string() })),
  continuation: z.string().nullable(),
});

const list = async (world: World, query: Record<string, string> = {}): Promise<ApiResponse> =>
  documented('listDeadLetters', await listDeadLetters(world)(apiCall({ query })));
const page = async (world: World, query: Record<string, string> = {}) => {
  const { deadLetters, continuation } = Page.parse(bodyOf(await list(world, query)));
  return { ids: deadLetters.map(({ requestId }) => requestId), continuation };
};
const show = async (world: World, requestId: string): Promise<ApiResponse> =>
  documented('getDeadLetter', await showDeadLetter(world)(apiCall({ params: { requestId } })));
const settle = async (world: World, action: string, body: unknown): Promise<ApiResponse> => {
  const answer = await settleDeadLetters(world)(apiCall({ params: { action }, body }));
  const operationId = { redrive: 'redriveDeadLetters', purge: 'purgeDeadLetters' }[action];
  return operationId === undefined ? answer : documented(operationId, answer);
};

const test = suite('the routes of dead letters');

test('list them, the newest first, page by page, by code and profile', async () => {
  const world = createWorld();
  for (const minute of [1, 2, 3]) {
    await haveDeadLetter(world, { requestId: `r-${minute}`, createdAt: `2026-01-31T10:0${minute}:00.000Z` });
  }
  await haveRequest(world, 'busy', { requestId: 'busy' });
  const first = await page(world, { top: '2' });
  assert.equal(first.ids, ['r-3', 'r-2']);
  const next = await page(world, { top: '2', continuation: first.continuation ?? '' });
  assert.equal(next, { ids: ['r-1'], continuation: null });
  assert.equal((await page(world, { code: 'QuotaReached' })).ids, []);
  assert.is((await page(world, { code: 'PoolMissing', profile: 'ubuntu' })).ids.length, 3);
  assert.equal((await page(world, { profile: 'windows' })).ids, []);
});

test('name everything that is wrong with a query at once', async () => {
  const answer = await list(createWorld(), { code: "' or 1", profile: '?', top: '0' });
  assert.is(answer.status, 400);
  assert.equal(named(answer), ['query code', 'query profile', 'query top']);
  assert.equal(named(await list(createWorld(), { continuation: 'x' })), ['query continuation']);
});

test('show one with the message that it came as, and without the token of its pipeline', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  const answer = await show(world, 'r-1');
  assert.is(answer.status, 200);
  assert.is(bodyOf(answer)['state'], 'deadLettered');
  assert.is(bodyOf(answer)['message'], originalMessage);
  assert.not.ok(holdsSecret(answer.body));
  assert.not.match(answer.body, /sealed/);
});

test('show a message that is no text in base64', async () => {
  const world = createWorld();
  const bytes = Uint8Array.from([0xff, 0, 0x41]);
  await dispatchMessage(world)(bytes, 'message-1', 1);
  const [requestId = ''] = (await page(world)).ids;
  const shown = bodyOf(await show(world, requestId));
  assert.is(shown['messageBase64'], '/wBB');
  assert.is(shown['message'], undefined);
});

test('know no other request by them', async () => {
  const world = createWorld();
  await haveRequest(world, 'busy');
  for (const [requestId, detail] of [
    ['nobody', /No agent request has the id "nobody"/],
    ['NO_ID', /No agent request/],
    ['r-1', /no dead letter: it is busy/],
  ] as const) {
    const answer = await show(world, requestId);
    assert.is(answer.status, 404);
    assert.is(bodyOf(answer)['code'], 'DeadLetterNotFound');
    assert.match(String(bodyOf(answer)['detail']), detail);
  }
});

test('redrive and purge by id, with a result for each', async () => {
  const world = createWorld();
  for (const requestId of ['a', 'b', 'c']) await haveDeadLetter(world, { requestId });
  const dry = await settle(world, 'redrive', { requestIds: ['a'], dryRun: true });
  assert.match(dry.body, /"outcome":"redrivable"/);
  assert.is((await page(world)).ids.length, 3);
  const redriven = await settle(world, 'redrive', { requestIds: ['a', 'nobody'] });
  assert.is(redriven.status, 200);
  assert.match(redriven.body, /"a","outcome":"redriven".*"nobody","outcome":"notFound"/);
  const purged = await settle(world, 'purge', { requestIds: ['b'] });
  assert.match(purged.body, /"b","outcome":"purged"/);
  assert.equal((await page(world)).ids, ['c']);
  assert.is(world.queue.deadLetters.length, 1);
  assert.match(String(bodyOf(await show(world, 'b'))['detail']), /it is purged/);
});

test('refuse a body whole, naming all that is wrong, and do nothing', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  const many = Array.from({ length: 201 }, (_, index) => `n-${index}`);
  for (const action of ['redrive', 'purge']) {
    for (const [body, names] of [
      [{ requestIds: ['r-1', 'NO', 7], more: 1 }, ['body more', 'body requestIds.1', 'body requestIds.2']],
      [{ requestIds: [] }, ['body requestIds']],
      [{ requestIds: many }, ['body requestIds']],
      [{ requestIds: 'r-1' }, ['body requestIds']],
      [{}, ['body requestIds']],
      ['', ['body']],
      ['{"requestIds":["r-1"],"__proto__":{}}', ['body __proto__']],
      [Uint8Array.from([0xff]), ['body']],
    ] as const) {
      const answer = await settle(world, action, body);
      assert.is(answer.status, 400, answer.body);
      assert.equal(named(answer), names);
    }
    assert.is((await settle(world, action, 'x'.repeat(65_537))).status, 413);
  }
  assert.equal(named(await settle(world, 'purge', { requestIds: ['r-1'], dryRun: true })), ['body dryRun']);
  assert.equal((await page(world)).ids, ['r-1']);
  assert.is((await settle(world, 'r-1', {})).status, 405);
});

test.run();
