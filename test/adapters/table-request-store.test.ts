import { randomUUID } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTableRequestStore } from '../../shared/adapters/table-request-store.js';
import { TransientError } from '../../shared/domain/failure.js';
import { requestStoreContract } from '../contracts/request-store.js';
import { someRequest } from '../fakes/requests.js';
import { startLocalStorage } from '../support/local-storage.js';
import { startHoldingProxy } from './holding-proxy.js';

const azurite = await startLocalStorage();
const account = { connectionString: azurite.connectionString };
const newTable = (): string => `T${randomUUID().replaceAll('-', '')}`;
const message = new Uint8Array([1, 2, 3]);

requestStoreContract('Table storage', () => {
  const tableName = newTable();
  return () => createTableRequestStore({ account, tableName });
});

const test = suite('request store: what only Table storage can do');

function open() {
  const tableName = newTable();
  const table = TableClient.fromConnectionString(azurite.connectionString, tableName, {
    allowInsecureConnection: true,
  });
  return { store: createTableRequestStore({ account, tableName }), table };
}

/** As a process leaves the row that is killed between the two steps of an end. */
async function killedBetween(table: TableClient): Promise<void> {
  await table.updateEntity(
    { partitionKey: 'requests', rowKey: 'live~r-1', state: 'completed', endedAt: '2026-01-31T11:00:00.000Z' },
    'Merge',
  );
}

async function keys(table: TableClient): Promise<string[]> {
  const found: string[] = [];
  for await (const { rowKey } of table.listEntities()) found.push(rowKey ?? '');
  return found;
}

test('an end that was cut short is finished by whoever reads the request', async () => {
  for (const read of ['get', 'live', 'message'] as const) {
    const { store, table } = open();
    await store.insert(someRequest(), message);
    await killedBetween(table);
    await (read === 'live' ? store.live() : store[read]('r-1'));
    assert.equal(await keys(table), ['ended~8230146399999~r-1', 'request~r-1'], read);
    assert.is((await store.get('r-1'))?.request.state, 'completed');
    assert.equal(Buffer.from((await store.message('r-1')) ?? []), Buffer.from(message));
  }
});

test('one row that nobody can read hides no other, and is told of until it is mended or gone', async () => {
  const { store, table } = open();
  for (const requestId of ['r-1', 'r-2', 'r-3']) await store.insert(someRequest({ requestId }), message);
  const spoil = async (rowKey: string, columns: object): Promise<void> => {
    await table.updateEntity({ partitionKey: 'requests', rowKey, ...columns }, 'Merge');
  };
  const seen = async (): Promise<unknown> => [
    (await store.live()).map(({ requestId }) => requestId),
    (await store.list({ top: 10 }))?.requests.map(({ requestId }) => requestId).toSorted(),
    (await store.unreadable()).map(({ rowKey }) => rowKey),
  ];
  await spoil('live~r-2', { state: 'on holiday' });
  assert.equal(await seen(), [['r-1', 'r-3'], ['r-1', 'r-3'], ['live~r-2']]);
  assert.match(
    (await store.unreadable())[0]?.why ?? '',
    /^Row live~r-2 in table T.* can't be read: column state: /,
  );
  // Only what a whole request needs: its watch still sees it.
  await spoil('live~r-2', { state: 'accepted', history: '{' });
  assert.equal(await seen(), [['r-1', 'r-2', 'r-3'], ['r-1', 'r-3'], ['live~r-2']]);
  await spoil('live~r-2', { history: '[]' });
  assert.equal(await seen(), [['r-1', 'r-2', 'r-3'], ['r-1', 'r-2', 'r-3'], []]);
  // In the middle of its end.
  await spoil('live~r-2', { state: 'expired', tags: '?' });
  assert.equal(await seen(), [['r-1', 'r-3'], ['r-1', 'r-3'], ['live~r-2']]);
  await table.deleteEntity('requests', 'live~r-2');
  assert.equal(await seen(), [['r-1', 'r-3'], ['r-1', 'r-3'], []]);
});

test('pages of live requests come newest first and whole, though one on them can not be read', async () => {
  const { store, table } = open();
  // The ids lie in the table in another order than the times, and some share one.
  const seconds = [4, 9, 1, 7, 7, 7, 2, 8, 0, 5, 3, 6];
  for (const [index, second] of seconds.entries()) {
    const createdAt = `2026-01-31T10:00:0${second}.000Z`;
    await store.insert(someRequest({ requestId: `r-${String(index).padStart(2, '0')}`, createdAt }), message);
  }
  await table.updateEntity({ partitionKey: 'requests', rowKey: 'live~r-11', history: '{' }, 'Merge');
  const pages: (readonly string[])[] = [];
  let continuation: string | undefined;
  do {
    const page = await store.list({ top: 3, continuation });
    pages.push(page?.requests.map(({ requestId }) => requestId) ?? []);
    continuation = page?.continuation;
  } while (continuation !== undefined);
  assert.equal(pages, [
    ['r-01', 'r-07', 'r-03'],
    ['r-04', 'r-05', 'r-09'],
    ['r-00', 'r-10', 'r-06'],
    ['r-02', 'r-08'],
  ]);
});

