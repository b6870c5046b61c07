import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import getPort from 'get-port';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import {
  agent,
  closeAll,
  completeTask,
  control,
  filesWith,
  folder,
  jobApi,
  pipelineOf,
  refusal,
  run as runProcess,
  start,
  testFunction,
  until,
} from './stack.js';

const graph = suite('a pipeline of several jobs');
const secret = suite('a secret variable of a pipeline');
const bus = suite('PublishToAzureServiceBus');
for (const each of [graph, secret, bus]) each.after.each(closeAll);

const View = z.looseObject({
  runId: z.string(),
  buildId: z.int(),
  planId: z.string(),
  state: z.string(),
  result: z.string().nullable(),
  jobs: z.array(
    z.looseObject({
      name: z.string(),
      state: z.string(),
      result: z.string().nullable(),
      agentName: z.string().nullable(),
      requestId: z.string().nullable(),
    }),
  ),
  issues: z.array(z.object({ message: z.string() })),
  log: z.array(z.string()).optional(),
});
type View = z.infer<typeof View>;
interface Service {
  readonly url: string;
}

async function play(devops: Service, text: string, more: object = {}): Promise<View> {
  const body = { path: 'main.yml', files: { 'main.yml': text }, ...more };
  const answer = await control(devops, 'POST', '/pipelines', body);
  assert.is(answer.status, 201, JSON.stringify(answer.body));
  return View.parse(answer.body);
}

const show = async (devops: Service, { runId }: View, wait = 0): Promise<View> =>
  View.parse((await control(devops, 'GET', `/runs/${runId}?wait=${wait}`)).body);

const results = ({ jobs }: View): Record<string, string | null> =>
  Object.fromEntries(jobs.map(({ name, result }) => [name, result]));

const ask = (name: string, url: string, more = ''): string => `
  - job: ${name}
    pool: server
    ${more}
    steps:
      - task: AzureFunction@1
        inputs:
          function: ${url}
          key: $(key)
          queryParameters: job=${name}
          waitForCompletion: true
`;
const build = (name: string, before: string, more = ''): string => `
  - job: ${name}
    dependsOn: [${before}]
    ${more}
    pool: { name: linux, demands: ONLY -equals $(Build.BuildId)-${name} }
    steps:
      - script: echo "$(made) by ${name} on $(Agent.Name)"
`;

graph('asks for several agents at once; each job runs on its own as soon as that is there', async () => {
  const devops = await start();
  const call = await testFunction(({ url }) => ({
    body: JSON.stringify({ requestId: new URL(url, 'http://x').searchParams.get('job') }),
  }));
  const run = await play(
    devops,
    `variables: { key: k-1, made: built }\njobs:${ask('AskA', call.url)}${ask('AskB', call.url)}${build('A', 'AskA')}${build('B', 'AskB')}${build('After', 'A, B')}`,
  );
  await until('both are asked for', () => (call.received.length === 2 ? true : undefined));
  const from = (name: string) => {
    const received = call.received.find(({ url }) => url.endsWith(`job=${name}`));
    if (!received) throw new Error(`${name} has not asked`);
    return pipelineOf(received);
  };
  const [a, b] = [from('AskA'), from('AskB')];
  assert.is(a.plan, b.plan);
  assert.is.not(a.job, b.job);
  assert.is.not(a.task, b.task);
  for (const { url, token, project, plan, task } of [a, b]) {
    const api = await jobApi(url, token).getTaskApi();
    const made = { path: `logs\\${task}`, id: 0, location: '', indexLocation: '' };
    const { id = 0 } = await api.createLog(made, project, 'build', plan);
    await api.appendLogContent({}, Readable.from(['both say this\n']), project, 'build', plan, id);
  }
  const agents = ['A', 'B', 'After'].map(name =>
    agent(devops, { AZDO_AGENT: `eph-${name}`, ONLY: `${run.buildId}-${name}` }),
  );
  await Promise.all(agents.map(async each => (await each).printed('registered')));

  // Out of order, and not mixed up: a completion counts for its own job alone.
  assert.is(await completeTask(b), 204);
  await until('B has run, and A not', async () => {
    const jobs = results(await show(devops, run));
    return jobs['B'] === 'succeeded' && jobs['A'] === null && jobs['AskA'] === null ? true : undefined;
  });
  assert.is(await completeTask(a), 204);
  const view = await show(devops, run, 10);
  assert.is(view.result, 'succeeded', view.log?.join('\n'));
  assert.equal(
    view.jobs.map(({ name, agentName, requestId }) => [name, agentName ?? requestId]),
    [
      ['AskA', 'AskA'],
      ['AskB', 'AskB'],
      ['A', 'eph-A'],
      ['B', 'eph-B'],
      ['After', 'eph-After'],
    ],
  );
  assert.match(view.log?.join('\n') ?? '', /Z \[After\] built by After on eph-After/);
  for (const name of ['AskA', 'AskB']) {
    assert.match(view.log?.join('\n') ?? '', `Z [${name}] both say this`);
  }
  assert.match(view.log?.join('\n') ?? '', /Z \[AskB\] Waiting for the function/);
});

