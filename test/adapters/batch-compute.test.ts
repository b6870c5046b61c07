import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBatchCompute } from '../../shared/adapters/batch-compute.js';
import type { AgentTask, Compute } from '../../shared/ports.js';
import { createFakeClock } from '../fakes/clock.js';
import { inWords, outcomeOf } from './outcome.js';
import { type Call, type Scripted, startScriptedServer } from './scripted-server.js';

const server = await startScriptedServer();
const place = { poolId: 'linux', jobId: 'agents-ubuntu-20260131', taskId: 'r-1-1' };
const canary = 'canary-token-7f3a';
const someTask: AgentTask = {
  profile: 'ubuntu',
  day: '20260131',
  poolId: 'linux',
  taskId: 'r-1-1',
  image: 'registry.example/azdo-agent:ubuntu-24.04-azdo',
  os: 'linux',
  slots: 2,
  environment: { AZDO_POOL: 'Private Linux', AZDO_TOKEN: canary },
  maxWallClockMinutes: 120,
};

/** As the service writes an error; see "Azure Batch: Batch Status and Error Codes". */
const refusal = (status: number, code: string, headers: Record<string, string> = {}): Scripted => ({
  status,
  headers,
  body: {
    'odata.metadata': 'https://account.region.batch.azure.com/$metadata#Element',
    code,
    message: { lang: 'en-US', value: `About ${code}.\nRequestId:1\nTime:2026-01-31T10:00:00Z` },
    values: [{ key: 'Reason', value: 'because' }],
  },
});

const isTaskAdd = ({ method, url }: Call): boolean => method === 'POST' && url.includes('/tasks?');
const isJobAdd = ({ method, url }: Call): boolean => method === 'POST' && url.startsWith('/jobs?');
const isPoolGet = ({ url }: Call): boolean => url.startsWith('/pools/');

const healthy = (call: Call): Scripted => {
  if (isPoolGet(call)) return { status: 200, body: { id: 'linux', state: 'active' } };
  return { status: 201 };
};

function makeCompute(): { compute: Compute; clock: ReturnType<typeof createFakeClock> } {
  const clock = createFakeClock();
  const compute = createBatchCompute({
    accountUrl: server.url,
    auth: { accountName: 'account', accountKey: Buffer.from('a key').toString('base64') },
    registry: { server: 'registry.example', identityResourceId: '/subscriptions/s/identity' },
    clock,
  });
  return { compute, clock };
}

const jobIdOf = ({ url }: Call): string => url.split('/')[2] ?? '';

const errors = suite('Azure Batch: what its errors mean');

const onTaskAdd: [Scripted | 'reset', string][] = [
  [{ status: 201 }, 'done'],
  [refusal(409, 'TaskExists'), 'done'],
  [refusal(409, 'JobDisabled'), 'transient JobDisabled createTask'],
  [refusal(409, 'JobNotActive'), 'transient JobDisabled createTask'],
  [refusal(404, 'JobNotFound'), 'transient BatchUnavailable createTask'],
  [refusal(404, 'PoolNotFound'), 'rejected PoolMissing createTask'],
  [refusal(409, 'PoolBeingResized'), 'transient BatchUnavailable createTask'],
  [refusal(400, 'InvalidPropertyValue'), 'rejected BatchRequestInvalid createTask'],
  [refusal(400, 'MissingRequiredProperty'), 'rejected BatchRequestInvalid createTask'],
  [refusal(400, 'InvalidRequestBody'), 'rejected BatchRequestInvalid createTask'],
  [refusal(400, 'UnsupportedRequestVersion'), 'rejected BatchRequestInvalid createTask'],
  [refusal(403, 'AuthenticationFailed'), 'rejected BatchAuthenticationFailed createTask'],
  [refusal(403, 'AccountIsDisabled'), 'rejected BatchAccountDisabled createTask'],
  [{ status: 401 }, 'rejected BatchAuthenticationFailed createTask'],
  [refusal(409, 'SomethingNew'), 'rejected BatchRequestRefused createTask'],
  [{ status: 408 }, 'transient BatchUnavailable createTask'],
  [refusal(429, 'TooManyRequests'), 'transient BatchThrottled createTask'],
  [{ status: 429, body: '<html>slow down</html>' }, 'transient BatchThrottled createTask'],
  [refusal(500, 'InternalError'), 'transient BatchUnavailable createTask'],
  [{ status: 502, body: '<html>bad gateway</html>' }, 'transient BatchUnavailable createTask'],
  [refusal(503, 'ServerBusy'), 'transient BatchUnavailable createTask'],
  [{ status: 504 }, 'transient BatchUnavailable createTask'],
  ['reset', 'transient BatchUnavailable createTask'],
];

