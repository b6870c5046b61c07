import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { evaluate, now, problemsOf, samplesOf, valueOf } from './support.js';

/** What expressions are worth, by the tables of the service's page on formulas. */

const table = (name: string, rows: readonly (readonly [expression: string, value: string])[]): void => {
  const values = suite(name);
  for (const [expression, value] of rows) {
    values(expression, () => assert.is(valueOf(expression), value));
  }
  values.run();
};

table('operators', [
  ['1 + 2 * 3', '7'],
  ['(1 + 2) * 3', '9'],
  ['10 - 3 - 2', '5'],
  ['8 / 4 / 2', '1'],
  ['7 / 2', '3.5'],
  ['-2 * -3', '6'],
  ['1.5e1 + 2', '17'],
  ['--2', '2'],
  ['!0 + !5', '1'],
  ['1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3 && 1 != 2 && 1 == 1', '1'],
  ['0 || 0', '0'],
  ['2 || 0', '1'],
  ['0 && 1 / 0', '0'],
  ['1 || 1 / 0', '1'],
  ['1 || 0 && 0', '1'],
  ['1 + 1 == 2', '1'],
  ['2 > 1 == 1', '1'],
  ['0 ? 1 : 0 ? 2 : 3', '3'],
  ['-1 ? 20:10', '20'],
  ['"a" < "b"', '1'],
  ['"a" == "a"', '1'],
  ['"b" <= "a"', '0'],
]);

table('vectors', [
  ['[1, 2, 3]', '[1,2,3]'],
  ['[]', '[]'],
  ['[1, 2] * 2', '[2,4]'],
  ['[1, 2] - 1', '[0,1]'],
  ['[1, 2] / 2', '[0.5,1]'],
  ['[1, 2] + [10, 20]', '[11,22]'],
  ['[6, 8] / [2, 4]', '[3,2]'],
  ['1 ? 5 : [1, 2]', '[5]'],
]);

table('times and intervals', [
  ['time()', '2026-11-24T18:05:09.250Z'],
  ['time("")', '2026-11-24T18:05:09.250Z'],
  ['time("2026-11-24T18:00:00Z")', '2026-11-24T18:00:00.000Z'],
  ['time("2026-11-24T18:00+02:00")', '2026-11-24T16:00:00.000Z'],
  ['time("2026-11-24T18:00:00.1234567Z")', '2026-11-24T18:00:00.123Z'],
  ['time("2028-02-29T00:00+09:00")', '2028-02-28T15:00:00.000Z'],
  ['time("Tue, 3 Nov 2026 23:59:59 GMT")', '2026-11-03T23:59:59.000Z'],
  ['time("2026-11-24")', '2026-11-24T00:00:00.000Z'],
  ['time("2026-11")', '2026-11-01T00:00:00.000Z'],
  ['time("Tue, 24 Nov 2026 18:00:00 GMT")', '2026-11-24T18:00:00.000Z'],
  ['time() - time("2026-11-24T18:00:00Z")', 'PT5M9.25S'],
  ['time("2026-11-24") + TimeInterval_Hour', '2026-11-24T01:00:00.000Z'],
  ['TimeInterval_Day + time("2026-11-24")', '2026-11-25T00:00:00.000Z'],
  ['time() + (-6 * TimeInterval_Hour)', '2026-11-24T12:05:09.250Z'],
  ['time("2026-11-24") < time()', '1'],
  ['TimeInterval_Minute * 5', 'PT5M'],
  ['5 * TimeInterval_Minute == TimeInterval_Minute * 5', '1'],
  ['TimeInterval_Hour / 8', 'PT7M30S'],
  ['TimeInterval_Week - TimeInterval_Day', 'P6D'],
  ['-TimeInterval_Second', '-PT1S'],
  ['TimeInterval_Zero', 'PT0S'],
  ['TimeInterval_100ns * 10 == TimeInterval_Microsecond', '1'],
  ['TimeInterval_Millisecond * 1500', 'PT1.5S'],
  ['TimeInterval_Year / 365 == TimeInterval_Day', '1'],
  ['time().year', '2026'],
  ['time().month', '11'],
  ['time().day', '24'],
  ['time().weekday', '2'],
  ['time().hour', '18'],
  ['time().minute', '5'],
  ['time().second', '9'],
  ['(time() + TimeInterval_Day).day', '25'],
  ['time("2026-11-29").weekday', '0'],
]);

