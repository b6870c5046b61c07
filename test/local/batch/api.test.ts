import type { BatchServiceClient } from '@azure/batch';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import type { LocalBatch } from '../../../scripts/local/batch/server.js';
import {
  clientOf,
  errorOf,
  pool,
  raw,
  Scratch,
  scriptTask,
  startBatch,
  statusOf,
  taskIn,
  textOf,
  until,
  wire,
} from './support.js';

/** Every call of the API, by the unmodified client: what it answers, and how it refuses. */

const scratch = new Scratch();
let batch: LocalBatch;
let client: BatchServiceClient;

const api = suite('the Batch API');

api.before(async () => {
  batch = await startBatch(scratch.file('data'), {
    maxActiveJobs: 40,
    pools: [
      pool({ id: 'batchLinux' }),
      pool({ id: 'scaled', autoScaleFormula: '$TargetLowPriorityNodes=1;' }),
      pool({ id: 'never', maxNodes: 0 }),
    ],
  });
  client = clientOf(batch);
});
api.after(async () => {
  await batch.close();
  scratch.remove();
});

let jobs = 0;
/** A job whose tasks wait for ever, unless another pool is given. */
async function newJob(
  more: { poolId?: string; onAllTasksComplete?: 'noaction' | 'terminatejob' } = {},
): Promise<string> {
  jobs += 1;
  const { poolId = 'never', ...rest } = more;
  await client.job.add({ id: `Job-${jobs}`, poolInfo: { poolId }, ...rest });
  return `Job-${jobs}`;
}
const removeJob = (id: string): Promise<unknown> => client.job.deleteMethod(id);

api('jobs: add, get, exists already in another case', async () => {
  const added = await client.job.add({ id: 'My_Job', poolInfo: { poolId: 'batchLinux' }, priority: 5 });
  assert.is(wire(added).status, 201);
  assert.is(wire(added).headers.get('location'), `${batch.url}/jobs/My_Job`);
  assert.match(added.requestId, /^[0-9a-f-]{36}$/);
  assert.match(added.eTag, /^0x8D/);
  assert.ok(added.lastModified instanceof Date);

  const job = await client.job.get('MY_JOB');
  assert.is(job.id, 'My_Job');
  assert.is(job.state, 'active');
  assert.is(job.priority, 5);
  assert.is(job.poolInfo?.poolId, 'batchLinux');
  assert.is(job.onAllTasksComplete, 'noaction');
  assert.is(wire(job).headers.get('content-type'), 'application/json; odata=minimalmetadata');
  assert.ok(job.executionInfo?.startTime instanceof Date);

  const exists = errorOf(client.job.add({ id: 'my_job', poolInfo: { poolId: 'batchLinux' } }));
  assert.equal(await exists, { status: 409, code: 'JobExists', values: [] });
  await removeJob('my_job');
});

api('jobs: bad input is refused by name', async () => {
  const bad = await errorOf(client.job.add({ id: 'not good', poolInfo: { poolId: 'p' } }));
  assert.is(bad.code, 'InvalidPropertyValue');
  assert.is(bad.status, 400);
  assert.is(bad.values[0], 'PropertyName=id');
  assert.is(
    (await errorOf(client.job.add({ id: 'x'.repeat(65), poolInfo: { poolId: 'p' } }))).code,
    'InvalidPropertyValue',
  );
  const missing = await errorOf(client.job.add({ id: 'j', poolInfo: {} }));
  assert.equal(missing, {
    status: 400,
    code: 'MissingRequiredProperty',
    values: ['PropertyName=poolInfo.poolId'],
  });
  assert.equal(await errorOf(client.job.get('nothing')), { status: 404, code: 'JobNotFound', values: [] });
});

api('jobs: what would not be performed is refused, not ignored', async () => {
  const refused = await errorOf(
    client.job.add({ id: 'prep', poolInfo: { poolId: 'p' }, jobPreparationTask: { commandLine: 'x' } }),
  );
  assert.is(refused.code, 'UnsupportedProperty');
  assert.is(refused.values[0], 'PropertyName=jobPreparationTask');
});