for (const [answer, expected] of onTaskAdd) {
  const name = answer === 'reset' ? 'a lost connection' : `${answer.status} ${codeOf(answer)}`;
  errors(`${name} when a task is added: ${expected}`, async () => {
    server.script(call => (isTaskAdd(call) ? answer : healthy(call)));
    assert.is(inWords(await outcomeOf(makeCompute().compute.createTask(someTask))), expected);
  });
}

const onJobAdd: [Scripted, string][] = [
  [refusal(409, 'ActiveJobAndScheduleQuotaReached'), 'transient QuotaReached createTask'],
  [refusal(403, 'AuthenticationFailed'), 'rejected BatchAuthenticationFailed createTask'],
  [refusal(503, 'ServerBusy'), 'transient BatchUnavailable createTask'],
];
for (const [answer, expected] of onJobAdd) {
  errors(`${answer.status} ${codeOf(answer)} when a job is added: ${expected}`, async () => {
    server.script(call => (isJobAdd(call) ? answer : healthy(call)));
    assert.is(inWords(await outcomeOf(makeCompute().compute.createTask(someTask))), expected);
  });
}

const onPoolGet: [Scripted, string][] = [
  [refusal(404, 'PoolNotFound'), 'rejected PoolMissing nodeAllocation'],
  [{ status: 200, body: { id: 'linux', state: 'deleting' } }, 'rejected PoolMissing nodeAllocation'],
  [refusal(503, 'ServerBusy'), 'transient BatchUnavailable createTask'],
  [refusal(403, 'AccountIsDisabled'), 'rejected BatchAccountDisabled createTask'],
];
for (const [answer, expected] of onPoolGet) {
  errors(`${answer.status} ${codeOf(answer)} when the pool is looked at: ${expected}, no task`, async () => {
    server.script(call => (isPoolGet(call) ? answer : healthy(call)));
    assert.is(inWords(await outcomeOf(makeCompute().compute.createTask(someTask))), expected);
    assert.not.ok(server.calls.some(isTaskAdd));
  });
}

const onDelete: [Scripted, string][] = [
  [{ status: 200 }, 'done'],
  [refusal(404, 'TaskNotFound'), 'done'],
  [refusal(404, 'JobNotFound'), 'done'],
  [refusal(409, 'JobBeingDeleted'), 'done'],
  [refusal(409, 'JobBeingTerminated'), 'transient BatchUnavailable createTask'],
  [refusal(403, 'AuthenticationFailed'), 'transient BatchAuthenticationFailed createTask'],
  [refusal(503, 'ServerBusy'), 'transient BatchUnavailable createTask'],
];
for (const [answer, expected] of onDelete) {
  errors(`${answer.status} ${codeOf(answer)} when a task is deleted: ${expected}`, async () => {
    server.script(() => answer);
    assert.is(inWords(await outcomeOf(makeCompute().compute.deleteTask(place))), expected);
  });
}

