import { TableClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cheapen } from '../../../scripts/local/storage/cheaper-collections.js';
import { startStorage } from '../../../scripts/local/storage/storage.js';
import type { Collection, Database } from '../../../scripts/local/storage/write-through.js';
import { makeTempFolder } from '../../support/temp-folder.js';
import { until } from '../host/harness.js';

const test = suite('Cheaper collections');

/** Notes what it is asked. */
function collectionOf(binaryIndices: Collection['binaryIndices'] = {}) {
  const removed: unknown[] = [];
  const asked: string[] = [];
  const collection: Collection = {
    binaryIndices,
    remove(documents) {
      removed.push(documents);
      return 'removed';
    },
    findOne(query) {
      asked.push(JSON.stringify(query));
      return 'found';
    },
  };
  return { collection, removed, asked };
}

const databaseOf = (...collections: readonly Collection[]): Database => ({
  filename: '',
  collections,
  addCollection: () => collectionOf({ RowKey: {}, PartitionKey: {} }).collection,
  autosaveDirty: () => false,
  autosaveDisable: () => {},
  saveDatabase: () => {},
});

test('skip removals of nothing, and no others', () => {
  const { collection, removed } = collectionOf();
  cheapen(databaseOf(collection));
  assert.equal(
    [collection.remove([]), collection.remove(['one']), collection.remove({ id: 2 })],
    [undefined, 'removed', 'removed'],
  );
  assert.equal(removed, [['one'], { id: 2 }]);
});

test('look an entity up by its row key, where that has an index', () => {
  const entities = collectionOf({ RowKey: {}, PartitionKey: {} });
  const tables = collectionOf({ account: {}, table: {} });
  cheapen(databaseOf(entities.collection, tables.collection));
  const query = { PartitionKey: 'p', RowKey: 'r' };
  assert.equal(
    [entities.collection.findOne(query), tables.collection.findOne({ account: 'a' })],
    ['found', 'found'],
  );
  entities.collection.findOne(null);
  assert.equal(entities.asked, ['{"RowKey":"r","PartitionKey":"p"}', 'null']);
  assert.equal(tables.asked, ['{"account":"a"}']);
});

test('are cheaper when they are made later, too', () => {
  const database = databaseOf();
  cheapen(database);
  assert.is(database.addCollection('new').remove([]), undefined);
});

test('find the row of the right partition among rows of one row key', async () => {
  const folder = await makeTempFolder();
  const storage = await startStorage({ dataDir: folder.path });
  try {
    const table = TableClient.fromConnectionString(storage.connectionString, 'rows', {
      allowInsecureConnection: true,
    });
    await table.createTable();
    for (const partitionKey of ['a', 'b', 'c']) {
      await table.createEntity({ partitionKey, rowKey: 'same', value: partitionKey });
    }
    assert.is((await table.getEntity('b', 'same'))['value'], 'b');
    await table.deleteEntity('a', 'same');
    await table.updateEntity({ partitionKey: 'c', rowKey: 'same', value: 'changed' }, 'Replace');
    assert.is((await table.getEntity('b', 'same'))['value'], 'b');
    assert.is((await table.getEntity('c', 'same'))['value'], 'changed');
  } finally {
    await storage.close();
    await folder.remove();
  }
});

test('keep no message that has expired', async () => {
  const folder = await makeTempFolder();
  const storage = await startStorage({ dataDir: folder.path });
  try {
    const queue = new QueueClient(storage.connectionString, 'messages');
    await queue.create();
    await queue.sendMessage('to stay');
    await queue.sendMessage('to go', { messageTimeToLive: 1 });
    const left = async (): Promise<string[]> =>
      (await queue.peekMessages({ numberOfMessages: 10 })).peekedMessageItems.map(item => item.messageText);
    await until('the message to expire', async () => (await left()).length === 1);
    assert.equal(await left(), ['to stay']);
    assert.is((await queue.getProperties()).approximateMessagesCount, 1);
  } finally {
    await storage.close();
    await folder.remove();
  }
});

test.run();
