import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { SampleRecorder } from '../../../scripts/local/autoscale/sample-recorder.js';
import { now, problemsOf, samplesOf, valueOf } from './support.js';

const methods = suite('methods of samples');

/** 20 samples, the newest of them 0, the oldest 19. */
const tenMinutes = samplesOf(
  '$PendingTasks',
  Array.from({ length: 20 }, (_, index) => index),
);
const of = (expression: string, history = tenMinutes): string => valueOf(expression, { history });

methods('GetSample of a count: the newest, first', () => {
  assert.is(of('$PendingTasks.GetSample(1)'), '[0]');
  assert.is(of('$PendingTasks.GetSample(3)'), '[0,1,2]');
  assert.is(of('len($PendingTasks.GetSample(100))'), '20');
  assert.is(of('$PendingTasks.GetSample(0)'), '[]');
  assert.is(of('$RunningTasks.GetSample(1)'), '[]');
});

methods('GetSample of a span: ten minutes are 20 samples, and spans that touch share none', () => {
  assert.is(of('len($PendingTasks.GetSample(TimeInterval_Minute * 10))'), '20');
  assert.is(of('$PendingTasks.GetSample(TimeInterval_Minute)'), '[0,1]');
  assert.is(of('$PendingTasks.GetSample(TimeInterval_Minute, TimeInterval_Minute * 2)'), '[2,3]');
  assert.is(of('$PendingTasks.GetSample(TimeInterval_Minute * 2, TimeInterval_Minute)'), '[2,3]');
  assert.is(of('$PendingTasks.GetSample(time() + -1 * TimeInterval_Minute)'), '[0,1]');
  assert.is(of('$PendingTasks.GetSample(time() + -2 * TimeInterval_Minute, time(), 100)'), '[0,1,2,3]');
  assert.is(of('$PendingTasks.GetSample(TimeInterval_Minute * 2, time())'), '[0,1,2,3]');
});

methods('GetSamplePercent counts what is missing', () => {
  const gaps = samplesOf('$PendingTasks', [undefined, 1, 1, undefined, 1, 1, 1, 1, 1, 1]);
  assert.is(of('$PendingTasks.GetSamplePercent(TimeInterval_Minute * 5)', gaps), '80');
  assert.is(of('$PendingTasks.GetSamplePercent(TimeInterval_Minute, TimeInterval_Minute * 5)', gaps), '87.5');
  assert.is(of('$PendingTasks.GetSamplePercent(TimeInterval_Minute * 10)', gaps), '40');
  assert.is(of('$PendingTasks.GetSamplePercent(TimeInterval_Second * 15)', gaps), '0');
  assert.is(of('$PendingTasks.GetSamplePercent(TimeInterval_Second * 15)'), '100');
});

methods('GetSample takes samples that are enough', () => {
  const gaps = samplesOf('$PendingTasks', [undefined, 5, 6, 7]);
  assert.is(of('$PendingTasks.GetSample(TimeInterval_Minute * 2, 75)', gaps), '[5,6,7]');
  assert.is(
    of('$PendingTasks.GetSample(TimeInterval_Minute * 2, 76)', gaps),
    '1:9 Insufficient data from data set: $PendingTasks wanted 76%, received 75%',
  );
});

methods('GetSamplePeriod, Count, HistoryBeginTime', () => {
  assert.is(of('$PendingTasks.GetSamplePeriod()'), 'PT30S');
  assert.is(of('$PendingTasks.Count()'), '20');
  assert.is(of('$RunningTasks.Count()'), '0');
  assert.is(of('$PendingTasks.HistoryBeginTime()'), new Date(now - 19 * 30_000).toISOString());
});

methods('a variable alone is its newest sample', () => {
  const history = samplesOf('$PendingTasks', [6, 5]);
  assert.is(valueOf('max(0, $PendingTasks) / 4', { history }), '1.5');
  assert.match(valueOf('$RunningTasks', { history }), /\$RunningTasks has no sample yet/);
});

methods('the number of dedicated nodes has an old name', () => {
  const history = samplesOf('$CurrentDedicatedNodes', [2, 1]);
  assert.is(valueOf('$CurrentDedicated * max($CurrentDedicated.GetSample(2))', { history }), '4');
  assert.is(
    problemsOf('$CurrentDedicated = 1;'),
    '1:1 $CurrentDedicated can only be read: the service sets it.',
  );
});

methods('node counts alone are what there is now, else their newest sample', () => {
  const history = samplesOf('$CurrentLowPriorityNodes', [6, 5]);
  assert.is(valueOf('$CurrentLowPriorityNodes * 1.5', { history }), '9');
  assert.is(valueOf('$CurrentLowPriorityNodes', { history, currentLowPriorityNodes: 7 }), '7');
  assert.is(valueOf('$CurrentDedicatedNodes', { currentDedicatedNodes: 0 }), '0');
});

methods.run();

const recorder = suite('a sample recorder');

recorder('shows samples once they have arrived', () => {
  const samples = new SampleRecorder({ delayMs: 45_000 });
  assert.is(samples.seenAt(0).beginsAt, undefined);
  samples.record(0, { $PendingTasks: 1 });
  samples.record(30_000, { $PendingTasks: 2 });
  samples.record(60_000, { $PendingTasks: 3 }, 61_000);
  assert.equal(samples.seenAt(44_999).latest('$PendingTasks', 9), []);
  assert.is(samples.seenAt(44_999).beginsAt, undefined);
  assert.equal(samples.seenAt(45_000).latest('$PendingTasks', 9), [1]);
  assert.is(samples.seenAt(45_000).beginsAt, 0);
  // The last one overtook the one before.
  assert.equal(samples.seenAt(61_000).latest('$PendingTasks', 9), [3, 1]);
  assert.equal(samples.seenAt(75_000).between('$PendingTasks', 0, 75_000), [3, 2, 1]);
  assert.is(samples.seenAt(61_000).count?.('$PendingTasks', 0, 75_000), 2);
});

recorder('forgets what is older than it keeps, after gaps as well', () => {
  const samples = new SampleRecorder({ periodMs: 1_000, keepMs: 3_000 });
  for (let at = 0; at <= 10_000; at += 1_000) samples.record(at, { $PendingTasks: at / 1_000 });
  const seen = samples.seenAt(10_000);
  assert.equal(seen.latest('$PendingTasks', 99), [10, 9, 8, 7]);
  assert.is(seen.beginsAt, 7_000);
  samples.record(12_500, { $RunningTasks: 1 });
  assert.equal(samples.seenAt(12_500).latest('$PendingTasks', 99), [10]);
  assert.equal(samples.seenAt(12_500).latest('$RunningTasks', 99), [1]);
});

recorder('gives both ends of a span', () => {
  const seen = samplesOf('$PendingTasks', [4, 3, 2, 1]);
  assert.equal(seen.between('$PendingTasks', now - 60_000, now - 30_000), [3, 2]);
});

recorder.run();
