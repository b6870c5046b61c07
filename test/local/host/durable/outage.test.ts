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

const test = suite('A host whose storage goes away');
let azurite: Azurite;
let app: AppFolder;
let host: RunningHost;

test.before(async () => {
  azurite = await startAzurite();
  app = await makeApp({
    main: sample('patterns'),
    settings: { AzureWebJobsStorage: azurite.connection },
    hostJson: { extensions: { durableTask: { hubName: 'Outage' } } },
  });
  host = await RunningHost.start(app);
});
test.after(async () => {
  await host?.kill();
  await azurite?.stop();
  await app?.remove();
});

const pause = (ms: number): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, ms);
  });

for (const [state, what] of [
  ['down', 'refuses every call'],
  ['deaf', 'does every call but loses the answer'],
] as const) {
  test(`goes on with everything after storage ${what}`, async () => {
    const counters = await Promise.all([1, 2, 3].map(n => host.startNew('counter', n)));
    const name = `a-${state}`;
    const gated = await host.startNew('killedInActivity', name);
    const timer = await host.startNew('killedInTimer', { name: state, ms: 500 });
    await until('the gate and the timer', async () => {
      const { historyEvents = [] } = await host.status(timer, '?showHistory=true');
      const armed = historyEvents.some(event => event.EventType === 'TimerCreated');
      return armed && app.trace().includes(`enter ${name}`);
    });
    azurite.tables = state;
    await app.openGate(name);
    const raised = counters.map(id => host.raise(id, 'operation', 'incr'));
    const started = host.startNew('chaining');
    await pause(600);
    azurite.tables = 'up';
    assert.equal(await Promise.all(raised), [202, 202, 202]);
    for (const [index, id] of counters.entries()) {
      await host.raise(id, 'operation', 'end');
      assert.is((await host.ended(id)).output, index + 2);
    }
    assert.equal((await host.ended(await started)).output, [
      'Hello Tokyo!',
      'Hello Seattle!',
      'Hello Cairo!',
    ]);
    assert.is((await host.ended(gated)).output, `through ${name}`);
    assert.is((await host.ended(timer)).output, 'fired');
    for (const line of [`enter ${name}`, `completion ${name}`, `completion ${state}`]) {
      assert.is(app.trace().filter(traced => traced === line).length, 1, line);
    }
    // What was stored is what memory says.
    await host.kill();
    host = await RunningHost.start(app);
    assert.is((await host.status(gated)).output, `through ${name}`);
    assert.is((await host.status(counters[0] ?? '')).output, 2);
  });
}

test('can be started before its storage', async () => {
  await host.kill();
  azurite.tables = 'down';
  const starting = RunningHost.start(app);
  await pause(1_200);
  azurite.tables = 'up';
  host = await starting;
  assert.is(
    (
      await host.ended(
        await host.startNew('counter', 1).then(async id => (await host.raise(id, 'operation', 'end'), id)),
      )
    ).output,
    1,
  );
});

test.run();
