import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TransientError } from '../../shared/domain/failure.js';
import { createLiveListings } from '../../shared/limits/live-listings.js';
import { createFakeClock } from '../fakes/clock.js';
import { createFakeRequestStore } from '../fakes/request-store.js';
import { someRequest } from '../fakes/requests.js';

const open = () => {
  const store = createFakeRequestStore();
  const answers: (() => void)[] = [];
  /** Reads at once, answers when told to. */
  const slow = {
    live: async () => {
      const rows = await store.live();
      await new Promise<void>(resolve => void answers.push(resolve));
      return rows;
    },
  };
  const listings = createLiveListings({ store: slow, clock: createFakeClock() });
  const answerNext = async (): Promise<void> => {
    await new Promise(resolve => void setImmediate(resolve));
    answers.shift()?.();
  };
  return { store, listings, answerNext };
};

const test = suite('listings of live requests');

test('a fresh one holds what was written before it was asked for; the next one may not', async () => {
  const { store, listings, answerNext } = open();
  const first = listings.next();
  await new Promise(resolve => void setImmediate(resolve));
  await store.insert(someRequest(), new Uint8Array());
  const shared = listings.next();
  const fresh = listings.fresh();
  await answerNext();
  assert.is(await first, await shared);
  assert.is((await first).rows.length, 0);
  await answerNext();
  assert.is((await fresh).rows.length, 1);
  assert.is(listings.latest(), await fresh);
});

test('many questions share one listing', async () => {
  const { store, listings, answerNext } = open();
  const first = listings.next();
  const others = Array.from({ length: 100 }, async () => listings.fresh());
  await answerNext();
  await answerNext();
  assert.is(new Set(await Promise.all(others)).size, 1);
  assert.is.not(await others[0], await first);
  assert.is(store.callsOf('live').length, 2);
});

test('one that fails is told to those who wait for it, and to nobody after', async () => {
  const { store, listings, answerNext } = open();
  store.failNext('live', new TransientError('StorageUnavailable', 'intake', 'Storage is away.'));
  const failing = listings.next();
  const fresh = listings.fresh();
  try {
    await failing;
    assert.unreachable();
  } catch (error) {
    assert.instance(error, TransientError);
  }
  await answerNext();
  assert.is((await fresh).number, 2);
  assert.is(listings.begun(), 2);
});

test.run();