errors('a pause that Batch asks for reaches the caller', async () => {
  server.script(call => (isTaskAdd(call) ? refusal(429, 'Busy', { 'retry-after': '7' }) : healthy(call)));
  const outcome = await outcomeOf(makeCompute().compute.createTask(someTask));
  assert.is(outcome.kind === 'transient' && outcome.retryAfterMs, 7_000);
});

errors('messages are one sentence for people, without request ids', async () => {
  server.script(call => (isTaskAdd(call) ? refusal(400, 'InvalidPropertyValue') : healthy(call)));
  const outcome = await outcomeOf(makeCompute().compute.createTask(someTask));
  if (outcome.kind !== 'rejected') throw new Error('should have been rejected');
  assert.match(outcome.failure.message, /r-1-1.*linux.*About InvalidPropertyValue\. Reason: because/);
  assert.not.match(outcome.failure.message, /RequestId|\n/);
});

errors("an error never carries the task's environment", async () => {
  for (const answer of [
    refusal(400, 'X'),
    refusal(503, 'X'),
    refusal(404, 'JobNotFound'),
    'reset',
  ] as const) {
    server.script(call => (isTaskAdd(call) ? answer : healthy(call)));
    const seen = await makeCompute()
      .compute.createTask(someTask)
      .catch((error: unknown) => error);
    assert.not.match(inspect(seen, { depth: 20, showHidden: true }), canary);
    assert.not.match(JSON.stringify(seen), canary);
  }
});

const calls = suite('Azure Batch: what is asked of it');

calls('a task is asked for exactly as the contract of the agent images needs it', async () => {
  server.script(healthy);
  await makeCompute().compute.createTask(someTask);
  const job = server.calls.find(isJobAdd);
  assert.equal(JSON.parse(job?.body ?? ''), {
    id: 'agents-ubuntu-20260131',
    displayName: 'azdo-batch-agents',
    poolInfo: { poolId: 'linux' },
    onAllTasksComplete: 'noaction',
  });
  const task = server.calls.find(isTaskAdd);
  assert.match(task?.url ?? '', 'api-version=2022-10-01.16.0');
  assert.equal(JSON.parse(task?.body ?? ''), {
    id: 'r-1-1',
    displayName: 'azdo-batch-agents',
    commandLine: '',
    containerSettings: {
      imageName: 'registry.example/azdo-agent:ubuntu-24.04-azdo',
      workingDirectory: 'containerImageDefault',
      registry: {
        registryServer: 'registry.example',
        identityReference: { resourceId: '/subscriptions/s/identity' },
      },
    },
    environmentSettings: [
      { name: 'AZDO_POOL', value: 'Private Linux' },
      { name: 'AZDO_TOKEN', value: canary },
    ],
    constraints: { maxWallClockTime: 'PT120M', retentionTime: 'PT1H', maxTaskRetryCount: 0 },
    requiredSlots: 2,
    userIdentity: { autoUser: { scope: 'task', elevationLevel: 'nonadmin' } },
  });
});

calls('a Windows container runs with administrator rights on its node', async () => {
  server.script(healthy);
  await makeCompute().compute.createTask({ ...someTask, os: 'windows' });
  assert.match(server.calls.find(isTaskAdd)?.body ?? '', '"elevationLevel":"admin"');
});

calls('a hundred tasks of a day cost one look at the pool, one job and a call each', async () => {
  server.script(healthy);
  const { compute, clock } = makeCompute();
  for (let index = 0; index < 100; index += 1) {
    await compute.createTask({ ...someTask, taskId: `r-${index}-1` });
  }
  assert.is(server.calls.length, 102);
  assert.ok(server.connections <= 1, `${server.connections} connections`);
  clock.advance(61_000);
  await compute.createTask(someTask);
  assert.is(server.calls.filter(isPoolGet).length, 2, 'after a minute the pool is looked at again');
});

