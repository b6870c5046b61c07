import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundleMessages } from '../../shared/adapters/bundled-messages.js';
import { unbundled } from '../contracts/request-queue.js';
import { waitFor } from '../support/wait-for.js';

/** A queue whose sends arrive, or fail, when the test says so. */
function open(patienceMs?: number) {
  const put: string[] = [];
  const pending: { readonly arrive: () => void; readonly fail: (error: Error) => void }[] = [];
  const send = bundleMessages(
    message =>
      new Promise((arrive, fail) => {
        put.push(message);
        pending.push({ arrive, fail });
      }),
    patienceMs,
  );
  /** Lets what is on its way arrive, and what goes then, until nothing is left. */
  const letAllArrive = async (): Promise<void> => {
    while (pending.length > 0) {
      pending.shift()?.arrive();
      await settled();
    }
  };
  return { send, put, pending, letAllArrive };
}

const settled = (): Promise<void> => new Promise(resolve => void setImmediate(resolve));
const messageOf = (id: number | string, more = ''): string =>
  JSON.stringify({ version: 1, requestId: `r-${id}`, more });
const range = (length: number): readonly number[] => Array.from({ length }, (_, index) => index);

const test = suite('messages in bundles');

test('one that comes alone goes at once, as it is', async () => {
  const { send, put, letAllArrive } = open();
  for (const id of [1, 2, 3]) {
    const sent = send(messageOf(id));
    assert.is(put.at(-1), messageOf(id));
    await letAllArrive();
    await sent;
  }
  assert.is(put.length, 3);
});

test('those that come while two are on their way go together when one of these has arrived', async () => {
  const { send, put, pending, letAllArrive } = open();
  const all = range(6).map(async id => send(messageOf(id)));
  assert.equal(put, [messageOf(0), messageOf(1)]);
  pending.shift()?.arrive();
  await settled();
  assert.is(put[2], `{"version":1,"requests":[${[2, 3, 4, 5].map(id => messageOf(id)).join(',')}]}`);
  await letAllArrive();
  await Promise.all(all);
  assert.is(put.length, 3);
});

test('a burst of two hundred goes in fifteen messages, in its order, and two are on their way at most', async () => {
  const { send, put, pending } = open();
  const all = range(200).map(async id => send(messageOf(id)));
  while (pending.length > 0) {
    assert.ok(pending.length <= 2);
    pending.shift()?.arrive();
    await settled();
  }
  await Promise.all(all);
  assert.is(put.length, 15);
  assert.equal(
    unbundled(put),
    range(200).map(id => messageOf(id)),
  );
});

test('a bundle stays well under what a queue takes, counted in bytes; one that is larger goes by itself', async () => {
  const { send, put, letAllArrive } = open();
  const texts = range(20).map(id => messageOf(id, '漢'.repeat(id === 9 ? 20_000 : 4_000)));
  const all = texts.map(async text => send(text));
  await letAllArrive();
  await Promise.all(all);
  assert.equal(unbundled(put), texts);
  assert.equal(
    put.filter(text => Buffer.byteLength(text) > 48 * 1024),
    [texts[9]],
  );
  assert.ok(put.length < 12, 'the others go together all the same');
});

test('a bundle that fails fails those in it and no others', async () => {
  const { send, pending, letAllArrive } = open();
  const answers = Promise.allSettled(range(20).map(async id => send(messageOf(id))));
  pending.shift()?.arrive();
  await settled();
  // The second went alone and is still on its way; behind it is the bundle.
  pending.pop()?.fail(new Error('The queue is away.'));
  await settled();
  await letAllArrive();
  const failed = (await answers).flatMap(({ status }, id) => (status === 'rejected' ? [id] : []));
  assert.equal(
    failed,
    range(20).filter(id => id >= 2 && id < 18),
  );
});

test('sends that do not come back hold up those behind them for a moment only', async () => {
  const { send, put, letAllArrive } = open(1);
  const all = range(5).map(async id => send(messageOf(id)));
  await waitFor('those behind to go', () => put.length === 3);
  assert.equal(
    unbundled(put),
    range(5).map(id => messageOf(id)),
  );
  await letAllArrive();
  await Promise.all(all);
});

test.run();
