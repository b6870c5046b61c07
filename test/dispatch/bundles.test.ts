import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { bundleMessages } from '../../shared/adapters/bundled-messages.js';
import { askForAgent } from '../../shared/api/ask-for-agent.js';
import { dispatchMessage, lastDelivery } from '../../shared/dispatch/dispatch-message.js';
import { TransientError } from '../../shared/domain/failure.js';
import { fail } from '../contracts/fail.js';
import { apiCall, pipelineHeaders } from '../fakes/api-call.js';
import { createWorld, haveRequest, holdsSecret, type World } from '../fakes/world.js';

const bundleOf = (...requests: readonly unknown[]): string => JSON.stringify({ version: 1, requests });
const idsOf = (...requestIds: readonly string[]): string =>
  bundleOf(...requestIds.map(requestId => ({ version: 1, requestId })));

const deliver = (world: World, text: string, delivery = 1): Promise<void> =>
  dispatchMessage(world)(new TextEncoder().encode(text), 'message-1', delivery);

const failsWith = async (pattern: RegExp, action: () => Promise<void>): Promise<void> => {
  try {
    await action();
  } catch (error) {
    assert.match(String(error), pattern);
    return;
  }
  assert.unreachable(`It should have failed with ${String(pattern)}.`);
};

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(resolve => void setImmediate(resolve));
};

const starts = (world: World): readonly string[] =>
  world.orchestrations.callsOf('startLifecycle').map(({ args }) => String(args[0]));

const haveAccepted = async (...requestIds: readonly string[]): Promise<World> => {
  const world = createWorld();
  for (const requestId of requestIds) await haveRequest(world, 'accepted', { requestId });
  return world;
};

const test = suite('a bundle of our own messages');

test('starts each of its requests once, however often it comes', async () => {
  const ids = Array.from({ length: 16 }, (_, index) => `r-${index}`);
  const world = await haveAccepted(...ids);
  await deliver(world, idsOf(...ids));
  assert.equal(starts(world).toSorted(), ids.toSorted());
  await deliver(world, idsOf(...ids), 2);
  assert.is(starts(world).length, 16);
  assert.equal(world.queue.calls, []);
});

test('is what the intake sends in a burst, and holds no token', async () => {
  const put: string[] = [];
  const arrive: (() => void)[] = [];
  const world = createWorld();
  const send = bundleMessages(message => {
    put.push(message);
    return new Promise(resolve => void arrive.push(resolve));
  });
  const ask = askForAgent({ ...world, queue: { ...world.queue, send } }, { articleRoute: false });
  const answers = Promise.all(
    [1, 2, 3, 4].map(async id => ask(apiCall({ body: { attempt: `1.${id}` }, headers: pipelineHeaders }))),
  );
  for (let sent = 0; sent < 3; sent += 1) {
    while (arrive.length === 0) await new Promise(resolve => void setImmediate(resolve));
    arrive.shift()?.();
  }
  assert.equal(
    (await answers).map(({ status }) => status),
    [202, 202, 202, 202],
  );
  assert.is(put.length, 3);
  assert.not.ok(holdsSecret(put.join('\n')));
  for (const text of put) await deliver(world, text);
  assert.is(new Set(starts(world)).size, 4);
  assert.equal(world.queue.deadLetters, []);
});

test('one request that can not be started stops no other, and has the bundle come again', async () => {
  const world = await haveAccepted('r-1', 'r-2', 'r-3');
  world.orchestrations.failNext('startLifecycle', new Error('The task hub is away.'));
  await failsWith(/task hub is away/, () => deliver(world, idsOf('r-1', 'r-2', 'r-3')));
  assert.is(world.orchestrations.running.size, 2);
  world.clock.advance(16_000);
  await deliver(world, idsOf('r-1', 'r-2', 'r-3'), 2);
  assert.is(world.orchestrations.running.size, 3);
  assert.is(starts(world).length, 4, 'the two that run are left alone');
  assert.match(world.log.lines.join('\n'), /Request r-1, one of a bundle of 3/);
});

test('that the table did not answer comes again, too', async () => {
  const world = await haveAccepted('r-1', 'r-2');
  world.store.failNext('replace', new TransientError('StorageUnavailable', 'intake', 'Away.'));
  await failsWith(/Away/, () => deliver(world, idsOf('r-1', 'r-2')));
  assert.is(starts(world).length, 1);
});

