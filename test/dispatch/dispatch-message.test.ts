import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dispatchMessage } from '../../shared/dispatch/dispatch-message.js';
import { TransientError } from '../../shared/domain/failure.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import { fail } from '../contracts/fail.js';
import { someRequest } from '../fakes/requests.js';
import { createWorld, haveRequest, originalMessage, type World, waitingPipeline } from '../fakes/world.js';

const bytesOf = (message: unknown): Uint8Array =>
  new TextEncoder().encode(typeof message === 'string' ? message : JSON.stringify(message));

const deliver = (world: World, message: unknown, messageId = 'message-1', delivery = 1): Promise<void> =>
  dispatchMessage(world)(message instanceof Uint8Array ? message : bytesOf(message), messageId, delivery);

const only = (world: World): AgentRequest => {
  const [request, ...others] = world.store.requests();
  assert.equal(others, []);
  return request ?? fail('nothing is stored');
};

const starts = (world: World): number => world.orchestrations.callsOf('startLifecycle').length;

const fieldsOf = (text: string | undefined): Record<string, unknown> => {
  const value: unknown = JSON.parse(text ?? fail('there is no message'));
  return Object.fromEntries(Object.entries(value ?? {}));
};

/** What a dead letter carries, byte for byte. */
function carriedBy(deadLetter: string | undefined): Uint8Array {
  const { message, messageBase64 } = fieldsOf(deadLetter);
  if (typeof message === 'string') return new TextEncoder().encode(message);
  return Uint8Array.from(Buffer.from(String(messageBase64), 'base64'));
}

async function rejects(action: () => Promise<unknown>, code: string): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof TransientError && error.failure.code === code) return;
    throw error;
  }
  assert.unreachable(`It should have failed with ${code}.`);
}

const own = suite('our own message');

own('starts the orchestration of its request, which needs nobody to replay', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', { ...waitingPipeline(world), timeoutMinutes: 12 });
  await deliver(world, originalMessage);
  assert.equal(world.orchestrations.running.get('r-1'), {
    requestId: 'r-1',
    generation: 1,
    firstAttempt: 1,
    attempt: 1,
    attempts: 3,
    timeoutMs: 720_000,
    idleMs: 600_000,
    callback: true,
  });
  assert.ok(only(world).startClaimedAt);
  assert.is(only(world).state, 'accepted');
});

own('delivered again starts nothing, also at the same moment', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted');
  const answers = await Promise.allSettled([
    deliver(world, originalMessage),
    deliver(world, originalMessage),
    deliver(world, originalMessage),
  ]);
  assert.ok(answers.some(({ status }) => status === 'fulfilled'));
  await deliver(world, originalMessage);
  assert.is(starts(world), 1);
  assert.is(world.orchestrations.running.size, 1);
});

own('waits while another delivery is starting it, and takes over when that one died', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', { startClaimedAt: world.clock.now().toISOString() });
  await rejects(() => deliver(world, originalMessage, 'message-1', 2), 'StartClaimed');
  world.clock.advance(14_000);
  await rejects(() => deliver(world, originalMessage, 'message-1', 3), 'StartClaimed');
  assert.is(starts(world), 0);
  world.clock.advance(1_001);
  await deliver(world, originalMessage, 'message-1', 4);
  assert.is(starts(world), 1);
});

own('that repeats one which is making the start this moment has nothing to do', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', { startClaimedAt: world.clock.now().toISOString() });
  await deliver(world, originalMessage, 'message-2');
  assert.is(starts(world), 0);
});

own('whose start fails is delivered again until it works', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted');
  world.orchestrations.failNext('startLifecycle', new Error('The host is going down.'));
  try {
    await deliver(world, originalMessage);
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /going down/);
  }
  world.clock.advance(31_000);
  await deliver(world, originalMessage);
  assert.is(world.orchestrations.running.size, 1);
});

