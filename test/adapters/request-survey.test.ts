import { randomUUID } from 'node:crypto';
import { TableClient, type TransactionAction } from '@azure/data-tables';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toColumns } from '../../shared/adapters/request-row.js';
import { createRequestSurvey } from '../../shared/adapters/request-survey.js';
import { createTableRequestStore } from '../../shared/adapters/table-request-store.js';
import { end } from '../../shared/domain/lifecycle.js';
import { eventFeed } from '../../shared/operations/events.js';
import { countOverview } from '../../shared/operations/overview.js';
import { recentRequests } from '../../shared/operations/recent-requests.js';
import { fail } from '../contracts/fail.js';
import { requestSurveyContract } from '../contracts/request-survey.js';
import { createFakeClock } from '../fakes/clock.js';
import { someRequest } from '../fakes/requests.js';
import { createWorld } from '../fakes/world.js';
import { startLocalStorage } from '../support/local-storage.js';
import { startWatchingProxy } from './watching-proxy.js';

const azurite = await startLocalStorage();
const tableEndpoint = /TableEndpoint=(http:\/\/[^/;]+)/.exec(azurite.connectionString)?.[1] ?? '';
const proxy = await startWatchingProxy(tableEndpoint);
const account = { connectionString: azurite.connectionString.replace(tableEndpoint, proxy.url) };
const message = new Uint8Array([1]);

const open = () => {
  const tableName = `T${randomUUID().replaceAll('-', '')}`;
  return {
    tableName,
    store: createTableRequestStore({ account, tableName }),
    survey: createRequestSurvey({ account, tableName }),
  };
};

requestSurveyContract('Table storage', open);

/** How many storage transactions something costs. */
async function cost(action: () => Promise<unknown>): Promise<number> {
  const before = proxy.calls.length;
  await action();
  return proxy.calls.length - before;
}

const tableNamed = (tableName: string): TableClient =>
  TableClient.fromConnectionString(azurite.connectionString, tableName, { allowInsecureConnection: true });
const rowKeyOf = (requestId: string, time: number): string =>
  `ended~${9_999_999_999_999 - time}~${requestId}`;

/** Ended requests, one each second back from the clock's time, as they lie in the table. */
async function seed(tableName: string, count: number, now: number): Promise<void> {
  const store = createTableRequestStore({ account, tableName });
  await store.insert(someRequest({ requestId: 'lives', createdAt: new Date(now).toISOString() }), message);
  const table = tableNamed(tableName);
  for (let first = 0; first < count; first += 100) {
    const actions = Array.from({ length: 100 }, (_, index): TransactionAction => {
      const time = now - (first + index) * 1_000;
      const at = new Date(time).toISOString();
      const requestId = `r-${first + index}`;
      const rowKey = rowKeyOf(requestId, time);
      const request = { requestId, state: 'completed', createdAt: at, updatedAt: at, onlineAt: at } as const;
      const columns = toColumns(someRequest({ ...request, endedAt: at, tags: { team: 'a' } }));
      return ['create', { partitionKey: 'requests', rowKey, ...columns }];
    });
    await table.submitTransaction(actions);
  }
}

const costs = suite('what operators’ questions cost in storage transactions');

costs('the first overview costs one for each thousand requests, the next ones two', async () => {
  const { tableName, survey, store } = open();
  const clock = createFakeClock();
  const now = clock.now().getTime();
  await seed(tableName, 2_200, now - 60_000);
  const recent = recentRequests(survey, clock);
  const since = new Date(now - 24 * 3_600_000).toISOString();
  const counted = async () => countOverview((await recent.look(since)).requests, createWorld().config, {});
  // One page of the live ones, and three of the ended.
  assert.ok((await cost(counted)) <= 5);
  assert.equal((await counted()).counts, { accepted: 1, completed: 2_200 });
  for (let look = 0; look < 3; look += 1) {
    clock.advance(3_000);
    assert.is(await cost(counted), 2);
  }
  const stored = (await store.get('lives')) ?? fail('it is gone');
  const at = clock.now().toISOString();
  await store.replace(stored, end(stored.request, { to: 'cancelled', at, detail: '' }));
  assert.is(await cost(counted), 2);
  assert.equal((await counted()).counts, { cancelled: 1, completed: 2_200 });

  // The same rows, looked through for a tag: two thousand in a call, and on from there.
  const oldest = `r-${2_200 - 1}`;
  const tag = { name: 'team', value: 'b' };
  await tableNamed(tableName).updateEntity(
    {
      partitionKey: 'requests',
      rowKey: rowKeyOf(oldest, now - 60_000 - 2_199_000),
      tags: JSON.stringify({ team: 'b' }),
    },
    'Merge',
  );
  let continuation: string | undefined;
  const pages: string[][] = [];
  do {
    const page = (await store.list({ top: 10, tag, continuation })) ?? fail('our own continuation');
    pages.push(page.requests.map(({ requestId }) => requestId));
    ({ continuation } = page);
  } while (continuation !== undefined);
  assert.equal(pages, [[], [oldest]]);
});

costs('a look at what has happened costs two, and one more each minute', async () => {
  const { store, survey } = open();
  const clock = createFakeClock();
  await store.insert(someRequest({ createdAt: clock.now().toISOString() }), message);
  const feed = eventFeed(survey, clock);
  let cursor = await feed.start();
  for (let look = 0; look < 30; look += 1) {
    clock.advance(1_000);
    const looked = await cost(async () => {
      ({ next: cursor } = await feed.after(cursor));
    });
    assert.is(looked, 2);
  }
  clock.advance(60_000);
  assert.is(await cost(async () => feed.after(cursor)), 3);
});

costs.after(async () => {
  await proxy.close();
  await azurite.close();
});
costs.run();
