import { TableClient } from '@azure/data-tables';
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
} from '../harness.js';

/** As an operator does, or a script that clears a storage account. */
const test = suite('A host whose task hub is deleted');
let azurite: Azurite;
let app: AppFolder;
let host: RunningHost;

test.before(async () => {
  azurite = await startAzurite();
  app = await makeApp({
    main: sample('patterns'),
    settings: { AzureWebJobsStorage: azurite.connection },
    hostJson: { extensions: { durableTask: { hubName: 'Deleted' } } },
  });
  host = await RunningHost.start(app);
});
test.after(async () => {
  await host?.kill();
  await azurite?.stop();
  await app?.remove();
});

const table = (): TableClient =>
  TableClient.fromConnectionString(azurite.connection, 'DeletedInstances', { allowInsecureConnection: true });

const statusOf = async (id: string): Promise<number> => (await host.durable(`/instances/${id}`)).status;
const gone = (id: string): Promise<unknown> =>
  until(`${id} to be gone\n${host.output}`, async () => (await statusOf(id)) === 404 || undefined);

async function rowsOf(id: string): Promise<string[]> {
  const rows: string[] = [];
  for await (const { partitionKey, rowKey } of table().listEntities()) {
    const key = `${partitionKey} ${rowKey}`;
    if (key.includes(id)) rows.push(key);
  }
  return rows;
}

test('goes on without its instances, and starts their ids anew', async () => {
  const waiting = await host.startNew('counter', 1, 'waiting');
  const ended = await host.startNew('chaining', null, 'ended');
  await host.ended(ended);
  await until('the counter to wait', async () => (await statusOf(waiting)) !== 404 || undefined);
  await table().deleteTable();
  await gone(waiting);
  await gone(ended);
  assert.is(await host.raise(waiting, 'operation', 'incr'), 404);
  assert.is(await host.startNew('counter', 41, 'waiting'), 'waiting');
  assert.is(await host.raise(waiting, 'operation', 'incr'), 202);
  assert.is(await host.raise(waiting, 'operation', 'end'), 202);
  assert.equal((await host.ended(waiting)).output, 42);
  assert.is(host.output.match(/The task hub was deleted/g)?.length, 1);
});

test('starts an instance at once, although the deletion was not noticed before', async () => {
  await host.startNew('counter', 1, 'before');
  await table().deleteTable();
  const id = await host.startNew('chaining');
  assert.is((await host.ended(id)).runtimeStatus, 'Completed');
  assert.is(await statusOf('before'), 404);
});

test('lets nothing of an instance come back that was at work when it went', async () => {
  const id = await host.startNew('killedInActivity', 'zombie', 'zombie');
  const timer = await host.startNew('killedInTimer', { name: 'zombie', ms: 4_000 }, 'zombie-timer');
  await until('its activity', async () => app.trace().includes('enter zombie') || undefined);
  await table().deleteTable();
  await gone(timer);
  await app.openGate('zombie');
  await until('its activity to end', async () => app.trace().includes('leave zombie') || undefined);
  const other = await host.startNew('chaining');
  await host.ended(other);
  assert.is(await statusOf(id), 404);
  assert.equal(await rowsOf('zombie'), []);
  await host.kill();
  host = await RunningHost.start(app);
  assert.is(await statusOf(id), 404);
  assert.is((await host.status(other)).runtimeStatus, 'Completed');
});

test('begins with an empty hub when it was deleted while the host was dead', async () => {
  const id = await host.startNew('counter', 1, 'dead');
  await host.kill();
  await table().deleteTable();
  host = await RunningHost.start(app);
  assert.is(await statusOf(id), 404);
  assert.is((await host.ended(await host.startNew('chaining'))).runtimeStatus, 'Completed');
});

test.run();
