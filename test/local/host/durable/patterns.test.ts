import { suite } from 'uvu';
import * as assert from 'uvu/assert';
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

const test = suite('The patterns of Durable Functions');
let azurite: Azurite;
let app: AppFolder;
let host: RunningHost;

test.before(async () => {
  azurite = await startAzurite();
  app = await makeApp({
    main: sample('patterns'),
    settings: { AzureWebJobsStorage: azurite.connection },
    hostJson: { extensions: { durableTask: { hubName: 'Patterns' } } },
  });
  host = await RunningHost.start(app);
});
test.after(async () => {
  if (process.env['SHOW']) console.log(host?.output);
  await host?.stop();
  await azurite?.stop();
  await app?.remove();
});

const run = async (orchestrator: string, input?: unknown): Promise<Status> =>
  host.ended(await host.startNew(orchestrator, input));

test('a chain of activities gives their results in order', async () => {
  const status = await run('chaining');
  assert.is(status.runtimeStatus, 'Completed');
  assert.equal(status.output, ['Hello Tokyo!', 'Hello Seattle!', 'Hello Cairo!']);
});

test('an HTTP starter answers with URLs under which the instance is managed', async () => {
  const response = await host.fetch('/api/orchestrators/chaining', { method: 'POST', body: 'null' });
  assert.is(response.status, 202);
  const links: unknown = await response.json();
  assert.ok(typeof links === 'object' && links !== null && 'statusQueryGetUri' in links && 'id' in links);
  const { statusQueryGetUri, id } = links;
  assert.is(response.headers.get('location'), statusQueryGetUri);
  await host.ended(String(id));
  const status = await fetch(String(statusQueryGetUri));
  assert.is(status.status, 200);
  assert.equal(Status.parse(await status.json()).output, ['Hello Tokyo!', 'Hello Seattle!', 'Hello Cairo!']);
});

test('a fan-out over a hundred activities is joined', async () => {
  assert.is((await run('fanOut', 100)).output, 4950);
});

test('a monitor looks again until what it waits for is there', async () => {
  const end = new Date(Date.now() + 60_000).toISOString();
  assert.is((await run('monitor', { location: 'Redmond', phone: '5', until: end })).output, 'done');
  assert.is(app.trace().filter(line => line === 'look at Redmond').length, 3);
  assert.is(app.trace().filter(line => line === 'alert 5').length, 1);
});

test('a person who answers in time is let in, and the cancelled timer holds nothing up', async () => {
  const id = await host.startNew('phoneVerification', { phone: '12345', ms: 60_000 });
  assert.is(await host.raise(id, 'SmsChallengeResponse', 1), 202);
  assert.is(await host.raise(id, 'SmsChallengeResponse', 5555), 202);
  assert.is((await host.ended(id)).output, true);
});

test('a person who does not answer in time is not let in', async () => {
  assert.is((await run('phoneVerification', { phone: '1', ms: 100 })).output, false);
});

test('a timer that is cancelled does not keep the instance running, one that is forgotten does', async () => {
  const started = Date.now();
  assert.is((await run('cancelTimer')).output, true);
  assert.ok(Date.now() - started < 5_000);
  const id = await host.startNew('forgottenTimer');
  await until('the activity to end', async () => {
    const { historyEvents = [] } = await host.status(id, '?showHistory=true');
    return historyEvents.some(event => event.EventType === 'TaskCompleted');
  });
  assert.is((await host.status(id)).runtimeStatus, 'Running');
  assert.is((await host.ended(id)).output, 'over');
});

test('an activity with retries is tried until it succeeds', async () => {
  assert.is((await run('retry', { key: 'two', failures: 2 })).output, 'after 2 failures');
  assert.is(app.trace().filter(line => line === 'flaky two').length, 3);
});

test('an activity that fails every time fails the orchestration after the last attempt', async () => {
  const status = await run('retry', { key: 'always', failures: 99 });
  assert.is(status.runtimeStatus, 'Failed');
  assert.match(
    String(status.output),
    "Orchestrator function 'retry' failed: Activity function 'flaky' failed: always failed 3",
  );
  assert.is(app.trace().filter(line => line === 'flaky always').length, 3);
});

test('retries that overlap each other and the orchestrator get their own results', async () => {
  for (const key of ['p', 'q', 'r']) {
    const { output } = await run('retryTangle', key);
    assert.equal(output, ['Hello y!', ['after 3 failures', 'after 2 failures', 'Hello z!']]);
  }
});

test('retries whose time is over end the orchestration', async () => {
  const status = await run('retryTimeout');
  assert.is(status.runtimeStatus, 'Failed');
  assert.match(String(status.output), "Activity function 'flaky' failed: ");
});

test('an orchestrator can catch the failure of an activity', async () => {
  const { output } = await run('catching');
  assert.match(String(output), /^caught Activity function 'flaky' failed: .* failed 1/);
});

test('a sub-orchestration with retries is tried anew and knows its parent', async () => {
  const id = await host.startNew('parent', { key: 'sub', failures: 2 });
  assert.equal((await host.ended(id)).output, { parent: id, result: 'after 2 failures' });
});

test('a counter lives on through continueAsNew, with every event and the custom status', async () => {
  const id = await host.startNew('counter', 5);
  for (const operation of ['incr', 'incr', 'decr', 'incr', 'end'])
    await host.raise(id, 'operation', operation);
  const status = await host.ended(id);
  assert.is(status.output, 7);
  assert.equal(status.customStatus, { value: 7 });
});

test('an eternal orchestration does not grow its history', async () => {
  const id = await host.startNew('eternal', 30);
  assert.is((await host.ended(id)).output, 'over');
  const { historyEvents = [] } = await host.status(id, '?showHistory=true');
  assert.is(historyEvents.filter(event => event.EventType === 'TimerFired').length, 1);
});

test('a starter that waits gets the output, or the URLs when it takes too long', async () => {
  const quick = await host.fetch('/api/orchestrators/wait/chaining', { method: 'POST', body: 'null' });
  assert.is(quick.status, 200);
  assert.equal(await quick.json(), ['Hello Tokyo!', 'Hello Seattle!', 'Hello Cairo!']);
  const slow = await host.fetch('/api/orchestrators/wait/counter?timeout=0.1', { method: 'POST', body: '1' });
  assert.is(slow.status, 202);
});

test('values far larger than a table row, emoji included, come through whole', async () => {
  const { output } = await run('big', 200_000);
  const whole = JSON.stringify({ length: 600_000, text: '😀x'.repeat(200_000) });
  // Not compared by the assertion, which would print megabytes.
  assert.ok(JSON.stringify(output) === whole, JSON.stringify(output).slice(0, 300));
});

test('an event is heard in whatever case its name is written', async () => {
  const id = await host.startNew('shout');
  await host.raise(id, 'loudname', { deep: [1] });
  assert.equal((await host.ended(id)).output, { deep: [1] });
});

test('an orchestrator that throws, or calls what does not exist, fails with a sentence', async () => {
  const broken = await run('throws');
  assert.is(broken.output, "Orchestrator function 'throws' failed: this orchestrator is broken");
  const missing = await run('callsNothing');
  assert.match(String(missing.output), "The function 'noSuchActivity' doesn't exist");
});

test('a durable HTTP call polls until the answer is there', async () => {
  assert.equal((await run('http', `${host.url}/api/polled`)).output, [200, 'after 3 calls']);
});

test.run();
