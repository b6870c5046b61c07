import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseHostConfig } from '../../../scripts/local/host/host-config.js';
import { createLog } from '../../../scripts/local/host/log.js';
import { resolveConnection, resolvePercentNames } from '../../../scripts/local/host/settings.js';
import { parseTimeSpan } from '../../../scripts/local/host/time-span.js';
import { parseSchedule } from '../../../scripts/local/host/timer-trigger.js';

const connection = suite('resolveConnection');
connection('takes AzureWebJobsX before X, and AzureWebJobsStorage when nothing is named', () => {
  assert.is(resolveConnection('X', { X: 'plain', AzureWebJobsX: 'prefixed' }, 'It'), 'prefixed');
  assert.is(resolveConnection('X', { X: 'plain' }, 'It'), 'plain');
  assert.is(resolveConnection(undefined, { AzureWebJobsStorage: 's' }, 'It'), 's');
  assert.is(resolveConnection('AzureWebJobsStorage', { AzureWebJobsStorage: 's' }, 'It'), 's');
});
connection('says what is missing', () => {
  assert.throws(() => resolveConnection('X', {}, 'The trigger'), 'The trigger needs the setting X');
  assert.throws(() => resolveConnection('X', { X__accountName: 'a' }, 'The trigger'), 'X__accountName');
});
connection.run();

const percent = suite('resolvePercentNames');
percent('replaces settings and leaves the rest', () => {
  assert.is(resolvePercentNames('a-%X%-%Y%', { X: '1', Y: '2' }, 'It'), 'a-1-2');
  assert.is(resolvePercentNames('100%', {}, 'It'), '100%');
  assert.throws(() => resolvePercentNames('%Z%', {}, 'The queue'), 'The queue names the setting Z');
});
percent.run();

const span = suite('parseTimeSpan');
const spans: [text: string, ms: number | undefined][] = [
  ['00:00:00', 0],
  ['00:00:01.5', 1_500],
  ['01:02:03', 3_723_000],
  ['2.00:00:00', 172_800_000],
  ['5', undefined],
  ['0 */5 * * * *', undefined],
];
for (const [text, ms] of spans) span(`"${text}"`, () => assert.is(parseTimeSpan(text), ms));
span.run();

const schedule = suite('parseSchedule');
const from = new Date('2024-03-01T10:00:30.000Z');
const schedules: [text: string, next: string][] = [
  ['0 */5 * * * *', '2024-03-01T10:05:00.000Z'],
  ['*/5 * * * *', '2024-03-01T10:05:00.000Z'],
  ['*/10 * * * * *', '2024-03-01T10:00:40.000Z'],
  ['0 30 9 * * 1-5', '2024-03-04T09:30:00.000Z'],
  ['0 0 0 1 * Mon', '2024-04-01T00:00:00.000Z'],
  ['00:00:05', '2024-03-01T10:00:35.000Z'],
];
for (const [text, next] of schedules) {
  schedule(`"${text}"`, () => assert.is(parseSchedule(text)(from)?.toISOString(), next));
}
schedule('goes by the given time zone', () => {
  assert.is(parseSchedule('0 0 12 * * *', 'Europe/Berlin')(from)?.toISOString(), '2024-03-01T11:00:00.000Z');
});
schedule('refuses nonsense in words', () => {
  assert.throws(() => parseSchedule('whenever'), 'The schedule "whenever"');
});
schedule.run();

const config = suite('parseHostConfig');
config('has the defaults of Azure', () => {
  const { queues, routePrefix, durable } = parseHostConfig({ version: '2.0' }, 'host.json');
  assert.is(routePrefix, 'api');
  assert.is(durable.hubName, 'TestHubName');
  const {
    batchSize,
    newBatchThreshold,
    maxDequeueCount,
    messageEncoding,
    visibilityTimeout,
    maxPollingInterval,
  } = queues;
  assert.equal(
    [batchSize, newBatchThreshold, maxDequeueCount, messageEncoding, visibilityTimeout, maxPollingInterval],
    [16, 8, 5, 'base64', 0, 60_000],
  );
});
config('refuses another storage provider by name', () => {
  const file = { version: '2.0', extensions: { durableTask: { storageProvider: { type: 'mssql' } } } };
  assert.throws(() => parseHostConfig(file, 'host.json'), 'mssql');
});
config.run();

const logging = suite('createLog');
logging('lets through what the longest matching category allows', () => {
  const lines: string[] = [];
  const log = createLog({ default: 'warning', Function: 'error', 'Function.a': 'debug' }, line =>
    lines.push(line),
  );
  log.write('information', 'Host', '1');
  log.write('warning', 'Host', '2');
  log.write('warning', 'Function.b', '3');
  log.write('debug', 'Function.a.User', '4');
  log.write('debug', 'Function.ab', '5');
  assert.equal(
    lines.map(line => line.trim().at(-1)),
    ['2', '4'],
  );
});
logging.run();