api('jobs: patch changes what may change', async () => {
  const id = await newJob();
  const patched = await client.job.patch(id, { priority: 10, metadata: [{ name: 'a', value: 'b' }] });
  assert.is(wire(patched).status, 200);
  const job = await client.job.get(id);
  assert.is(job.priority, 10);
  assert.equal(job.metadata, [{ name: 'a', value: 'b' }]);
  assert.is(
    (await errorOf(client.job.patch(id, { poolInfo: { poolId: 'other' } }))).code,
    'OperationInvalidForCurrentState',
  );
  const stale = client.job.patch(id, { priority: 1 }, { jobPatchOptions: { ifMatch: '0x8D0' } });
  assert.equal(await errorOf(stale), { status: 412, code: 'ConditionNotMet', values: [] });
  await removeJob(id);
});

api('jobs: the common environment can not be patched', async () => {
  const id = await newJob();
  const refused = await raw(client, `${batch.url}/jobs/${id}`, 'PATCH', '{"commonEnvironmentSettings":[]}');
  assert.equal(
    [refused.code, refused.values],
    ['UnsupportedProperty', ['PropertyName=commonEnvironmentSettings']],
  );
  await removeJob(id);
});

api('jobs: disable, enable', async () => {
  const id = await newJob();
  assert.is(wire(await client.job.disable(id, 'requeue')).status, 202);
  const disabled = await until(
    () => client.job.get(id),
    ({ state }) => state === 'disabled',
  );
  assert.is(disabled.previousState, 'disabling');
  assert.equal(await errorOf(client.task.add(id, { id: 't', commandLine: 'x' })), {
    status: 409,
    code: 'JobDisabled',
    values: [],
  });
  assert.is(wire(await client.job.enable(id)).status, 202);
  await until(
    () => client.job.get(id),
    ({ state }) => state === 'active',
  );
  await removeJob(id);
});

api('jobs: terminate, and what a completed job refuses', async () => {
  const id = await newJob();
  assert.is(wire(await client.job.terminate(id, { terminateReason: 'enough' })).status, 202);
  const job = await until(
    () => client.job.get(id),
    ({ state }) => state === 'completed',
  );
  assert.is(job.executionInfo?.terminateReason, 'enough');
  assert.ok(job.executionInfo?.endTime);
  assert.is((await errorOf(client.task.add(id, { id: 't', commandLine: 'x' }))).code, 'JobCompleted');
  assert.is((await errorOf(client.job.terminate(id))).code, 'JobCompleted');
  assert.is((await errorOf(client.job.disable(id, 'wait'))).code, 'JobCompleted');
  await removeJob(id);
});

api('jobs: delete', async () => {
  const id = await newJob();
  assert.is(wire(await client.job.deleteMethod(id)).status, 202);
  await until(
    () => client.job.list(),
    list => !list.some(job => job.id === id),
  );
  assert.is((await errorOf(client.job.deleteMethod(id))).code, 'JobNotFound');
});

api('jobs: terminatejob on an empty job ends it at once', async () => {
  const id = await newJob({ onAllTasksComplete: 'terminatejob' });
  const job = await until(
    () => client.job.get(id),
    ({ state }) => state === 'completed',
  );
  assert.is(job.executionInfo?.terminateReason, 'AllTasksComplete');
  await removeJob(id);
});

api('jobs: list, filtered and selected', async () => {
  const id = await newJob();
  const options = { filter: `id eq '${id.toLowerCase()}'`, select: 'id,state' };
  const list = await client.job.list({ jobListOptions: options });
  assert.equal(
    list.map(job => [job.id, job.state, job.poolInfo]),
    [[id, 'active', undefined]],
  );
  await removeJob(id);
});

api('jobs: the quota of active jobs', async () => {
  const made: string[] = [];
  const refused = await errorOf(
    (async () => {
      for (;;) made.push(await newJob());
    })(),
  );
  assert.is(refused.code, 'ActiveJobAndScheduleQuotaReached');
  assert.is(refused.status, 409);
  await Promise.all(made.map(removeJob));
});

api('tasks: add, get, exists already in another case', async () => {
  const id = await newJob();
  const added = await client.task.add(id, {
    id: 'Task_1',
    commandLine: 'run it',
    environmentSettings: [{ name: 'A', value: 'b' }],
    requiredSlots: 2,
    userIdentity: { autoUser: { scope: 'task', elevationLevel: 'admin' } },
  });
  assert.is(wire(added).status, 201);
  assert.is(wire(added).headers.get('location'), `${batch.url}/jobs/${id}/tasks/Task_1`);
  const task = await client.task.get(id.toUpperCase(), 'task_1');
  assert.is(task.id, 'Task_1');
  assert.is(task.state, 'active');
  assert.equal(task.environmentSettings, [{ name: 'A', value: 'b' }]);
  assert.is(task.requiredSlots, 2);
  assert.equal(task.userIdentity, { autoUser: { scope: 'task', elevationLevel: 'admin' } });
  assert.equal(task.executionInfo, { retryCount: 0, requeueCount: 0 });
  assert.is(task.nodeInfo, undefined);
  assert.is((await errorOf(client.task.add(id, { id: 'TASK_1', commandLine: 'x' }))).code, 'TaskExists');
  assert.is((await errorOf(client.task.get(id, 'other'))).code, 'TaskNotFound');
  assert.is((await errorOf(client.task.add('none', { id: 't', commandLine: 'x' }))).code, 'JobNotFound');
  await removeJob(id);
});

