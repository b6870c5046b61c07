import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { finishRequest } from '../../shared/activities/finish-request.js';
import { provisionAgent } from '../../shared/activities/provision-agent.js';
import { recordBusy } from '../../shared/activities/record-busy.js';
import { releasePipeline } from '../../shared/activities/release-pipeline.js';
import { createTableRequestStore } from '../../shared/adapters/table-request-store.js';
import { dispatchMessage } from '../../shared/dispatch/dispatch-message.js';
import { TransientError } from '../../shared/domain/failure.js';
import type { RequestStore } from '../../shared/ports.js';
import { fail } from '../contracts/fail.js';
import { someRequest } from '../fakes/requests.js';
import { createLimits, createWorld, linuxPool, originalMessage, waitingPipeline } from '../fakes/world.js';
import { startLocalStorage } from '../support/local-storage.js';
import { startWatchingProxy } from './watching-proxy.js';

/** What a request costs in calls to Table storage; each is paid for. */
const azurite = await startLocalStorage();
const tableEndpoint = /TableEndpoint=(http:\/\/[^/;]+)/.exec(azurite.connectionString)?.[1] ?? '';
const proxy = await startWatchingProxy(tableEndpoint);
const account = { connectionString: azurite.connectionString.replace(tableEndpoint, proxy.url) };
const message = new TextEncoder().encode(originalMessage);

/** A process with a table that is there; others may open it as well. */
async function open(): Promise<{ readonly store: RequestStore; readonly another: () => RequestStore }> {
  const tableName = `T${randomUUID().replaceAll('-', '')}`;
  const another = (): RequestStore => createTableRequestStore({ account, tableName });
  const store = another();
  await store.insert(someRequest({ requestId: 'first' }), message);
  return { store, another };
}

/** The calls that something makes, without the name of the table, and how often each. */
async function callsOf(action: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  const before = proxy.calls.length;
  await action();
  const counts: Record<string, number> = {};
  for (const call of proxy.calls.slice(before)) {
    const name = call.replace(/T[0-9a-f]{32}/, 'table');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const ref = { requestId: 'r-1', generation: 1, attempt: 1 } as const;
const finished = { ...ref, outcome: { state: 'completed', detail: 'Done.' } } as const;

const calls = suite('calls to Table storage');

calls('a request that goes well is written nine times and read never', async () => {
  const base = createWorld();
  const { store, another } = await open();
  const world = { ...base, store, ...createLimits({ ...base, store }) };
  // The listing that admits many.
  await world.admission.ask(someRequest({ requestId: 'first' }));
  const counts = await callsOf(async () => {
    await store.insert(someRequest(waitingPipeline(world)), message);
    await dispatchMessage(world)(message, 'm-1', 1);
    await provisionAgent(world)({ ...ref, attempts: 3 });
    base.registry.put(linuxPool, 'r-1-1', { online: true });
    await releasePipeline(world)(ref);
    await recordBusy(world)(ref);
    await finishRequest(world)(finished);
  });
  assert.equal(counts, { 'POST $batch': 2, 'PATCH table(:key)': 7 });
  const { request } = (await another().get('r-1')) ?? fail('it is gone');
  assert.equal(
    request.history.map(({ state }) => state),
    ['accepted', 'provisioning', 'starting', 'online', 'busy', 'completed'],
  );
  assert.ok(request.startClaimedAt);
  assert.ok(request.callback?.acknowledgedAt);
  assert.equal(Buffer.from((await another().message('r-1')) ?? []), Buffer.from(message));
  assert.equal(base.pipeline.completions.length, 1);
  assert.equal(await another().live(), await store.live());
});

calls('a request is read once while it lives, and an unknown one twice', async () => {
  const { another } = await open();
  assert.equal(await callsOf(async () => another().get('first')), { 'GET table(:key)': 1 });
  assert.equal(await callsOf(async () => another().get('nobody')), { 'GET table(:key)': 2 });
});

calls('an answer that was overtaken makes no memory out of date', async () => {
  const { store } = await open();
  const stored = store.remembered('first') ?? fail('it is not remembered');
  const slow = proxy.holdNext(/^GET /);
  const late = store.get('first');
  await slow.held;
  const next = await store.replace(stored, { ...stored.request, state: 'provisioning' });
  slow.release();
  assert.is((await late)?.request.state, 'accepted');
  assert.equal(store.remembered('first'), next);
});

calls('a burst shares its calls, from the first write to the last', async () => {
  const { store } = await open();
  const ids = Array.from({ length: 300 }, (_, index) => `burst-${index}`);
  const inserted = await callsOf(async () =>
    Promise.all(ids.map(async requestId => store.insert(someRequest({ requestId }), message))),
  );
  // Two alone at once, and then fifty in each.
  assert.equal(inserted, { 'POST $batch': 8 });
  const replaced = await callsOf(async () =>
    Promise.all(
      ids.map(async requestId => {
        const stored = store.remembered(requestId) ?? fail('it is not remembered');
        return store.replace(stored, { ...stored.request, state: 'provisioning' });
      }),
    ),
  );
  assert.equal(replaced, { 'PATCH table(:key)': 2, 'POST $batch': 3 });
  const ended = await callsOf(async () =>
    Promise.all(
      ids.map(async requestId => {
        const stored = store.remembered(requestId) ?? fail('it is not remembered');
        const answer = await store.replace(stored, { ...stored.request, state: 'cancelled' });
        assert.is.not(answer, 'changed');
      }),
    ),
  );
  const sum = Object.values(ended).reduce((one, other) => one + other, 0);
  assert.ok(sum < 60, `${sum} calls for 300 ends`);
  assert.not.ok('GET table(:key)' in ended);
});

calls(
  'a burst of reads shares a few connections, over and over, with all that this process has open',
  async () => {
    const { another } = await open();
    const stores = [another(), another()];
    const before = proxy.connections();
    for (let burst = 0; burst < 2; burst += 1) {
      const found = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => stores[index % 2]?.get('first')),
      );
      assert.ok(found.every(each => each?.request.requestId === 'first'));
    }
    const made = proxy.connections() - before;
    assert.ok(made <= 32, `${made} connections`);
  },
);