calls('an ended job is followed by its next round, for the following tasks, too', async () => {
  for (const code of ['JobBeingTerminated', 'JobBeingDeleted', 'JobCompleted']) {
    server.script(call =>
      isTaskAdd(call) && jobIdOf(call) === 'agents-ubuntu-20260131' ? refusal(409, code) : healthy(call),
    );
    const { compute } = makeCompute();
    const created = await compute.createTask(someTask);
    assert.equal(created, { kind: 'created', batch: { ...place, jobId: 'agents-ubuntu-20260131-1' } }, code);
    await compute.createTask({ ...someTask, taskId: 'r-2-1' });
    const adds = server.calls.filter(isTaskAdd).map(jobIdOf);
    assert.equal(adds.slice(1), ['agents-ubuntu-20260131-1', 'agents-ubuntu-20260131-1']);
  }
});

calls('a job that exists, but has ended or is on another pool, is passed over', async () => {
  for (const job of [
    { state: 'completed', poolInfo: { poolId: 'linux' } },
    { state: 'active', poolInfo: { poolId: 'an-older-pool' } },
  ]) {
    server.script(call => {
      if (isJobAdd(call) && call.body.includes('"agents-ubuntu-20260131"')) return refusal(409, 'JobExists');
      if (call.method === 'GET' && call.url.startsWith('/jobs/')) return { status: 200, body: job };
      return healthy(call);
    });
    await makeCompute().compute.createTask(someTask);
    assert.equal(server.calls.filter(isTaskAdd).map(jobIdOf), ['agents-ubuntu-20260131-1']);
  }
});

calls('a job that exists on the same pool is used', async () => {
  server.script(call => {
    if (isJobAdd(call)) return refusal(409, 'JobExists');
    if (call.method === 'GET' && call.url.startsWith('/jobs/')) {
      return { status: 200, body: { state: 'active', poolInfo: { poolId: 'Linux' } } };
    }
    return healthy(call);
  });
  await makeCompute().compute.createTask(someTask);
  assert.equal(server.calls.filter(isTaskAdd).map(jobIdOf), ['agents-ubuntu-20260131']);
});

calls('when every round of a day has ended, that is told and tried again later', async () => {
  server.script(call => (isTaskAdd(call) ? refusal(409, 'JobCompleted') : healthy(call)));
  const outcome = await outcomeOf(makeCompute().compute.createTask(someTask));
  assert.is(inWords(outcome), 'transient JobsExhausted createTask');
  assert.is(server.calls.filter(isTaskAdd).length, 10);
});

calls('a job that is not found yet is waited for, then its task is added once', async () => {
  let misses = 3;
  server.script(call => {
    if (!isTaskAdd(call)) return healthy(call);
    misses -= 1;
    return misses >= 0 ? refusal(404, 'JobNotFound') : { status: 201 };
  });
  const { compute, clock } = makeCompute();
  assert.is(inWords(await outcomeOf(compute.createTask(someTask))), 'done');
  assert.equal(clock.sleeps, [1_000, 1_000, 1_000]);
});

calls('a job that was deleted by hand is made again', async () => {
  server.script(healthy);
  const { compute } = makeCompute();
  await compute.createTask(someTask);
  let isDeleted = true;
  server.script(call => {
    if (isJobAdd(call)) isDeleted = false;
    return isTaskAdd(call) && isDeleted ? refusal(404, 'JobNotFound') : healthy(call);
  });
  assert.is(inWords(await outcomeOf(compute.createTask({ ...someTask, taskId: 'r-2-1' }))), 'done');
});