api('tasks: bad input is refused by name', async () => {
  const id = await newJob();
  const url = `${batch.url}/jobs/${id}/tasks`;
  const duration = { id: 't', commandLine: 'x', constraints: { retentionTime: 'soon' } };
  assert.equal(await raw(client, url, 'POST', JSON.stringify(duration)), {
    status: 400,
    code: 'InvalidPropertyValue',
    values: ['PropertyName=constraints.retentionTime', 'Reason=must be an ISO 8601 duration'],
  });
  const noId = await raw(client, url, 'POST', '{"commandLine":"x"}');
  assert.equal([noId.code, noId.values], ['MissingRequiredProperty', ['PropertyName=id']]);
  for (const body of ['{"id":', '[]', '"text"', undefined]) {
    assert.is((await raw(client, url, 'POST', body)).code, 'InvalidRequestBody', body ?? 'no body');
  }
  const empty = await errorOf(client.task.add(id, { id: 't', commandLine: '' }));
  assert.is(empty.values[0], 'PropertyName=commandLine');
  const files = await errorOf(
    client.task.add(id, { id: 't', commandLine: 'x', resourceFiles: [{ filePath: 'a' }] }),
  );
  assert.is(files.code, 'UnsupportedProperty');
  await removeJob(id);
});

api('tasks: a collection tells of each task, and holds at most 100', async () => {
  const id = await newJob();
  await client.task.add(id, { id: 'b', commandLine: 'x' });
  const { value = [] } = await client.task.addCollection(id, [
    { id: 'a', commandLine: 'x' },
    { id: 'B', commandLine: 'x' },
  ]);
  assert.equal(
    value.map(({ taskId, status, error }) => [taskId, status, error?.code]),
    [
      ['a', 'success', undefined],
      ['B', 'clienterror', 'TaskExists'],
    ],
  );
  const many = Array.from({ length: 101 }, (_, at) => ({ id: `t${at}`, commandLine: 'x' }));
  const tooMany = await raw(
    client,
    `${batch.url}/jobs/${id}/addtaskcollection`,
    'POST',
    JSON.stringify({ value: many }),
  );
  assert.equal(tooMany.values, ['PropertyName=value', 'Reason=A collection holds at most 100 tasks.']);
  const large = [{ id: 'large', commandLine: 'x'.repeat(1_100_000) }];
  const tooLarge = await errorOf(client.task.addCollection(id, large));
  assert.equal([tooLarge.status, tooLarge.code], [413, 'RequestBodyTooLarge']);
  assert.is((await client.task.list(id)).length, 2);
  await removeJob(id);
});

api('tasks: list in pages, filtered and selected', async () => {
  const id = await newJob();
  const names = Array.from({ length: 25 }, (_, at) => `t${at}`);
  await client.task.addCollection(
    id,
    names.map(name => ({ id: name, commandLine: 'x' })),
  );
  const seen: (string | undefined)[] = [];
  let page = await client.task.list(id, { taskListOptions: { maxResults: 10, select: 'id' } });
  for (;;) {
    assert.ok(page.length <= 10);
    seen.push(...page.map(task => task.id));
    // A task that is gone between two pages moves none of the others to another page.
    if (seen.length === 10) await client.task.deleteMethod(id, 't3');
    if (page.odatanextLink === undefined) break;
    page = await client.task.listNext(page.odatanextLink);
  }
  assert.equal(seen, names);
  const filtered = await client.task.list(id, {
    taskListOptions: { filter: "startswith(id,'t1') and state eq 'active'", select: 'id,state' },
  });
  assert.is(filtered.length, 11);
  assert.equal(filtered[0], { id: 't1', state: 'active' });
  await removeJob(id);
});

