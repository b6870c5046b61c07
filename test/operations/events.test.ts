import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventsSchema } from '../../shared/answers/request.js';
import { showEvents } from '../../shared/api/events.js';
import { advance, end, note } from '../../shared/domain/lifecycle.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import { decodeCursor, encodeCursor } from '../../shared/operations/event-cursor.js';
import { eventFeed } from '../../shared/operations/events.js';
import { apiCall, bodyOf, named } from '../fakes/api-call.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { createFakeRequestStore, type FakeRequestStore } from '../fakes/request-store.js';
import { createFakeRequestSurvey } from '../fakes/request-survey.js';
import { someRequest } from '../fakes/requests.js';

interface Scene {
  readonly clock: FakeClock;
  readonly store: FakeRequestStore;
  /** As one process of the app answers; each has a memory of its own. */
  readonly another: () => (query: Record<string, string>) => Promise<{ lines: string[]; next: string }>;
}

function open(): Scene {
  const clock = createFakeClock();
  const store = createFakeRequestStore();
  const another = () => {
    const feed = eventFeed(createFakeRequestSurvey(store.table), clock);
    return async (query: Record<string, string>) => {
      const { events, next } = eventsSchema.parse(
        bodyOf(await showEvents({ feed, clock })(apiCall({ query }))),
      );
      return { lines: events.map(({ requestId, state, detail }) => `${requestId} ${state} ${detail}`), next };
    };
  };
  return { clock, store, another };
}

const ask = async ({ store, clock }: Scene, requestId: string, lateMs = 0): Promise<void> => {
  const createdAt = new Date(clock.now().getTime() - lateMs).toISOString();
  await store.insert(someRequest({ requestId, createdAt }), new Uint8Array());
};

async function change(
  { store, clock }: Pick<Scene, 'store' | 'clock'>,
  requestId: string,
  decide: (request: AgentRequest, at: string) => AgentRequest,
  lateMs = 0,
): Promise<void> {
  const stored = await store.get(requestId);
  if (!stored) throw new Error(`There is no request ${requestId}.`);
  const at = new Date(clock.now().getTime() - lateMs).toISOString();
  await store.replace(stored, decide(stored.request, at));
}

const cancel = (request: AgentRequest, at: string): AgentRequest =>
  end(request, { to: 'cancelled', at, detail: 'By its caller.' });

const events = suite('GET /api/events');

events('begins now, and then tells each line once, the oldest first', async () => {
  const scene = open();
  await ask(scene, 'before');
  scene.clock.advance(1_000);
  const read = scene.another();
  const first = await read({});
  assert.equal(first.lines, []);
  scene.clock.advance(1_000);
  await ask(scene, 'b');
  scene.clock.advance(1_000);
  await ask(scene, 'a');
  await change(scene, 'before', cancel);
  const second = await read({ after: first.next });
  assert.equal(second.lines, [
    'b accepted Asked for.',
    'a accepted Asked for.',
    'before cancelled By its caller.',
  ]);
  const third = await read({ after: second.next });
  assert.equal(third.lines, []);
  scene.clock.advance(60_000);
  assert.equal((await read({ after: third.next })).lines, []);
  // Whoever goes back hears it again.
  assert.equal((await read({ after: first.next })).lines.length, 3);
});

events('tells of an attempt’s agent, and of the failure that a request ended with', async () => {
  const scene = open();
  const feed = eventFeed(createFakeRequestSurvey(scene.store.table), scene.clock);
  const start = await feed.start();
  scene.clock.advance(1);
  await ask(scene, 'r-1');
  scene.clock.advance(1);
  const failure = { code: 'PoolMissing', stage: 'createTask', message: 'Gone.', retryable: false } as const;
  await change(scene, 'r-1', (row, at) => advance(row, { to: 'provisioning', at, attempt: 1, detail: '' }));
  await change(scene, 'r-1', (row, at) => end(row, { to: 'deadLettered', at, detail: 'x', failure }));
  const { events: told } = await feed.after(start);
  assert.equal(
    told.map(({ state, agentName, failureCode }) => [state, agentName, failureCode]),
    [
      ['accepted', null, null],
      ['provisioning', 'r-1-1', null],
      ['deadLettered', 'r-1-1', 'PoolMissing'],
    ],
  );
});

events('misses no end of a request that was asked for days ago', async () => {
  const scene = open();
  await ask(scene, 'old');
  scene.clock.advance(3 * 24 * 60 * 60_000);
  const read = scene.another();
  let { next } = await read({});
  for (let minute = 0; minute < 5; minute += 1) {
    scene.clock.advance(60_000);
    ({ next } = await read({ after: next }));
  }
  await change(scene, 'old', cancel);
  scene.clock.advance(500);
  assert.equal((await scene.another()({ after: next })).lines, ['old cancelled By its caller.']);
});

events('a reader that was away for hours goes on with the last hour', async () => {
  const scene = open();
  const read = scene.another();
  const { next } = await read({});
  scene.clock.advance(60_000);
  await ask(scene, 'long-ago');
  scene.clock.advance(2 * 60 * 60_000);
  await ask(scene, 'lately');
  scene.clock.advance(30 * 60_000);
  assert.equal((await read({ after: next })).lines, ['lately accepted Asked for.']);
});