graph('skips what depends on a failure, unless its condition wants to know', async () => {
  const devops = await start();
  const call = await testFunction(() => ({ status: 500, body: 'no' }));
  const good = await testFunction();
  const once = (name: string, more: string): string =>
    ask(name, good.url, more).replace('waitForCompletion: true', 'waitForCompletion: false');
  const run = await play(
    devops,
    `variables: { key: k-1 }\njobs:${ask('Bad', call.url)}${build('Then', 'Bad')}` +
      once('IfFailed', 'dependsOn: Bad\n    condition: failed()') +
      once('NoneFailed', 'dependsOn: Alone\n    condition: failed()') +
      once('Anyway', 'dependsOn: [Bad, Then]\n    condition: always()') +
      once('EndsWell', 'dependsOn: Then') +
      once('Alone', ''),
  );
  const view = await show(devops, run, 5);
  assert.is(view.result, 'failed');
  assert.equal(results(view), {
    Bad: 'failed',
    Then: 'skipped',
    IfFailed: 'succeeded',
    Anyway: 'succeeded',
    EndsWell: 'skipped',
    NoneFailed: 'skipped',
    Alone: 'succeeded',
  });
  assert.match(view.log?.join('\n') ?? '', 'Skipped: Then (Bad did not succeed)');
});

graph('that is cancelled ends all its jobs', async () => {
  const devops = await start();
  const call = await testFunction();
  const run = await play(
    devops,
    `variables: { key: k-1 }\njobs:${ask('A', call.url)}${build('B', 'A')}${build('C', '')}`,
  );
  const pipeline = pipelineOf(await call.first());
  await control(devops, 'POST', `/runs/${run.runId}/cancel`);
  const view = await show(devops, run);
  assert.is(view.result, 'canceled');
  // C had failed by itself: no agent of the pool could run it.
  assert.equal(results(view), { A: 'canceled', B: 'canceled', C: 'failed' });
  const { result } = await refusal(completeTask(pipeline));
  assert.is(result?.typeKey, 'TaskOrchestrationPlanTerminatedException');
});

graph('that can not be played is refused with every reason, and starts nothing', async () => {
  const devops = await start();
  const answer = await control(devops, 'POST', '/pipelines', {
    path: 'main.yml',
    files: { 'main.yml': 'stages: []\ncolour: red' },
  });
  assert.equal(answer, {
    status: 400,
    body: {
      error:
        'main.yml:1:1: stages of a pipeline is not played here: write the jobs of all stages as jobs, with dependsOn\n' +
        'main.yml:2:1: colour is not known as a key of a pipeline',
      problems: [
        {
          where: 'main.yml:1:1',
          message:
            'stages of a pipeline is not played here: write the jobs of all stages as jobs, with dependsOn',
        },
        { where: 'main.yml:2:1', message: 'colour is not known as a key of a pipeline' },
      ],
    },
  });
  assert.equal((await control(devops, 'GET', '/runs')).body, []);
});

