import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { BatchServiceClient } from '@azure/batch';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import type { LocalBatch } from '../../../scripts/local/batch/server.js';
import { clientOf, errorOf, pool, Scratch, scriptTask, startBatch, taskIn, until } from './support.js';

/** Pools that a formula scales, by the unmodified client. */

const scratch = new Scratch();
const data = scratch.file('data');
let batch: LocalBatch;
let client: BatchServiceClient;

const pools = [
  pool({
    id: 'tasks',
    taskSlotsPerNode: 1,
    maxNodes: 3,
    sampleMs: 20,
    autoScaleEvaluationMs: 1_000,
    autoScaleFormula: `$tasks = max($PendingTasks.GetSample(1));
      $TargetDedicatedNodes = min(1, $tasks);
      $TargetLowPriorityNodes = max(0, $tasks - 1);
      $NodeDeallocationOption = taskcompletion;`,
  }),
  pool({ id: 'plain' }),
  // Without nodes until its formula comes.
  pool({ id: 'own', autoScaleFormula: '$TargetLowPriorityNodes = 0;' }),
  pool({ id: 'switched', taskSlotsPerNode: 1 }),
  pool({ id: 'unclear', autoScaleFormula: '$TargetDedicatedNodes = max($CPUPercent.GetSample(1));' }),
];

const autoscale = suite('pools with a formula');
autoscale.before(async () => {
  batch = await startBatch(data, { pools });
  client = clientOf(batch);
});
autoscale.after(async () => {
  await batch.close();
  scratch.remove();
});

const sleeper = scratch.script('sleep', 'setTimeout(() => {}, 60000)');
const add = async (job: string, ...tasks: string[]): Promise<void> => {
  await client.job.add({ id: job, poolInfo: { poolId: job } });
  for (const task of tasks) await client.task.add(job, scriptTask(task, sleeper));
};
const nodesOf = async (id: string): Promise<string> => {
  const { dedicated, lowPriority } =
    (
      await client.account.listPoolNodeCounts({
        accountListPoolNodeCountsOptions: { filter: `poolId eq '${id}'` },
      })
    )[0] ?? {};
  return `${dedicated?.total} dedicated, ${lowPriority?.total} low-priority`;
};
const change = (id: string, settings: object): Promise<Response> =>
  fetch(`${batch.url}/_local/pools/${id}`, { method: 'PUT', body: JSON.stringify(settings) });

autoscale('gets the nodes it asks for, of both kinds, and no more than it may have', async () => {
  await add('tasks', 'a', 'b', 'c', 'd');
  await Promise.all(['a', 'b', 'c'].map(task => taskIn(client, 'tasks', task, 'running')));
  assert.is(await nodesOf('tasks'), '1 dedicated, 2 low-priority');
  const { targetDedicatedNodes, targetLowPriorityNodes, autoScaleRun, autoScaleEvaluationInterval } =
    await client.pool.get('tasks');
  assert.equal([targetDedicatedNodes, targetLowPriorityNodes], [1, 3]);
  assert.is(autoScaleEvaluationInterval, 'PT1S');
  assert.is(
    autoScaleRun?.results,
    '$TargetDedicatedNodes=1;$TargetLowPriorityNodes=3;$NodeDeallocationOption=taskcompletion;$tasks=4',
  );
  const kinds = (await client.computeNode.list('tasks')).map(
    ({ id = '', isDedicated }) => `${id.at(-1)}${isDedicated}`,
  );
  assert.equal(kinds.toSorted(), ['dtrue', 'pfalse', 'pfalse']);
});

autoscale('by taskcompletion lets a node go once its task is done', async () => {
  // One dedicated node is wanted from now on; of the low-priority ones both have a task.
  assert.is(
    (
      await change('tasks', {
        autoScaleFormula:
          '$TargetDedicatedNodes=1; $TargetLowPriorityNodes=0; $NodeDeallocationOption=taskcompletion;',
      })
    ).status,
    200,
  );
  await until(
    () => client.computeNode.list('tasks'),
    nodes => nodes.filter(({ state }) => state === 'leavingpool').length === 2,
  );
  assert.equal((await client.job.getTaskCounts('tasks')).taskCounts.running, 3);
  const [leaving] = (await client.computeNode.list('tasks')).filter(({ state }) => state === 'leavingpool');
  assert.is(leaving?.schedulingState, 'disabled');
  for (const task of await client.task.list('tasks')) {
    if (task.nodeInfo?.nodeId?.endsWith('_p')) await client.task.terminate('tasks', task.id ?? '');
  }
  await until(
    () => nodesOf('tasks'),
    counts => counts === '1 dedicated, 0 low-priority',
  );
  await client.job.deleteMethod('tasks');
});

