import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TransientError } from '../../shared/domain/failure.js';
import type { FailureCode } from '../../shared/domain/failure-guide.js';
import { activityStep } from '../../shared/telemetry/activity-step.js';
import { recordLive } from '../../shared/telemetry/live-gauges.js';
import { linesTo, logLine } from '../../shared/telemetry/log-line.js';
import { observedPort } from '../../shared/telemetry/observed-port.js';
import { measureAge } from '../../shared/telemetry/queue-age.js';
import { createFakeLog } from '../fakes/log.js';
import { createFakeRequestStore } from '../fakes/request-store.js';
import { someRequest } from '../fakes/requests.js';
import { createFakeTelemetry } from '../fakes/telemetry.js';

const port = suite('observedPort');

const failing = (code: FailureCode, message = 'x') => ({
  ask: async (): Promise<void> => {
    throw new TransientError(code, 'createTask', message);
  },
});

port('makes a step of a call that has a name, and counts how it went', async () => {
  const telemetry = createFakeTelemetry();
  const ask = async (): Promise<{ kind: string }> => ({ kind: 'rejected' });
  const observed = observedPort({ ask, tell: async () => {} }, 'batch', telemetry, method =>
    method === 'ask' ? 'batch ask' : undefined,
  );
  await observed.ask();
  await observed.tell();
  assert.equal(telemetry.steps, ['batch ask']);
  assert.equal(telemetry.counted, [
    'agents.calls {"service":"batch","operation":"ask","outcome":"rejected"} 1',
    'agents.calls {"service":"batch","operation":"tell","outcome":"done"} 1',
  ]);
});

port('lets an error through, and counts it', async () => {
  const telemetry = createFakeTelemetry();
  try {
    await observedPort(failing('BatchUnavailable'), 'batch', telemetry, () => 'batch ask').ask();
    assert.unreachable();
  } catch (error) {
    assert.is(error instanceof TransientError && error.failure.code, 'BatchUnavailable');
  }
  assert.equal(telemetry.steps, ['batch ask!']);
  assert.is(telemetry.counted.length, 1);
});

for (const [code, message, throttles] of [
  ['BatchThrottled', 'x', 1],
  ['StorageUnavailable', "The table can't be read: the storage account answered 503 ServerBusy.", 1],
  ['StorageUnavailable', "The table can't be read: the storage account answered 500.", 0],
  // Counted where the service asks for the pause, which it does with successes, too.
  ['AzDOThrottled', 'x', 0],
] as const) {
  port(`counts ${throttles} throttles for ${code}: ${message}`, async () => {
    const telemetry = createFakeTelemetry();
    await observedPort(failing(code, message), 'storage', telemetry)
      .ask()
      .catch(() => undefined);
    assert.is(telemetry.counted.filter(line => line.startsWith('agents.throttles')).length, throttles);
  });
}

port('leaves what answers at once as it is', () => {
  const telemetry = createFakeTelemetry();
  assert.is(observedPort({ remembered: () => 7 }, 'storage', telemetry).remembered(), 7);
  assert.equal(telemetry.counted, []);
});

port.run();

const step = suite('activityStep');

step('says of which request it is, and how it went', async () => {
  const telemetry = createFakeTelemetry();
  const store = createFakeRequestStore();
  await store.insert(someRequest(), new Uint8Array());
  const input = { requestId: 'r-1', generation: 1, attempt: 2, attempts: 3 };
  const failure = { code: 'PoolMissing', stage: 'createTask', message: 'x', retryable: false } as const;
  await activityStep({ telemetry, store }, 'provisionAgent', input, async () => ({
    kind: 'rejected',
    failure,
  }));
  const { requestId, attempt, profile, outcome, code } = telemetry.notes.get('provisionAgent') ?? {};
  assert.equal(
    { requestId, attempt, profile, outcome, code },
    { requestId: 'r-1', attempt: 2, profile: 'ubuntu', outcome: 'rejected', code: 'PoolMissing' },
  );
});

step('of a watch measures its round and the time since the last', async () => {
  const telemetry = createFakeTelemetry();
  const memory = { lookedAt: Date.now() - 5_000, batchPools: {} };
  const input = { devOpsPool: 'Linux', told: {}, memory };
  await activityStep({ telemetry, store: createFakeRequestStore() }, 'watchPool', input, async () => ({
    alive: 3,
    nextMs: 1,
    told: {},
  }));
  assert.equal(
    telemetry.recorded.map(line => line.split(' ').slice(0, 2).join(' ')),
    ['agents.watch.gap {"pool":"Linux"}', 'agents.watch.duration {"pool":"Linux"}'],
  );
  assert.is(telemetry.notes.get('watchPool')?.['alive'], 3);
});

