import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { mustBeMessage } from '../support/documented-message.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi, Shown } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { callsOf, countOf, resetCalls } from './support/stand-ins.js';
import { send, take } from './support/storage.js';
import { openWorld } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;

const queue = 'agent-requests';
const deadLetters = 'agent-requests-deadletter';
const replyQueue = 'agent-replies';

const DeadLetter = z.looseObject({
  requestId: z.string(),
  failure: z.looseObject({ code: z.string(), stage: z.string(), message: z.string() }),
  message: z.string().optional(),
  messageBase64: z.string().optional(),
});

const messages = suite('a message of another system');

messages.before(async () => {
  ({ stack, end } = await openWorld({
    settings: { ReplyQueues: replyQueue },
    profiles: {
      brief: {
        devOpsPool: 'AzDOUbuntu',
        batchPool: 'batchLinux',
        image: 'azdo-agent:ubuntu-24.04-azdo',
        idleMinutes: 0.05,
      },
    },
  }));
  api = agentsApi(stack);
});
messages.after(async () => end());
messages.after.each(async () => resetCalls(stack));

async function replies(count: number): Promise<readonly Shown[]> {
  const texts: string[] = [];
  await waitFor(
    `${count} replies`,
    async () => {
      texts.push(...(await take(stack, replyQueue)));
      return texts.length >= count;
    },
    { timeoutMs: 15_000, everyMs: 100 },
  );
  return texts.map(text => {
    mustBeMessage('agent-reply.schema.json', text);
    return Shown.parse(JSON.parse(text));
  });
}

async function deadLetter(): Promise<z.infer<typeof DeadLetter>> {
  let texts: readonly string[] = [];
  await waitFor('a dead letter', async () => {
    texts = await take(stack, deadLetters);
    return texts.length > 0;
  });
  assert.is(texts.length, 1);
  mustBeMessage('dead-letter.schema.json', texts[0] ?? '');
  return DeadLetter.parse(JSON.parse(texts[0] ?? ''));
}

for (const encoding of ['JSON', 'base64 of JSON'] as const) {
  messages(`in ${encoding} is answered when its agent is online and at its end`, async () => {
    const requestId = encoding === 'JSON' ? 'nightly-1' : 'nightly-2';
    const text = JSON.stringify({ version: 1, profile: 'brief', requestId, replyQueue, tags: { ü: '😀' } });
    await send(stack, queue, encoding === 'JSON' ? text : Buffer.from(text).toString('base64'));
    const [online, ended] = await replies(2);
    assert.is(online?.requestId, requestId);
    assert.is(online?.state, 'online');
    assert.is(ended?.requestId, requestId);
    assert.is(ended?.state, 'expired');
    assert.equal(ended?.tags, { ü: '😀' });
    const shown = await api.get(requestId);
    assert.equal(shown.history, ended?.history);
    await nothingLeft(stack);
  });
}

messages('that is sent again starts nothing and is answered again', async () => {
  await send(
    stack,
    queue,
    JSON.stringify({ version: 1, profile: 'brief', requestId: 'nightly-1', replyQueue }),
  );
  const [again] = await replies(1);
  assert.is(again?.requestId, 'nightly-1');
  assert.is(again?.state, 'expired');
  assert.is(again?.attempt, 1);
  assert.is(countOf(await callsOf(stack, 'batch'), 'POST', '/tasks'), 0);
});

const misunderstood: readonly { what: string; text: string; code: string; reason: RegExp }[] = [
  {
    what: 'that is not JSON',
    // No line break: Azurite loses those.
    text: '\tprofile:  ubuntu, "ünquoted" 😀 ',
    code: 'MessageNotJson',
    reason: /neither JSON nor base64 of JSON/,
  },
  {
    what: 'of a future version',
    text: '{ "version": 2,  "profile": "ubuntu" }',
    code: 'MessageVersionUnknown',
    reason: /version must be 1/,
  },
  {
    what: 'that is invalid',
    text: '{"version":1,"profile":"solaris","tags":{"a":"b"},"callback":true}',
    code: 'MessageInvalid',
    reason: /callback can not be true.*"solaris" is not configured/,
  },
  {
    what: 'with a field that nobody knows',
    text: '{"version":1,"capabilitys":{}}',
    code: 'MessageInvalid',
    reason: /capabilitys is not a known field/,
  },
  { what: 'that is empty of sense', text: '  ', code: 'MessageNotJson', reason: /neither JSON/ },
];

for (const { what, text, code, reason } of misunderstood) {
  messages(`${what} is dead-lettered byte for byte with the reason, and visible`, async () => {
    await send(stack, queue, text);
    const letter = await deadLetter();
    assert.is(letter.message, text);
    assert.is(letter.failure.code, code);
    assert.is(letter.failure.stage, 'intake');
    assert.match(letter.failure.message, reason);
    const shown = await api.until(letter.requestId, 'deadLettered');
    assert.is(shown.failure?.code, code);
    const { requests } = await api.list('?state=deadLettered');
    assert.ok(requests.some(({ requestId }) => requestId === letter.requestId));
    assert.is(countOf(await callsOf(stack, 'batch'), 'POST', '/tasks'), 0);
    await nothingLeft(stack);
  });
}

messages('that can not be understood is answered where it says how', async () => {
  const text = JSON.stringify({ version: 1, requestId: 'broken-1', replyQueue, profile: 7 });
  await send(stack, queue, text);
  const [answer] = await replies(1);
  assert.is(answer?.requestId, 'broken-1');
  assert.is(answer?.state, 'deadLettered');
  assert.is((await deadLetter()).message, text);
});

messages('may not be answered on a queue that the operator did not allow', async () => {
  await send(stack, queue, JSON.stringify({ version: 1, replyQueue: 'somebody-elses-queue' }));
  assert.match((await deadLetter()).failure.message, /"somebody-elses-queue" is not among ReplyQueues/);
  assert.equal(await take(stack, replyQueue), []);
});

messages.run();
