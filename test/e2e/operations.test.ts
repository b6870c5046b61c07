import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type * as z from 'zod';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { diagnosisSchema } from '../../shared/answers/diagnosis.js';
import { overviewSchema } from '../../shared/answers/overview.js';
import { placeholderResultsSchema, placeholdersSchema } from '../../shared/answers/placeholders.js';
import { poolsSchema } from '../../shared/answers/pools.js';
import { eventsSchema } from '../../shared/answers/request.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { agentsIn, callsOf, misbehave, resetCalls } from './support/stand-ins.js';
import { changeBatchPool, openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;

const operations = suite('the API for operators');

operations.before(async () => {
  ({ stack, end } = await openWorld({ settings: { ReplyQueues: 'nobody-made-it' } }));
  api = agentsApi(stack);
  await changeBatchPool(stack, 'batchLinux', { maxNodes: 0 });
});
operations.after(async () => end());
operations.after.each(async () => {
  for (const part of ['batch', 'devops'] as const) await misbehave(stack, part);
});

async function get<T>(schema: z.ZodType<T>, path: string, method = 'GET', body?: unknown): Promise<T> {
  const { status, text, json } = await api.call(method, path, body);
  assert.is(status, 200, text);
  return schema.parse(json);
}

operations('tells the life of all requests as it happens', async () => {
  let { events, next } = await get(eventsSchema, '/events');
  assert.equal(events, []);
  for (const requestId of ['one', 'two']) await api.ask({ requestId, tags: { team: requestId } });
  const told: string[] = [];
  while (told.length < 6) {
    ({ events, next } = await get(eventsSchema, `/events?after=${next}&wait=20`));
    assert.ok(events.length > 0, `after ${told.join(', ')} nothing came for 20 seconds`);
    told.push(...events.map(({ requestId, state }) => `${requestId} ${state}`));
  }
  assert.equal(
    told.toSorted(),
    ['one', 'two'].flatMap(id => [`${id} accepted`, `${id} provisioning`, `${id} starting`]).toSorted(),
  );
});

operations('tells what waits in each pool, and why', async () => {
  const seen = await waitFor('the watch to have looked', async () => {
    const answer = await get(poolsSchema, '/pools');
    return answer.pools.some(({ lastWatchAt }) => lastWatchAt !== null) && answer;
  });
  const linux = seen.pools.find(({ devOpsPool }) => devOpsPool === pools.ubuntu);
  assert.equal([linux?.batchPool, linux?.waiting, linux?.starting], ['batchLinux', 0, 2]);
  assert.equal(
    linux?.waits.map(({ reason, count }) => [reason, count]),
    [['node', 2]],
  );
  assert.equal(linux?.nodes, { current: 0, target: 0, idle: 0, running: 0, starting: 0, unusable: 0 });

  await misbehave(stack, 'batch', { call: '*', status: 503 });
  const without = await waitFor('an answer without Batch', async () => {
    const answer = await get(poolsSchema, '/pools');
    return answer.pools.every(({ nodes }) => nodes === null) && answer;
  });
  assert.is(without.pools.length, seen.pools.length);
});

operations('counts, and finds by tag', async () => {
  const overview = await get(overviewSchema, '/overview?hours=1');
  assert.equal(overview.counts, { starting: 2 });
  assert.equal(overview.tags, { team: ['one', 'two'] });
  assert.equal((await get(overviewSchema, '/overview?tag=team%3Done')).counts, { starting: 1 });
  const { requests } = await api.list('?tag=team%3Dtwo&state=starting');
  assert.equal(
    requests.map(({ requestId }) => requestId),
    ['two'],
  );
});

operations('looks after placeholders', async () => {
  const { placeholders } = await get(placeholdersSchema, '/placeholders');
  assert.equal(
    placeholders.map(({ devOpsPool, present, kept }) => [devOpsPool, present, kept]),
    [
      [pools.ubuntu, true, true],
      [pools.windows, true, true],
    ],
  );
  const body = { devOpsPools: [pools.ubuntu] };
  for (const [action, outcome] of [
    ['ensure', 'present'],
    ['remove', 'refused'],
  ] as const) {
    const answer = await get(placeholderResultsSchema, `/placeholders/${action}`, 'POST', body);
    assert.equal(
      answer.results.map(each => each.outcome),
      [outcome],
    );
  }
});

operations('diagnoses itself, and leaves nothing behind', async () => {
  const before = (await agentsIn(stack, pools.ubuntu)).length;
  const { checks } = await get(diagnosisSchema, '/diagnosis', 'POST');
  assert.equal(
    checks.filter(({ status }) => status !== 'ok').map(({ status, name }) => `${status}: ${name}`),
    [
      'warning: Reply queue "nobody-made-it" exists',
      // It has no nodes at all here, and no formula.
      'warning: Batch pool "batchLinux" can run the agents',
      'warning: Batch pool "batchWindows" can run the agents',
    ],
  );
  assert.is((await agentsIn(stack, pools.ubuntu)).length, before);
});

operations('asks nothing of anybody while nobody asks it', async () => {
  for (const requestId of ['one', 'two']) await api.cancel(requestId);
  for (const requestId of ['one', 'two']) await api.end(requestId);
  await resetCalls(stack);
  assert.equal((await get(overviewSchema, '/overview')).counts, { cancelled: 2 });
  await get(eventsSchema, '/events?wait=1');
  const calls = Object.keys({ ...(await callsOf(stack, 'batch')), ...(await callsOf(stack, 'devops')) });
  assert.not.ok(
    calls.some(call => /nodecounts|doctor/.test(call)),
    calls.join(),
  );
});

operations('wants a key, knows its methods and says what is wrong with a query', async () => {
  const routes = ['/pools', '/overview', '/events', '/placeholders'];
  for (const route of routes) {
    assert.is((await api.call('GET', route, undefined, { 'x-functions-key': 'wrong' })).status, 401, route);
    const other = await api.call('DELETE', route);
    assert.equal([other.status, other.headers.get('allow')], [405, 'GET'], route);
  }
  for (const route of ['/diagnosis', '/placeholders/ensure']) {
    assert.is((await api.call('POST', route, undefined, { 'x-functions-key': 'wrong' })).status, 401, route);
    const other = await api.call('GET', route);
    assert.equal([other.status, other.headers.get('allow')], [405, 'POST'], route);
  }
  // By the app: hosts differ in what they say of a method that nobody has registered.
  assert.match((await api.call('POST', '/health')).text, 'This route does not know that method');
  for (const path of ['/overview?hours=0&tag=x', '/events?after=x&wait=99', '/agents?tag=x&top=0']) {
    const answer = await api.call('GET', path);
    assert.is(answer.status, 400, path);
    assert.match(answer.text, '2 things are wrong');
  }
});

operations('has left nothing behind', async () => nothingLeft(stack));

operations.run();
