import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentRequest } from '../../shared/domain/request.js';
import type { RequestStore, StoredRequest } from '../../shared/ports.js';
import { someRequest } from '../fakes/requests.js';
import { fail } from './fail.js';

const message = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const at = (minute: number): string => new Date(Date.UTC(2026, 0, 31, 10, minute)).toISOString();

/** Every field that can be filled, so that none is lost on the way to storage and back. */
const whole: Partial<AgentRequest> = {
  state: 'starting',
  attempt: 2,
  agentName: 'r-1-2',
  batch: { poolId: 'linux', jobId: 'agents-ubuntu-20260131', taskId: 'r-1-2' },
  onlineAt: at(1),
  taskStartedAt: at(0),
  capabilities: { Team: "o'brien & söhne" },
  tags: { empty: '', quoted: '"\\' },
  failure: { code: 'NodePreempted', stage: 'nodeAllocation', message: 'The node was lost.', retryable: true },
  pipeline: {
    planUrl: 'https://dev.example/org/',
    projectId: 'p',
    hubName: 'build',
    planId: 'plan',
    jobId: 'job',
    timelineId: 't',
    taskInstanceId: 'i',
  },
  callback: { sealedToken: 'v1.a.b.c.d', result: 'succeeded' },
  replyQueue: 'replies',
  startClaimedAt: at(1),
  deferredAt: at(1),
  cancelRequestedAt: at(2),
  purgedAt: at(3),
};

async function stored(store: RequestStore, requestId: string): Promise<StoredRequest> {
  const found = await store.get(requestId);
  if (!found) fail(`request ${requestId} is missing`);
  return found;
}

/** Takes a request through its row to an end, as the lifecycle does. */
async function end(store: RequestStore, requestId: string, state: AgentRequest['state'] = 'cancelled') {
  const before = await stored(store, requestId);
  const after = await store.replace(before, { ...before.request, state, endedAt: at(59) });
  if (after === 'changed') fail('nobody else changed it');
  return after;
}