api('tasks: a query that is not understood is refused by name', async () => {
  const id = await newJob();
  const ask = (taskListOptions: {
    filter?: string;
    select?: string;
    maxResults?: number;
  }): Promise<unknown> => errorOf(client.task.list(id, { taskListOptions }));
  assert.equal(await ask({ filter: "color eq 'red'" }), {
    status: 400,
    code: 'InvalidQueryParameterValue',
    values: [
      'QueryParameterName=$filter',
      "QueryParameterValue=color eq 'red'",
      'Reason="color" is not a property that can be filtered by',
    ],
  });
  assert.equal(await ask({ select: 'id,colour' }), {
    status: 400,
    code: 'InvalidQueryParameterValue',
    values: [
      'QueryParameterName=$select',
      'QueryParameterValue=id,colour',
      'Reason="colour" is not a property that can be selected',
    ],
  });
  const page = (query: string): Promise<unknown> =>
    raw(client, `${batch.url}/jobs/${id}/tasks?${query}`, 'GET');
  assert.match(JSON.stringify(await page('maxresults=0')), /"OutOfRangeQueryParameterValue".*maxresults/);
  assert.match(JSON.stringify(await page('maxresults=1001')), /"OutOfRangeQueryParameterValue".*maxresults/);
  assert.match(JSON.stringify(await page('maxresults=ten')), /"InvalidQueryParameterValue".*maxresults/);
  assert.match(JSON.stringify(await page('%24expand=all')), /"InvalidQueryParameterValue".*expand/);
  await removeJob(id);
});

api('tasks: terminate, reactivate, delete one that waits', async () => {
  const id = await newJob();
  await client.task.add(id, { id: 't', commandLine: 'x' });
  assert.is((await errorOf(client.task.reactivate(id, 't'))).code, 'TaskNotCompleted');
  assert.is(wire(await client.task.terminate(id, 't')).status, 204);
  const ended = await client.task.get(id, 't');
  assert.is(ended.state, 'completed');
  assert.is(ended.executionInfo?.failureInfo?.code, 'TaskEnded');
  assert.is(ended.executionInfo?.result, 'failure');
  assert.equal(await errorOf(client.task.terminate(id, 't')), {
    status: 409,
    code: 'TaskCompleted',
    values: [],
  });
  assert.is(wire(await client.task.reactivate(id, 't')).status, 204);
  assert.is((await client.task.get(id, 't')).state, 'active');
  assert.is(wire(await client.task.deleteMethod(id, 't')).status, 200);
  assert.is((await errorOf(client.task.deleteMethod(id, 't'))).code, 'TaskNotFound');
  assert.is((await errorOf(client.task.terminate(id, 't'))).code, 'TaskNotFound');
  await removeJob(id);
});

api('tasks: counts by state, of tasks and of slots', async () => {
  const id = await newJob();
  await client.task.addCollection(id, [
    { id: 'a', commandLine: 'x', requiredSlots: 3 },
    { id: 'b', commandLine: 'x' },
  ]);
  await client.task.terminate(id, 'b');
  const { taskCounts, taskSlotCounts } = await client.job.getTaskCounts(id);
  assert.equal(taskCounts, { active: 1, running: 0, completed: 1, succeeded: 0, failed: 1 });
  assert.equal(taskSlotCounts, { active: 3, running: 0, completed: 1, succeeded: 0, failed: 1 });
  await removeJob(id);
});

api('pools: get, list, exists', async () => {
  const linux = await client.pool.get('BATCHLINUX');
  assert.is(linux.id, 'batchLinux');
  assert.is(linux.state, 'active');
  assert.is(linux.taskSlotsPerNode, 5);
  assert.is(linux.currentDedicatedNodes, 0);
  assert.is(linux.enableAutoScale, false);
  assert.equal(
    (await client.pool.list({ poolListOptions: { select: 'id' } })).map(({ id }) => id),
    ['batchLinux', 'scaled', 'never'],
  );
  assert.is((await client.pool.exists('batchLinux')).body, true);
  assert.is((await client.pool.exists('other')).body, false);
  assert.equal(await errorOf(client.pool.get('other')), { status: 404, code: 'PoolNotFound', values: [] });
});

