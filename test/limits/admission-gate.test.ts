import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { changeRequest } from '../../shared/change-request.js';
import { TransientError } from '../../shared/domain/failure.js';
import { advance } from '../../shared/domain/lifecycle.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import { type AdmissionGate, createAdmissionGate } from '../../shared/limits/admission-gate.js';
import { createLiveListings } from '../../shared/limits/live-listings.js';
import { fail } from '../contracts/fail.js';
import { createFakeClock } from '../fakes/clock.js';
import { createFakeRequestStore, type FakeRequestStore } from '../fakes/request-store.js';
import { someRequest } from '../fakes/requests.js';
import { createWorld, linuxPool } from '../fakes/world.js';

const profiles = (maxAlive: number) =>
  createWorld({
    env: {
      AgentProfiles: JSON.stringify({
        ubuntu: { devOpsPool: linuxPool, batchPool: 'b', image: 'i', maxAlive },
        other: { devOpsPool: linuxPool, batchPool: 'b', image: 'i', maxAlive: 1 },
      }),
    },
  }).config;

const open = (maxAlive: number, store: FakeRequestStore = createFakeRequestStore()) => {
  const clock = createFakeClock();
  const config = profiles(maxAlive);
  const newProcess = (): AdmissionGate =>
    createAdmissionGate({ config, clock, listings: createLiveListings({ store, clock }) });
  return { store, clock, newProcess, gate: newProcess() };
};

const at = (ms: number): string => new Date(Date.UTC(2026, 0, 31, 9) + ms).toISOString();

async function arrives(store: FakeRequestStore, number: number, changes: Partial<AgentRequest> = {}) {
  const request = someRequest({ requestId: `r-${number}`, createdAt: at(number), ...changes });
  await store.insert(request, new Uint8Array());
  return request;
}

/** What provisioning and the end of a request write. */
async function move(
  store: FakeRequestStore,
  ref: AgentRequest,
  to: 'provisioning' | 'cancelled',
): Promise<void> {
  await changeRequest(store, ref, row => advance(row, { to, at: row.createdAt, detail: to, attempt: 1 }));
}

/** Its listings are read at once and answered when they are let go. */
function held() {
  const store = createFakeRequestStore();
  let answering = Promise.resolve();
  let answer = (): void => undefined;
  const slow = new Proxy(store, {
    get: (target, name): unknown =>
      name === 'live'
        ? async () => {
            const rows = await target.live();
            await answering;
            return rows;
          }
        : Reflect.get(target, name),
  });
  const hold = (): void => {
    answering = new Promise(resolve => {
      answer = resolve;
    });
  };
  return { store, slow, hold, letGo: () => answer() };
}

const test = suite('the admission gate');

test('lets begin as many as are allowed, and the next when one has ended', async () => {
  const { store, gate } = open(2);
  const [one, two, three] = [await arrives(store, 1), await arrives(store, 2), await arrives(store, 3)];
  assert.is((await gate.ask(one)).admitted, true);
  await move(store, one, 'provisioning');
  assert.is((await gate.ask(two)).admitted, true);
  // Not written yet, but decided.
  assert.equal(await gate.ask(three), { admitted: false, begun: 2, ahead: 0 });
  await move(store, one, 'cancelled');
  assert.equal(await gate.ask(three), { admitted: true, begun: 1, ahead: 0 });
});

test('a burst of a thousand costs a few listings, and exactly so many begin', async () => {
  const { store, gate } = open(200);
  const requests = await Promise.all(
    Array.from({ length: 1_000 }, async (_, number) => arrives(store, number)),
  );
  const answers = await Promise.all(
    requests.toReversed().map(async request => ({ request, answer: await gate.ask(request) })),
  );
  const admitted = answers.filter(({ answer }) => answer.admitted).map(({ request }) => request.requestId);
  assert.is(admitted.length, 200);
  assert.ok(admitted.includes('r-0') && admitted.includes('r-199'));
  assert.ok(store.callsOf('live').length <= 3, `${store.callsOf('live').length} listings`);
});

test('while there is plenty of room nobody waits for a listing', async () => {
  const { store, gate, clock } = open(1_000);
  for (let number = 0; number < 50; number += 1) {
    clock.advance(10);
    assert.is((await gate.ask(await arrives(store, number))).admitted, true);
  }
  assert.is(store.callsOf('live').length, 1);
});

test('many that come within the life of one listing are still no more than are allowed', async () => {
  const { store, gate } = open(120);
  await gate.ask(await arrives(store, 0));
  const answers = [];
  for (let number = 1; number < 200; number += 1) answers.push(await gate.ask(await arrives(store, number)));
  assert.is(answers.filter(({ admitted }) => admitted).length, 119);
});

test('one that was let begin while a listing was on its way, and is not in it, keeps its place', async () => {
  const { store, slow, hold, letGo } = held();
  const { gate } = open(101, slow);
  await gate.ask(await arrives(store, 0, { profile: 'other' }));
  const known = await Promise.all(Array.from({ length: 101 }, async (_, index) => arrives(store, index + 1)));
  hold();
  const listed = gate.ask(await arrives(store, 500, { profile: 'other' }));
  await new Promise(resolve => void setImmediate(resolve));
  assert.is((await gate.ask(await arrives(store, 200))).admitted, true);
  letGo();
  await listed;
  let admitted = 0;
  for (const request of known) if ((await gate.ask(request)).admitted) admitted += 1;
  assert.is(admitted, 100);
});

