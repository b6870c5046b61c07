import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { maxFormulaBytes } from '../../../scripts/local/autoscale/formula.js';
import { evaluate, problemsOf, samplesOf, shown, valueOf } from './support.js';

/** What is refused: where, and why. */

const refused = suite('a formula that is refused');
const refuses = (name: string, formula: string, ...problems: string[]): void => {
  refused(name, () => assert.is(problemsOf(formula), problems.join('\n')));
};
const target = '$TargetDedicatedNodes = 1;';

refuses(
  'an empty one',
  '',
  '1:1 It sets neither $TargetDedicatedNodes nor $TargetLowPriorityNodes, so a pool would never change.',
);
refuses(
  'without a target',
  '// nothing\nx = 1;',
  '1:1 It sets neither $TargetDedicatedNodes nor $TargetLowPriorityNodes, so a pool would never change.',
);
refuses(
  'every statement that is wrong is told',
  '$TargetDedicatedNodes = (1 + ;\n  x = max(1,2;\ny = x y;\nz = )',
  "1:30 Here should be a value: a name, a number, a text or '(', not the end of the statement.",
  "2:14 Here should be ')', not the end of the statement.",
  "3:7 Here should be an operator or ';', not 'y'.",
  "4:5 Here should be a value: a name, a number, a text or '(', not ')'.",
);
refuses(
  'signs that mean nothing',
  `${target} a = 5 $ 3; b = 7 % 2;\nc = 'x'; d = a + b`,
  "1:34 '$' means nothing in a formula.",
  "1:45 '%' means nothing in a formula.",
  `2:5 ''' means nothing in a formula.`,
  `2:7 ''' means nothing in a formula.`,
);
refuses(
  'a text without end',
  `${target} x = time("2026;`,
  '1:37 This text is not closed with " on the same line.',
);
refuses(
  'a comment without end',
  `${target}\n x = 1; /* y = 2;\n\n`,
  '2:9 This comment is never closed with */.',
);
refuses(
  'numbers with half a point',
  `${target} x = .5;`,
  "1:32 Here should be a value: a name, a number, a text or '(', not '.'.",
);
refuses(
  'a sign before a plus',
  `${target} x = +1;`,
  "1:32 Here should be a value: a name, a number, a text or '(', not '+'.",
);
refuses('a chain of assignments', `${target} x = y = 1;`, "1:34 Here should be an operator or ';', not '='.");
refuses('half a choice', `${target} x = 1 ? 2;`, "1:37 Here should be ':', not the end of the statement.");
refuses(
  'a statement without effect',
  `${target} 1 + 1;`,
  '1:28 This changes nothing: a statement is name = value; or stop().',
);
refuses('a variable that is not set before', `${target} x = y; y = 1;`, '1:32 y is not set before.');
refuses(
  'a misspelt variable of its own',
  `${target} tasks = 1; x = task;`,
  '1:43 task is not set before, did you mean tasks?',
);
refuses(
  'misspelt names of the service',
  `${target} a = $TargetDedicatedNode; b = $CurrentDedicate; c = $PendingTask.GetSample(1);
x = maximum(1); d = $PendingTasks.getsample(1); e = time().days; f = TimeInterval_Minutes; g = Max(1);`,
  '1:32 $TargetDedicatedNode is not set before, did you mean $TargetDedicatedNodes?',
  '1:58 $CurrentDedicate is not set before, did you mean $CurrentDedicatedNodes?',
  '1:80 There is no $PendingTask, did you mean $PendingTasks?',
  '2:5 There is no function maximum.',
  '2:35 There is no method getsample, did you mean GetSample?',
  '2:60 A timestamp has no days, did you mean day?',
  '2:70 TimeInterval_Minutes is not set before, did you mean TimeInterval_Minute?',
  '2:96 There is no function Max, did you mean max?',
);
refuses(
  'a method that is called as a function',
  `${target} a = getSample(1);`,
  '1:32 GetSample is a method of what is sampled: $PendingTasks.GetSample(…).',
);
refuses(
  'reading what its own problem left unset is no other problem',
  `${target} a = b; c = a + 1; d = (; e = d;`,
  '1:32 b is not set before.',
  "1:51 Here should be a value: a name, a number, a text or '(', not the end of the statement.",
);
refuses(
  'setting what only the service sets, and what is nearly a target',
  '$PendingTasks = 1; $targetDedicatedNodes = 2; $TargetLowPriorityNode = 3; max = 4; TimeInterval_Day = 5; requeue = 6;',
  '1:1 $PendingTasks can only be read: the service sets it.',
  '1:20 The service has no $targetDedicatedNodes, did you mean $TargetDedicatedNodes?',
  '1:47 The service has no $TargetLowPriorityNode, did you mean $TargetLowPriorityNodes?',
  "1:75 max is a function and can't be set.",
  "1:84 TimeInterval_Day is a constant and can't be set.",
  "1:106 requeue is a constant and can't be set.",
);
refuses(
  'in lines that end as on Windows, with tabs and letters beyond ASCII',
  '// où é 日本\r\n\tx = max(1;\r\n\r\n$TargetDedicatedNodes = 1; /* ü */ y = é;\r\n',
  "2:11 Here should be ')', not the end of the statement.",
  "4:40 'é' means nothing in a formula.",
);
refuses(
  'values of the wrong type',
  '$TargetDedicatedNodes = [1]; $NodeDeallocationOption = "requeue"; $TargetLowPriorityNodes = time();',
  '1:1 $TargetDedicatedNodes is a double, not doubleVec: take one value of the vector, as max(…) or avg(…).',
  '1:30 $NodeDeallocationOption is requeue, terminate, taskcompletion or retaineddata, without quotes, not string.',
  '1:67 $TargetLowPriorityNodes is a double, not timestamp.',
);
refuses(
  'operators between types that the page does not list',
  `${target} a = 3 * [1]; b = time() - TimeInterval_Day; c = [1] > 0; d = "a" + "b"; e = 1 == "1"; f = -[1]; g = !TimeInterval_Day; h = TimeInterval_Day / TimeInterval_Hour;`,
  '1:34 double * doubleVec is not allowed: the vector must come first.',
  '1:52 timestamp - timeinterval is not allowed: add the interval times -1.',
  '1:80 doubleVec > double is not allowed: take one value of the vector, as max(…) or avg(…).',
  '1:93 string + string is not allowed.',
  '1:106 double == string is not allowed.',
  '1:118 - does not take doubleVec.',
  '1:128 ! does not take timeinterval.',
  '1:168 timeinterval / timeinterval is not allowed.',
);
refuses(
  'choices between types, or by none that is a double',
  `${target} a = 1 ? 2 : "x"; b = time() ? 1 : 2;`,
  '1:34 Both sides of : must be of one type, these are double and string.',
  '1:49 What stands before ? must be a double, this is timestamp.',
);
refuses(
  'arguments that can not be right',
  `${target} a = max(); b = avg("s"); c = val([1]); d = rand(1); e = time(1); f = std(1); g = percentile(1, 2); stop(1); h = lg(); i = time("yesterday"); j = time("2026-11-24T18:00:00.123456789Z"); k = time("2026-02-30T18:00+02:00"); l = time("Mon, 31 Nov 2026 23:00:00 GMT");`,
  '1:32 max() takes at least 1 value.',
  '1:43 avg() takes doubles and vectors, not string.',
  '1:57 val() takes a vector and a double, the place from 0, not doubleVec.',
  '1:71 rand() takes no argument.',
  '1:84 time() takes nothing or one text, not double.',
  '1:97 std() takes at least 2 values.',
  '1:109 percentile() takes a vector and a double, the percent, not double, double.',
  '1:127 stop() takes no argument.',
  '1:140 lg() takes at least 1 argument.',
  '1:155 "yesterday" is no time of the W3C (2026-11-24T18:00:00Z) or of RFC 1123 (Tue, 24 Nov 2026 18:00:00 GMT).',
  '1:178 "2026-11-24T18:00:00.123456789Z" is no time of the W3C (2026-11-24T18:00:00Z) or of RFC 1123 (Tue, 24 Nov 2026 18:00:00 GMT).',
  '1:222 "2026-02-30T18:00+02:00" is no time of the W3C (2026-11-24T18:00:00Z) or of RFC 1123 (Tue, 24 Nov 2026 18:00:00 GMT).',
  '1:258 "Mon, 31 Nov 2026 23:00:00 GMT" is no time of the W3C (2026-11-24T18:00:00Z) or of RFC 1123 (Tue, 24 Nov 2026 18:00:00 GMT).',
);
refuses(
  'methods that do not fit',
  `${target} a = $PendingTasks; b = $PendingTasks.GetSample(); c = $PendingTasks.GetSample(1, 70); d = a.GetSample(1); e = $PendingTasks.Count(1); f = $PendingTasks.Count; g = $PendingTasks.GetSamplePercent(5); h = $TargetDedicatedNodes.GetSample(1); i = max;`,
  '1:65 GetSample() takes a count, or a start and, if wanted, an end (timestamps or timeintervals) and a percentage, not nothing.',
  '1:96 GetSample() takes a count, or a start and, if wanted, an end (timestamps or timeintervals) and a percentage, not double, double.',
  '1:120 Only variables that the service samples have methods such as GetSample().',
  '1:152 Count() takes no argument.',
  '1:180 Count is a method: Count(…).',
  '1:205 GetSamplePercent() takes a start and, if wanted, an end (timestamps or timeintervals), not double.',
  '1:252 Only variables that the service samples have methods such as GetSample().',
  '1:270 max is a function: max(…).',
);
refuses(
  'more than 100 statements',
  `${target}\n${'x = 1;\n'.repeat(101)}`,
  '101:1 A formula has at most 100 statements; this has 102.',
);
refuses('a number beyond all numbers', `${target} x = 1e999;`, '1:32 This number is too large.');

