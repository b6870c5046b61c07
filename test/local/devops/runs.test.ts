import { Buffer } from 'node:buffer';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  agent,
  closeAll,
  completeTask,
  control,
  filesWith,
  folder,
  logText,
  pipelineOf,
  play,
  type Received,
  refusal,
  show,
  start,
  testFunction,
  until,
  webApi,
} from './stack.js';

const request = suite('the request of AzureFunction@1');
const serverJob = suite('the server job');
const agentJob = suite('the job on an agent');
const again = suite('a run again');
const secrets = suite('secrets of a run');
for (const each of [request, serverJob, agentJob, again, secrets]) each.after.each(closeAll);

const steps = [{ displayName: 'Say hello', script: 'echo "hello from $(Agent.Name)"' }];
const headersOf = (call: Received): Record<string, string> => {
  const { rawHeaders } = call;
  return Object.fromEntries(
    rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : [])),
  );
};

request(
  'has the key as `code`, a trailing &, the default headers, and nothing that tells whether it waits',
  async () => {
    const devops = await start();
    const call = await testFunction();
    const run = await play(devops, { request: { function: call.url, key: 'a/b==' }, job: null });
    const received = await call.first();
    assert.is(received.method, 'POST');
    assert.is(received.url, '/api/agents?code=a/b==&');
    assert.is(received.body, '');
    const { AuthToken = '', Host: _host, ...headers } = headersOf(received);
    assert.equal(headers, {
      'Content-Type': 'application/json',
      PlanUrl: `${devops.collectionUrl}/`,
      ProjectId: run.projectId,
      HubName: 'build',
      PlanId: run.planId,
      JobId: run.jobId,
      TimelineId: run.timelineId,
      TaskInstanceId: run.taskInstanceId,
      'Content-Length': '0',
      Connection: 'close',
    });
    assert.match(AuthToken, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  },
);

request('expands predefined variables, and leaves unknown ones as they are', async () => {
  const devops = await start();
  const call = await testFunction();
  const run = await play(devops, {
    request: {
      function: call.url,
      key: 'k',
      method: 'PUT',
      queryParameters: 'build=$(build.buildid)',
      headers: { 'X-Plan': '$(System.PlanId)', 'X-Other': '$(Mine)' },
      body: '{"attempt":"$(System.StageAttempt).$(System.JobAttempt)"}',
    },
    job: null,
    attempt: 3,
  });
  const received = await call.first();
  assert.is(received.method, 'PUT');
  assert.is(received.url, `/api/agents?code=k&build=${run.buildId}`);
  assert.is(received.body, '{"attempt":"3.3"}');
  assert.is(received.headers['x-plan'], run.planId);
  assert.is(received.headers['x-other'], '$(Mine)');
  assert.is(received.headers['planurl'], undefined, 'headers of the author replace all defaults');
});

request('that its author got wrong is refused with every mistake, and sends nothing', async () => {
  const devops = await start();
  const call = await testFunction();
  const { status, body } = await control(devops, 'POST', '/runs', {
    request: { function: `${call.url}?a=b`, key: 'k', body: 'x'.repeat(2001), colour: 'red' },
    job: { pool: 'linux', demands: ['A -like b'], steps: [{ displayName: 'no script' }] },
  });
  assert.is(status, 400);
  const text = JSON.stringify(body);
  for (const part of ['no query', '2000', 'colour', 'A -like b', 'steps']) assert.match(text, part);
  assert.is(call.received.length, 0);
});

serverJob('without a callback is as good as the answer', async () => {
  const devops = await start();
  const call = await testFunction(({ url }) => ({ status: url.includes('bad') ? 409 : 200, body: 'text' }));
  const ended = async (queryParameters: string): Promise<string | null> => {
    const run = await play(devops, {
      request: { function: call.url, key: 'k', queryParameters, waitForCompletion: false },
      job: null,
    });
    return (await show(devops, run.runId, 5)).result;
  };
  assert.is(await ended('good=1'), 'succeeded');
  assert.is(await ended('bad=1'), 'failed');
});

serverJob('that waits still fails at once when the function refuses', async () => {
  const devops = await start();
  const call = await testFunction(() => ({ status: 400, body: '{"title":"no such profile"}' }));
  const run = await play(devops, {
    request: { function: call.url, key: 'k' },
    job: { pool: 'linux', steps },
  });
  const view = await show(devops, run.runId, 5);
  assert.is(view.result, 'failed');
  assert.is(view.request.status, 400);
  assert.match(view.issues[0]?.message ?? '', '400');
  assert.match(logText(view), 'no such profile');
  assert.match(logText(view), 'Skipped: RunWithEphemeralAgent');
});

serverJob('fails with a reason when the function does not answer in time, or is not there', async () => {
  const devops = await start({ answerTimeoutMs: 150 });
  const slow = await testFunction(() => ({ delayMs: 5_000 }));
  const run = await play(devops, { request: { function: slow.url, key: 'k' }, job: null });
  assert.match((await show(devops, run.runId, 5)).request.error ?? '', 'did not answer within 0.15 seconds');
  const gone = await play(devops, { request: { function: 'http://127.0.0.1:1/x', key: 'k' }, job: null });
  assert.match((await show(devops, gone.runId, 5)).request.error ?? '', 'could not be reached');
});

serverJob('that is completed before the function has answered counts', async () => {
  const devops = await start();
  const call = await testFunction(() => ({ delayMs: 300 }));
  const run = await play(devops, { request: { function: call.url, key: 'k' }, job: null });
  assert.is(await completeTask(pipelineOf(await call.first())), 204);
  assert.is((await show(devops, run.runId, 5)).result, 'succeeded');
});

serverJob('that nobody completes fails when its time is up', async () => {
  const devops = await start();
  const call = await testFunction();
  const run = await play(devops, {
    request: { function: call.url, key: 'k', timeoutMinutes: 0.005 },
    job: null,
  });
  const view = await show(devops, run.runId, 5);
  assert.is(view.result, 'failed');
  assert.match(view.issues[0]?.message ?? '', 'longer than the maximum time of 0.005 minutes');
});

agentJob('runs on the agent that the function started, and the log tells the whole story', async () => {
  const devops = await start();
  const call = await testFunction();
  const run = await play(devops, {
    name: 'nightly',
    request: { function: call.url, key: 'the-key', body: '{"profile":"ubuntu"}' },
    job: {
      pool: 'linux',
      demands: ['Build -equals $(Build.BuildId)'],
      steps: [
        ...steps,
        { displayName: 'Write', script: 'pwd > out.txt && echo to-stderr >&2; wc -l out.txt' },
      ],
    },
  });
  const pipeline = pipelineOf(await call.first());
  const process = await agent(devops, { Build: String(run.buildId) });
  await process.printed('registered');
  assert.is(await completeTask(pipeline), 204);
  const view = await show(devops, run.runId, 10);
  assert.is(view.result, 'succeeded');
  assert.is(view.job?.agentName, 'eph-1');
  assert.is(view.job?.result, 'succeeded');
  assert.is(view.request.requestId, 'req-1');
  const story = [
    'Starting: RequestAzDOAgent',
    'POST .*code=\\*\\*\\*&',
    'Response Code: 202 Accepted',
    'Task completed with result: succeeded',
    'Starting: RunWithEphemeralAgent',
    'Pool: linux',
    `Build -equals ${run.buildId}`,
    'Agent: eph-1',
    'Starting: Say hello',
    'hello from eph-1',
    'Finishing: Say hello',
    'Starting: Write',
    'Finishing: Write',
    'Job completed with result: succeeded',
    'Run succeeded',
  ];
  assert.match(logText(view), new RegExp(story.join('[^]*')));
  assert.match(logText(view), 'to-stderr');
  assert.is(await process.exit, 0);
  const api = await webApi(devops).getTaskAgentApi();
  assert.equal(await api.getAgents(1), [], 'the agent has unregistered');
});

agentJob('fails at once when no agent of the pool could ever run it', async () => {
  const devops = await start();
  const call = await testFunction();
  const ended = async (pool: string, demands: string[]): Promise<string> => {
    const run = await play(devops, {
      request: { function: call.url, key: 'k', waitForCompletion: false },
      job: { pool, demands, steps },
    });
    const view = await show(devops, run.runId, 5);
    assert.is(view.result, 'failed');
    return view.issues[0]?.message ?? '';
  };
  assert.match(
    await ended('linux', []),
    'No agent found in pool linux which satisfies the specified demands',
  );
  const api = await webApi(devops).getTaskAgentApi();
  await api.addAgent({ name: 'disabled', version: '99.999.9', enabled: false }, 1);
  await api.addAgent({ name: 'old', version: '2.100.0', enabled: true }, 1);
  await api.addAgent({ name: 'other', version: '4.0.0', enabled: true }, 1);
  assert.match(await ended('linux', ['Java']), /No agent found in pool linux .*Java/);
  assert.match(await ended('mac', []), 'Could not find a pool with name mac');
});

agentJob('waits as long as a placeholder could run it, and goes to the agent that comes', async () => {
  const devops = await start();
  const call = await testFunction();
  const api = await webApi(devops).getTaskAgentApi();
  await api.addAgent({ name: 'placeholder', version: '99.999.9', enabled: true }, 1);
  const run = await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    job: { pool: 'linux', steps },
  });
  const queued = await until('the job is queued', async () => {
    const view = await show(devops, run.runId);
    return view.job?.state === 'queued' ? view : undefined;
  });
  const url = `${devops.collectionUrl}/_apis/distributedtask/pools/1/jobrequests?completedRequestCount=0`;
  const listed = await webApi(devops).rest.get<{ count: number; value: Array<Record<string, unknown>> }>(url);
  assert.is(listed.result?.count, 1);
  const waiting = listed.result?.value[0];
  assert.is(waiting?.['requestId'], queued.job?.requestId);
  assert.is(waiting?.['planId'], run.planId);
  assert.equal(waiting?.['demands'], ['Agent.Version -gtVersion 2.163.1']);
  assert.is(waiting?.['assignTime'], undefined);
  await agent(devops);
  assert.is((await show(devops, run.runId, 10)).job?.agentName, 'eph-1');
  const over = await webApi(devops).rest.get<{ count: number }>(url);
  assert.is(over.result?.count, 0);
});