own('waits until the orchestration of the earlier generation has closed', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', { generation: 2, attempt: 1, firstAttempt: 2 });
  const earlier = {
    requestId: 'r-1',
    generation: 1,
    firstAttempt: 1,
    attempt: 1,
    attempts: 3,
    timeoutMs: 1,
    idleMs: 1,
    callback: false,
  };
  world.orchestrations.running.set('r-1', earlier);
  await rejects(() => deliver(world, originalMessage), 'EarlierGenerationRuns');
  world.orchestrations.running.delete('r-1');
  await deliver(world, originalMessage);
  assert.is(fieldsOf(JSON.stringify(world.orchestrations.running.get('r-1')))['attempt'], 2);
});

own('of an ended request starts nothing', async () => {
  const world = createWorld();
  await world.store.insert(someRequest({ state: 'cancelled' }), bytesOf(originalMessage));
  await deliver(world, originalMessage);
  assert.equal(world.orchestrations.calls, []);
  assert.equal(world.queue.calls, []);
});

own('for a row that changed in between is started all the same', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted');
  world.store.beforeNext('replace', async () => {
    const stored = (await world.store.get('r-1')) ?? fail('gone');
    await world.store.replace(stored, { ...stored.request, cancelRequestedAt: '2026-01-31T10:00:01.000Z' });
  });
  await deliver(world, originalMessage);
  assert.is(starts(world), 1);
  assert.ok(only(world).cancelRequestedAt);
});

own.run();

const others = suite('another system’s message');

others('is a request, started at once', async () => {
  const world = createWorld();
  const message = {
    version: 1,
    requestId: 'nightly-42',
    profile: 'windows',
    tags: { team: 'a' },
    timeoutMinutes: 5,
    replyQueue: 'agent-replies',
  };
  await deliver(world, message);
  const request = only(world);
  assert.is(request.requestId, 'nightly-42');
  assert.is(request.profile, 'windows');
  assert.is(request.replyQueue, 'agent-replies');
  assert.is(request.timeoutMinutes, 5);
  assert.is(request.callback, undefined);
  assert.equal(
    Buffer.from((await world.store.message('nightly-42')) ?? []).toString(),
    JSON.stringify(message),
  );
  assert.is(starts(world), 1);
  assert.equal(world.queue.calls, [], 'there is nothing to reply yet');
});

others('without an id has one of its own, the same for each delivery', async () => {
  const world = createWorld();
  await deliver(world, { version: 1 }, 'm-1');
  await deliver(world, { version: 1 }, 'm-1');
  await deliver(world, { version: 1 }, 'm-2');
  assert.is(world.store.requests().length, 2);
  assert.is(starts(world), 2);
});

others('may be base64 of JSON, and may begin with a byte order mark', async () => {
  const text = '{"version":1,"requestId":"nightly-42","tags":{"name":"Müller 漢字"}}';
  const bom = '\uFEFF';
  for (const message of [
    text,
    bom + text,
    `  ${text}\r\n`,
    Buffer.from(text).toString('base64'),
    `${Buffer.from(text).toString('base64')}\n`,
    Buffer.from(bom + text).toString('base64'),
  ]) {
    const world = createWorld();
    await deliver(world, message);
    assert.is(only(world).requestId, 'nightly-42', message);
    assert.equal(only(world).tags, { name: 'Müller 漢字' });
    assert.equal(await world.store.message('nightly-42'), bytesOf(message));
  }
});

others('that joins a request from HTTP is answered as well', async () => {
  const world = createWorld();
  await world.store.insert(someRequest({ requestId: 'nightly-42' }), new Uint8Array());
  await deliver(world, { version: 1, requestId: 'nightly-42', replyQueue: 'agent-replies' });
  assert.is((await world.store.get('nightly-42'))?.request.replyQueue, 'agent-replies');
});

others('delivered again starts nothing, and its reply is sent again once there is one', async () => {
  const world = createWorld();
  const message = { version: 1, requestId: 'nightly-42', replyQueue: 'agent-replies' };
  await deliver(world, message);
  await deliver(world, message);
  assert.equal(world.queue.replies, []);
  for (const changes of [
    { state: 'online', onlineAt: '2026-01-31T10:01:00.000Z' },
    { state: 'completed', endedAt: '2026-01-31T10:02:00.000Z' },
  ] as const) {
    const stored = (await world.store.get('nightly-42')) ?? fail('gone');
    await world.store.replace(stored, { ...stored.request, ...changes });
    await deliver(world, message);
  }
  assert.equal(
    world.queue.replies.map(({ queue, message: reply }) => [queue, fieldsOf(reply)['state']]),
    [
      ['agent-replies', 'online'],
      ['agent-replies', 'completed'],
    ],
  );
  assert.is(starts(world), 1);
});