refused('one byte too long, counted as UTF-8', () => {
  const filled = `${target}//é`.padEnd(maxFormulaBytes - 1, 'x');
  assert.is(problemsOf(filled), 'no problem');
  assert.is(problemsOf(`${filled}x`), '1:1 A formula has at most 8192 bytes; this has 8193.');
});

refused('brackets, choices and signs that would overflow the stack', () => {
  const deep = (depth: number): string => `${target} x = ${'('.repeat(depth)}1${')'.repeat(depth)};`;
  assert.is(problemsOf(deep(50)), 'no problem');
  assert.is(problemsOf(deep(51)), '1:82 This is nested more than 50 deep.');
  assert.is(problemsOf(deep(700)), '1:82 This is nested more than 50 deep.');
  const choices = (depth: number): string => `${target} x = ${'0 ? 1 : '.repeat(depth)}2;`;
  assert.is(problemsOf(choices(50)), 'no problem');
  assert.match(problemsOf(choices(51)), /nested more than 50 deep/);
  assert.is(problemsOf(`${target} x = ${'-'.repeat(1_400)}1;`), 'no problem');
  assert.is(problemsOf(`${target} x = 1${' + 1'.repeat(740)};`), 'no problem');
  assert.is(
    problemsOf(`${target} x = 1${'+1'.repeat(2_000)};`),
    '1:1530 This statement is too long: more than 1500 words and signs.',
  );
});

