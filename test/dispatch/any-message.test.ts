import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { dispatchMessage } from '../../shared/dispatch/dispatch-message.js';
import { createWorld, type World } from '../fakes/world.js';
import { judgedCall } from '../support/broken-calls.js';
import { encoded, oddBytes, seed, shareOf } from '../support/junk.js';

const fields = [
  'version',
  'profile',
  'requestId',
  'capabilities',
  'timeoutMinutes',
  'attempt',
  'callback',
  'tags',
  'replyQueue',
  'AgentOSType',
  'AgentBuildType',
  'requests',
];

const DeadLetter = z.strictObject({
  version: z.literal(1),
  requestId: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
  generation: z.literal(1),
  profile: z.string(),
  deadLetteredAt: z.iso.datetime(),
  failure: z.strictObject({
    code: z.enum(['MessageNotJson', 'MessageVersionUnknown', 'MessageInvalid']),
    stage: z.literal('intake'),
    message: z.string().min(1).max(1_100),
    retryable: z.literal(false),
  }),
  message: z.string().optional(),
  messageBase64: z.base64().optional(),
  messageInTable: z.literal(true).optional(),
});

/** The message that a dead letter tells of, from wherever it says that it is. */
async function original(world: World, letter: z.infer<typeof DeadLetter>): Promise<Uint8Array | undefined> {
  if (letter.message !== undefined) return new TextEncoder().encode(letter.message);
  if (letter.messageBase64 !== undefined) return Buffer.from(letter.messageBase64, 'base64');
  return world.store.message(letter.requestId);
}

async function mustEndOnce(world: World, bytes: Uint8Array): Promise<'started' | 'deadLettered'> {
  const [row, ...others] = world.store.requests();
  assert.is(others.length, 0, 'one message, one request');
  const starts = world.orchestrations.callsOf('startLifecycle').length;
  const stored = await world.store.message(row?.requestId ?? '');
  assert.is(Buffer.compare(stored ?? new Uint8Array(), bytes), 0, 'the table has the message as it came');
  if (row?.state === 'accepted') {
    assert.is(starts, 1);
    assert.equal(world.queue.deadLetters, []);
    return 'started';
  }
  assert.is(row?.state, 'deadLettered');
  assert.is(starts, 0);
  assert.is(world.queue.deadLetters.length, 1);
  const letter = DeadLetter.parse(JSON.parse(world.queue.deadLetters[0] ?? ''));
  assert.is(letter.requestId, row?.requestId);
  assert.is(Buffer.compare((await original(world, letter)) ?? new Uint8Array(), bytes), 0);
  return 'deadLettered';
}

const each = shareOf(3);
const messages = suite(`queue messages: ${each} of each, seed ${seed}`);
const run = { seed, numRuns: each } as const;
/** Of each kind of outcome there are that many at least. */
const many = each / 10;
const deliver = async (world: World, bytes: Uint8Array, delivery: number): Promise<void> =>
  dispatchMessage(world)(bytes, 'message-1', delivery);

messages(
  'whatever comes becomes one request that is started, or one dead letter with its bytes',
  async () => {
    const seen = { started: 0, deadLettered: 0 };
    await fc.assert(
      fc.asyncProperty(oddBytes(fields), async bytes => {
        const world = createWorld();
        await deliver(world, bytes, 1);
        seen[await mustEndOnce(world, bytes)] += 1;
        await deliver(world, bytes, 2);
        await mustEndOnce(world, bytes);
      }),
      run,
    );
    assert.ok(seen.deadLettered > many, JSON.stringify(seen));
  },
);

messages(
  'what is right is started, in whichever encoding; what is wrong is told field by field',
  async () => {
    const seen = { started: 0, deadLettered: 0 };
    const message = judgedCall('https://dev.azure.com/contoso/').chain(({ body, wrong }) => {
      // A message may name its version and a queue for its answer, which an HTTP body may not.
      const { version: _, replyQueue: __, ...asked } = body;
      const names = wrong.filter(name => name.startsWith('body') && !/ (?:version|replyQueue)$/.test(name));
      return encoded(fc.constant(JSON.stringify({ version: 1, ...asked }))).map(bytes => ({ bytes, names }));
    });
    await fc.assert(
      fc.asyncProperty(message, async ({ bytes, names }) => {
        const world = createWorld();
        await deliver(world, bytes, 1);
        const end = await mustEndOnce(world, bytes);
        seen[end] += 1;
        if (end === 'started') assert.equal(names, []);
        const { failure } = world.store.requests()[0] ?? {};
        if (failure?.code !== 'MessageInvalid') return;
        for (const name of names) assert.match(failure.message, name.slice('body '.length));
      }),
      run,
    );
    assert.ok(seen.started > many && seen.deadLettered > many, JSON.stringify(seen));
  },
);

messages('a bundle is started as a whole, or is one dead letter as a whole', async () => {
  const seen = { started: 0, deadLettered: 0 };
  const element = judgedCall('https://dev.azure.com/contoso/').map(({ body, wrong }) => {
    const { version: _, ...asked } = body;
    const names = wrong.filter(name => name.startsWith('body') && !name.endsWith(' version'));
    const isRight = names.length === 0 && asked['requestId'] !== undefined;
    return { text: JSON.stringify({ version: 1, ...asked }), requestId: asked['requestId'], isRight };
  });
  const bundle = fc.array(
    fc.oneof({ weight: 3, arbitrary: element.filter(({ isRight }) => isRight) }, element),
    {
      minLength: 1,
      maxLength: 3,
    },
  );
  await fc.assert(
    fc.asyncProperty(bundle, async elements => {
      const world = createWorld();
      const bytes = Buffer.from(`{"version":1,"requests":[${elements.map(({ text }) => text).join(',')}]}`);
      for (const delivery of [1, 2]) {
        await deliver(world, bytes, delivery);
        if (!elements.every(({ isRight }) => isRight)) {
          assert.is(await mustEndOnce(world, bytes), 'deadLettered');
          continue;
        }
        const ids = new Set(elements.map(({ requestId }) => String(requestId)));
        assert.is(world.orchestrations.callsOf('startLifecycle').length, ids.size);
        assert.equal(new Set(world.store.requests().map(({ requestId }) => requestId)), ids);
        assert.equal(world.queue.deadLetters, []);
        for (const id of ids) {
          const text = elements.find(({ requestId }) => requestId === id)?.text;
          assert.is(Buffer.from((await world.store.message(id)) ?? []).toString(), text);
        }
      }
      seen[world.queue.deadLetters.length === 0 ? 'started' : 'deadLettered'] += 1;
    }),
    run,
  );
  assert.ok(seen.started > many && seen.deadLettered > many, JSON.stringify(seen));
});

messages.run();
