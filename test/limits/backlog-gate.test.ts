import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TransientError } from '../../shared/domain/failure.js';
import type { RequestState } from '../../shared/domain/request.js';
import { createBacklogGate } from '../../shared/limits/backlog-gate.js';
import { createLiveListings } from '../../shared/limits/live-listings.js';
import { createFakeClock } from '../fakes/clock.js';
import { createFakeRequestStore } from '../fakes/request-store.js';
import { someRequest } from '../fakes/requests.js';
import { createWorld, linuxPool } from '../fakes/world.js';

const open = (maxWaiting: number) => {
  const profile = { devOpsPool: linuxPool, batchPool: 'b', image: 'i', maxWaiting };
  const { config } = createWorld({
    env: { AgentProfiles: JSON.stringify({ ubuntu: profile, other: profile }) },
  });
  const store = createFakeRequestStore();
  const clock = createFakeClock();
  const gate = createBacklogGate({ config, clock, listings: createLiveListings({ store, clock }) });
  let number = 0;
  const enter = async (profileName = 'ubuntu', requestId = `r-${(number += 1)}`) => {
    const request = someRequest({ requestId, profile: profileName });
    const entered = await gate.enter(request, async () => store.insert(request, new Uint8Array()));
    return typeof entered === 'string' ? entered : `full: ${entered.waiting} of ${entered.maxWaiting}`;
  };
  /** What others write: messages, other processes, orchestrations. */
  const have = async (requestId: string, state: RequestState, profileName = 'ubuntu') => {
    const stored = await store.get(requestId);
    const request = someRequest({ requestId, profile: profileName, state });
    await (stored ? store.replace(stored, request) : store.insert(request, new Uint8Array()));
  };
  const listings = (): number => store.callsOf('live').length;
  return { store, clock, enter, have, listings };
};

/** Lets what goes on in the background come to its end. */
const settled = (): Promise<void> => new Promise(resolve => void setImmediate(resolve));

const test = suite('the backlog gate');

test('refuses exactly the one too many, one after the other or at the same moment', async () => {
  const inTurn = open(2);
  assert.is(await inTurn.enter(), 'inserted');
  assert.is(await inTurn.enter(), 'inserted');
  assert.is(await inTurn.enter(), 'full: 2 of 2');
  assert.is(inTurn.store.requests().length, 2);

  const atOnce = open(2);
  const answers = await Promise.all(Array.from({ length: 5 }, async () => atOnce.enter()));
  assert.equal(answers.toSorted(), ['full: 2 of 2', 'full: 2 of 2', 'full: 2 of 2', 'inserted', 'inserted']);
});

test('counts what waits for an agent, and not what has one or has ended', async () => {
  for (const [state, counts] of [
    ['accepted', true],
    ['provisioning', true],
    ['starting', true],
    ['online', false],
    ['busy', false],
    ['completed', false],
  ] as const) {
    const { enter, have } = open(1);
    await have('other-1', state);
    assert.is(await enter(), counts ? 'full: 1 of 1' : 'inserted', state);
  }
});

test('lets in again within a second after one has got its agent', async () => {
  const { clock, enter, have } = open(1);
  await enter();
  await have('r-1', 'online');
  clock.advance(1_001);
  assert.is(await enter(), 'inserted');
  clock.advance(1_001);
  assert.is(await enter(), 'full: 1 of 1');
});

test('the backlog of one profile refuses nobody of another', async () => {
  const { enter } = open(1);
  assert.is(await enter(), 'inserted');
  assert.is(await enter(), 'full: 1 of 1');
  assert.is(await enter('other'), 'inserted');
});

test('a request that is there already takes no place twice', async () => {
  const { enter } = open(2);
  assert.is(await enter('ubuntu', 'same'), 'inserted');
  assert.is(await enter('ubuntu', 'same'), 'exists');
  assert.is(await enter(), 'inserted');
  assert.is(await enter(), 'full: 2 of 2');
});

test('a request that is kept while a listing is on its way counts once', async () => {
  const { store, clock, enter } = open(3);
  await enter();
  clock.advance(10_001);
  let read = (): void => undefined;
  store.beforeNext('live', async () => new Promise<void>(resolve => void (read = resolve)));
  assert.is(await enter(), 'inserted');
  read();
  await settled();
  assert.is(await enter(), 'inserted');
  assert.is(await enter(), 'full: 3 of 3');
});

test('far from the limit a listing is made every ten seconds, and nobody waits for it', async () => {
  const { store, clock, enter, listings } = open(10_000);
  store.beforeNext('live', async () => new Promise(() => undefined));
  assert.is(await enter(), 'inserted', 'the first call of a process waited for a listing that never comes');
  const other = open(10_000);
  for (let second = 0; second < 25; second += 1) {
    for (let call = 0; call < 10; call += 1) assert.is(await other.enter(), 'inserted');
    await settled();
    other.clock.advance(1_000);
  }
  assert.is(other.listings(), 3);
  assert.is(listings(), 1);
  assert.is(clock.sleeps.length, 0);
});

test('at the limit a listing is made at most once a second, however many are refused', async () => {
  const { clock, enter, have, listings } = open(1);
  await have('other-1', 'starting');
  for (let tenth = 0; tenth < 30; tenth += 1) {
    const answers = await Promise.all(Array.from({ length: 10 }, async () => enter()));
    assert.ok(answers.every(answer => answer === 'full: 1 of 1'));
    clock.advance(100);
  }
  assert.ok(listings() <= 3, `${listings()} listings in three seconds`);
});

test('what came in beside the calls is seen within ten seconds', async () => {
  const { clock, enter, have } = open(5);
  await enter();
  for (const number of [1, 2, 3, 4]) await have(`message-${number}`, 'accepted');
  clock.advance(10_001);
  await enter();
  await settled();
  assert.is(await enter(), 'full: 6 of 5');
});

test('a listing that fails refuses nobody and fails no call', async () => {
  const { store, enter, listings } = open(1);
  store.failNext('live', new TransientError('StorageUnavailable', 'intake', 'Storage is away.'), 100);
  for (let call = 0; call < 5; call += 1) assert.is(await enter(), 'inserted');
  assert.is(listings(), 1, 'it is asked again and again while it is in trouble');
});

test('is full for no longer than ten seconds when it can not be seen any more', async () => {
  const { store, clock, enter } = open(1);
  assert.is(await enter(), 'inserted');
  store.failNext('live', new TransientError('StorageUnavailable', 'intake', 'Storage is away.'), 100);
  clock.advance(9_000);
  assert.is(await enter(), 'full: 1 of 1');
  clock.advance(2_000);
  assert.is(await enter(), 'inserted');
});

test('a request that could not be kept for certain counts until a listing shows otherwise', async () => {
  const { store, clock, enter } = open(1);
  store.failNext('insert', new TransientError('StorageUnavailable', 'intake', 'Storage is away.'));
  try {
    await enter();
    assert.unreachable();
  } catch (error) {
    assert.instance(error, TransientError);
  }
  assert.is(await enter(), 'full: 1 of 1');
  clock.advance(1_001);
  assert.is(await enter(), 'inserted');
});

test.run();