events('answers a wait as soon as something happens, or with nothing when the time is up', async () => {
  const scene = open();
  const read = scene.another();
  const { next } = await read({});
  const before = scene.clock.now().getTime();
  const nothing = await read({ after: next, wait: '5' });
  assert.equal(nothing.lines, []);
  assert.is(scene.clock.now().getTime() - before, 5_000);
  const busy = {
    ...scene.clock,
    sleep: async (ms: number) => {
      await scene.clock.sleep(ms);
      if (scene.clock.sleeps.length === 8) await ask(scene, 'late');
    },
  };
  const feed = eventFeed(createFakeRequestSurvey(scene.store.table), scene.clock);
  const answer = await showEvents({ feed, clock: busy })(
    apiCall({ query: { after: nothing.next, wait: '25' } }),
  );
  assert.is(eventsSchema.parse(bodyOf(answer)).events[0]?.requestId, 'late');
  assert.ok(scene.clock.sleeps.length < 12);
});

events('names everything that is wrong with the query at once', async () => {
  const scene = open();
  const feed = eventFeed(createFakeRequestSurvey(scene.store.table), scene.clock);
  for (const [after, wait] of [
    ['', '26'],
    ['x', '-1'],
    ['1.2', 'soon'],
    ['1.2.abc', ''],
    [`99999999999999.0.`, '25.5'],
    [`1.1.${'a'.repeat(6 * 301)}`, '1e1'],
  ] as const) {
    const answer = await showEvents({ feed, clock: scene.clock })(apiCall({ query: { after, wait } }));
    assert.equal(named(answer), ['query after', 'query wait'], after);
  }
});

events('reads twice a look and writes nothing while nothing happens', async () => {
  const scene = open();
  const survey = createFakeRequestSurvey(scene.store.table);
  const feed = eventFeed(survey, scene.clock);
  const answer = await showEvents({ feed, clock: scene.clock })(apiCall({ query: { wait: '25' } }));
  assert.is(answer.status, 200);
  assert.is(survey.callsOf('lives').length, 2 * 26, 'once a second');
  assert.is(survey.callsOf('digests').length, 1, 'once a minute');
});

events('a burst is told in parts, none of its lines twice and none left out', async () => {
  const scene = open();
  const read = scene.another();
  let { next } = await read({});
  scene.clock.advance(10);
  for (let index = 0; index < 1_000; index += 1) {
    if (index % 100 === 0) scene.clock.advance(1);
    await ask(scene, `r-${index}`);
    await change(scene, `r-${index}`, cancel);
  }
  const told: string[] = [];
  for (let turn = 0; turn < 40 && told.length < 2_000; turn += 1) {
    const answer = await read({ after: next });
    assert.ok(answer.next.length < 2_048, 'it must fit into a URL');
    ({ next } = answer);
    told.push(...answer.lines);
    scene.clock.advance(500);
  }
  assert.is(told.length, 2_000);
  assert.is(new Set(told).size, 2_000);
});

events('a line that is a second late is told of in the middle of a burst, too', async () => {
  const scene = open();
  const read = scene.another();
  let { next } = await read({});
  const told: string[] = [];
  for (let index = 0; index < 2_000; index += 1) {
    scene.clock.advance(1);
    await ask(scene, `r-${index}`);
    if (index % 250 !== 249) continue;
    const answer = await read({ after: next });
    ({ next } = answer);
    told.push(...answer.lines);
    if (index === 1_249) await ask(scene, 'late', 1_000);
  }
  for (let turn = 0; turn < 20; turn += 1) {
    scene.clock.advance(1_000);
    const answer = await read({ after: next });
    ({ next } = answer);
    told.push(...answer.lines);
  }
  assert.is(told.length, 2_001);
  assert.is(new Set(told).size, 2_001);
});

events('whatever the order in which lines arrive, each is told once', async () => {
  const step = fc.record({
    kind: fc.constantFrom('ask', 'ask', 'note', 'note', 'end', 'read', 'read'),
    who: fc.nat(),
    // Of a clock that is behind, or of a write that was slow.
    lateMs: fc.integer({ min: 0, max: 6_000 }),
    passesMs: fc.integer({ min: 0, max: 3_000 }),
    process: fc.nat(1),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
      const scene = open();
      const processes = [scene.another(), scene.another()];
      const told: string[] = [];
      const expected: string[] = [];
      const live: string[] = [];
      let { next } = await scene.another()({});
      scene.clock.advance(10_000);
      const read = async (process: number): Promise<void> => {
        const answer = await processes[process]?.({ after: next });
        if (!answer) return;
        ({ next } = answer);
        told.push(...answer.lines);
      };
      for (const [index, { kind, who, lateMs, passesMs, process }] of steps.entries()) {
        scene.clock.advance(passesMs);
        const id = live[who % Math.max(1, live.length)];
        if (kind === 'read') await read(process);
        else if (kind === 'ask' || id === undefined) {
          live.push(`r-${index}`);
          await ask(scene, `r-${index}`, lateMs);
          expected.push(`r-${index} accepted Asked for.`);
        } else if (kind === 'note') {
          await change(scene, id, (row, at) => note(row, at, `note ${index}`), lateMs);
          expected.push(`${id} accepted note ${index}`);
        } else {
          await change(scene, id, cancel, lateMs);
          live.splice(live.indexOf(id), 1);
          expected.push(`${id} cancelled By its caller.`);
        }
      }
      await read(0);
      await read(1);
      assert.equal(told.toSorted(), expected.toSorted());
    }),
    { numRuns: 300 },
  );
});

events('a cursor comes back as it was', () => {
  const cursor = { toldUntil: 1_769_853_600_000, oldest: 0, told: new Set(['abc-_9', 'AAAAAA']) };
  assert.equal(decodeCursor(encodeCursor(cursor)), cursor);
  const none = { ...cursor, told: new Set<string>() };
  assert.equal(decodeCursor(encodeCursor(none)), none);
});

events.run();