calls(
  'jobs are listed in one call a page, by their name and with only the columns that are needed',
  async () => {
    const displayName = 'azdo-batch-agents';
    const states = ['active', 'disabling', 'disabled', 'enabling', 'terminating', 'completed', 'deleting'];
    const value = states.map(state => ({ id: `agents-${state}`, state, displayName }));
    server.script(call =>
      call.url.includes('skiptoken')
        ? { status: 200, body: { value: [{ id: 'agents-last', state: 'active', displayName: 'mine' }] } }
        : { status: 200, body: { value, 'odata.nextLink': `${server.url}/jobs?$skiptoken=1` } },
    );
    const jobs = await makeCompute().compute.listJobs();
    assert.is(server.calls.length, 2);
    const query = new URL(server.calls[0]?.url ?? '', server.url).searchParams;
    assert.is(query.get('$filter'), "startswith(id, 'agents-')");
    assert.is(query.get('$select'), 'id,displayName,state');
    assert.equal(
      jobs.map(({ jobId, state, marked }) => `${jobId} ${state} ${String(marked)}`),
      [
        'agents-active active true',
        'agents-disabling active true',
        'agents-disabled active true',
        'agents-enabling active true',
        'agents-terminating ending true',
        'agents-completed ended true',
        'agents-last active false',
      ],
    );
  },
);

calls('tasks of a job are listed in one call a page, with only the columns that are needed', async () => {
  const value = Array.from({ length: 2 }, (_, index) => ({ id: `t-${index}`, state: 'running' }));
  server.script(call =>
    call.url.includes('skiptoken')
      ? { status: 200, body: { value: [{ id: 'last', state: 'completed', executionInfo: ended }] } }
      : { status: 200, body: { value, 'odata.nextLink': `${server.url}/jobs/a/tasks?$skiptoken=1` } },
  );
  const tasks = await makeCompute().compute.listTasks(['a']);
  assert.is(server.calls.length, 2);
  const query = new URL(server.calls[0]?.url ?? '', server.url).searchParams;
  assert.is(query.get('$select'), 'id,displayName,state,previousState,executionInfo');
  assert.is(query.get('maxresults'), '1000');
  assert.is(tasks.length, 3);
  assert.equal(tasks[2], {
    jobId: 'a',
    taskId: 'last',
    state: 'completed',
    previousState: undefined,
    startedAt: undefined,
    exitCode: 3,
    failureCode: 'ContainerInvalidImage',
    failureMessage: 'The image was not found. Image: azdo-agent:x',
    madeHere: undefined,
  });
});

const ended = {
  exitCode: 3,
  failureInfo: {
    category: 'UserError',
    code: 'ContainerInvalidImage',
    message: 'The image was not found.',
    details: [{ name: 'Image', value: 'azdo-agent:x' }],
  },
};

calls('a task tells what it was before and when it began to run', async () => {
  const startTime = '2026-01-31T10:03:00.000Z';
  const body = { id: 'r-1-1', state: 'active', previousState: 'running', executionInfo: { startTime } };
  server.script(() => ({ status: 200, body }));
  const task = await makeCompute().compute.getTask(place);
  assert.equal([task?.state, task?.previousState, task?.startedAt], ['active', 'running', startTime]);
});