agentJob('each of several goes to the agent that meets its demands, one job an agent', async () => {
  const devops = await start();
  const call = await testFunction();
  const api = await webApi(devops).getTaskAgentApi();
  await api.addAgent(
    {
      name: 'placeholder',
      version: '99.999.9',
      enabled: true,
      systemCapabilities: { Mine: 'a' },
      userCapabilities: {},
    },
    1,
  );
  await api.addAgent(
    { name: 'placeholder-b', version: '99.999.9', enabled: true, systemCapabilities: { Mine: 'b' } },
    1,
  );
  const queue = async (mine: string): Promise<string> =>
    (
      await play(devops, {
        request: { function: call.url, key: 'k', waitForCompletion: false },
        job: { pool: 'linux', demands: [`Mine -equals ${mine}`], steps },
      })
    ).runId;
  const runs = [await queue('a'), await queue('b'), await queue('a')];
  for (const [index, mine] of ['b', 'a', 'a'].entries()) {
    await agent(devops, { AZDO_AGENT: `eph-${index}-${mine}`, Mine: mine });
  }
  const agents = await Promise.all(runs.map(async runId => (await show(devops, runId, 10)).job?.agentName));
  assert.match(agents[0] ?? '', /-a$/);
  assert.is(agents[1], 'eph-0-b');
  assert.match(agents[2] ?? '', /-a$/);
  assert.is(new Set(agents).size, 3);
});