test('an id whose row somebody removed by hand is free again', async () => {
  for (const end of [false, true]) {
    const { store, table } = open();
    await store.insert(someRequest(), message);
    if (end) {
      const stored = await store.get('r-1');
      if (stored) await store.replace(stored, { ...stored.request, state: 'cancelled' });
    }
    const rowKey = (await keys(table)).find(key => !key.startsWith('request~')) ?? '?';
    await table.deleteEntity('requests', rowKey);
    assert.is(await store.get('r-1'), undefined);
    assert.is(await store.insert(someRequest(), message), 'inserted');
    assert.is((await store.get('r-1'))?.request.state, 'accepted');
  }
});

test('a live row from before there were pointers is read, filed and begun again like any other', async () => {
  const { store, table } = open();
  await store.insert(someRequest(), message);
  await table.deleteEntity('requests', 'request~r-1');
  assert.is(await store.insert(someRequest(), message), 'exists');
  const stored = await store.get('r-1');
  if (!stored) throw new Error('It is gone.');
  assert.is.not(await store.replace(stored, { ...stored.request, state: 'completed' }), 'changed');
  assert.equal(await keys(table), ['ended~8230146399999~r-1', 'request~r-1']);
  assert.equal(Buffer.from((await store.message('r-1')) ?? []), Buffer.from(message));
  assert.is(await store.insert(someRequest(), message), 'exists');
  assert.is(await store.reopen(someRequest({ generation: 2 }), message), 'inserted');
});

test('a request whose end was cut short can begin again', async () => {
  const { store, table } = open();
  await store.insert(someRequest(), message);
  await killedBetween(table);
  assert.is(await store.reopen(someRequest({ generation: 2 }), message), 'inserted');
  assert.equal(await keys(table), ['live~r-1', 'request~r-1']);
  assert.is((await store.get('r-1'))?.request.generation, 2);
});

test('many who meet a cut-short end at once file it once', async () => {
  const { store, table } = open();
  await store.insert(someRequest(), message);
  await killedBetween(table);
  const found = await Promise.all(Array.from({ length: 10 }, () => store.get('r-1')));
  assert.ok(found.every(one => one?.request.state === 'completed'));
  assert.equal(await keys(table), ['ended~8230146399999~r-1', 'request~r-1']);
});

test('a late filing never takes a request that began again meanwhile', async () => {
  const { store, table } = open();
  await store.insert(someRequest(), message);
  await killedBetween(table);
  const endpoint = new URL(table.url);
  const proxy = await startHoldingProxy(endpoint.origin, /^POST .*\$batch/);
  try {
    const slowly = azurite.connectionString.replace(endpoint.origin, proxy.url);
    const slow = createTableRequestStore({
      account: { connectionString: slowly },
      tableName: table.tableName,
    });
    const late = slow.get('r-1');
    await proxy.held;
    assert.is(await store.reopen(someRequest({ generation: 2 }), message), 'inserted');
    proxy.release();
    assert.is((await late)?.request.generation, 2);
    assert.is((await store.get('r-1'))?.request.generation, 2);
    assert.equal(await keys(table), ['live~r-1', 'request~r-1']);
  } finally {
    proxy.release();
    await proxy.close();
  }
});

test('makes its table at first use, and again when it was deleted while running', async () => {
  const { store, table } = open();
  await Promise.all(['a', 'b', 'c', 'd'].map(requestId => store.insert(someRequest({ requestId }), message)));
  assert.is((await store.live()).length, 4);
  await table.deleteTable();
  assert.is(await store.insert(someRequest(), message), 'inserted');
  assert.equal(
    (await store.live()).map(request => request.requestId),
    ['r-1'],
  );
});

test('a row that nobody can read is named together with its column', async () => {
  const { store, table } = open();
  await store.insert(someRequest(), message);
  await table.updateEntity({ partitionKey: 'requests', rowKey: 'live~r-1', history: '[{' }, 'Merge');
  try {
    await store.get('r-1');
    assert.unreachable('should have thrown');
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.not.instance(error, TransientError);
    assert.match(error.message, /live~r-1/);
    assert.match(error.message, /column history/);
  }
});

test('storage that does not answer is worth another try', async () => {
  const nowhere = azurite.connectionString.replace(
    /TableEndpoint=[^;]*/,
    'TableEndpoint=http://127.0.0.1:9/a',
  );
  const store = createTableRequestStore({ account: { connectionString: nowhere } });
  try {
    await store.get('r-1');
    assert.unreachable('should have thrown');
  } catch (error) {
    assert.ok(error instanceof TransientError, String(error));
    assert.is(error.failure.code, 'StorageUnavailable');
  }
});

test.after(() => azurite.close());
test.run();
