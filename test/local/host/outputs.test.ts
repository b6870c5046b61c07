import { BlobServiceClient } from '@azure/storage-blob';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bindingDataOf, fillIn } from '../../../scripts/local/host/outputs/binding-data.js';
import {
  type AppFolder,
  type Azurite,
  makeApp,
  RunningHost,
  sample,
  startAzurite,
  until,
} from './harness.js';

const test = suite('outputs of functions');
let azurite: Azurite;
let app: AppFolder;
let host: RunningHost;

test.before(async () => {
  azurite = await startAzurite();
  app = await makeApp({
    main: sample('outputs'),
    settings: {
      AzureWebJobsStorage: azurite.connection,
      BackupStorage: azurite.connection,
      PhoneNumber: '+1555',
    },
    hostJson: { extensions: { durableTask: { hubName: 'Outputs' } } },
  });
  host = await RunningHost.start(app);
});
test.after(async () => {
  await host?.stop();
  await azurite?.stop();
  await app?.remove();
});

test('a fan-out copies each file to a blob of its own name', async () => {
  const files = [
    { backupPath: 'a.txt', content: 'alpha' },
    { backupPath: 'folder/b.txt', content: 'beta ü' },
  ];
  const status = await host.ended(await host.startNew('backup', files));
  assert.is(status.output, 11);
  const container = BlobServiceClient.fromConnectionString(azurite.connection).getContainerClient('backups');
  for (const { backupPath, content } of files) {
    assert.is(String(await container.getBlobClient(backupPath).downloadToBuffer()), content);
  }
});

test('an SMS is printed and not sent', async () => {
  const status = await host.ended(await host.startNew('challenge', '+4912345'));
  assert.is(status.output, 4711);
  await until('the line', () => host.output.includes('Not sent: SMS'));
  assert.match(host.output, 'Not sent: SMS from +1555 to +4912345: Your verification code is 4711');
});

test.run();

const names = suite('{names} in bindings');
const data = bindingDataOf(
  { json: '{"a":"x","deep":{"n":3},"id":"from the message"}' },
  { id: { string: 'from the queue' }, dequeueCount: { int: 2 } },
);

names('mean what triggered the function, its message before its metadata', () => {
  assert.is(fillIn('{a}/{deep.n}-{dequeueCount}/{id}', data, 'It'), 'x/3-2/from the message');
});

names('that mean nothing are named', () => {
  assert.throws(
    () => fillIn('{b}', data, 'The blob output'),
    'The blob output names {b}, which its trigger does not give.',
  );
  assert.throws(() => fillIn('{deep}', data, 'It'), '{deep}');
});

names('are new ids and times where they ask for them', () => {
  assert.match(fillIn('{rand-guid}', {}, 'It'), /^[0-9a-f-]{36}$/);
  assert.match(fillIn('{DateTime}', {}, 'It'), /^\d{4}-/);
});

names.run();