table('functions', [
  ['avg(1, 2, 6)', '3'],
  ['avg([1, 2, 3], 7)', '3.25'],
  ['len()', '0'],
  ['len([1, 2], 3)', '3'],
  ['lg(8)', '3'],
  ['lg([8, 2])', '[3,1]'],
  ['lg([8])', '[3]'],
  ['ln(1)', '0'],
  ['log(1000, 10)', '[3,1]'],
  ['max(1, [5, 2], 3)', '5'],
  ['max(-1, -2)', '-1'],
  ['min(4, max(2, 0))', '2'],
  ['norm(3, 4)', '5'],
  ['percentile([5, 1, 4, 2, 3], 50)', '3'],
  ['percentile([5, 1, 4, 2, 3], 95)', '5'],
  ['percentile([5, 1, 4, 2, 3], 0)', '1'],
  ['rand() >= 0 && rand() < 1', '1'],
  ['range(3, 10, 5)', '7'],
  ['round(2.5)', '3'],
  ['round(-2.5)', '-3'],
  ['round([1.2, 1.7])', '[1,2]'],
  ['ceil(2.1)', '3'],
  ['floor(-2.1)', '-3'],
  ['std(2, 4, 4, 4, 5, 5, 7, 9) > 2.138', '1'],
  ['sum()', '0'],
  ['sum([1, 2, 3])', '6'],
  ['val([7, 8, 9], 2)', '9'],
]);

table('service variables', [
  ['$TargetDedicatedNodes', '3'],
  ['$TargetLowPriority', '2'],
  ['$TaskSlotsPerNode * 2', '8'],
  ['$NodeDeallocationOption', 'requeue'],
]);

const statements = suite('statements');

statements('may have comments, line breaks and blanks anywhere, and leave off the last ;', () => {
  const { results } = evaluate('// first\n$a\t=\n1; /* two\nlines; */b=$a+1 // last; or not\r\n;$c = b');
  assert.ok(results.endsWith(';$a=1;$c=2;b=2'), results);
});

statements('may be empty: a ; too many does no harm', () => {
  assert.is(evaluate('; $TargetDedicatedNodes = 1;; ;').targetDedicatedNodes, 1);
});

statements('may be mere values where a formula is only tried', () => {
  const { results, error } = evaluate('$PendingTasks.GetSample(1); x = 1;');
  assert.is(error, undefined);
  assert.ok(results.endsWith(';x=1'), results);
  assert.is(evaluate('1 / 0;').error?.cause, 'Division by zero.');
});

statements('may set a variable that is nearly a target, where the target is set as well', () => {
  const text = '$targetDedicatedNodes = 3; $TargetDedicated = $targetDedicatedNodes + 1;';
  assert.is(problemsOf(text), 'no problem');
  assert.is(evaluate(text).targetDedicatedNodes, 4);
});

statements('set variables anew, and to another type', () => {
  const { results } = evaluate('x = 1; x = x + 1; y = x; x = [x, 7]; x = max(x) + y;');
  assert.ok(results.endsWith(';x=9;y=2'), results);
});

statements('set targets, which later ones read', () => {
  const run = evaluate('$TargetDedicatedNodes = 5; $TargetLowPriorityNodes = 25 - $TargetDedicatedNodes;');
  assert.is(run.targetDedicatedNodes, 5);
  assert.is(run.targetLowPriorityNodes, 20);
  assert.is(run.nodeDeallocationOption, undefined);
});

statements('do not set what they leave out; results show it as it was', () => {
  const run = evaluate(
    '$TargetLowPriorityNodes = 7; $NodeDeallocationOption = taskcompletion; $a = [1,2]; B = 1;',
  );
  assert.is(run.targetDedicatedNodes, undefined);
  assert.is(run.nodeDeallocationOption, 'taskcompletion');
  assert.is(
    run.results,
    '$TargetDedicatedNodes=3;$TargetLowPriorityNodes=7;$NodeDeallocationOption=taskcompletion;$a=[1,2];B=1',
  );
});

statements('the short name of a target counts less than the full one, wherever it stands', () => {
  assert.is(evaluate('$TargetDedicated = 4;').targetDedicatedNodes, 4);
  assert.is(evaluate('$TargetDedicatedNodes = 1; $TargetDedicated = 4;').targetDedicatedNodes, 1);
  assert.is(
    evaluate('$TargetDedicated = 4; x = $TargetDedicated; $TargetDedicatedNodes = x + 1;')
      .targetDedicatedNodes,
    5,
  );
  assert.is(
    evaluate('$TargetLowPriority = 4; $TargetDedicated = $TargetLowPriorityNodes;').targetDedicatedNodes,
    4,
  );
});

statements('a target loses its fraction, as (tasks + slots - 1) / slots counts on', () => {
  const nodes = (tasks: number): number | undefined =>
    evaluate(`$TargetDedicatedNodes = (${tasks} + $TaskSlotsPerNode - 1) / $TaskSlotsPerNode;`)
      .targetDedicatedNodes;
  assert.equal([0, 1, 4, 5, 8, 9].map(nodes), [0, 1, 1, 2, 2, 3]);
});

statements('stop() ends it; what was set before counts', () => {
  const run = evaluate('$TargetDedicatedNodes = 1; a = 2; 1 ? stop() : 0; $TargetDedicatedNodes = 9; b = 3;');
  assert.is(run.targetDedicatedNodes, 1);
  assert.ok(run.results.endsWith(';a=2'), run.results);
  assert.is(evaluate('$TargetDedicatedNodes = 1 > 2 ? stop() : 6;').targetDedicatedNodes, 6);
  assert.is(evaluate('$TargetDedicatedNodes = 1; stop(); $TargetDedicatedNodes = 2').targetDedicatedNodes, 1);
});

