import { mkdir, writeFile } from 'node:fs/promises';
import { QueueServiceClient } from '@azure/storage-queue';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AppFolder,
  type Azurite,
  makeApp,
  RunningHost,
  sample,
  startAzurite,
  until,
} from './harness.js';

const test = suite('Queue and timer functions');
let azurite: Azurite;
let app: AppFolder;
let host: RunningHost;
let queues: QueueServiceClient;

test.before(async () => {
  azurite = await startAzurite();
  queues = QueueServiceClient.fromConnectionString(azurite.connection);
  app = await makeApp({
    main: sample('queues'),
    settings: {
      AzureWebJobsMyStorage: azurite.connection,
      WorkQueue: 'work-items',
      TickSchedule: '*/1 * * * * *',
    },
    hostJson: {
      extensions: {
        queues: {
          messageEncoding: 'none',
          maxDequeueCount: 3,
          visibilityTimeout: '00:00:00',
          maxPollingInterval: '00:00:01',
        },
      },
    },
  });
  // As left behind by a host that was down when its timer was due.
  await mkdir(`${app.dir}/.local/host/timers`, { recursive: true });
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
  await writeFile(
    `${app.dir}/.local/host/timers/tick.json`,
    JSON.stringify({ Last: hourAgo, Next: hourAgo, LastUpdated: hourAgo }),
  );
  host = await RunningHost.start(app);
  // Killed at once, so that what the last test waits for goes on beside the others.
  await queues.getQueueClient('work-items').createIfNotExists();
  await send('long');
  await until('the message', () => traced(message('long')).length === 1);
  await host.kill();
  host = await RunningHost.start(app);
});
test.after(async () => {
  await host?.stop();
  await azurite?.stop();
  await app?.remove();
});

const send = (text: string): Promise<unknown> => queues.getQueueClient('work-items').sendMessage(text);
const traced = (start: string): string[] => app.trace().filter(line => line.startsWith(start));
const message = (value: unknown, dequeueCount = 1, text: unknown = value): string =>
  JSON.stringify({ message: value, dequeueCount, queueTrigger: text });
const count = async (queueName: string): Promise<number> =>
  (await queues.getQueueClient(queueName).getProperties()).approximateMessagesCount ?? 0;

test('get text as text and JSON as a value, and the message is gone afterwards', async () => {
  await send('just text');
  await send('{"a":[1]}');
  await until(
    'both messages',
    () => traced(message('just text')).length + traced(message({ a: [1] })).length === 2,
  );
  await until('only the message of before to be left', async () => (await count('work-items')) === 1);
});

test('are tried again after a failure', async () => {
  await send('second time');
  await until('the second attempt', () => traced(message('second time', 2)).length === 1);
  assert.is(traced(message('second time', 1)).length, 1);
});

test('leave a message that fails every time to the poison queue, as it came', async () => {
  await send('bad');
  const poison = queues.getQueueClient('work-items-poison');
  const [found] = await until('the poison queue', async () => {
    try {
      const { receivedMessageItems } = await poison.receiveMessages();
      return receivedMessageItems.length > 0 && receivedMessageItems;
    } catch {
      return undefined;
    }
  });
  assert.is(found?.messageText, 'bad');
  for (const attempt of [1, 2, 3]) assert.is(traced(message('bad', attempt)).length, 1);
  assert.is(traced(message('bad', 4)).length, 0);
});

test('send by an output what arrives at once, an array as one message each', async () => {
  const started = Date.now();
  const body = JSON.stringify(['x1', { y: 2 }]);
  assert.is((await host.fetch('/api/send', { method: 'POST', body })).status, 202);
  await until('both messages', () => traced(message('x1')).length + traced(message({ y: 2 })).length === 2);
  assert.ok(Date.now() - started < 1_000, `${Date.now() - started} ms`);
});

test('can return a message for another queue', async () => {
  await queues.getQueueClient('first').sendMessage('"hop"');
  await until('the message', () => traced('second {"forwarded":"hop"}').length === 1);
});

test('timers run on their schedule, at start when asked to, and once for what was missed', async () => {
  await until('three ticks', () => traced('tick').length >= 3);
  // Once for each of the two starts.
  assert.equal(traced('at start'), ['at start false', 'at start false']);
  assert.is(traced('tick')[0], 'tick {"pastDue":true,"last":"string"}');
  await until('a tick in time', () => traced('tick').includes('tick {"pastDue":false,"last":"string"}'));
});

test('a timer runs at once when an operator with the master key asks for it', async () => {
  const { masterKey, functionKeys } = await host.keys();
  const ask = async (name: string, key: string): Promise<number> =>
    (await host.fetch(`/admin/functions/${name}`, { method: 'POST', headers: { 'x-functions-key': key } }))
      .status;
  assert.is(await ask('atStart', functionKeys.default), 401);
  assert.is(await ask('nobody', masterKey), 404);
  assert.is(await ask('atStart', masterKey), 202);
  await until('it to run', () => traced('at start').length === 3);
});

test('a message in work when the host is killed is worked on again soon', async () => {
  await app.openGate('long');
  await until('the message again', () => traced(message('long', 2)).length === 1);
});

test('a message in work when the host is told to stop is finished first', async () => {
  await send('hold');
  await until('the message', () => traced(message('hold')).length === 1);
  const stopped = host.stop();
  await app.openGate('hold');
  await stopped;
  assert.is(host.exitCode, 0);
  assert.is(await count('work-items'), 0);
  assert.equal(traced('terminated'), ['terminated']);
});

test.run();