api('pools: evaluate a formula where autoscale is on', async () => {
  const run = await client.pool.evaluateAutoScale(
    'scaled',
    '$TargetDedicatedNodes = 3; $NodeDeallocationOption = taskcompletion;',
  );
  assert.is(
    run.results,
    '$TargetDedicatedNodes=3;$TargetLowPriorityNodes=1;$NodeDeallocationOption=taskcompletion',
  );
  assert.ok(run.timestamp instanceof Date);
  const unknown = await client.pool.evaluateAutoScale('scaled', '$x = $PendingTask.GetSample(1);');
  assert.is(unknown.error?.code, 'AutoScalingFormulaEvaluationError');
  assert.is((await errorOf(client.pool.evaluateAutoScale('batchLinux', '$a=1;'))).status, 409);
  assert.is(
    (await errorOf(client.pool.evaluateAutoScale('scaled', 'x'.repeat(8_193)))).code,
    'AutoScaleFormulaTooLong',
  );
});

api('nodes: list and get', async () => {
  const id = await newJob({ poolId: 'scaled' });
  await client.task.add(id, scriptTask('t', scratch.script('idle', 'setTimeout(() => {}, 60000)')));
  const { nodeInfo } = await taskIn(client, id, 't', 'running');
  const [node] = await client.computeNode.list('scaled');
  assert.is(node?.id, nodeInfo?.nodeId);
  const got = await client.computeNode.get('scaled', node?.id ?? '');
  assert.is(got.state, 'running');
  assert.is(got.runningTasksCount, 1);
  assert.is(got.isDedicated, false);
  assert.is((await client.pool.get('scaled')).currentLowPriorityNodes, 1);
  assert.is((await errorOf(client.computeNode.get('scaled', 'other'))).code, 'NodeNotFound');
  assert.is((await errorOf(client.computeNode.list('other'))).code, 'PoolNotFound');
  await removeJob(id);
});

api('files: get, a part, properties, list', async () => {
  const id = await newJob({ poolId: 'batchLinux' });
  const code = `import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
    mkdirSync('sub'); writeFileSync('sub/a b.txt', 'made by the task');
    symlinkSync(${JSON.stringify(scratch.path)}, 'outside');
    console.log('0123456789'); console.error('complaint');`;
  await client.task.add(id, scriptTask('t', scratch.script('files', code)));
  await taskIn(client, id, 't', 'completed');

  assert.is(await textOf(await client.file.getFromTask(id, 't', 'stdout.txt')), '0123456789\n');
  assert.is(await textOf(await client.file.getFromTask(id, 't', 'stderr.txt')), 'complaint\n');
  assert.is(await textOf(await client.file.getFromTask(id, 't', 'wd/sub/a b.txt')), 'made by the task');
  const part = { fileGetFromTaskOptions: { ocpRange: 'bytes=3-5' } };
  assert.is(await textOf(await client.file.getFromTask(id, 't', 'stdout.txt', part)), '345');

  const properties = await client.file.getPropertiesFromTask(id, 't', 'stdout.txt');
  assert.is(properties.contentLength, 11);
  assert.is(wire(properties).headers.get('ocp-batch-file-isdirectory'), 'False');
  assert.is(wire(properties).headers.get('content-length'), '11');

  const top = await client.file.listFromTask(id, 't');
  assert.equal(
    top.map(({ name, isDirectory }) => [name, isDirectory]),
    [
      ['stderr.txt', false],
      ['stdout.txt', false],
      ['wd', true],
    ],
  );
  const all = await client.file.listFromTask(id, 't', {
    recursive: true,
    fileListFromTaskOptions: { filter: "startswith(name,'wd/sub/')" },
  });
  assert.equal(
    all.map(({ name, properties: found }) => [name, found?.contentLength]),
    [['wd/sub/a b.txt', 16]],
  );

  const files = `${batch.url}/jobs/${id}/tasks/t/files`;
  for (const name of ['wd', 'none.txt', '../t/../../../journal.jsonl', 'wd/outside/data/journal.jsonl']) {
    assert.is(await statusOf(client.file.getFromTask(id, 't', name)), 404, name);
    assert.is((await raw(client, `${files}/${encodeURIComponent(name)}`, 'GET')).code, 'FileNotFound', name);
  }
  const beyond = client.file.getFromTask(id, 't', 'stdout.txt', {
    fileGetFromTaskOptions: { ocpRange: 'bytes=99-' },
  });
  assert.is(await statusOf(beyond), 416);
  await removeJob(id);
});

api('files: of a task that never ran there are none', async () => {
  const id = await newJob();
  await client.task.add(id, { id: 't', commandLine: 'x' });
  assert.is(await statusOf(client.file.getFromTask(id, 't', 'stdout.txt')), 409);
  const refused = await raw(client, `${batch.url}/jobs/${id}/tasks/t/files/stdout.txt`, 'GET');
  assert.is(refused.code, 'TaskFilesUnavailable');
  await removeJob(id);
});

