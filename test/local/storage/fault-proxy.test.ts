import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { type RunningStorage, startStorage } from '../../../scripts/local/storage/storage.js';
import { makeTempFolder, type TempFolder } from '../../support/temp-folder.js';

/** What the SDKs do again by themselves would hide what a fault is. */
const retryOptions = { maxRetries: 0, maxTries: 1 };

let folder: TempFolder;
let storage: RunningStorage;

const faults = suite('storage that misbehaves');
faults.before(async () => {
  folder = await makeTempFolder();
  storage = await startStorage({ dataDir: folder.path, faults: true, seed: 1 });
  await queues().createQueue('requests');
  await table().createTable();
});
faults.after.each(() => put());
faults.after(async () => {
  await storage.close();
  await folder.remove();
});

const queues = () => QueueServiceClient.fromConnectionString(storage.connectionString, { retryOptions });
const queue = () => queues().getQueueClient('requests');
const table = (userAgentPrefix = 'test') =>
  TableClient.fromConnectionString(storage.connectionString, 'Rows', {
    allowInsecureConnection: true,
    retryOptions,
    userAgentOptions: { userAgentPrefix },
  });

async function put(...rules: readonly object[]): Promise<void> {
  const answer = await fetch(`${storage.url}/_local/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rules),
  });
  assert.is(answer.status, 204, await answer.text());
}

const SdkError = z.object({
  statusCode: z.number().optional(),
  code: z.string().optional(),
  /** Where the client for tables has it. */
  details: z.object({ odataError: z.object({ code: z.string() }).optional() }).optional(),
});

/** What an SDK throws: `503 ServerBusy`, or the code of a broken connection. */
async function errorOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    const { statusCode, code, details } = SdkError.parse(error);
    return [statusCode, code ?? details?.odataError?.code].filter(Boolean).join(' ');
  }
  return 'none';
}

faults('passes everything on as it was signed, and names what it counts', async () => {
  const blobs = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient('files');
  await blobs.create();
  await blobs.getBlockBlobClient('a folder/ä.txt').upload('héllo', 6);
  assert.is((await blobs.getBlockBlobClient('a folder/ä.txt').downloadToBuffer()).toString(), 'héllo');
  await queue().sendMessage('x');
  const [message] = (await queue().receiveMessages()).receivedMessageItems;
  await queue().deleteMessage(message?.messageId ?? '', message?.popReceipt ?? '');
  await table().createEntity({ partitionKey: "o'p", rowKey: 'ä 1', text: 'x'.repeat(30_000) });
  await table().submitTransaction([['create', { partitionKey: 'p', rowKey: '2' }]]);
  assert.is((await table().getEntity<{ text: string }>("o'p", 'ä 1')).text.length, 30_000);
  const found = table().listEntities({ queryOptions: { filter: "PartitionKey eq 'p'" } });
  for await (const { rowKey } of found) assert.is(rowKey, '2');

  const counts = z
    .record(z.string(), z.number())
    .parse(await (await fetch(`${storage.url}/_local/calls`)).json());
  for (const [call, times] of Object.entries({
    'PUT blob/files/:blob': 1,
    'POST queue/requests/messages': 1,
    'DELETE queue/requests/messages/:messageId': 1,
    'POST table/Rows': 1,
    'GET table/Rows(:key)': 1,
    'POST table/$batch(Rows)': 1,
    'GET table/Rows': 1,
  })) {
    assert.is(counts[call], times, `${call} in ${JSON.stringify(counts)}`);
  }
});

faults('answers as storage does when it is busy, so that each SDK knows it', async () => {
  await put({ preset: 'serverBusy' });
  assert.is(await errorOf(queue().sendMessage('x')), '503 ServerBusy');
  assert.is(await errorOf(queues().createQueue('other')), '503 ServerBusy');
  assert.is(await errorOf(table().createEntity({ partitionKey: 'p', rowKey: 'busy' })), '503 ServerBusy');
  await put({ preset: 'serverBusyRetryAfter', count: 1 });
  const patient = QueueServiceClient.fromConnectionString(storage.connectionString, {
    retryOptions: { maxTries: 2, retryDelayInMs: 1 },
  });
  await patient.getQueueClient('requests').sendMessage('once');
  await queue().clearMessages();
});

faults('breaks a connection before or after the write', async () => {
  const entity = (rowKey: string) => ({ partitionKey: 'reset', rowKey });
  await put({ call: 'POST table/Rows', preset: 'reset', count: 1 });
  assert.is(await errorOf(table().createEntity(entity('before'))), 'ECONNRESET');
  assert.is(await errorOf(table().getEntity('reset', 'before')), '404 ResourceNotFound');
  await put({ call: 'POST table/Rows', preset: 'resetAfterCommit', count: 1 });
  assert.is(await errorOf(table().createEntity(entity('after'))), 'ECONNRESET');
  assert.is(await errorOf(table().createEntity(entity('after'))), '409 EntityAlreadyExists');
});

faults('is slow, or busy, for one client or one row alone', async () => {
  await put({ call: '* table/*', client: 'theirs', preset: 'serverBusy' });
  const entity = (rowKey: string) => ({ partitionKey: 'one', rowKey });
  assert.is(await errorOf(table('theirs').createEntity(entity('1'))), '503 ServerBusy');
  assert.is(await errorOf(table('ours').createEntity(entity('1'))), 'none');
  await put({ call: '* table/*', content: '"RowKey":"2"', preset: 'serverBusy', when: 'commit' });
  assert.is(await errorOf(table().createEntity(entity('2'))), '503 ServerBusy');
  assert.is(await errorOf(table().createEntity(entity('3'))), 'none');
  assert.is(await errorOf(table().getEntity('one', '2')), 'none');
  await put({ preset: 'slow', call: 'GET table/*', holdMs: 80 });
  const started = Date.now();
  assert.is(await errorOf(table().getEntity('one', '2')), 'none');
  assert.ok(Date.now() - started >= 75);
});

faults.run();
