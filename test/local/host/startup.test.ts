import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AppFolder, HostExit, makeApp, RunningHost, sample } from './harness.js';

const test = suite('A host that can not start');
const apps: AppFolder[] = [];
test.after(async () => {
  for (const app of apps) await app.remove();
});

/** What the host says when it ends instead of getting ready. */
async function failure(
  options: Parameters<typeof makeApp>[0],
  change?: (dir: string) => Promise<void>,
): Promise<string> {
  const app = await makeApp(options);
  apps.push(app);
  await change?.(app.dir);
  try {
    const host = await RunningHost.start(app);
    await host.kill();
  } catch (error) {
    if (!(error instanceof HostExit)) throw error;
    assert.is(error.code, 1);
    return error.output;
  }
  assert.unreachable('the host started');
  return '';
}

/** All at once: each is a process that takes most of a second to load. */
let said: Record<'unsupported' | 'settings' | 'identity' | 'unbuilt' | 'broken' | 'hostJson', string>;
test.before(async () => {
  const identity = { MyStorage__queueServiceUri: 'https://x', WorkQueue: 'w', TickSchedule: '* * * * *' };
  const wrong = { extensions: { queues: { batchSize: 99, visibilityTimeout: 'soon' } } };
  const [unsupported, settings, byIdentity, unbuilt, broken, hostJson] = await Promise.all([
    failure({ main: sample('unsupported') }),
    failure({ main: sample('queues') }),
    failure({ main: sample('queues'), settings: identity }),
    failure({ main: 'dist/*.js' }),
    failure({ main: 'broken.cjs' }, dir =>
      writeFile(join(dir, 'broken.cjs'), 'throw new Error("boom at load")'),
    ),
    failure({ main: sample('web'), hostJson: wrong }),
  ]);
  said = { unsupported, settings, identity: byIdentity, unbuilt, broken, hostJson };
});

test('names every function that uses what it lacks', () => {
  assert.match(said.unsupported, 'Function "onBlob" uses the trigger "blobTrigger"');
  assert.match(said.unsupported, 'Function "toTable" uses the input binding "blob"');
  assert.match(said.unsupported, 'Function "toTable" uses the output binding "table"');
  assert.match(said.unsupported, 'Function "counter" uses the trigger "entityTrigger"');
  assert.not.match(said.unsupported, '"fine"');
});

test('says which settings are missing', () => {
  assert.match(said.settings, 'WorkQueue, which is not set');
  assert.match(said.settings, 'needs the setting MyStorage');
});

test('refuses a connection by identity', () => {
  assert.match(said.identity, 'MyStorage__queueServiceUri');
});

test('says that the app was not built, or does not load', () => {
  assert.match(said.unbuilt, 'Was the app built?');
  assert.match(said.broken, 'broken.cjs failed to load: Error: boom at load');
});

test('says what is wrong with host.json', () => {
  assert.match(said.hostJson, 'batchSize');
  assert.match(said.hostJson, '"soon" is not a duration');
});

test.run();
