import { Readable } from 'node:stream';
import {
  TaskOrchestrationPlanState,
  TaskResult,
  TimelineRecordState,
} from 'azure-devops-node-api/interfaces/TaskAgentInterfaces.js';
import type { ITaskApi } from 'azure-devops-node-api/TaskApi.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RunningDevOps } from '../../../scripts/local/devops/server.js';
import {
  closeAll,
  completeTask,
  control,
  jobApi,
  logText,
  type Pipeline,
  pipelineOf,
  play,
  type RunView,
  refusal,
  show,
  start,
  testFunction,
  webApi,
} from './stack.js';

const plan = suite('a plan, through azure-devops-node-api with the token of its job');
const events = suite('completing the task');
for (const each of [plan, events]) each.after.each(closeAll);

async function waitingRun(): Promise<{
  devops: RunningDevOps;
  run: RunView;
  pipeline: Pipeline;
  api: ITaskApi;
}> {
  const devops = await start();
  const call = await testFunction();
  const run = await play(devops, { request: { function: call.url, key: 'the-key' }, job: null });
  const pipeline = pipelineOf(await call.first());
  const api = await jobApi(pipeline.url, pipeline.token).getTaskApi();
  return { devops, run, pipeline, api };
}

plan('tells whether it is over', async () => {
  const { pipeline, api } = await waitingRun();
  const alive = await api.getPlan(pipeline.project, 'build', pipeline.plan);
  assert.is(alive.state, TaskOrchestrationPlanState.InProgress);
  assert.is(alive.result, undefined);
  assert.is(await completeTask(pipeline), 204);
  const over = await api.getPlan(pipeline.project, 'build', pipeline.plan);
  assert.is(over.state, TaskOrchestrationPlanState.Completed);
  assert.is(over.result, TaskResult.Succeeded);
  assert.instance(over.finishTime, Date);
});

plan('has its records: the server job and its task', async () => {
  const { pipeline, api } = await waitingRun();
  const records = await api.getRecords(pipeline.project, 'build', pipeline.plan, pipeline.timeline);
  assert.equal(
    records.map(record => [record.id, record.type, record.state, record.parentId ?? undefined]),
    [
      [pipeline.job, 'Job', TimelineRecordState.InProgress, undefined],
      [pipeline.task, 'Task', TimelineRecordState.InProgress, pipeline.job],
    ],
  );
});