calls('a thousand repeats of one request at once ask storage once', async () => {
  const { store } = await open();
  const counts = await callsOf(async () => {
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async () => store.insert(someRequest(), message)),
    );
    assert.is(answers.filter(answer => answer === 'inserted').length, 1);
  });
  assert.equal(counts, { 'POST $batch': 1 });
});

calls('of fifty inserts that go together, one that is refused refuses no other', async () => {
  const { store, another } = await open();
  await another().insert(someRequest({ requestId: 'r-23', profile: 'windows' }), message);
  const ids = Array.from({ length: 52 }, (_, index) => `r-${index}`);
  let answers: readonly string[] = [];
  const counts = await callsOf(async () => {
    answers = await Promise.all(
      ids.map(async requestId => store.insert(someRequest({ requestId }), message)),
    );
  });
  assert.equal(
    ids.filter((_, index) => answers[index] === 'exists'),
    ['r-23'],
  );
  assert.ok((counts['POST $batch'] ?? 0) <= 16, `${counts['POST $batch'] ?? 0} calls`);
  assert.is((await store.live()).length, 53);
  assert.is((await store.get('r-23'))?.request.profile, 'windows');
});

calls('the lost answer of a shared write loses no request and makes none twice', async () => {
  const { store, another } = await open();
  const ids = Array.from({ length: 20 }, (_, index) => `r-${index}`);
  proxy.loseNext(/^POST \$batch/, 3);
  const answers = await Promise.allSettled(
    ids.map(async requestId => store.insert(someRequest({ requestId }), message)),
  );
  // The client tries again by itself, and meets what it has written.
  for (const answer of answers) {
    if (answer.status === 'rejected') assert.instance(answer.reason, TransientError);
  }
  const live = await another().live();
  assert.equal(live.map(({ requestId }) => requestId).toSorted(), ['first', ...ids].toSorted());

  // Their next writes and their ends go on from what is stored, whatever is remembered.
  proxy.loseNext(/^(?:POST \$batch|PATCH)/, 4);
  for (const state of ['provisioning', 'cancelled'] as const) {
    await Promise.allSettled(
      ids.map(async requestId => {
        const stored = store.remembered(requestId) ?? (await store.get(requestId)) ?? fail('it is gone');
        await store.replace(stored, { ...stored.request, state, updatedAt: '2026-01-31T11:00:00.000Z' });
      }),
    );
  }
  for (const requestId of ids) {
    const { request } = (await store.get(requestId)) ?? fail(`${requestId} is lost`);
    if (request.state !== 'cancelled') {
      const stored = (await store.get(requestId)) ?? fail('it is gone');
      assert.is.not(await store.replace(stored, { ...request, state: 'cancelled' }), 'changed');
    }
    assert.equal(Buffer.from((await another().message(requestId)) ?? []), Buffer.from(message));
  }
  assert.is((await another().list({ top: 100, state: 'cancelled' }))?.requests.length, 20);
  assert.equal(
    (await another().live()).map(({ requestId }) => requestId),
    ['first'],
  );
});

calls('a process that knew the request at any earlier time decides the same', async () => {
  for (const known of ['accepted', 'provisioning', 'starting', 'online', 'busy'] as const) {
    const base = createWorld();
    const { store, another } = await open();
    const old = another();
    const [world, stale] = [store, old].map(each => ({
      ...base,
      store: each,
      ...createLimits({ ...base, store: each }),
    }));
    if (!world || !stale) fail('no world');
    await store.insert(someRequest(waitingPipeline(world)), message);
    const steps = {
      accepted: async () => dispatchMessage(world)(message, 'm-1', 1),
      provisioning: async () => provisionAgent(world)({ ...ref, attempts: 3 }),
      starting: async () => base.registry.put(linuxPool, 'r-1-1', { online: true }),
      online: async () => releasePipeline(world)(ref),
      busy: async () => recordBusy(world)(ref),
    };
    for (const [name, step] of Object.entries(steps)) {
      if (name === known) await old.get('r-1');
      await step();
    }
    // Every step once more, from what the other knew then, and its end.
    await dispatchMessage(stale)(message, 'm-1', 2);
    assert.equal(await provisionAgent(stale)({ ...ref, attempts: 3 }), { kind: 'created', phase: 'busy' });
    assert.equal(await releasePipeline(stale)(ref), { kind: 'released' });
    await recordBusy(stale)(ref);
    await finishRequest(stale)(finished);
    const { request } = (await store.get('r-1')) ?? fail('it is gone');
    assert.equal(
      request.history.map(({ state }) => state),
      ['accepted', 'provisioning', 'starting', 'online', 'busy', 'completed'],
      known,
    );
    assert.is(base.pipeline.completions.length, 1, known);
    assert.is(base.compute.callsOf('createTask').length, 1, known);
    assert.is(base.orchestrations.callsOf('startLifecycle').length, 1, known);
  }
});

calls.after(async () => {
  await proxy.close();
  await azurite.close();
});
calls.run();