graph('of an earlier version, of two jobs at most, is left out, and its job waits no more', async () => {
  const dataDir = await folder();
  const time = '2026-01-01T00:00:00.000Z';
  const ids = { runId: 'run-1', buildId: 1, planId: 'p', projectId: 'q', jobId: 'j' };
  const queuedThen = { ...ids, id: 1, poolId: 1, definitionName: 'old', jobName: 'old', demands: [] };
  const rows = [
    { table: 'pools', key: '1', value: { id: 1, name: 'linux', createdOn: time } },
    { table: 'runs', key: 'run-1', value: { runId: 'run-1', state: 'running', job: null } },
    { table: 'jobRequests', key: '1', value: { ...queuedThen, queueTime: time, cancelAsked: false } },
    { table: 'counters', key: 'pool', value: { last: 1 } },
  ];
  await writeFile(path.join(dataDir, 'journal.jsonl'), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  const devops = await start({ dataDir });
  assert.equal((await control(devops, 'GET', '/runs')).body, []);
  const queued = await fetch(
    `${devops.collectionUrl}/_apis/distributedtask/pools/1/jobrequests?completedRequestCount=0`,
    { headers: { authorization: `Basic ${Buffer.from(`:${devops.pat}`).toString('base64')}` } },
  );
  assert.equal(await queued.json(), { count: 0, value: [] });
});

const canary = 'canary-of-a-pipeline-5f1c';
const secrets = { variables: { key: { value: canary, isSecret: true } } };

secret('reaches the function and the scripts that name it, and is shown and written nowhere', async () => {
  const dataDir = await folder();
  const devops = await start({ dataDir });
  const call = await testFunction(() => ({ body: JSON.stringify({ echo: canary }) }));
  const worker = await agent(devops);
  await worker.printed('registered');
  const run = await play(
    devops,
    `
variables: { made: 'not $(key)' }
jobs:
${ask('Ask', call.url).replace('waitForCompletion: true', 'waitForCompletion: false')}
  - job: Use
    dependsOn: Ask
    pool: linux
    steps:
      - script: |
          echo "length: \${#MINE} of $(key)"
          env | grep ${canary.slice(0, 6)}
        env: { MINE: $(key) }
`,
    secrets,
  );
  const received = await call.first();
  assert.match(received.url, `code=${canary}&`);
  const view = await show(devops, run, 10);
  const log = view.log?.join('\n') ?? '';
  assert.is(view.result, 'succeeded', log);
  assert.match(log, `length: ${canary.length} of ***`);
  assert.match(log, 'MINE=***');
  assert.not.match(JSON.stringify(view), canary);
  assert.equal(await filesWith(dataDir, [canary]), []);
});

secret('is lost in a restart, and the job that needs it says so', async () => {
  const dataDir = await folder();
  const port = await getPort();
  const launch = async () => {
    const args = ['--port', String(port), '--data', dataDir, '--pools', 'linux'];
    const started = runProcess('devops', args, { AZDO_LOCAL_PAT: 'test-pat' });
    await started.printed('is ready at');
    return started;
  };
  const devops = { url: `http://127.0.0.1:${port}` };
  const call = await testFunction(() => ({ delayMs: 60_000 }));
  const first = await launch();
  const run = await play(
    devops,
    `jobs:${ask('Ask', call.url)}${ask('Next', call.url, 'dependsOn: Ask')}`,
    secrets,
  );
  await call.first();
  first.child.kill('SIGKILL');
  await first.exit;
  await launch();
  const view = await show(devops, run, 5);
  assert.equal(results(view), { Ask: 'failed', Next: 'skipped' });
  assert.match(
    view.issues[0]?.message ?? '',
    'The secret key is held in memory only, and was lost in a restart.',
  );
});

bus('fails with a reason where there is no storage to forward to', async () => {
  const devops = await start();
  const run = await play(
    devops,
    `
jobs:
  - job: Ask
    pool: server
    steps:
      - task: PublishToAzureServiceBus@1
        inputs: { azureSubscription: s, useDataContractSerializer: false, messageBody: '{}' }
`,
  );
  const view = await show(devops, run, 5);
  assert.is(view.result, 'failed');
  assert.match(view.issues[0]?.message ?? '', 'no storage here to which it could be forwarded');
});

graph.run();
secret.run();
bus.run();