api('a wrong key is refused everywhere', async () => {
  const stranger = clientOf({ ...batch, key: Buffer.from('wrong').toString('base64') });
  assert.equal(
    await Promise.all(
      [
        stranger.job.list(),
        stranger.task.add('j', { id: 't', commandLine: 'x' }),
        stranger.job.terminate('j'),
      ].map(async call => {
        const { status, code } = await errorOf(call);
        return [status, code];
      }),
    ),
    Array.from({ length: 3 }, () => [403, 'AuthenticationFailed']),
  );
});

api('two API versions are served, others refused', async () => {
  const other = clientOf(batch);
  other.apiVersion = '2025-06-01';
  await other.job.list();
  other.apiVersion = '2014-01-01.1.0';
  assert.is((await errorOf(other.job.list())).code, 'UnsupportedRequestVersion');
});

api('a request id that asks to come back comes back', async () => {
  const clientRequestId = '11111111-2222-3333-4444-555555555555';
  const asked = await client.job.list({ jobListOptions: { clientRequestId, returnClientRequestId: true } });
  assert.is(wire(asked).headers.get('client-request-id'), clientRequestId);
  const notAsked = await client.job.list({ jobListOptions: { clientRequestId } });
  assert.is(wire(notAsked).headers.get('client-request-id'), undefined);
});

api('what the local Batch does not have is refused by name', async () => {
  const refused = await errorOf(client.jobSchedule.list());
  assert.is(refused.code, 'InvalidUri');
  assert.match(refused.values[0] ?? '', /GET \/jobschedules/);
});

api('calls are counted by route, and faults happen as told', async () => {
  const control = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${batch.url}/_local/${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
  const id = await newJob();
  await control('DELETE', 'calls');
  await client.task.list(id);
  await client.task.list(id);
  assert.equal(await (await control('GET', 'calls')).json(), { 'GET /jobs/:jobId/tasks': 2 });

  const busy = { code: 'ServerBusy', message: { lang: 'en-US', value: 'busy' } };
  const add = 'POST /jobs/:jobId/tasks';
  assert.is((await control('PUT', 'faults', [{ call: add, status: 503, count: 1, body: busy }])).status, 204);
  const failed = await client.task.add(id, { id: 'a', commandLine: 'x' }).catch((error: unknown) => error);
  assert.match(JSON.stringify(failed), /ServerBusy/);
  assert.is((await client.task.list(id)).length, 0);
  await client.task.add(id, { id: 'a', commandLine: 'x' });

  await control('PUT', 'faults', [{ call: add, status: 429, count: 1, when: 'commit', body: busy }]);
  await client.task.add(id, { id: 'b', commandLine: 'x' }).then(
    () => assert.unreachable('it was committed, but must look failed'),
    (error: unknown) => assert.match(JSON.stringify(error), /"statusCode":429/),
  );
  assert.is((await errorOf(client.task.add(id, { id: 'b', commandLine: 'x' }))).code, 'TaskExists');

  await control('PUT', 'faults', [{ call: add, status: 0, count: 1 }]);
  await client.task.add(id, { id: 'c', commandLine: 'x' }).then(
    () => assert.unreachable('the connection was reset'),
    (error: unknown) => assert.match(String(error), /socket hang up|ECONNRESET/),
  );
  await control('PUT', 'faults', []);
  await removeJob(id);
});

api('adding and listing ten thousand tasks takes moments', async () => {
  const id = await newJob();
  const batches = Array.from({ length: 100 }, (_, batchAt) =>
    Array.from({ length: 100 }, (_unused, at) => ({ id: `t${batchAt}-${at}`, commandLine: 'x' })),
  );
  const begun = Date.now();
  for (const tasks of batches) await client.task.addCollection(id, tasks);
  const added = Date.now();
  const page = await client.task.list(id, {
    taskListOptions: { filter: "id eq 't99-99'", select: 'id,state' },
  });
  const listed = Date.now();
  assert.is(page.length, 1);
  // Generous: what must not happen is that the cost grows with the square.
  assert.ok(added - begun < 10_000, `adding took ${added - begun} ms`);
  assert.ok(listed - added < 1_000, `listing took ${listed - added} ms`);
  await removeJob(id);
});

api.run();