plan('takes progress, issues and output variables, and keeps what an update leaves out', async () => {
  const { devops, run, pipeline, api } = await waitingRun();
  const patch = async (record: object): Promise<void> => {
    const value = [{ id: pipeline.task, ...record }];
    await api.updateRecords({ value, count: 1 }, pipeline.project, 'build', pipeline.plan, pipeline.timeline);
  };
  await patch({
    percentComplete: 40,
    currentOperation: 'Starting the agent',
    variables: { agentName: { value: 'eph-7' }, password: { value: 'hunter2', isSecret: true } },
  });
  // The typed client sends its enums as numbers, plain REST sends names: both are understood.
  await patch({ issues: [{ type: 'warning', message: 'It takes long' }] });
  await patch({
    issues: [
      { type: 'warning', message: 'It takes long' },
      { type: 1, message: 'It failed' },
    ],
  });
  const records = await api.getRecords(pipeline.project, 'build', pipeline.plan, pipeline.timeline);
  const task = records.find(record => record.id === pipeline.task);
  assert.is(task?.percentComplete, 40);
  assert.is(task?.currentOperation, 'Starting the agent');
  assert.is(task?.variables?.['agentName']?.value, 'eph-7');
  assert.is(task?.errorCount, 1);
  const view = await show(devops, run.runId);
  assert.equal(view.variables, { agentName: 'eph-7', password: '***' });
  assert.equal(
    view.issues.map(issue => `${issue.type}: ${issue.message}`),
    ['warning: It takes long', 'error: It failed'],
  );
  assert.is(logText(view).match(/##\[warning\]It takes long/g)?.length, 1, 'an issue is logged once');
  await api.appendTimelineRecordFeed(
    { value: ['It failed'], count: 1 },
    pipeline.project,
    'build',
    pipeline.plan,
    pipeline.timeline,
    pipeline.job,
  );
  assert.is(logText(await show(devops, run.runId)).match(/It failed/g)?.length, 1, 'nor beside its sentence');
});

plan('takes live lines, up to its limits', async () => {
  const { devops, run, pipeline, api } = await waitingRun();
  const feed = async (value: string[]): Promise<void> =>
    api.appendTimelineRecordFeed(
      { value, count: value.length },
      pipeline.project,
      'build',
      pipeline.plan,
      pipeline.timeline,
      pipeline.job,
    );
  await feed(['Agent is starting', 'Node is booting']);
  const log = logText(await show(devops, run.runId));
  assert.match(log, /Z Agent is starting\n.*Z Node is booting/);
  const tooMany = Array.from({ length: 101 }, (_, index) => `line ${index}`);
  assert.is((await refusal(feed(tooMany))).statusCode, 400);
  assert.is((await refusal(feed(['x'.repeat(1025)]))).statusCode, 400);
  await feed(['x'.repeat(1024)]);
});

plan('keeps logs, piece by piece; lines that were seen live are not shown twice', async () => {
  const { devops, run, pipeline, api } = await waitingRun();
  await api.appendTimelineRecordFeed(
    { value: ['seen live'], count: 1 },
    pipeline.project,
    'build',
    pipeline.plan,
    pipeline.timeline,
    pipeline.job,
  );
  const { id = 0 } = await api.createLog(
    { path: `logs\\${pipeline.task}`, id: 0, location: '', indexLocation: '' },
    pipeline.project,
    'build',
    pipeline.plan,
  );
  const append = async (text: string): Promise<unknown> =>
    api.appendLogContent({}, Readable.from([text]), pipeline.project, 'build', pipeline.plan, id);
  await append('2030-01-01T00:00:00.000Z seen live\n');
  await append('only in the log\nlast line\n');
  assert.equal(await api.getLog(pipeline.project, 'build', pipeline.plan, id), [
    '2030-01-01T00:00:00.000Z seen live',
    'only in the log',
    'last line',
  ]);
  assert.equal(await api.getLog(pipeline.project, 'build', pipeline.plan, id, 1, 1), ['only in the log']);
  const [listed] = await api.getLogs(pipeline.project, 'build', pipeline.plan);
  assert.is(listed?.lineCount, 3);
  await api.updateRecords(
    { value: [{ id: pipeline.task, log: { id } }], count: 1 },
    pipeline.project,
    'build',
    pipeline.plan,
    pipeline.timeline,
  );
  const log = logText(await show(devops, run.runId));
  assert.is(log.match(/seen live/g)?.length, 1);
  assert.match(log, /Z only in the log\n.*Z last line/);
  await append('2026-01-01T00:00:00.000Z told in other words\n');
  assert.not.match(logText(await show(devops, run.runId)), 'told in other words');
});

plan('is not found under another project, hub or timeline', async () => {
  const { pipeline, api } = await waitingRun();
  const nobody = '00000000-0000-4000-8000-000000000000';
  assert.is(await api.getPlan(nobody, 'build', pipeline.plan), null);
  assert.is(await api.getPlan(pipeline.project, 'release', pipeline.plan), null);
  assert.is(await api.getRecords(pipeline.project, 'build', pipeline.plan, nobody), null);
});

plan('that is over takes no update, and says so', async () => {
  const { pipeline, api } = await waitingRun();
  await completeTask(pipeline);
  const record = { value: [{ id: pipeline.task, percentComplete: 1 }], count: 1 };
  for (const call of [
    api.updateRecords(record, pipeline.project, 'build', pipeline.plan, pipeline.timeline),
    api.createLog(
      { path: 'x', id: 0, location: '', indexLocation: '' },
      pipeline.project,
      'build',
      pipeline.plan,
    ),
  ]) {
    assert.is((await refusal(call)).result?.typeKey, 'TaskOrchestrationPlanTerminatedException');
  }
});

events('with success ends the task; the same word again is refused, because the plan is over', async () => {
  const { devops, run, pipeline } = await waitingRun();
  assert.is(await completeTask(pipeline), 204);
  assert.is((await show(devops, run.runId, 5)).result, 'succeeded');
  const error = await refusal(completeTask(pipeline));
  assert.is(error.result?.typeKey, 'TaskOrchestrationPlanTerminatedException');
  const { completions } = (await show(devops, run.runId)).request;
  assert.equal(
    completions.map(completion => completion.accepted),
    [true, false],
  );
});

events('with failure fails the run and skips its job', async () => {
  const devops = await start();
  const call = await testFunction();
  const run = await play(devops, {
    request: { function: call.url, key: 'k' },
    job: { pool: 'linux', steps: [{ script: 'true' }] },
  });
  await completeTask(pipelineOf(await call.first()), { result: 'failed' });
  const view = await show(devops, run.runId, 5);
  assert.is(view.result, 'failed');
  assert.is(view.job?.result, 'skipped');
  assert.is(view.job?.requestId, null);
});

events('while the plan lives but nothing waits any more is a 500 with its typeKey', async () => {
  const devops = await start();
  const call = await testFunction();
  await (await webApi(devops).getTaskAgentApi()).addAgent({ name: 'placeholder', version: '99.999.9' }, 1);
  await play(devops, {
    request: { function: call.url, key: 'k' },
    job: { pool: 'linux', steps: [{ script: 'true' }] },
  });
  const pipeline = pipelineOf(await call.first());
  assert.is(await completeTask(pipeline), 204);
  const error = await refusal(completeTask(pipeline));
  assert.is(error.statusCode, 500);
  assert.is(error.result?.typeKey, 'OrchestrationSessionNotFoundException');
});

events('of another task or job is refused and changes nothing', async () => {
  const { devops, run, pipeline } = await waitingRun();
  for (const wrong of [{ taskId: pipeline.job }, { jobId: pipeline.task }]) {
    const error = await refusal(completeTask(pipeline, wrong));
    assert.is(error.result?.typeKey, 'OrchestrationSessionNotFoundException');
  }
  assert.is((await refusal(completeTask(pipeline, { result: 'maybe' }))).statusCode, 400);
  assert.is((await show(devops, run.runId)).state, 'waiting');
});

events('of a run that was canceled is refused: its plan is over', async () => {
  const { devops, run, pipeline } = await waitingRun();
  await control(devops, 'POST', `/runs/${run.runId}/cancel`);
  const error = await refusal(completeTask(pipeline));
  assert.is(error.result?.typeKey, 'TaskOrchestrationPlanTerminatedException');
  assert.is((await show(devops, run.runId)).result, 'canceled');
});

events('of a plan that never was answers 404, which the REST client does not throw', async () => {
  const { pipeline } = await waitingRun();
  assert.is(await completeTask({ ...pipeline, project: '00000000-0000-4000-8000-000000000000' }), 404);
});

plan.run();
events.run();
