import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import {
  type AppFolder,
  type Azurite,
  makeApp,
  RunningHost,
  Status,
  sample,
  startAzurite,
  until,
} from '../harness.js';

const test = suite("Durable's management API");
let azurite: Azurite;
let app: AppFolder;
let host: RunningHost;

test.before(async () => {
  azurite = await startAzurite();
  app = await makeApp({
    main: sample('patterns'),
    settings: { AzureWebJobsStorage: azurite.connection, Hub: 'Management' },
    hostJson: { extensions: { durableTask: { hubName: '%Hub%' } } },
  });
  host = await RunningHost.start(app);
});
test.after(async () => {
  await host?.stop();
  await azurite?.stop();
  await app?.remove();
});

const post = async (path: string): Promise<number> => (await host.durable(path, { method: 'POST' })).status;
const List = z.array(Status);

test('is closed without the system key or the master key', async () => {
  const keys = await host.keys();
  const path = '/runtime/webhooks/durabletask/instances';
  assert.is((await host.fetch(path)).status, 401);
  assert.is((await host.fetch(`${path}?code=${keys.functionKeys.default}`)).status, 401);
  assert.is((await host.fetch(`${path}?code=${keys.systemKeys.durabletask_extension}`)).status, 200);
  assert.is((await host.fetch(`${path}?code=${keys.masterKey}`)).status, 200);
});

test('shows 202 while an instance runs, 200 when it has ended, 404 when there is none', async () => {
  const id = await host.startNew('counter', 1, 'shown-1');
  assert.is(id, 'shown-1');
  const running = await host.durable(`/instances/${id}`);
  assert.is(running.status, 202);
  assert.ok(running.headers.get('location')?.includes(`/instances/${id}`));
  await host.raise(id, 'operation', 'end');
  await host.ended(id);
  assert.is((await host.durable(`/instances/${id}`)).status, 200);
  assert.is((await host.durable('/instances/absent')).status, 404);
});

test('shows input, history and outputs when asked to', async () => {
  const id = await host.startNew('chaining', { some: 'input' });
  await host.ended(id);
  assert.equal((await host.status(id)).input, { some: 'input' });
  assert.is((await host.status(id, '?showInput=false')).input, null);
  const { historyEvents = [] } = await host.status(id, '?showHistory=true&showHistoryOutput=true');
  assert.equal(
    historyEvents.map(event => [event.EventType, event['FunctionName'], event['Result']]),
    [
      ['ExecutionStarted', 'chaining', undefined],
      ['TaskCompleted', 'sayHello', 'Hello Tokyo!'],
      ['TaskCompleted', 'sayHello', 'Hello Seattle!'],
      ['TaskCompleted', 'sayHello', 'Hello Cairo!'],
      ['ExecutionCompleted', undefined, ['Hello Tokyo!', 'Hello Seattle!', 'Hello Cairo!']],
    ],
  );
});

test('answers 500 for a failed instance only on request', async () => {
  const id = await host.startNew('throws');
  await host.ended(id);
  assert.is((await host.durable(`/instances/${id}`)).status, 200);
  assert.is((await host.durable(`/instances/${id}?returnInternalServerErrorOnFailure=true`)).status, 500);
});

test('refuses a second start of a running id, and starts an ended one anew', async () => {
  const id = await host.startNew('counter', 1);
  assert.is((await host.durable(`/orchestrators/counter/${id}`, { method: 'POST', body: '5' })).status, 409);
  await host.raise(id, 'operation', 'end');
  assert.is((await host.ended(id)).output, 1);
  await host.startNew('counter', 5, id);
  assert.equal((await host.status(id)).input, 5);
  await host.raise(id, 'operation', 'end');
  assert.is((await host.ended(id)).output, 5);
  assert.is((await host.durable('/orchestrators/absent', { method: 'POST' })).status, 400);
  assert.is((await host.durable('/orchestrators/counter/@bad', { method: 'POST' })).status, 400);
});

test('takes an event for a running instance, 410 for an ended one, 404 for none, 400 for no JSON', async () => {
  const id = await host.startNew('counter', 1);
  const bad = await host.durable(`/instances/${id}/raiseEvent/operation`, { method: 'POST', body: '{' });
  assert.is(bad.status, 400);
  assert.is(await host.raise(id, 'operation', 'end'), 202);
  await host.ended(id);
  assert.is(await host.raise(id, 'operation', 'end'), 410);
  assert.is(await host.raise('absent', 'operation', 'end'), 404);
});

test('terminates an instance with the reason as its output', async () => {
  const id = await host.startNew('counter', 1);
  assert.is(await post(`/instances/${id}/terminate?reason=no%20more`), 202);
  const status = await host.ended(id);
  assert.is(status.runtimeStatus, 'Terminated');
  assert.is(status.output, 'no more');
  assert.is(await post(`/instances/${id}/terminate?reason=again`), 410);
});

