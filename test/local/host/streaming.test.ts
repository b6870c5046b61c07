import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AppFolder, makeApp, RunningHost, sample } from './harness.js';

const test = suite('An app that streams');
let app: AppFolder;
let host: RunningHost;

test.before(async () => {
  app = await makeApp({ main: sample('streaming') });
  host = await RunningHost.start(app);
});
test.after(async () => {
  await host?.stop();
  await app?.remove();
});

test('takes a body as it comes and answers with headers and status', async () => {
  const response = await host.fetch('/api/upper/A%20B', {
    method: 'POST',
    body: 'x'.repeat(500_000),
    headers: { 'x-sent': 'yes', 'content-type': 'text/plain' },
  });
  assert.is(response.status, 201);
  assert.is(response.headers.get('x-name'), 'A B');
  assert.is(response.headers.get('x-seen'), 'yes');
  assert.ok((await response.text()) === 'X'.repeat(500_000));
});

test('sends what it has before it has all', async () => {
  const response = await host.fetch('/api/slow');
  const reader = response.body?.getReader();
  const next = async (): Promise<string> => Buffer.from((await reader?.read())?.value ?? []).toString();
  assert.is(await next(), 'first');
  await app.openGate('slow');
  assert.is(await next(), 'last');
});

test('answers 500 when its function throws', async () => {
  const response = await host.fetch('/api/throws');
  assert.is(response.status, 500);
  assert.not.match(await response.text(), 'no stream today');
});

test.run();