statements.run();

const examples = suite("the service page's own formulas");

const pendingTasks = `startingNumberOfVMs = 1;
maxNumberofVMs = 25;
pendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);
pendingTaskSamples = pendingTaskSamplePercent < 70 ? startingNumberOfVMs : avg($PendingTasks.GetSample(180 * TimeInterval_Second));
$TargetDedicatedNodes=min(maxNumberofVMs, pendingTaskSamples);
$NodeDeallocationOption = taskcompletion;`;

examples('pending tasks', () => {
  const nodes = (pending: number[]): number | undefined =>
    evaluate(pendingTasks, { history: samplesOf('$PendingTasks', pending) }).targetDedicatedNodes;
  assert.is(nodes([]), 1);
  assert.is(nodes([8, 8, 8]), 1);
  assert.is(nodes([8, 8, 8, 8, 4, 0, 100]), 6);
  assert.is(nodes(Array.from({ length: 10 }, () => 80)), 25);
});

examples('time of day and day of the week', () => {
  const office = `$curTime = time();
    $workHours = $curTime.hour >= 8 && $curTime.hour < 18;
    $isWeekday = $curTime.weekday >= 1 && $curTime.weekday <= 5;
    $isWorkingWeekdayHour = $workHours && $isWeekday;
    $TargetDedicatedNodes = $isWorkingWeekdayHour ? 20:10;`;
  assert.is(
    evaluate(office).results,
    '$TargetDedicatedNodes=10;$TargetLowPriorityNodes=2;$NodeDeallocationOption=requeue;' +
      '$curTime=2026-11-24T18:05:09.250Z;$isWeekday=1;$isWorkingWeekdayHour=0;$workHours=0',
  );
  assert.is(evaluate(office, { now: now - 3_600_000 }).targetDedicatedNodes, 20);
  assert.is(evaluate(office, { now: now + 4 * 86_400_000 - 3_600_000 }).targetDedicatedNodes, 10);
});

examples('a first size, then none while nothing runs', () => {
  const formula = `$TargetDedicatedNodes = 4;
    lifespan         = time() - time("Tue, 24 Nov 2026 17:50:00 GMT");
    span             = TimeInterval_Minute * 60;
    startup          = TimeInterval_Minute * 10;
    ratio            = 50;
    $TargetDedicatedNodes = (lifespan > startup ? (max($RunningTasks.GetSample(span, ratio), $ActiveTasks.GetSample(span, ratio)) == 0 ? 0 : $TargetDedicatedNodes) : 4);`;
  assert.is(evaluate(formula, { now: now - 600_000 }).targetDedicatedNodes, 4);
  const error = evaluate(formula).error;
  assert.is(error?.code, 'InsufficientSampleData');
  assert.is(error?.cause, 'Insufficient data from data set: $RunningTasks wanted 50%, received 0%');
});

examples.run();

const article = suite("the article's formula");

const articleFormula = `$nbTaskPerNodes = $TaskSlotsPerNode;
$currentNodes = $TargetLowPriorityNodes;
$nbPending5min = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5) < 70 ? max($PendingTasks.GetSample(1)) : max($PendingTasks.GetSample(TimeInterval_Minute * 5));
$nbPending60min = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 60) < 70 ? 1000 : max($PendingTasks.GetSample(TimeInterval_Minute * 60));
$totalLowPriorityNodes = $nbPending5min > max(0, $TaskSlotsPerNode * $currentNodes) ? $currentNodes + 1 : $currentNodes;
$totalLowPriorityNodes = $nbPending60min <= $TaskSlotsPerNode * max(0, $currentNodes - 1)  ? $currentNodes - 1 : $totalLowPriorityNodes;
$totalLowPriorityNodes = min(4, max($totalLowPriorityNodes, 0));
$TargetLowPriorityNodes = $totalLowPriorityNodes;
$NodeDeallocationOption = taskcompletion;`;

article('adds a node at a time, and takes one away after a quiet hour', () => {
  const nodes = (targetLowPriorityNodes: number, pending: number, samples: number): number | undefined =>
    evaluate(articleFormula, {
      targetLowPriorityNodes,
      history: samplesOf(
        '$PendingTasks',
        Array.from({ length: samples }, () => pending),
      ),
    }).targetLowPriorityNodes;
  assert.is(nodes(0, 1, 1), 1);
  assert.is(nodes(1, 100, 10), 2);
  assert.is(nodes(4, 100, 120), 4);
  assert.is(nodes(2, 0, 60), 2);
  assert.is(nodes(2, 0, 120), 1);
  assert.is(nodes(0, 0, 120), 0);
});

article('can not be evaluated before the first sample', () => {
  assert.is(evaluate(articleFormula).error?.line, 3);
});

article.run();
