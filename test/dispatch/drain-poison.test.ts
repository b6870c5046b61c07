import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { root } from '../../scripts/root.js';
import { redrive } from '../../shared/dead-letters/redrive.js';
import { dispatchMessage, lastDelivery } from '../../shared/dispatch/dispatch-message.js';
import { drainPoison } from '../../shared/dispatch/drain-poison.js';
import { TransientError } from '../../shared/domain/failure.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import { fail } from '../contracts/fail.js';
import { breakingAt } from '../fakes/breaking.js';
import { createFakeDrainableQueue } from '../fakes/drainable-queue.js';
import { createWorld, haveRequest, originalMessage, type World } from '../fakes/world.js';

/** A world whose poison queue holds these messages, and what is left of them. */
function poisoned(...texts: string[]): { world: World; left: string[] } {
  return { world: { ...createWorld(), poison: createFakeDrainableQueue(texts) }, left: texts };
}

const only = (world: World): AgentRequest => {
  const [request, ...others] = world.store.requests();
  assert.equal(others, []);
  return request ?? fail('nothing is stored');
};

const Letter = z.object({
  requestId: z.string(),
  message: z.string(),
  failure: z.object({ code: z.string() }),
});
const letters = (world: World): readonly z.infer<typeof Letter>[] =>
  world.queue.deadLetters.map(text => Letter.parse(JSON.parse(text)));

const test = suite('the poison queue of the host');

test('becomes dead letters, byte for byte, seen in the table, answered and ready to redrive', async () => {
  const text =
    '{ "version": 1,  "requestId": "nightly-1", "replyQueue": "agent-replies", "tags": {"ü":"😀"} }';
  const { world, left } = poisoned(text);
  await drainPoison(world)();
  assert.equal(left, []);
  const request = only(world);
  assert.is(request.requestId, 'nightly-1');
  assert.is(request.state, 'deadLettered');
  assert.is(request.failure?.code, 'DeliveryFailed');
  assert.is(request.failure?.stage, 'intake');
  assert.equal(
    letters(world).map(({ message, failure }) => [message, failure.code]),
    [[text, 'DeliveryFailed']],
  );
  assert.is(world.queue.replies.length, 1);

  const [result] = await redrive(world)(['nightly-1'], { dryRun: false });
  assert.is(result?.outcome, 'redriven');
  assert.equal(only(world).tags, { ü: '😀' });
  assert.equal(world.queue.deadLetters, []);
});

test('repeats what a live request was asked by: the request is started and nothing else happens', async () => {
  const { world, left } = poisoned(originalMessage);
  await haveRequest(world, 'accepted');
  await drainPoison(world)();
  assert.equal(left, []);
  assert.is(world.orchestrations.running.size, 1);
  assert.equal(world.queue.deadLetters, []);
  assert.match(world.log.lines.join('\n'), /is a repeat: its request r-1/);
});

test('repeats a request that can not be started now: reconcile has it, the copy goes', async () => {
  const { world, left } = poisoned(originalMessage);
  await haveRequest(world, 'accepted');
  world.orchestrations.failNext('startLifecycle', new Error('The task hub is away.'));
  await drainPoison(world)();
  assert.equal(left, []);
  assert.is(only(world).state, 'accepted');
  assert.equal(world.queue.deadLetters, []);
});

test('is refused as ever when it can not be understood', async () => {
  const { world, left } = poisoned('nonsense');
  await drainPoison(world)();
  assert.equal(left, []);
  assert.is(only(world).failure?.code, 'MessageNotJson');
  assert.is(letters(world)[0]?.message, 'nonsense');
});

const bundleOf = (...requestIds: string[]): string =>
  JSON.stringify({ version: 1, requests: requestIds.map(requestId => ({ version: 1, requestId })) });

test('a bundle whose requests are in the table is no dead letter: each of them is started', async () => {
  const { world, left } = poisoned(bundleOf('r-1', 'r-2', 'r-3'));
  for (const requestId of ['r-1', 'r-2', 'r-3']) await haveRequest(world, 'accepted', { requestId });
  world.orchestrations.failNext('startLifecycle', new Error('The task hub is away.'));
  await drainPoison(world)();
  assert.equal(left, []);
  assert.equal(world.queue.deadLetters, []);
  assert.is(world.store.requests().length, 3);
  assert.ok(world.store.requests().every(({ state }) => state === 'accepted'));
  assert.is(world.orchestrations.running.size, 2, 'the third is left to reconcile');
});