test('at its last delivery leaves to reconcile what can not be started', async () => {
  const world = await haveAccepted('r-1', 'r-2');
  world.orchestrations.failNext('startLifecycle', new Error('The task hub is away.'));
  await deliver(world, idsOf('r-1', 'r-2'), lastDelivery);
  assert.is(world.orchestrations.running.size, 1);
  assert.ok(world.store.requests().every(({ state }) => state === 'accepted'));
});

test('holds one request twice when its call was repeated in the burst, also when it comes again', async () => {
  for (const delivery of [1, 2]) {
    const world = await haveAccepted('r-1');
    // A start takes its time, in which the request is claimed and does not run yet.
    world.orchestrations.beforeNext('startLifecycle', turns);
    await deliver(world, idsOf('r-1', 'r-1', 'r-1'), delivery);
    assert.equal(starts(world), ['r-1']);
  }
});

test('keeps a request that the table has lost with its own message', async () => {
  const world = createWorld();
  await deliver(world, '{"requests":[{"tags":{"ü":"1"},"requestId":"r-1","version":1}],"version":1}');
  const message = (await world.store.message('r-1')) ?? fail('it is not kept');
  assert.is(Buffer.from(message).toString(), '{"tags":{"ü":"1"},"requestId":"r-1","version":1}');
  assert.equal(starts(world), ['r-1']);
});

const Letter = z.object({ message: z.string() });
const wrong: readonly (readonly [title: string, text: string, code: string, reason: RegExp])[] = [
  ['is empty', '{"version":1,"requests":[]}', 'MessageInvalid', /requests too small/],
  ['is no list', '{"version":1,"requests":{}}', 'MessageInvalid', /requests invalid input: expected array/],
  [
    'is of a future version',
    idsOf('r-1').replace('1', '2'),
    'MessageVersionUnknown',
    /^.*: version must be 1/,
  ],
  [
    'has a field of its own',
    '{"version":1,"requests":[],"profile":"ubuntu"}',
    'MessageInvalid',
    /profile is not/,
  ],
  [
    'holds a message without an id',
    bundleOf({ version: 1, requestId: 'r-1' }, { version: 1 }),
    'MessageInvalid',
    /requests\.1\.requestId/,
  ],
  [
    'holds a message that wants a reply',
    bundleOf({ version: 1, requestId: 'r-1', replyQueue: 'agent-replies' }),
    'MessageInvalid',
    /requests\.0\.replyQueue is not a known field/,
  ],
  [
    'holds a message of a future version',
    bundleOf({ version: 2, requestId: 'r-1' }),
    'MessageInvalid',
    /requests\.0\.version must be 1/,
  ],
  [
    'holds a message that wants a callback and an unknown profile',
    bundleOf({ version: 1, requestId: 'r-1', callback: true, profile: 'macos' }),
    'MessageInvalid',
    /requests\.0\.callback can not be true.*; requests\.0\.profile "macos" is not configured/,
  ],
  ['holds no message', bundleOf(1), 'MessageInvalid', /requests\.0 invalid input: expected object/],
  [
    'holds a bundle',
    bundleOf(JSON.parse(idsOf('r-1'))),
    'MessageInvalid',
    /requests\.0\.requests is not a known/,
  ],
  [
    'hides a prototype',
    '{"version":1,"requests":[{"version":1,"requestId":"r-1","tags":{"__proto__":"x"}}]}',
    'MessageInvalid',
    /__proto__ is a reserved name/,
  ],
];
for (const [title, text, code, reason] of wrong) {
  test(`that ${title} is one dead letter, byte for byte, and starts nothing`, async () => {
    const world = await haveAccepted('r-1');
    for (const delivery of [1, 2]) await deliver(world, text, delivery);
    const [letter, ...others] = world.store.requests().filter(({ state }) => state === 'deadLettered');
    assert.equal(others, []);
    assert.is(letter?.failure?.code, code);
    assert.match(letter?.failure?.message ?? '', reason);
    assert.is(world.queue.deadLetters.length, 1);
    assert.is(Letter.parse(JSON.parse(world.queue.deadLetters[0] ?? '')).message, text);
    assert.is((await world.store.get('r-1'))?.request.state, 'accepted', 'reconcile starts it');
    assert.equal(starts(world), []);
  });
}

test.run();