others('that was written but not started, for the host died, is started by its next delivery', async () => {
  const world = createWorld();
  const message = { version: 1, requestId: 'nightly-42' };
  world.store.failNext('insert', new TransientError('StorageUnavailable', 'intake', 'Lost.'), 1, 'after');
  await rejects(() => deliver(world, message), 'StorageUnavailable');
  await deliver(world, message);
  assert.is(starts(world), 1);
});

others.run();

const refused = suite('a message that can not be understood');

const refusals: readonly (readonly [title: string, message: string, code: string, reason: RegExp])[] = [
  ['is no JSON', 'hello', 'MessageNotJson', /neither JSON nor base64/],
  ['is empty', '', 'MessageNotJson', /neither JSON/],
  ['is base64 of something else', Buffer.from('hello!').toString('base64'), 'MessageNotJson', /neither JSON/],
  ['is a list', '[]', 'MessageInvalid', /expected object/],
  ['has no version', '{}', 'MessageVersionUnknown', /version must be 1/],
  [
    'is of a future version',
    '{"version":2,"profile":"ubuntu","novelty":1}',
    'MessageVersionUnknown',
    /version must be 1.*novelty is not/,
  ],
  ['has a version as text', '{"version":"1"}', 'MessageVersionUnknown', /version/],
  ['has an unknown field', '{"version":1,"colour":"red"}', 'MessageInvalid', /colour is not a known field/],
  [
    'wants an unknown profile',
    '{"version":1,"profile":"macos"}',
    'MessageInvalid',
    /profile "macos" is not configured/,
  ],
  ['wants a callback', '{"version":1,"callback":true}', 'MessageInvalid', /callback can not be true/],
  [
    'wants a reply elsewhere',
    '{"version":1,"replyQueue":"secrets"}',
    'MessageInvalid',
    /"secrets" is not among ReplyQueues/,
  ],
  [
    'hides a prototype',
    '{"version":1,"__proto__":{"profile":"x"}}',
    'MessageInvalid',
    /__proto__ is a reserved name/,
  ],
];
for (const [title, message, code, reason] of refusals) {
  refused(`that ${title} is dead-lettered as it was, with the reason, visible in the table`, async () => {
    const world = createWorld();
    await deliver(world, message);
    const request = only(world);
    assert.is(request.state, 'deadLettered');
    assert.is(request.failure?.code, code);
    assert.match(request.failure?.message ?? '', reason);
    assert.is(request.failure?.stage, 'intake');
    assert.is(request.failure?.retryable, false);
    assert.is(request.endedAt, world.clock.now().toISOString());
    assert.equal(carriedBy(world.queue.deadLetters[0]), bytesOf(message));
    assert.is(world.queue.deadLetters.length, 1);
    assert.is(fieldsOf(world.queue.deadLetters[0])['requestId'], request.requestId);
    assert.equal(await world.store.message(request.requestId), bytesOf(message));
    assert.equal(world.orchestrations.calls, []);
    assert.equal(world.queue.replies, []);
  });
}

refused('hears of everything that is wrong with it at once', async () => {
  const world = createWorld();
  await deliver(world, {
    version: 1,
    profile: 'macos',
    callback: true,
    timeoutMinutes: 0,
    replyQueue: 'secrets',
    colour: 1,
  });
  const { message = '' } = only(world).failure ?? {};
  for (const field of ['profile', 'callback', 'timeoutMinutes', 'replyQueue', 'colour']) {
    assert.match(message, new RegExp(`\\b${field}\\b`));
  }
});

