import { QueueClient } from '@azure/storage-queue';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { skipEmptyRemovals } from '../../../scripts/local/storage/empty-removals.js';
import { startStorage } from '../../../scripts/local/storage/storage.js';
import { makeTempFolder } from '../../support/temp-folder.js';
import { until } from '../host/harness.js';

const test = suite('Removals of nothing');

test('are skipped, and others are not', () => {
  const removed: unknown[] = [];
  const collection = {
    remove(documents: unknown): unknown {
      removed.push(documents);
      return 'removed';
    },
  };
  skipEmptyRemovals(collection);
  assert.equal(
    [collection.remove([]), collection.remove(['one']), collection.remove({ id: 2 })],
    [undefined, 'removed', 'removed'],
  );
  assert.equal(removed, [['one'], { id: 2 }]);
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
