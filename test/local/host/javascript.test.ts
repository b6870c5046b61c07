import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import {
  type AppFolder,
  type Azurite,
  makeApp,
  RunningHost,
  Status,
  sourceSample,
  startAzurite,
  until,
} from './harness.js';

const test = suite('An app in plain JavaScript, CommonJS, its main a glob');
let azurite: Azurite;
let app: AppFolder;
let host: RunningHost;

test.before(async () => {
  azurite = await startAzurite();
  app = await makeApp({ main: 'src/functions/*.js', settings: { AzureWebJobsStorage: azurite.connection } });
  await cp(sourceSample('javascript'), join(app.dir, 'src/functions'), { recursive: true });
  host = await RunningHost.start(app);
});
test.after(async () => {
  await host?.stop();
  await azurite?.stop();
  await app?.remove();
});

test('serves its HTTP function', async () => {
  const response = await host.fetch('/api/hello', { method: 'POST', body: 'JS' });
  assert.is(await response.text(), 'Hello, JS!');
});

test('runs its orchestration from its own starter to the end', async () => {
  const key = (await host.keys()).functionKeys.default;
  const response = await host.fetch(`/api/orchestrators/helloCities?code=${key}`, {
    method: 'POST',
    body: '',
  });
  assert.is(response.status, 202);
  const { statusQueryGetUri } = z.looseObject({ statusQueryGetUri: z.string() }).parse(await response.json());
  const status = await until('the end', async () => {
    const answer = await fetch(statusQueryGetUri);
    return answer.status === 200 && Status.parse(await answer.json());
  });
  assert.equal(status.output, ['Hello, Tokyo', 'Hello, Seattle']);
});

test.run();
