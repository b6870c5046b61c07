import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { QueueServiceClient } from '@azure/storage-queue';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDrainableQueue, createStorageQueue } from '../../shared/adapters/storage-queue.js';
import { TransientError } from '../../shared/domain/failure.js';
import type { RequestQueue } from '../../shared/ports.js';
import { drainableQueueContract } from '../contracts/drainable-queue.js';
import { requestQueueContract, unbundled } from '../contracts/request-queue.js';
import { startLocalStorage } from '../support/local-storage.js';

const azurite = await startLocalStorage();
const account = { connectionString: azurite.connectionString };
const service = QueueServiceClient.fromConnectionString(azurite.connectionString);

async function take(queueName: string): Promise<string[]> {
  const queue = service.getQueueClient(queueName);
  const texts: string[] = [];
  for (;;) {
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
    if (receivedMessageItems.length === 0) return texts;
    for (const item of receivedMessageItems) {
      texts.push(item.messageText);
      await queue.deleteMessage(item.messageId, item.popReceipt);
    }
  }
}

requestQueueContract('Azure Queue storage', async () => {
  const requestQueue = `q${randomUUID()}`;
  const deadLetterQueue = `${requestQueue}-d`;
  const replies = `${requestQueue}-r`;
  const real = createStorageQueue({ account, requestQueue, deadLetterQueue });
  const queue: RequestQueue = { ...real, reply: (_name, message) => real.reply(replies, message) };
  const names = { requests: requestQueue, deadLetters: deadLetterQueue, replies };
  return { queue, take: which => take(names[which]) };
});

drainableQueueContract('Azure Queue storage', async () => {
  const name = `q${randomUUID()}`;
  const client = service.getQueueClient(name);
  return {
    queue: createDrainableQueue(account, name),
    put: async texts => {
      await client.createIfNotExists();
      await Promise.all(texts.map(async text => client.sendMessage(text)));
    },
  };
});

const test = suite('request queue: what only Queue storage can do');

test('makes its queue again when it was deleted while running', async () => {
  const requestQueue = `q${randomUUID()}`;
  const queue = createStorageQueue({ account, requestQueue });
  await queue.send('1');
  await service.deleteQueue(requestQueue);
  await queue.send('2');
  assert.equal(await take(requestQueue), ['2']);
});

test('a burst goes in few messages over few connections, and all of it arrives in its order', async () => {
  const { port } = new URL(service.url);
  let open = 0;
  let most = 0;
  const proxy = createServer(socket => {
    open += 1;
    most = Math.max(most, open);
    const onward = connect(Number(port), '127.0.0.1');
    socket.pipe(onward).pipe(socket);
    for (const side of [socket, onward]) side.on('error', () => socket.destroy());
    socket.on('close', () => {
      open -= 1;
      onward.destroy();
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  assert.ok(address !== null && typeof address !== 'string');
  const connectionString = azurite.connectionString.replace(`:${port}/`, `:${address.port}/`);
  const requestQueue = `q${randomUUID()}`;
  const queue = createStorageQueue({ account: { connectionString }, requestQueue });
  const burst = Array.from({ length: 200 }, (_, index) =>
    JSON.stringify({ version: 1, requestId: `r-${index}` }),
  );
  await Promise.all(burst.map(message => queue.send(message)));
  const arrived = await take(requestQueue);
  assert.equal(unbundled(arrived).toSorted(), burst.toSorted());
  assert.ok(arrived.length <= 20, `${arrived.length} messages`);
  assert.ok(most <= 2, `${most} connections at once`);
  proxy.close();
});

test('a bundle that storage does not take fails each of its messages, and the next one goes', async () => {
  const { port } = new URL(service.url);
  const nowhere = azurite.connectionString.replace(`:${port}/`, ':9/');
  const queue = createStorageQueue({ account: { connectionString: nowhere } });
  const answers = await Promise.allSettled(['1', '2', '3', '4'].map(message => queue.send(message)));
  for (const answer of answers) {
    assert.is(answer.status, 'rejected');
    assert.ok(answer.status === 'rejected' && answer.reason instanceof TransientError);
  }
});

test('a message never expires', async () => {
  const requestQueue = `q${randomUUID()}`;
  await createStorageQueue({ account, requestQueue }).send('1');
  const { receivedMessageItems } = await service.getQueueClient(requestQueue).receiveMessages();
  const expires = receivedMessageItems[0]?.expiresOn.getUTCFullYear() ?? 0;
  assert.ok(expires > 9_000, `expires in ${expires}`);
});

test('a message that is held comes back by itself, and one that is looked through never expires', async () => {
  const name = `q${randomUUID()}`;
  await createStorageQueue({ account, requestQueue: name }).send('1');
  const [held] = await createDrainableQueue(account, name).receive();
  assert.ok(held);
  const client = service.getQueueClient(name);
  // The service tells when, and nobody waits for a minute here.
  await client.updateMessage(held.messageId, held.receipt, undefined, 0);
  const { receivedMessageItems } = await client.receiveMessages();
  assert.is(receivedMessageItems[0]?.messageText, '1');
  assert.ok((receivedMessageItems[0]?.expiresOn.getUTCFullYear() ?? 0) > 9_000);
});

test('storage that does not answer is worth another try', async () => {
  const nowhere = azurite.connectionString.replace(
    /QueueEndpoint=[^;]*/,
    'QueueEndpoint=http://127.0.0.1:9/a',
  );
  const queue = createStorageQueue({ account: { connectionString: nowhere } });
  try {
    await queue.send('1');
  } catch (error) {
    assert.ok(error instanceof TransientError, String(error));
    assert.is(error.failure.code, 'StorageUnavailable');
    return;
  }
  assert.unreachable('should have thrown');
});

test.after(() => azurite.close());
test.run();