agentJob('that fails fails the run, and its later steps are skipped', async () => {
  const devops = await start();
  const call = await testFunction();
  const process = await agent(devops);
  await process.printed('registered');
  const run = await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    job: { pool: 'linux', steps: [{ script: 'exit 7' }, { script: 'echo never-reached' }] },
  });
  const view = await show(devops, run.runId, 10);
  assert.is(view.result, 'failed');
  assert.match(logText(view), "##[error]Script exited with code '7'.");
  assert.not.match(logText(view), 'never-reached');
  assert.is(await process.exit, 0, 'the job failed, not the agent');
});

agentJob('that runs for too long is stopped', async () => {
  const devops = await start();
  const call = await testFunction();
  const process = await agent(devops);
  await process.printed('registered');
  const run = await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    job: { pool: 'linux', timeoutMinutes: 0.01, steps: [{ script: 'sleep 60' }] },
  });
  const view = await show(devops, run.runId, 10);
  assert.is(view.result, 'failed');
  assert.match(view.issues[0]?.message ?? '', 'longer than the maximum time');
  assert.is(await process.exit, 0);
});

agentJob('of a canceled run is stopped, its agent unregisters', async () => {
  const devops = await start();
  const call = await testFunction();
  const process = await agent(devops);
  await process.printed('registered');
  const run = await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    job: { pool: 'linux', steps: [{ script: 'echo started; sleep 60' }] },
  });
  await until('the step runs', async () =>
    logText(await show(devops, run.runId)).includes('Z started') ? true : undefined,
  );
  await control(devops, 'POST', `/runs/${run.runId}/cancel`);
  assert.is(await process.exit, 0);
  const view = await show(devops, run.runId);
  assert.is(view.result, 'canceled');
  assert.is(view.job?.result, 'canceled');
});