test('holds events back while an instance is suspended', async () => {
  const id = await host.startNew('counter', 1);
  assert.is(await post(`/instances/${id}/suspend?reason=wait`), 202);
  await until('the suspension', async () => (await host.status(id)).runtimeStatus === 'Suspended');
  for (const operation of ['incr', 'incr', 'end']) await host.raise(id, 'operation', operation);
  await host.kill();
  host = await RunningHost.start(app);
  assert.is((await host.status(id)).runtimeStatus, 'Suspended');
  assert.equal((await host.status(id)).customStatus, { value: 1 });
  assert.is(await post(`/instances/${id}/resume?reason=go`), 202);
  assert.is((await host.ended(id)).output, 3);
});

test('rewinds a failed instance so that what failed runs again', async () => {
  const id = await host.startNew('parent', { key: 'rewound', failures: 4 });
  assert.is((await host.ended(id)).runtimeStatus, 'Failed');
  assert.is(await post(`/instances/${id}/rewind?reason=again`), 202);
  await until('the end', async () => (await host.status(id)).runtimeStatus !== 'Running');
  assert.is((await host.status(id)).runtimeStatus, 'Failed');
  assert.is(await post(`/instances/${id}/rewind?reason=again`), 202);
  const status = await host.ended(id);
  assert.equal(status.output, { parent: id, result: 'after 4 failures' });
  assert.is(await post(`/instances/${id}/rewind?reason=again`), 412);
});

test('restarts an instance under a new id with the same input', async () => {
  const id = await host.startNew('counter', 40);
  await host.raise(id, 'operation', 'end');
  await host.ended(id);
  const response = await host.durable(`/instances/${id}/restart`, { method: 'POST' });
  const again = z.looseObject({ id: z.string() }).parse(await response.json()).id;
  assert.is.not(again, id);
  assert.is((await host.status(again)).input, 40);
});

test('lists by state, prefix and time, page by page', async () => {
  for (const n of [1, 2, 3, 4, 5]) await host.startNew('counter', n, `listed-${n}`);
  await host.raise('listed-5', 'operation', 'end');
  await host.ended('listed-5');
  const list = async (query: string): Promise<string[]> =>
    List.parse(await (await host.durable(`/instances?${query}`)).json()).map(status => status.instanceId);
  const prefix = 'instanceIdPrefix=listed-';
  assert.equal(await list(`${prefix}&runtimeStatus=Completed`), ['listed-5']);
  assert.is((await list(`${prefix}&runtimeStatus=Running,Pending`)).length, 4);
  assert.equal(await list(`${prefix}&createdTimeTo=2020-01-01T00:00:00Z`), []);
  const first = await host.durable(`/instances?${prefix}&top=2`);
  assert.is(List.parse(await first.json()).length, 2);
  const key = (await host.keys()).systemKeys.durabletask_extension;
  const next = await host.fetch(`/runtime/webhooks/durabletask/instances?${prefix}&top=5`, {
    headers: {
      'x-functions-key': key,
      'x-ms-continuation-token': first.headers.get('x-ms-continuation-token') ?? '',
    },
  });
  assert.equal(
    List.parse(await next.json()).map(status => status.instanceId),
    ['listed-3', 'listed-4', 'listed-5'],
  );
  assert.is(next.headers.get('x-ms-continuation-token'), null);
});

test('purges ended instances, one or by filter, for good', async () => {
  const remove = async (path: string): Promise<[number, unknown]> => {
    const response = await host.durable(path, { method: 'DELETE' });
    return [response.status, await response.json()];
  };
  assert.equal(await remove('/instances/listed-1'), [404, { instancesDeleted: 0 }]);
  assert.equal(await remove('/instances/listed-5'), [200, { instancesDeleted: 1 }]);
  assert.is((await host.durable('/instances/listed-5')).status, 404);
  for (const n of [1, 2]) {
    await host.raise(`listed-${n}`, 'operation', 'end');
    await host.ended(`listed-${n}`);
  }
  const from = new Date(Date.now() - 60_000).toISOString();
  const [status, body] = await remove(`/instances?createdTimeFrom=${from}&runtimeStatus=Completed`);
  assert.is(status, 200);
  assert.ok(z.object({ instancesDeleted: z.number() }).parse(body).instancesDeleted >= 2);
  await host.kill();
  host = await RunningHost.start(app);
  assert.is((await host.durable('/instances/listed-1')).status, 404);
  assert.is((await host.durable('/instances/listed-3')).status, 202);
});

test.run();