refused('is found under the id that its sender knows, and its sender is told', async () => {
  const world = createWorld();
  const message = { version: 1, requestId: 'nightly-42', replyQueue: 'agent-replies', profile: 'macos' };
  await deliver(world, message);
  assert.is(only(world).requestId, 'nightly-42');
  const [reply] = world.queue.replies;
  assert.is(reply?.queue, 'agent-replies');
  assert.is(fieldsOf(reply?.message)['state'], 'deadLettered');
  assert.is(fieldsOf(reply?.message)['requestId'], 'nightly-42');
});

refused('does not touch the request whose id it bears', async () => {
  const world = createWorld();
  const before = await haveRequest(world, 'busy');
  await deliver(world, '{"version":1,"requestId":"r-1","colour":"red"}');
  assert.equal((await world.store.get('r-1'))?.request, before);
  const [other] = world.store.requests().filter(({ requestId }) => requestId !== 'r-1');
  assert.is(other?.state, 'deadLettered');
  assert.is(fieldsOf(world.queue.deadLetters[0])['requestId'], other?.requestId);
});

refused('delivered again is one dead letter and one request still', async () => {
  for (const message of ['hello', '{"version":1,"requestId":"nightly-42","colour":"red"}']) {
    const world = createWorld();
    await deliver(world, message);
    world.clock.advance(10_000);
    const before = only(world);
    await deliver(world, message);
    assert.equal(only(world), before);
    assert.is(world.queue.deadLetters.length, 1);
  }
});

refused('delivered again replies again', async () => {
  const world = createWorld();
  const message = { version: 1, requestId: 'nightly-42', replyQueue: 'agent-replies', colour: 'red' };
  await deliver(world, message);
  await deliver(world, message);
  assert.is(world.queue.replies.length, 2);
  assert.equal(world.queue.replies[0], world.queue.replies[1]);
});

refused('comes to the same end when its handling breaks off anywhere', async () => {
  const message = '{"version":1,"requestId":"nightly-42","replyQueue":"agent-replies","colour":"red"}';
  const away = new TransientError('StorageUnavailable', 'intake', 'Away.');
  const ports = [
    ['queue', 'deadLetter'],
    ['queue', 'reply'],
    ['store', 'get'],
    ['store', 'insert'],
    ['store', 'replace'],
  ] as const;
  for (const [port, method] of ports) {
    for (const when of ['before', 'after'] as const) {
      const world = createWorld();
      if (port === 'queue') world.queue.failNext(method, away, 1, when);
      else world.store.failNext(method, away, 1, when);
      await rejects(() => deliver(world, message), 'StorageUnavailable');
      await deliver(world, message);
      assert.is(only(world).requestId, 'nightly-42', `${method} ${when}`);
      assert.is(only(world).state, 'deadLettered', `${method} ${when}`);
      assert.ok(world.queue.deadLetters.length >= 1);
      assert.is(new Set(world.queue.deadLetters).size, 1);
      assert.ok(world.queue.replies.length >= 1);
    }
  }
});

refused('with thousands of wrong fields still fits its dead letter', async () => {
  const world = createWorld();
  const fields = Array.from({ length: 5_000 }, (_, index) => `"f${index}":1`);
  const message = `{"version":1,${fields.join(',')}}`;
  assert.ok(message.length < 65_536);
  await deliver(world, message);
  assert.is(only(world).state, 'deadLettered');
  assert.is(world.queue.deadLetters.length, 1);
  assert.ok((only(world).failure?.message.length ?? 0) < 2_000);
});

refused('whatever its bytes, is carried byte for byte or kept so in the table', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2_000, size: 'max' }), async bytes => {
      const world = createWorld();
      await deliver(world, bytes);
      const request = only(world);
      assert.is(request.state, 'deadLettered');
      assert.equal(carriedBy(world.queue.deadLetters[0]), bytes);
      assert.equal(await world.store.message(request.requestId), bytes);
    }),
    { numRuns: 100 },
  );
  const world = createWorld();
  const largest = Uint8Array.from({ length: 65_536 }, (_, index) => (index * 7) % 256);
  await deliver(world, largest);
  assert.is(fieldsOf(world.queue.deadLetters[0])['messageInTable'], true);
  assert.equal(await world.store.message(only(world).requestId), largest);
});

refused.run();