agentJob('whose agent falls silent is given up when its lock is over', async () => {
  const devops = await start({ lockMs: 400 });
  const call = await testFunction();
  const process = await agent(devops);
  await process.printed('registered');
  const run = await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    // Ends by itself once its agent is dead: a killed agent leaves its step behind.
    job: { pool: 'linux', steps: [{ script: 'while kill -0 $PPID 2>/dev/null; do sleep 0.05; done' }] },
  });
  await process.printed('Running job');
  process.child.kill('SIGKILL');
  const view = await show(devops, run.runId, 10);
  assert.is(view.result, 'failed');
  assert.match(view.issues[0]?.message ?? '', 'We stopped hearing from agent eph-1');
});

again('a redelivery sends the same request byte for byte', async () => {
  const devops = await start();
  const call = await testFunction();
  const run = await play(devops, {
    request: { function: call.url, key: 'k', body: '{"profile":"ubuntu"}' },
    job: null,
  });
  const first = await call.first();
  const { status, body } = await control(devops, 'POST', `/runs/${run.runId}/redeliver`);
  assert.is(status, 200);
  assert.equal(body, { status: 202, body: '{"requestId":"req-1"}' });
  assert.is(call.received.length, 2);
  assert.equal(call.received[1], first);
});

again('a retry has one attempt more and a new token; its ids are new, or the same when asked', async () => {
  const devops = await start();
  const call = await testFunction();
  const run = await play(devops, { request: { function: call.url, key: 'k' }, job: null });
  assert.is((await control(devops, 'POST', `/runs/${run.runId}/retry`, {})).status, 409, 'it still runs');
  const first = pipelineOf(await call.first());
  await completeTask(first);

  for (const sameIds of [false, true]) {
    const { status } = await control(devops, 'POST', `/runs/${run.runId}/retry`, { sameIds });
    assert.is(status, 201);
    const received = await until('the function is called again', () => call.received[sameIds ? 2 : 1]);
    const pipeline = pipelineOf(received);
    assert.is.not(pipeline.token, first.token);
    assert.is(pipeline.plan === first.plan, sameIds);
    assert.is(pipeline.task === first.task, sameIds);
    const answer = await until('the run waits', async () => {
      const view = await show(devops, sameIds ? 'run-3' : 'run-2');
      return view.state === 'waiting' ? view : undefined;
    });
    assert.is(answer.attempt, 2);
    assert.is(answer.buildId, run.buildId);
    assert.is(await completeTask(pipeline), 204);
  }
  const error = await refusal(completeTask(first));
  assert.is(error.result?.typeKey, 'TaskOrchestrationPlanTerminatedException');
});

again('what is asked of a run that never was is a 404 in plain words', async () => {
  const devops = await start();
  const { status, body } = await control(devops, 'POST', '/runs/run-9/cancel');
  assert.is(status, 404);
  assert.equal(body, { error: 'There is no run run-9.' });
});

secrets(
  'a token is in no file, plain or in base64, even when its function repeats it and its author wrote it out',
  async () => {
    const dataDir = await folder();
    const devops = await start({ dataDir });
    const canary = 'canary-7f3a9c1e5b2d8460';
    const base64 = Buffer.from(canary).toString('base64');
    const call = await testFunction(received => ({
      body: JSON.stringify({ got: received.headers, base64 }),
    }));
    const run = await play(devops, {
      request: {
        function: call.url,
        key: 'the-function-key',
        headers: { 'Content-Type': 'application/json', AuthToken: canary },
        body: `{"token":"${canary}"}`,
      },
      job: null,
      authToken: canary,
    });
    const received = await call.first();
    assert.is(received.headers['authtoken'], canary, 'the function gets it');
    assert.is(received.body, `{"token":"${canary}"}`);
    const view = await until('the answer is noted', async () => {
      const seen = await show(devops, run.runId);
      return seen.request.status === 202 ? seen : undefined;
    });
    assert.match(view.request.response ?? '', '***');
    const written = [canary, base64, base64.replace(/=+$/, '')];
    assert.equal(await filesWith(dataDir, written), []);
    for (const text of written) assert.not.match(JSON.stringify(view), text);
    assert.not.match(logText(view), 'the-function-key');
    assert.equal(
      (await filesWith(dataDir, [run.runId])).length,
      1,
      'the files that were searched are the right ones',
    );
  },
);

secrets('a pat that was given is in no file', async () => {
  const dataDir = await folder();
  const devops = await start({ dataDir, pat: 'pat-canary-5511' });
  await (await webApi(devops).getTaskAgentApi()).getAgentPools();
  assert.equal(await filesWith(dataDir, ['pat-canary-5511']), []);
});

request.run();
serverJob.run();
agentJob.run();
again.run();
secrets.run();