refused.run();

const failing = suite('an evaluation that fails');
const fails = (expression: string, problem: string): void => {
  failing(expression, () => assert.is(valueOf(expression), problem));
};

fails('1 / 0', '1:11 Division by zero.');
fails('[1, 2] / 0', '1:16 Division by zero.');
fails('[1, 2] / [1, 0]', '1:16 Division by zero.');
fails('[1, 2] + [1]', '1:16 Two vectors must be of one length for +; these have 2 and 1 elements.');
fails('max([])', '1:9 max() needs at least 1 value; there are 0.');
fails('std([1])', '1:9 std() needs at least 2 values; there is 1.');
fails('val([1, 2], 2)', '1:9 val() has elements 0 to 1 here, not 2.');
fails('val([1, 2], 0.5)', '1:9 val() has elements 0 to 1 here, not 0.5.');
fails('percentile([1], 101)', '1:9 percentile() is of 0 to 100, not of 101.');
fails('lg(0)', '1:9 lg(0): only numbers above 0 have a logarithm.');
fails(
  'max($PendingTasks.GetSample(1))',
  '1:9 Insufficient data from data set: $PendingTasks wanted at least 1 for max(), received 0',
);
fails(
  '$PendingTasks.HistoryBeginTime()',
  '1:9 Insufficient data from data set: $PendingTasks has no sample yet',
);
fails(
  '$CurrentDedicatedNodes + 1',
  '1:9 Insufficient data from data set: $CurrentDedicatedNodes has no sample yet',
);

failing('for want of samples has the code of the service, and sets nothing', () => {
  const run = evaluate(
    '$TargetDedicatedNodes = 9;\n$x = $CPUPercent.GetSample(TimeInterval_Minute * 10, 95);',
    {
      history: samplesOf('$CPUPercent', [undefined, undefined, ...Array.from({ length: 18 }, () => 0.5)]),
    },
  );
  assert.is(run.targetDedicatedNodes, undefined);
  assert.is(run.results, '$TargetDedicatedNodes=3;$TargetLowPriorityNodes=2;$NodeDeallocationOption=requeue');
  assert.equal(run.error, {
    line: 2,
    column: 6,
    cause: 'Insufficient data from data set: $CPUPercent wanted 95%, received 90%',
    code: 'InsufficientSampleData',
  });
});

failing('a number of nodes that there can not be', () => {
  const problem = (value: string): string => {
    const { error } = evaluate(`x = ${value};\n  $TargetLowPriorityNodes = x;`);
    return error ? shown([error]) : 'none';
  };
  assert.is(problem('-1'), "2:3 $TargetLowPriorityNodes can't be -1: write max(0, …).");
  assert.is(problem('-0.5'), 'none');
  assert.is(problem('1e308 * 10'), '2:3 $TargetLowPriorityNodes must be a number of nodes, not Infinity.');
});

failing('by samples that break is an error as well, not a crash', () => {
  const history = {
    periodMs: 30_000,
    beginsAt: 0,
    between: () => [],
    latest: (): never => {
      throw new TypeError('no disk');
    },
  };
  const { error } = evaluate('$TargetDedicatedNodes = max($PendingTasks.GetSample(1));', { history });
  assert.is(error?.cause, 'It could not be evaluated: no disk');
});

failing.run();
