import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AppFolder,
  type Azurite,
  HostExit,
  makeApp,
  RunningHost,
  sample,
  startAzurite,
  until,
} from '../harness.js';

const test = suite('A host that is killed');
let azurite: Azurite;
let app: AppFolder;
let host: RunningHost;

const ids = { activity: '', timer: '', due: '', event: '', parent: '', counter: '' };
let timerStarted = 0;

const killAndRestart = async (): Promise<void> => {
  await host.kill();
  host = await RunningHost.start(app);
};
const count = (line: string): number => app.trace().filter(traced => traced === line).length;
const activitiesDone = (id: string, wanted: number): Promise<boolean> =>
  until(`${wanted} activities of ${id}`, async () => {
    const { historyEvents = [] } = await host.status(id, '?showHistory=true');
    return historyEvents.filter(event => event.EventType === 'TaskCompleted').length >= wanted;
  });

/** One instance in each state that a kill can meet, then the kill; the tests look at what became of them. */
test.before(async () => {
  azurite = await startAzurite();
  app = await makeApp({
    main: sample('patterns'),
    settings: { AzureWebJobsStorage: azurite.connection },
    hostJson: { extensions: { durableTask: { hubName: 'Kill' } } },
  });
  host = await RunningHost.start(app);
  ids.activity = await host.startNew('killedInActivity', 'a');
  timerStarted = Date.now();
  ids.timer = await host.startNew('killedInTimer', { name: 'timer', ms: 2_200 });
  ids.due = await host.startNew('killedInTimer', { name: 'due', ms: 200 });
  ids.event = await host.startNew('killedInEvent');
  ids.parent = await host.startNew('gatedParent', 'c');
  ids.counter = await host.startNew('counter', 0);
  await activitiesDone(ids.activity, 1);
  await activitiesDone(ids.timer, 1);
  await activitiesDone(ids.due, 1);
  await activitiesDone(ids.event, 1);
  await until('the gates', () => count('enter a') === 1 && count('enter c') === 1);
  for (let n = 0; n < 6; n += 1) await host.raise(ids.counter, 'operation', 'incr');
  assert.is(await host.raise(ids.event, 'go', { number: 1 }), 202);
  await killAndRestart();
});
test.after(async () => {
  await host?.kill();
  await azurite?.stop();
  await app?.remove();
});

test('in the middle of an activity runs it again and goes on, with one completion', async () => {
  await until('the activity to be entered again', () => count('enter a') === 2);
  await app.openGate('a');
  assert.is((await host.ended(ids.activity)).output, 'through a');
  assert.is(count('before a'), 1);
  assert.is(count('leave a'), 1);
  assert.is(count('completion a'), 1);
});

test('while a timer runs lets it fire at its time, and at once when that has passed', async () => {
  // On a slow machine it may fire just before the kill, and then what follows it may be cut and run again.
  assert.is((await host.ended(ids.due)).output, 'fired');
  assert.is((await host.ended(ids.timer)).output, 'fired');
  assert.ok(Date.now() - timerStarted >= 2_200);
  assert.is(count('before timer'), 1);
  assert.is(count('completion timer'), 1);
});

test('just after it has taken an event keeps it', async () => {
  assert.is(await host.raise(ids.event, 'go', { number: 2 }), 202);
  assert.equal((await host.ended(ids.event)).output, [{ number: 1 }, { number: 2 }]);
  assert.is(count('before event'), 1);
  assert.is(count('completion event'), 1);
});

test('in a sub-orchestration goes on with child and parent', async () => {
  assert.is((await host.status(`${ids.parent}-child`)).runtimeStatus, 'Running');
  await app.openGate('c');
  assert.is((await host.ended(ids.parent)).output, `child of ${ids.parent}`);
  assert.is(count('parent done'), 1);
});

test('with events that continueAsNew has to carry keeps them', async () => {
  await host.raise(ids.counter, 'operation', 'end');
  assert.is((await host.ended(ids.counter)).output, 6);
});

test('between a start and its first episode loses nothing that it has answered for', async () => {
  const started = await Promise.all(Array.from({ length: 10 }, () => host.startNew('chaining')));
  await killAndRestart();
  for (const id of started) {
    assert.equal((await host.ended(id)).output, ['Hello Tokyo!', 'Hello Seattle!', 'Hello Cairo!']);
  }
});

test('again and again under load finishes all instances rightly', async () => {
  const chains = await Promise.all(Array.from({ length: 15 }, () => host.startNew('chaining')));
  const fans = await Promise.all(Array.from({ length: 5 }, () => host.startNew('fanOut', 20)));
  const counters = await Promise.all(Array.from({ length: 5 }, () => host.startNew('counter', 10)));
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(counters.map(id => host.raise(id, 'operation', 'incr')));
    await new Promise(resolve => {
      setTimeout(resolve, 30 * round);
    });
    await killAndRestart();
  }
  await Promise.all(counters.map(id => host.raise(id, 'operation', 'end')));
  for (const id of chains) {
    assert.equal((await host.ended(id)).output, ['Hello Tokyo!', 'Hello Seattle!', 'Hello Cairo!']);
  }
  for (const id of fans) assert.is((await host.ended(id)).output, 190);
  for (const id of counters) assert.is((await host.ended(id)).output, 13);
});

test('is followed at once, while one that lives is not joined by a second', async () => {
  try {
    await RunningHost.start(app, ['--data', `${app.dir}/other`]);
    assert.unreachable('a second host ran the same hub');
  } catch (error) {
    assert.instance(error, HostExit);
    assert.is(error instanceof HostExit && error.code, 1);
    assert.match(error instanceof HostExit ? error.output : '', 'is being run by the process');
  }
});

test.run();