const resizeError = (code: string) => [
  { code, message: 'No more.', values: [{ name: 'Cores', value: '20' }] },
];
const onPool: [string, object | number, object, string | undefined][] = [
  ['a pool at rest', {}, [], undefined],
  ['a pool whose nodes boot', {}, ['starting', 'creating'], undefined],
  ['a pool with one node that works', {}, ['unusable', 'idle'], undefined],
  ['a pool whose nodes were preempted', {}, ['preempted', 'leavingPool'], undefined],
  ['a pool that is not there', 404, [], 'PoolMissing false'],
  ['a pool that is being deleted', { state: 'deleting' }, [], 'PoolMissing false'],
  [
    'a quota of cores',
    { resizeErrors: resizeError('AccountCoreQuotaReached') },
    ['idle'],
    'QuotaReached true',
  ],
  [
    'a quota of Spot cores',
    { resizeErrors: resizeError('AccountLowPriorityCoreQuotaReached') },
    [],
    'QuotaReached true',
  ],
  ['no capacity', { resizeErrors: resizeError('AllocationTimedout') }, [], 'PoolResizeFailed true'],
  ['nodes that are unusable', {}, ['unusable', 'preempted'], 'NodesUnusable true'],
  ['nodes whose start task failed', {}, ['startTaskFailed', 'offline', 'unknown'], 'NodesUnusable true'],
];
for (const [name, pool, states, expected] of onPool) {
  calls(`${name} is ${expected ?? 'no problem'}, in two calls`, async () => {
    const nodes = Object.values(states).map((state: unknown, index) => ({
      id: `node-${index}`,
      state,
      errors: [{ code: 'DiskFull', message: 'The disk is full' }],
    }));
    server.script(call => {
      if (typeof pool === 'number') return refusal(pool, 'PoolNotFound');
      return call.url.includes('/nodes')
        ? { status: 200, body: { value: nodes } }
        : { status: 200, body: { id: 'linux', state: 'active', ...pool } };
    });
    const problem = await makeCompute().compute.poolProblem('linux');
    assert.is(problem && `${problem.code} ${problem.retryable}`, expected);
    assert.ok(server.calls.length <= 2);
    if (!problem) return;
    assert.is(problem.stage, 'nodeAllocation');
    assert.match(problem.message, /linux/);
    if (typeof pool === 'object' && 'resizeErrors' in pool) {
      assert.match(problem.message, /: No more\. Cores: 20\. /, "the service's words are missing");
    }
    if (problem.code === 'NodesUnusable') assert.match(problem.message, 'DiskFull: The disk is full.');
  });
}

calls('a pool that can not be asked is no problem of the pool', async () => {
  server.script(() => refusal(503, 'ServerBusy', { 'retry-after': '7' }));
  const outcome = await outcomeOf(makeCompute().compute.poolProblem('linux'));
  assert.is(inWords(outcome), 'transient BatchUnavailable nodeAllocation');
  assert.is(outcome.kind === 'transient' && outcome.retryAfterMs, 7_000);
});

calls('a job that is not there has no tasks', async () => {
  server.script(() => refusal(404, 'JobNotFound'));
  const { compute } = makeCompute();
  assert.equal(await compute.listTasks(['a', 'b']), []);
  assert.is(await compute.getTask(place), undefined);
});

calls('an outage is never taken for a job without tasks', async () => {
  for (const answer of [refusal(503, 'ServerBusy'), refusal(403, 'AuthenticationFailed'), 'reset'] as const) {
    server.script(() => answer);
    assert.is((await outcomeOf(makeCompute().compute.listTasks(['a']))).kind, 'transient');
  }
});

calls('Entra tokens are asked for Batch itself and kept until shortly before they expire', async () => {
  server.script(() => ({ status: 200, body: { value: [] } }));
  const asked: (string | string[])[] = [];
  const compute = createBatchCompute({
    accountUrl: server.url,
    auth: {
      credential: {
        getToken: async scopes => {
          asked.push(scopes);
          const expiresInMs = asked.length === 1 ? 4 * 60_000 : 60 * 60_000;
          return { token: `token-${asked.length}`, expiresOnTimestamp: Date.now() + expiresInMs };
        },
      },
    },
  });
  await compute.ping();
  await compute.ping();
  await compute.ping();
  assert.equal(asked, [
    'https://batch.core.windows.net//.default',
    'https://batch.core.windows.net//.default',
  ]);
  assert.equal(
    server.calls.map(call => call.headers['authorization']),
    ['Bearer token-1', 'Bearer token-2', 'Bearer token-2'],
  );
});

calls('without output there is no tail, and an outage does not keep a failure waiting', async () => {
  for (const answer of [refusal(404, 'FileNotFound'), refusal(409, 'NodeNotReady'), refusal(503, 'X')]) {
    server.script(() => answer);
    assert.is(await makeCompute().compute.outputTail(place), undefined);
  }
});

function codeOf({ body }: Scripted): string {
  return typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : '';
}

calls.after(() => server.close());
errors.run();
calls.run();