test('a bundle loses none of its requests: one that nobody knows is a dead letter by itself', async () => {
  const { world, left } = poisoned(bundleOf('r-1', 'r-2'));
  await haveRequest(world, 'accepted');
  await drainPoison(world)();
  assert.equal(left, []);
  assert.equal(
    letters(world).map(({ requestId, message }) => [requestId, message]),
    [['r-2', '{"version":1,"requestId":"r-2"}']],
  );
  assert.is(world.orchestrations.running.size, 1);
  const [result] = await redrive(world)(['r-2'], { dryRun: false });
  assert.is(result?.outcome, 'redriven');
});

test('a bundle of which one can not be settled stays, and the others are settled', async () => {
  const { world, left } = poisoned(bundleOf('r-1', 'r-2'));
  await haveRequest(world, 'accepted', { requestId: 'r-2' });
  world.queue.failNext('deadLetter', new TransientError('StorageUnavailable', 'intake', 'Away.'));
  await drainPoison(world)();
  assert.is(world.orchestrations.running.size, 1);
  world.poison.letGo();
  assert.is(left.length, 1);
  await drainPoison(world)();
  assert.equal(left, []);
  assert.equal(
    letters(world).map(({ requestId }) => requestId),
    ['r-1'],
  );
  assert.is(world.orchestrations.callsOf('startLifecycle').length, 1);
});

test('comes to the same end when the draining breaks off anywhere', async () => {
  for (const text of ['{"version":1,"replyQueue":"agent-replies"}', 'nonsense', originalMessage]) {
    for (const when of ['before', 'after'] as const) {
      for (let at = 0; ; at += 1) {
        const { world, left } = poisoned(text);
        const broken = breakingAt(world, at, when);
        await drainPoison({ ...broken.dependencies })().catch(() => undefined);
        world.poison.letGo();
        const where = `${text} ${when} ${broken.calls[at] ?? 'nothing'}`;
        await drainPoison(world)();
        assert.equal(left, [], where);
        world.poison.letGo();
        assert.equal(left, [], where);
        assert.is(only(world).state, 'deadLettered', where);
        assert.ok(letters(world).length >= 1, where);
        assert.is(new Set(letters(world).map(({ requestId }) => requestId)).size, 1, where);
        assert.is(letters(world)[0]?.requestId, only(world).requestId, where);
        if (at >= broken.calls.length) break;
      }
    }
  }
});

test('one message that can not be settled stops no other, and stays', async () => {
  const { world, left } = poisoned('{"version":1,"requestId":"a"}', '{"version":1,"requestId":"b"}');
  world.queue.failNext('deadLetter', new TransientError('StorageUnavailable', 'intake', 'Away.'));
  await drainPoison(world)();
  assert.is(only(world).requestId, 'b');
  world.poison.letGo();
  assert.equal(left, ['{"version":1,"requestId":"a"}']);
});

const last = suite('the last delivery of a message');

last('is the one after which the host gives up', async () => {
  const host = z
    .object({ extensions: z.object({ queues: z.object({ maxDequeueCount: z.number() }) }) })
    .parse(JSON.parse(await readFile(join(root, 'host.json'), 'utf8')));
  assert.is(lastDelivery, host.extensions.queues.maxDequeueCount);
});

last('leaves a request that is in the table to reconcile, and no poison message', async () => {
  const world = createWorld();
  const deliver = async (delivery: number): Promise<void> =>
    dispatchMessage(world)(new TextEncoder().encode('{"version":1}'), 'message-1', delivery);
  world.orchestrations.failNext('startLifecycle', new Error('The task hub is away.'), 5);
  for (const delivery of [1, 2, 3, 4]) {
    let failed = false;
    await deliver(delivery).catch(() => {
      failed = true;
    });
    assert.ok(failed, `delivery ${delivery}`);
    world.clock.advance(16_000);
  }
  await deliver(lastDelivery);
  assert.is(only(world).state, 'accepted');
  assert.match(world.log.lines.join('\n'), /not started, reconcile will do it/);
});

test.run();
last.run();