step.run();

const gauges = suite('recordLive');

gauges('counts by pool and phase, tells the oldest, and says that a pool is empty', async () => {
  const telemetry = createFakeTelemetry();
  const store = createFakeRequestStore();
  const pool = { devOpsPool: 'Linux' };
  for (const request of [
    someRequest({ ...pool, requestId: 'a', createdAt: '2026-01-31T10:00:00.000Z' }),
    someRequest({ ...pool, requestId: 'b', state: 'starting', createdAt: '2026-01-31T09:59:00.000Z' }),
    someRequest({ ...pool, requestId: 'c', state: 'busy', createdAt: '2026-01-31T08:00:00.000Z' }),
  ])
    await store.insert(request, new Uint8Array());
  recordLive(telemetry, await store.live(), ['Linux', 'Windows'], Date.parse('2026-01-31T10:01:00.000Z'));
  const live = (pool_: string, phase: string, count: number): string =>
    `agents.requests.live {"pool":"${pool_}","phase":"${phase}"} ${count}`;
  assert.equal(telemetry.recorded, [
    live('Linux', 'waiting', 1),
    live('Linux', 'starting', 1),
    live('Linux', 'online', 0),
    live('Linux', 'busy', 1),
    'agents.requests.oldest_waiting {"pool":"Linux"} 120',
    ...['waiting', 'starting', 'online', 'busy'].map(phase => live('Windows', phase, 0)),
    'agents.requests.oldest_waiting {"pool":"Windows"} 0',
  ]);
});

gauges.run();

const age = suite('measureAge');

age('takes the time as hosts say it, and nothing else', () => {
  const telemetry = createFakeTelemetry();
  const now = Date.parse('2026-01-31T10:00:05.000Z');
  measureAge(telemetry, '2026-01-31T10:00:00.000Z', now);
  measureAge(telemetry, new Date('2026-01-31T10:00:01.000Z'), now);
  // A clock that is ahead of ours.
  measureAge(telemetry, '2026-01-31T10:00:09.000Z', now);
  measureAge(telemetry, undefined, now);
  assert.equal(
    telemetry.recorded.map(line => line.split(' ').at(-1)),
    ['5', '4', '0'],
  );
});

age.run();

const lines = suite('a line of the log');

lines('is one JSON object, or text with its fields at the end', () => {
  const fields = { requestId: 'r-1', attempt: 2, code: undefined, detail: 'two words' };
  assert.equal(JSON.parse(logLine('json', 'It "is".\nSo.', fields)), {
    message: 'It "is".\nSo.',
    requestId: 'r-1',
    attempt: 2,
    detail: 'two words',
  });
  assert.is(logLine('json', 'a\nb', {}).includes('\n'), false);
  assert.is(logLine('text', 'It is.', fields), 'It is. [requestId=r-1 attempt=2 detail="two words"]');
  assert.is(logLine('text', 'It is.', {}), 'It is.');
});

lines('is about what is going on, unless it says otherwise', () => {
  const written: string[] = [];
  const write = (line: string): void => void written.push(line);
  const log = linesTo({ info: write, warn: write, error: write }, 'text', () => ({
    requestId: 'r-1',
    attempt: 1,
    traceId: 't',
  }));
  log.info('a');
  log.warn('b', { requestId: 'r-1', code: 'X' });
  log.error('c', { requestId: 'r-2' });
  assert.equal(written, [
    'a [requestId=r-1 attempt=1 traceId=t]',
    'b [requestId=r-1 attempt=1 traceId=t code=X]',
    'c [traceId=t requestId=r-2]',
  ]);
});

lines('about a request is refused by the log of the tests unless its fields say so', () => {
  const log = createFakeLog();
  log.info('Request r-1: x', { requestId: 'r-1' });
  assert.throws(() => log.info('Request r-1: x'), /does not say in its fields that it is about r-1/);
  assert.throws(() => log.warn('left over from request r-1; x', { requestId: 'r-2' }), /r-1/);
});

lines.run();
