import { TableClient } from '@azure/data-tables';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { EventType, type HistoryEvent } from '../../../../scripts/local/host/durable/events.js';
import { type InstanceRecord, newMessageKey, Store } from '../../../../scripts/local/host/durable/store.js';
import { createLog } from '../../../../scripts/local/host/log.js';
import { type RunningStorage, startStorage } from '../../../../scripts/local/storage/storage.js';
import { makeTempFolder, type TempFolder } from '../../../support/temp-folder.js';

const test = suite('The journal of instances');
let folder: TempFolder;
let storage: RunningStorage;
let tables = 0;

test.before(async () => {
  folder = await makeTempFolder();
  storage = await startStorage({ dataDir: folder.path });
});
test.after(async () => {
  await storage?.close();
  await folder?.remove();
});

const log = createLog({ default: 'none' });
const open = (table: TableClient): Store => new Store(table, log, () => undefined);

/** A table of its own, with the journal in it. */
async function makeHub(): Promise<{ readonly table: TableClient; readonly store: Store }> {
  tables += 1;
  const table = TableClient.fromConnectionString(storage.connectionString, `Hub${tables}`, {
    allowInsecureConnection: true,
  });
  const store = open(table);
  await store.open();
  return { table, store };
}

const recordOf = (instanceId: string): InstanceRecord => ({
  instanceId,
  name: 'orchestrator',
  version: undefined,
  parent: undefined,
  life: `life of ${instanceId}`,
  executionId: 'execution',
  generation: 1,
  runtimeStatus: 'Pending',
  createdTime: '2026-01-01T00:00:00.000Z',
  lastUpdatedTime: '2026-01-01T00:00:00.000Z',
  input: '"input"',
  output: null,
  customStatus: null,
  failureDetails: undefined,
});

const happened = (Data: string): HistoryEvent => ({
  EventType: EventType.GenericEvent,
  EventId: -1,
  Timestamp: '2026-01-01T00:00:01.000Z',
  Data,
});

const append = (store: Store, record: InstanceRecord, number: number, data: string): Promise<string[]> =>
  store.commit({
    before: record,
    change: {},
    episode: { number, events: [happened(data)] },
    consumed: [],
  });

const datasOf = (events: readonly HistoryEvent[] = []): string[] =>
  events.flatMap(event => (event.EventType === EventType.GenericEvent ? [event.Data] : []));

const Counts = z.record(z.string(), z.number());
const count = async (path: string): Promise<Record<string, number>> =>
  Counts.parse(await (await fetch(`${storage.url}/_local/${path}`)).json());
const resetCounts = () => fetch(`${storage.url}/_local/calls`, { method: 'DELETE' });

test('stores what many instances do at the same time in few transactions, and gives each its own back', async () => {
  const { table, store } = await makeHub();
  // Ids of which one begins another, and such as a key can't hold as they are.
  const ids = ['a', 'a-b', 'ab', 'a|b', 'ä', ...Array.from({ length: 45 }, (_, index) => `i${index}`)];
  await resetCounts();
  await Promise.all(ids.map(id => store.start(recordOf(id))));
  await Promise.all(ids.map(id => append(store, recordOf(id), 1, `of ${id}`)));
  const message = (name: string) => ({ key: newMessageKey(), kind: 'raise', name, data: null }) as const;
  await Promise.all(ids.map(id => store.addMessage(recordOf(id), message(`to ${id}`))));
  const batches = `POST table/$batch(${table.tableName})`;
  assert.equal(await count('calls'), { [batches]: 6 });
  assert.equal(await count('operations'), { [`PUT table/${table.tableName}(:key)`]: 150 });

  for (const reader of [store, open(table)]) {
    assert.equal((await reader.scan()).map(({ record }) => record.instanceId).toSorted(), ids.toSorted());
    for (const id of ids.slice(0, 8)) {
      const stored = await reader.read(id);
      assert.equal(stored?.record.input, '"input"');
      assert.equal(datasOf(stored?.events), [`of ${id}`]);
      assert.equal(
        stored?.messages.map(({ name }) => name),
        [`to ${id}`],
      );
    }
  }
  await store.purge('a');
  assert.equal(
    [await store.read('a'), (await open(table).read('a-b'))?.record.instanceId],
    [undefined, 'a-b'],
  );
  assert.is((await open(table).scan()).length, 49);
});

test('refuses one of those that are stored together without harm to the others', async () => {
  const { store } = await makeHub();
  const [gone, one, other] = ['gone', 'one', 'other'].map(recordOf);
  if (!gone || !one || !other) throw new Error('There are three.');
  for (const record of [gone, one, other]) await store.start(record);
  await store.deleteRows('gone', ['0status']);
  const outcomes = await Promise.allSettled([
    append(store, one, 1, 'first'),
    store.commit({ before: gone, change: { runtimeStatus: 'Completed' }, consumed: [] }),
    append(store, other, 1, 'second'),
  ]);
  assert.equal(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.equal(
    [datasOf((await store.read('one'))?.events), datasOf((await store.read('other'))?.events)],
    [['first'], ['second']],
  );
  assert.is(await store.read('gone'), undefined);
});

test('goes on with the instances of a host that gave each a partition of its own', async () => {
  const { table, store } = await makeHub();
  await store.start(recordOf('old'));
  await append(store, recordOf('old'), 1, 'then');
  for await (const { partitionKey = '', rowKey = '', etag: _etag, ...rest } of table.listEntities()) {
    await table.deleteEntity(partitionKey, rowKey);
    await table.createEntity({ ...rest, partitionKey: 'old', rowKey: rowKey.replace('old|', '') });
  }
  const next = open(table);
  assert.equal(
    (await next.scan()).map(({ record, events }) => [record.instanceId, ...datasOf(events)]),
    [['old', 'then']],
  );
  await next.start(recordOf('new'));
  await append(next, recordOf('old'), 2, 'now');
  assert.equal(datasOf((await open(table).read('old'))?.events), ['then', 'now']);
  assert.equal((await open(table).scan()).map(({ record }) => record.instanceId).toSorted(), ['new', 'old']);
  await next.purge('old');
  assert.is(await open(table).read('old'), undefined);
});

test.run();