test('close to the limit the one that was asked for first goes first, however young the listing', async () => {
  const { store, gate } = open(1);
  await gate.ask(await arrives(store, 9, { profile: 'other' }));
  const [older, younger] = [await arrives(store, 1), await arrives(store, 2)];
  assert.equal(await gate.ask(younger), { admitted: false, begun: 0, ahead: 1 });
  assert.is((await gate.ask(older)).admitted, true);
});

test('what another process let begin counts once it is written', async () => {
  const { store, gate, newProcess } = open(1);
  const [one, two] = [await arrives(store, 1), await arrives(store, 2)];
  await gate.ask(one);
  await move(store, one, 'provisioning');
  assert.is((await newProcess().ask(two)).admitted, false);
});

test('a place that was given and never taken is free again after its request has ended', async () => {
  const { store, gate } = open(1);
  const [one, two] = [await arrives(store, 1), await arrives(store, 2)];
  assert.is((await gate.ask(one)).admitted, true);
  assert.is((await gate.ask(two)).admitted, false);
  assert.is((await gate.ask(one)).admitted, true, 'a step that is run again keeps its place');
  await move(store, one, 'cancelled');
  assert.is((await gate.ask(two)).admitted, true);
});

test('a request that begins again as its next generation has to wait like any other', async () => {
  const { store, gate } = open(1);
  const one = await arrives(store, 1);
  await gate.ask(one);
  await move(store, one, 'cancelled');
  const two = await arrives(store, 2);
  const again = { ...one, generation: 2, createdAt: at(3) };
  await store.reopen(again, new Uint8Array());
  assert.equal(await gate.ask(again), { admitted: false, begun: 0, ahead: 1 });
  assert.is((await gate.ask(two)).admitted, true);
});

test('a listing that fails is told to whoever asks, and the next question is answered', async () => {
  const { store, gate } = open(1);
  const one = await arrives(store, 1);
  store.failNext('live', new TransientError('StorageUnavailable', 'intake', 'Storage is away.'));
  try {
    await gate.ask(one);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, TransientError);
  }
  assert.is((await gate.ask(one)).admitted, true);
});

test('a listing that was on its way already is not enough to overtake an earlier one', async () => {
  const { store, slow, hold, letGo } = held();
  const { gate } = open(1, slow);
  hold();
  const first = gate.ask(await arrives(store, 0, { profile: 'other' }));
  await new Promise(resolve => void setImmediate(resolve));
  const [older, younger] = [await arrives(store, 1), await arrives(store, 2)];
  const asked = gate.ask(younger);
  letGo();
  assert.equal(await asked, { admitted: false, begun: 0, ahead: 1 });
  assert.is((await first).admitted, true);
  assert.is((await gate.ask(older)).admitted, true);
});

test('a profile that is not configured any more keeps nobody waiting', async () => {
  const { store, gate } = open(1);
  for (const number of [1, 2]) {
    assert.is((await gate.ask(await arrives(store, number, { profile: 'gone' }))).admitted, true);
  }
});

test('in whatever order questions, listings, writes and ends come: never too many, and nobody is overtaken', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 4 }),
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }),
      fc.array(fc.constantFrom(0, 100, 1_500, 3_000), { minLength: 8, maxLength: 8 }),
      async (scheduler, maxAlive, order, pauses) => {
        const store = createFakeRequestStore();
        const slow = new Proxy(store, {
          get: (target, name): unknown =>
            name === 'live'
              ? async () => {
                  // Taken before or after other things happen, and told later still.
                  await scheduler.schedule(Promise.resolve(), 'listing begins');
                  const rows = await target.live();
                  await scheduler.schedule(Promise.resolve(), 'listing ends');
                  return rows;
                }
              : Reflect.get(target, name),
        });
        const { gate, clock } = open(maxAlive, slow);
        const requests = await Promise.all(order.map(async number => arrives(store, number)));
        const waiting = new Set(requests);
        const alive = new Set<AgentRequest>();
        let most = 0;

        const live = async (request: AgentRequest, index: number): Promise<void> => {
          for (;;) {
            await scheduler.schedule(Promise.resolve(), `${request.requestId} asks`);
            clock.advance(pauses[index] ?? 0);
            if ((await gate.ask(request)).admitted) break;
          }
          const ahead = [...waiting].filter(({ createdAt }) => createdAt < request.createdAt).length;
          if (alive.size + ahead >= maxAlive) {
            fail(
              `${request.requestId} began beside ${alive.size}, with ${ahead} ahead, of at most ${maxAlive}`,
            );
          }
          waiting.delete(request);
          alive.add(request);
          most = Math.max(most, alive.size);
          await scheduler.schedule(Promise.resolve(), `${request.requestId} is written`);
          await move(store, request, 'provisioning');
          await scheduler.schedule(Promise.resolve(), `${request.requestId} ends`);
          await move(store, request, 'cancelled');
          alive.delete(request);
        };
        await scheduler.waitFor(Promise.all(requests.map(live)));
        assert.is(waiting.size, 0);
        assert.ok(most <= maxAlive);
      },
    ),
    { numRuns: 200 },
  );
});

test.run();