autoscale(
  'can be switched on, changed and off by the API; requeue puts tasks back, terminate ends them',
  async () => {
    await add('switched', 'one', 'two');
    await Promise.all(['one', 'two'].map(task => taskIn(client, 'switched', task, 'running')));
    await client.pool.enableAutoScale('switched', {
      autoScaleFormula: '$TargetDedicatedNodes = 1; $NodeDeallocationOption = requeue;',
      autoScaleEvaluationInterval: 'PT5M',
    });
    const waiting = await until(
      () => client.task.list('switched'),
      tasks => tasks.some(({ executionInfo }) => executionInfo?.requeueCount === 1),
    );
    assert.is(waiting.filter(({ state }) => state === 'active').length, 1);
    await until(
      () => nodesOf('switched'),
      counts => counts === '1 dedicated, 0 low-priority',
    );
    const on = await client.pool.get('switched');
    assert.equal([on.enableAutoScale, on.autoScaleEvaluationInterval], [true, 'PT5M']);

    await client.pool.enableAutoScale('switched', {
      autoScaleFormula: '$TargetDedicatedNodes = 0; $NodeDeallocationOption = terminate;',
    });
    await until(
      () => client.job.getTaskCounts('switched'),
      ({ taskCounts }) => taskCounts.failed === 1 && taskCounts.active === 1,
    );
    await until(
      () => nodesOf('switched'),
      counts => counts === '0 dedicated, 0 low-priority',
    );

    // Nodes come on demand again.
    await client.pool.disableAutoScale('switched');
    const off = await client.pool.get('switched');
    assert.equal(
      [off.enableAutoScale, off.autoScaleFormula, off.autoScaleRun],
      [false, undefined, undefined],
    );
    await until(
      () => client.job.getTaskCounts('switched'),
      ({ taskCounts }) => taskCounts.running === 1,
    );
    await client.job.deleteMethod('switched');
  },
);

autoscale('says in its run why a formula could not be evaluated, and stays as it is', async () => {
  const { autoScaleRun, targetDedicatedNodes } = await until(
    () => client.pool.get('unclear'),
    got => got.autoScaleRun !== undefined,
  );
  assert.is(targetDedicatedNodes, 0);
  assert.equal(autoScaleRun?.error, {
    code: 'InsufficientSampleData',
    message: 'Autoscale evaluation failed due to insufficient sample data',
    values: [
      {
        name: 'Message',
        value:
          'Line 1, Col 25: Insufficient data from data set: $CPUPercent wanted at least 1 for max(), received 0',
      },
    ],
  });
});

autoscale('a formula can be tried; nothing of it holds', async () => {
  const tried = await client.pool.evaluateAutoScale(
    'unclear',
    'a = [1, 2];\n$TargetDedicatedNodes = max(a) + $PendingTasks.Count() * 0;',
  );
  assert.is(
    tried.results,
    '$TargetDedicatedNodes=2;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue;a=[1,2]',
  );
  assert.is(tried.error, undefined);
  assert.is((await client.pool.get('unclear')).targetDedicatedNodes, 0);

  const onlyRead = await client.pool.evaluateAutoScale('unclear', '$tasks = $PendingTasks.GetSample(1);');
  assert.ok(onlyRead.results?.endsWith(';$tasks=[0]'), onlyRead.results);

  const wrong = await client.pool.evaluateAutoScale('unclear', '$something_useless;\nx = max(;');
  assert.is(wrong.error?.code, 'AutoScalingFormulaEvaluationError');
  assert.is(
    wrong.results,
    '$TargetDedicatedNodes=0;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue',
  );
  assert.equal(
    wrong.error?.values?.map(({ value }) => value?.slice(0, 14)),
    ['Line 1, Col 1:', 'Line 2, Col 9:'],
  );
});

autoscale('what is no formula, or not often enough, is refused', async () => {
  const formula = '$TargetDedicatedNodes = 1;';
  const refused = (id: string, settings: Parameters<typeof client.pool.enableAutoScale>[1]) =>
    errorOf(client.pool.enableAutoScale(id, settings));
  assert.equal(await refused('plain', { autoScaleFormula: '$TargetDedicatedNodes = ;\nx = y;' }), {
    status: 400,
    code: 'AutoScalingFormulaSyntaxError',
    values: [
      "Reason=Line 1, Col 25: Here should be a value: a name, a number, a text or '(', not the end of the statement.",
      'Reason=Line 2, Col 5: y is not set before.',
    ],
  });
  assert.is(
    (await refused('plain', { autoScaleFormula: formula.padEnd(8_193) })).code,
    'AutoScaleFormulaTooLong',
  );
  assert.equal(await refused('plain', { autoScaleEvaluationInterval: 'PT5M' }), {
    status: 400,
    code: 'MissingRequiredProperty',
    values: ['PropertyName=autoScaleFormula'],
  });
  assert.is((await refused('unclear', {})).code, 'MissingRequiredProperty');
  for (const autoScaleEvaluationInterval of ['PT4M59S', 'P7DT1S']) {
    const { code, values } = await refused('plain', {
      autoScaleFormula: formula,
      autoScaleEvaluationInterval,
    });
    assert.is(code, 'InvalidPropertyValue');
    assert.is(values[0], 'PropertyName=autoScaleEvaluationInterval');
  }
  assert.equal(await errorOf(client.pool.evaluateAutoScale('plain', formula)), {
    status: 409,
    code: 'OperationNotValidOnPool',
    values: ['Reason=Automatic scaling is not enabled on the pool.'],
  });
  assert.is((await refused('missing', { autoScaleFormula: formula })).code, 'PoolNotFound');
  assert.is((await client.pool.get('plain')).enableAutoScale, false);

  const overControl = await change('plain', { autoScaleFormula: '$TargetDedicatedNode = 1;' });
  assert.is(overControl.status, 400);
  assert.match(await overControl.text(), /line 1, column 1: .*did you mean \$TargetDedicatedNodes/);
});