/** @param makeTable a new, empty table each time; what it gives opens it, as another process with each call. */
export function requestStoreContract(name: string, makeTable: () => () => RequestStore): void {
  const test = suite(`request store: ${name}`);
  const makeStore = async (): Promise<RequestStore> => makeTable()();

  test('gives back every field of a request, and the message byte for byte', async () => {
    const store = await makeStore();
    const request = someRequest(whole);
    const bytes = Uint8Array.from({ length: 4_096 }, (_, index) => index % 256);
    assert.is(await store.insert(request, bytes), 'inserted');
    assert.equal((await stored(store, 'r-1')).request, request);
    assert.equal(Buffer.from((await store.message('r-1')) ?? []), Buffer.from(bytes));
  });

  test('knows nothing of a request that was never stored', async () => {
    const store = await makeStore();
    assert.is(await store.get('nobody'), undefined);
    assert.is(await store.message('nobody'), undefined);
    assert.equal(await store.live(), []);
    assert.equal(await store.list({ top: 10 }), { requests: [], continuation: undefined });
  });

  test('stores a request once, however many deliveries arrive at the same moment', async () => {
    const store = await makeStore();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        store.insert(someRequest({ tags: { index: String(index) } }), message(String(index))),
      ),
    );
    assert.is(answers.filter(answer => answer === 'inserted').length, 1);
    const winner = answers.indexOf('inserted');
    assert.equal((await stored(store, 'r-1')).request.tags, { index: String(winner) });
  });

  test('stores no second request of an id whose request has ended', async () => {
    const store = await makeStore();
    await store.insert(someRequest(), message('m'));
    const { request } = await end(store, 'r-1');
    assert.is(await store.insert(someRequest({ profile: 'windows' }), message('n')), 'exists');
    assert.equal((await stored(store, 'r-1')).request, request);
    assert.equal(await store.live(), []);
  });

  test('remembers a live request as it was last read or written here, and no ended one', async () => {
    const open = makeTable();
    const [store, other] = [open(), open()];
    assert.is(store.remembered('r-1'), undefined);
    const request = someRequest(whole);
    await store.insert(request, message('m'));
    assert.equal(store.remembered('r-1'), await other.get('r-1'));
    const first = await stored(store, 'r-1');
    const second = await store.replace(first, { ...request, state: 'busy' });
    if (second === 'changed') fail('nobody else changed it');
    assert.equal(store.remembered('r-1'), second);
    assert.equal(await stored(other, 'r-1'), second, 'it is remembered at a version that it has not');
    assert.equal(other.remembered('r-1'), second);
    await end(store, 'r-1');
    assert.is(store.remembered('r-1'), undefined);
  });

  test('forgets what another process has changed as soon as it meets that', async () => {
    const open = makeTable();
    const [store, other] = [open(), open()];
    await store.insert(someRequest(), message('m'));
    const read = await stored(other, 'r-1');
    await other.replace(read, { ...read.request, cancelRequestedAt: at(1) });
    const old = store.remembered('r-1') ?? fail('nothing is remembered');
    assert.is(await store.replace(old, { ...old.request, state: 'provisioning' }), 'changed');
    assert.is(store.remembered('r-1'), undefined);
    const now = await stored(store, 'r-1');
    assert.is(now.request.cancelRequestedAt, at(1));
    assert.equal(store.remembered('r-1'), now);
  });

  test('writes no end from a memory of an earlier life, and files the next one with its own message', async () => {
    const open = makeTable();
    const [store, other] = [open(), open()];
    await store.insert(someRequest(), message('first'));
    await end(other, 'r-1');
    await other.reopen(someRequest({ generation: 2, createdAt: at(30) }), message('second'));
    const old = store.remembered('r-1') ?? fail('nothing is remembered');
    assert.is(await store.replace(old, { ...old.request, state: 'expired' }), 'changed');
    assert.is((await stored(store, 'r-1')).request.generation, 2);
    const ended = await end(store, 'r-1', 'expired');
    assert.is(ended.request.generation, 2);
    assert.equal(await stored(other, 'r-1'), ended);
    assert.is(Buffer.from((await other.message('r-1')) ?? []).toString(), 'second');
    assert.is((await store.list({ top: 10 }))?.requests.length, 1);
  });

  test('tells an end that another process has written from its own', async () => {
    const open = makeTable();
    const [store, other] = [open(), open()];
    await store.insert(someRequest(), message('m'));
    await end(other, 'r-1', 'completed');
    const old = store.remembered('r-1') ?? fail('nothing is remembered');
    assert.is(await store.replace(old, { ...old.request, state: 'cancelled', endedAt: at(58) }), 'changed');
    assert.is((await stored(store, 'r-1')).request.state, 'completed');
  });

  test('stores many requests at the same moment, each as it is', async () => {
    const store = await makeStore();
    await store.insert(someRequest({ requestId: 'r-7', profile: 'windows' }), message('before'));
    const ids = Array.from({ length: 120 }, (_, index) => `r-${index}`);
    const answers = await Promise.all(
      ids.map(requestId => store.insert(someRequest({ requestId, tags: { requestId } }), message(requestId))),
    );
    assert.equal(
      ids.filter((_, index) => answers[index] !== 'inserted'),
      ['r-7'],
    );
    const live = await Promise.all(ids.map(async id => stored(store, id)));
    const others = live.filter(({ request }) => request.requestId !== 'r-7');
    assert.ok(others.every(({ request }) => request.tags['requestId'] === request.requestId));
    const ended = await Promise.all(
      live.map(async each => store.replace(each, { ...each.request, state: 'completed' })),
    );
    assert.ok(ended.every(each => each !== 'changed'));
    assert.equal(await store.live(), []);
    for (const id of ['r-0', 'r-64', 'r-119']) {
      assert.is(Buffer.from((await store.message(id)) ?? []).toString(), id);
    }
  });

  test('lets only one of two writers win who read the same version', async () => {
    const store = await makeStore();
    await store.insert(someRequest(), message('m'));
    const read = await stored(store, 'r-1');
    const first = await store.replace(read, { ...read.request, state: 'provisioning' });
    assert.is.not(first, 'changed');
    assert.is(await store.replace(read, { ...read.request, state: 'cancelled' }), 'changed');
    assert.is((await stored(store, 'r-1')).request.state, 'provisioning');
  });

  test('takes a value back that a row had before', async () => {
    const store = await makeStore();
    await store.insert(someRequest(whole), message('m'));
    const read = await stored(store, 'r-1');
    const { failure: _failure, ...rest } = read.request;
    const next = { ...rest, failure: undefined, onlineAt: undefined, taskStartedAt: undefined, callback: {} };
    await store.replace(read, next);
    assert.equal((await stored(store, 'r-1')).request, next);
  });

  test('gives a version that the next change can build on, also after an end', async () => {
    const store = await makeStore();
    await store.insert(someRequest(), message('m'));
    let current = await stored(store, 'r-1');
    for (const state of ['provisioning', 'starting', 'cancelled', 'cancelled'] as const) {
      const next = await store.replace(current, { ...current.request, state, updatedAt: at(state.length) });
      if (next === 'changed') fail(`the change to ${state} was refused`);
      current = next;
    }
    assert.equal((await stored(store, 'r-1')).request, current.request);
  });

  test('refuses a change of a request that is not there', async () => {
    const store = await makeStore();
    await store.insert(someRequest(), message('m'));
    const read = await stored(store, 'r-1');
    const ghost = { request: someRequest({ requestId: 'ghost' }), etag: read.etag };
    assert.is(await store.replace(ghost, ghost.request), 'changed');
    assert.is(await store.get('ghost'), undefined);
  });

  test('keeps an ended request and its message, out of the live ones', async () => {
    const store = await makeStore();
    await store.insert(someRequest(), message('the message'));
    await store.insert(someRequest({ requestId: 'r-2' }), message('m'));
    const ended = await end(store, 'r-1');
    assert.equal(
      (await store.live()).map(request => request.requestId),
      ['r-2'],
    );
    assert.equal((await stored(store, 'r-1')).request, ended.request);
    assert.is(Buffer.from((await store.message('r-1')) ?? []).toString(), 'the message');
  });

  test('tells of a live request what its watch needs', async () => {
    const store = await makeStore();
    await store.insert(someRequest(whole), message('m'));
    const answered = { ...whole, callback: { result: 'succeeded', acknowledgedAt: at(3) } } as const;
    await store.insert(
      someRequest({ ...answered, requestId: 'other', devOpsPool: "Bob's pool" }),
      message('m'),
    );
    const [live, ...more] = await store.live('Private Linux');
    assert.equal(more, []);
    if (!live) fail('no live request');
    assert.is(live.requestId, 'r-1');
    assert.is(live.state, 'starting');
    assert.is(live.attempt, 2);
    assert.is(live.agentName, 'r-1-2');
    assert.equal(live.batch, whole.batch);
    assert.is(live.onlineAt, at(1));
    assert.is(live.taskStartedAt, at(0));
    assert.is(live.pipelineWaits, true);
    const [other] = await store.live("Bob's pool");
    assert.is(other?.pipelineWaits, false);
    assert.is(live.cancelRequestedAt, at(2));
    assert.is(live.startClaimedAt, at(1));
    assert.is(live.deferredAt, at(1));
    assert.equal(
      (await store.live("Bob's pool")).map(request => request.requestId),
      ['other'],
    );
    assert.is((await store.live()).length, 2);
  });

  test('lets an ended request begin again, once', async () => {
    const store = await makeStore();
    await store.insert(someRequest(), message('first'));
    await end(store, 'r-1');
    const again = someRequest({ generation: 2, createdAt: at(30) });
    const answers = await Promise.all([
      store.reopen(again, message('second')),
      store.reopen(again, message('second')),
      store.reopen(again, message('second')),
    ]);
    assert.is(answers.filter(answer => answer === 'inserted').length, 1);
    assert.equal((await stored(store, 'r-1')).request, again);
    assert.is(Buffer.from((await store.message('r-1')) ?? []).toString(), 'second');
    assert.is((await store.live()).length, 1);
    assert.equal((await store.list({ top: 10 }))?.requests, [again]);

    await end(store, 'r-1', 'expired');
    assert.is((await stored(store, 'r-1')).request.generation, 2);
    assert.is((await store.list({ top: 10 }))?.requests.length, 1);
    assert.equal(await store.live(), []);
  });

  test('does not reopen what is alive', async () => {
    const store = await makeStore();
    await store.insert(someRequest(), message('m'));
    assert.is(await store.reopen(someRequest({ generation: 2 }), message('n')), 'exists');
    assert.is((await stored(store, 'r-1')).request.generation, 1);
  });

  test('does not begin a generation again that has ended since', async () => {
    const store = await makeStore();
    await store.insert(someRequest(), message('m'));
    await end(store, 'r-1');
    await store.reopen(someRequest({ generation: 2 }), message('n'));
    await end(store, 'r-1', 'expired');
    assert.is(await store.reopen(someRequest({ generation: 2 }), message('n')), 'exists');
    assert.is((await stored(store, 'r-1')).request.state, 'expired');
    assert.is(await store.reopen(someRequest({ generation: 3 }), message('n')), 'inserted');
  });

  test('keeps a request that is ended from the first', async () => {
    const store = await makeStore();
    const ended = someRequest({ state: 'deadLettered', endedAt: at(0) });
    assert.is(await store.insert(ended, message('m')), 'inserted');
    assert.equal((await stored(store, 'r-1')).request, ended);
    assert.equal(await store.live(), []);
    assert.equal((await store.list({ deadLetters: true, top: 10 }))?.requests, [ended]);
    assert.is(Buffer.from((await store.message('r-1')) ?? []).toString(), 'm');
  });

  test('lists dead letters by code, page by page, without those that were purged', async () => {
    const store = await makeStore();
    const failure = (code: string) => ({ code, stage: 'intake', message: '', retryable: false }) as const;
    for (let index = 0; index < 9; index += 1) {
      const request = someRequest({
        requestId: `r-${index}`,
        createdAt: at(index),
        profile: index === 8 ? 'windows' : 'ubuntu',
        failure: failure(index % 2 === 0 ? 'Even' : "O'dd"),
        purgedAt: index === 4 ? at(30) : undefined,
      });
      await store.insert(request, message('m'));
      await end(store, request.requestId, index === 2 ? 'completed' : 'deadLettered');
    }
    const ids = async (filter: { failureCode?: string; profile?: string }): Promise<readonly string[]> => {
      const seen: string[] = [];
      let continuation: string | undefined;
      do {
        const page = await store.list({ deadLetters: true, top: 2, continuation, ...filter });
        if (!page) fail('our own continuation was refused');
        seen.push(...page.requests.map(({ requestId }) => requestId));
        continuation = page.continuation;
      } while (continuation !== undefined);
      return seen;
    };
    assert.equal(await ids({}), ['r-8', 'r-7', 'r-6', 'r-5', 'r-3', 'r-1', 'r-0']);
    assert.equal(await ids({ failureCode: "O'dd" }), ['r-7', 'r-5', 'r-3', 'r-1']);
    assert.equal(await ids({ failureCode: 'Even' }), ['r-8', 'r-6', 'r-0']);
    assert.equal(await ids({ failureCode: 'Even', profile: 'ubuntu' }), ['r-6', 'r-0']);
    assert.is((await store.list({ top: 20 }))?.requests.length, 9, 'purged ones are requests still');
  });

  test('a version from before an end can change nothing in the next life', async () => {
    const store = await makeStore();
    await store.insert(someRequest(), message('m'));
    const old = await stored(store, 'r-1');
    await end(store, 'r-1');
    assert.is(await store.replace(old, { ...old.request, state: 'provisioning' }), 'changed');
    await store.reopen(someRequest({ generation: 2 }), message('n'));
    assert.is(await store.replace(old, { ...old.request, state: 'cancelled' }), 'changed');
    assert.is((await stored(store, 'r-1')).request.state, 'accepted');
  });

  test('lists the newest first, live and ended ones together', async () => {
    const store = await filled(await makeStore(), 6);
    for (const id of ['r-1', 'r-4', 'r-5']) await end(store, id);
    const page = await store.list({ top: 10 });
    assert.equal(
      page?.requests.map(request => request.requestId),
      ['r-5', 'r-4', 'r-3', 'r-2', 'r-1', 'r-0'],
    );
    assert.is(page?.continuation, undefined);
  });

  test('filters by state and profile', async () => {
    const store = await filled(await makeStore(), 4);
    await store.insert(someRequest({ requestId: 'w', profile: 'windows', createdAt: at(50) }), message('m'));
    await end(store, 'r-0', 'completed');
    await end(store, 'r-2', 'cancelled');
    const ids = async (filter: { state?: AgentRequest['state']; profile?: string }) =>
      (await store.list({ top: 10, ...filter }))?.requests.map(request => request.requestId);
    assert.equal(await ids({ state: 'completed' }), ['r-0']);
    assert.equal(await ids({ state: 'accepted' }), ['w', 'r-3', 'r-1']);
    assert.equal(await ids({ state: 'accepted', profile: 'windows' }), ['w']);
    assert.equal(await ids({ profile: 'ubuntu' }), ['r-3', 'r-2', 'r-1', 'r-0']);
    assert.equal(await ids({ profile: "o'neill" }), []);
  });

  test('filters by a tag, alone and with the rest', async () => {
    const store = await makeStore();
    const put = async (requestId: string, tags: Record<string, string>, minute: number) =>
      store.insert(someRequest({ requestId, tags, createdAt: at(minute) }), message('m'));
    await put('a', { team: 'blue', 'odd = name': "o'brien" }, 1);
    await put('b', { team: 'green' }, 2);
    await put('c', { team: 'blue' }, 3);
    await put('d', {}, 4);
    await end(store, 'a');
    await end(store, 'b');
    const ids = async (filter: Omit<Parameters<RequestStore['list']>[0], 'top'>) =>
      (await store.list({ top: 10, ...filter }))?.requests.map(request => request.requestId);
    assert.equal(await ids({ tag: { name: 'team', value: 'blue' } }), ['c', 'a']);
    assert.equal(await ids({ tag: { name: 'team', value: 'blue' }, state: 'cancelled' }), ['a']);
    assert.equal(await ids({ tag: { name: 'odd = name', value: "o'brien" } }), ['a']);
    assert.equal(await ids({ tag: { name: 'toString', value: '' } }), []);
    const first = await store.list({ top: 1, tag: { name: 'team', value: 'blue' } });
    assert.ok(first?.continuation);
    assert.equal(await ids({ tag: { name: 'team', value: 'blue' }, continuation: first?.continuation }), [
      'a',
    ]);
  });

  test('pages through all requests once, whatever arrives or ends meanwhile', async () => {
    const store = await filled(await makeStore(), 7);
    for (const id of ['r-2', 'r-3']) await end(store, id);
    const seen: string[] = [];
    let continuation: string | undefined;
    do {
      const page = await store.list({ top: 2, continuation });
      if (!page) fail('our own continuation was refused');
      assert.ok(page.requests.length <= 2);
      seen.push(...page.requests.map(request => request.requestId));
      if (seen.length === 2) {
        await store.insert(someRequest({ requestId: 'late', createdAt: at(59) }), message('m'));
        await end(store, 'r-4');
        await end(store, 'r-6');
      }
      continuation = page.continuation;
    } while (continuation !== undefined);
    assert.equal(seen, ['r-6', 'r-5', 'r-4', 'r-3', 'r-2', 'r-1', 'r-0']);
  });

  test('tells apart requests of the same millisecond', async () => {
    const store = await makeStore();
    for (const requestId of ['a', 'b', 'c']) await store.insert(someRequest({ requestId }), message('m'));
    await end(store, 'b');
    const first = await store.list({ top: 2 });
    const second = await store.list({ top: 2, continuation: first?.continuation });
    const ids = [...(first?.requests ?? []), ...(second?.requests ?? [])].map(request => request.requestId);
    assert.equal(ids, ['a', 'b', 'c']);
  });

  test('refuses a continuation that it did not give', async () => {
    const store = await filled(await makeStore(), 2);
    for (const continuation of ['', 'x', 'bm90LW91cnM', "' or true", '🙂']) {
      assert.is(await store.list({ top: 1, continuation }), undefined, continuation);
    }
  });

  test.run();
}

async function filled(store: RequestStore, count: number): Promise<RequestStore> {
  for (let index = 0; index < count; index += 1) {
    await store.insert(someRequest({ requestId: `r-${index}`, createdAt: at(index) }), message(`m${index}`));
  }
  return store;
}