autoscale('a pools file with formulas that can not be read is refused with all their problems', async () => {
  const bad = [
    pool({ id: 'first', autoScaleFormula: '$TargetDedicatedNodes = 1 +;' }),
    pool({ id: 'second', autoScaleFormula: 'x = 1;' }),
  ];
  try {
    const started = await startBatch(scratch.file('bad'), { pools: bad });
    await started.close();
    assert.unreachable('it must not start');
  } catch (error) {
    assert.match(String(error), /pool first can't be read:\nline 1, column 28: Here should be a value/);
    assert.match(String(error), /pool second can't be read:\nline 1, column 1: It sets neither/);
  }
  await (await startBatch(scratch.file('bad'), { pools: [] })).close();
});

autoscale('what the API changed, and what the formula last said, outlive a restart', async () => {
  await client.pool.enableAutoScale('plain', { autoScaleFormula: '$TargetDedicatedNodes = 2;' });
  await client.pool.disableAutoScale('unclear');
  await until(
    () => nodesOf('plain'),
    counts => counts === '2 dedicated, 0 low-priority',
  );
  const before = await client.pool.get('plain');
  await batch.close();
  batch = await startBatch(data, { pools });
  client = clientOf(batch);
  const after = await client.pool.get('plain');
  assert.equal(after.autoScaleRun?.timestamp, before.autoScaleRun?.timestamp);
  assert.equal([after.autoScaleFormula, after.targetDedicatedNodes], ['$TargetDedicatedNodes = 2;', 2]);
  assert.is((await client.pool.get('unclear')).enableAutoScale, false);
});

autoscale(
  "this project's own formula gets nodes for agents, and lets them go when they are done",
  async () => {
    const text = readFileSync(new URL('../../../../infra/autoscale/agents.formula', import.meta.url), 'utf8');
    const autoScaleFormula = text.replace('holdMinutes = 10;', 'holdMinutes = 0.005;');
    assert.is.not(autoScaleFormula, text);
    await add('own', 'a', 'b', 'c');
    const settings = { taskSlotsPerNode: 2, maxNodes: 6, sampleMs: 20, autoScaleEvaluationMs: 1_000 };
    assert.is((await change('own', { ...settings, autoScaleFormula })).status, 200);
    await Promise.all(['a', 'b', 'c'].map(task => taskIn(client, 'own', task, 'running')));
    assert.is(await nodesOf('own'), '0 dedicated, 2 low-priority');
    await client.job.deleteMethod('own');
    await until(
      () => nodesOf('own'),
      counts => counts === '0 dedicated, 0 low-priority',
    );
  },
);

autoscale('a kept formula that this version refuses stops neither the server nor its pool', async () => {
  const folder = scratch.file('kept');
  const first = await startBatch(folder, { pools: [pool({ id: 'old' }), pool({ id: 'other' })] });
  const old = clientOf(first);
  await old.pool.enableAutoScale('old', { autoScaleFormula: '$TargetDedicatedNodes = 2;' });
  const two = (nodes: readonly unknown[]): boolean => nodes.length === 2;
  await until(() => old.computeNode.list('old'), two);
  await first.close();
  const journal = join(folder, 'journal.jsonl');
  writeFileSync(journal, readFileSync(journal, 'utf8').replaceAll('Nodes = 2;', 'Nodes = 1 + x;'));

  const said: string[] = [];
  const { error } = console;
  console.error = (text: string) => said.push(text);
  const second = await startBatch(folder, { pools: [pool({ id: 'old' }), pool({ id: 'other' })] }).finally(
    () => {
      console.error = error;
    },
  );
  try {
    assert.is(said.length, 1);
    assert.match(said[0] ?? '', /pool old can't be read:\nline 1, column 29: x is not set before/);
    const again = clientOf(second);
    assert.ok(two(await again.computeNode.list('old')));
    assert.is((await again.pool.get('old')).targetDedicatedNodes, 2);
    // Nor do nodes come on demand, as in a pool without a formula.
    await again.job.add({ id: 'job', poolInfo: { poolId: 'old' } });
    for (const task of ['a', 'b', 'c']) await again.task.add('job', scriptTask(task, sleeper));
    await Promise.all(['a', 'b'].map(task => taskIn(again, 'job', task, 'running')));
    assert.ok(two(await again.computeNode.list('old')));
    await again.pool.enableAutoScale('old', { autoScaleFormula: '$TargetDedicatedNodes = 3;' });
    await taskIn(again, 'job', 'c', 'running');
  } finally {
    await second.close();
  }
});

autoscale.run();
