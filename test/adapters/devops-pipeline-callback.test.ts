import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { createDevOpsPipelineCallback } from '../../shared/adapters/devops-pipeline-callback.js';
import type { PipelineContext } from '../../shared/domain/request.js';
import { createFakeClock } from '../fakes/clock.js';
import { outcomeOf } from './outcome.js';
import { type Call, type Scripted, startScriptedServer } from './scripted-server.js';

const server = await startScriptedServer();
const clock = createFakeClock();
const callback = createDevOpsPipelineCallback(clock);
const token = 'canary.job.token';
const pipeline: PipelineContext = {
  planUrl: `${server.url}/contoso/`,
  projectId: 'project',
  hubName: 'build',
  planId: 'plan',
  jobId: 'job',
  timelineId: 'timeline',
  taskInstanceId: 'task',
};
const plan = '/contoso/project/_apis/distributedtask/hubs/build/plans/plan';

const refusal = (status: number, typeKey: string): Scripted => ({
  status,
  body: { $id: '1', message: `About ${typeKey}.`, typeName: `Some.${typeKey}`, typeKey },
});
const locations = {
  count: 1,
  value: [
    {
      id: '5cecd946-d704-471e-a45f-3b4064fcfaba',
      area: 'distributedtask',
      resourceName: 'plans',
      routeTemplate: '{scopeIdentifier}/_apis/{area}/hubs/{hubName}/{resource}/{planId}',
      resourceVersion: 2,
      minVersion: '1.0',
      maxVersion: '7.2',
      releasedVersion: '0.0',
    },
  ],
};
const isEvent = ({ url }: Call): boolean => url.includes('/events?');
const planIs = (state: string): Scripted => ({ status: 200, body: { planId: 'plan', state } });

/** @param event the answer to the completion. @param asked the answer to a look at the plan. */
const service = (event: Scripted | 'reset', asked: Scripted | 'reset') => (call: Call) => {
  if (isEvent(call)) return event;
  return call.method === 'OPTIONS' ? ({ status: 200, body: locations } as const) : asked;
};

const complete = suite('pipeline callback: what becomes of a completion');

complete('one run after the other is told over a connection that is kept', async () => {
  server.script(service({ status: 204 }, planIs('inProgress')));
  for (let run = 0; run < 10; run += 1) {
    const answer = await callback.complete(pipeline, `job.token.${run}`, 'succeeded');
    assert.is(answer.kind, 'acknowledged');
  }
  assert.is(server.calls.length, 10);
  assert.ok(server.connections <= 1, `${server.connections} connections`);
});

const unused = planIs('inProgress');
const cases: [string, Scripted | 'reset', Scripted | 'reset', string][] = [
  ['204', { status: 204 }, unused, 'acknowledged'],
  ['200', { status: 200, body: {} }, unused, 'acknowledged'],
  ['the sign-in page', { status: 203, body: '<html>' }, unused, 'refused HTTP 203'],
  ['400, plan alive', refusal(400, 'SomeException'), unused, 'refused SomeException'],
  ['400, plan completed', refusal(400, 'SomeException'), planIs('completed'), 'planOver SomeException'],
  ['401, plan not to be seen', { status: 401 }, { status: 401 }, 'refused HTTP 401'],
  ['403, plan not to be seen', refusal(403, 'AccessCheck'), { status: 403 }, 'refused AccessCheck'],
  ['401, plan behind the sign-in page', { status: 401 }, { status: 203, body: '<html>' }, 'refused HTTP 401'],
  ['404, plan alive', { status: 404 }, unused, 'refused HTTP 404'],
  ['404, plan gone', { status: 404 }, { status: 404 }, 'planOver HTTP 404'],
  ['404, plan throttled', { status: 404 }, planIs('throttled'), 'refused HTTP 404'],
  ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:9/' } }, unused, 'refused HTTP 302'],
  [
    'a task that nobody waits for, as 500, plan alive',
    refusal(500, 'OrchestrationSessionNotFoundException'),
    unused,
    'refused OrchestrationSessionNotFoundException',
  ],
  [
    'a task that nobody waits for, as 500, plan completed',
    refusal(500, 'OrchestrationSessionNotFoundException'),
    planIs('completed'),
    'planOver OrchestrationSessionNotFoundException',
  ],
  [
    'a task that nobody waits for, plan terminated',
    refusal(400, 'OrchestrationSessionNotFoundException'),
    refusal(400, 'TaskOrchestrationPlanTerminatedException'),
    'planOver OrchestrationSessionNotFoundException',
  ],
  [
    'a plan that is not for this token, which reads it all the same',
    refusal(500, 'TaskOrchestrationPlanSecurityException'),
    unused,
    'refused TaskOrchestrationPlanSecurityException',
  ],
  [
    'a plan that is not for this token',
    refusal(403, 'TaskOrchestrationPlanSecurityException'),
    refusal(403, 'TaskOrchestrationPlanSecurityException'),
    'planOver TaskOrchestrationPlanSecurityException',
  ],
  ...['TaskOrchestrationPlanNotFoundException', 'TaskOrchestrationPlanTerminatedException'].map(
    (typeKey): [string, Scripted, Scripted, string] => [
      `${typeKey}, as 500`,
      refusal(500, typeKey),
      unused,
      `planOver ${typeKey}`,
    ],
  ),
  ['408', { status: 408 }, unused, 'transient AzDOUnavailable'],
  ['429', { status: 429, headers: { 'retry-after': '3' } }, unused, 'transient AzDOUnavailable'],
  ['500', refusal(500, 'SomeException'), unused, 'transient AzDOUnavailable'],
  ['503', { status: 503, body: '<html>' }, unused, 'transient AzDOUnavailable'],
  ['a lost connection', 'reset', unused, 'transient AzDOUnavailable'],
  ['400, plan unreachable', refusal(400, 'SomeException'), 'reset', 'transient AzDOUnavailable'],
  ['400, plan not now', refusal(400, 'SomeException'), { status: 503 }, 'transient AzDOUnavailable'],
];

for (const [name, event, asked, expected] of cases) {
  complete(`${name}: ${expected}`, async () => {
    server.script(service(event, asked));
    const outcome = await outcomeOf(callback.complete(pipeline, token, 'succeeded'));
    if (outcome.kind === 'transient') {
      assert.is(`transient ${outcome.failure.code}`, expected);
      assert.is(outcome.failure.stage, 'callback');
      if (name === '429') assert.is(outcome.retryAfterMs, 3_000);
    } else {
      const answer = outcome.kind === 'done' ? outcome.value : undefined;
      assert.ok(words(answer).startsWith(expected), words(answer));
    }
    assert.not.match(inspect(outcome, { depth: 20 }), token);
  });
}

function words(answer: unknown): string {
  if (typeof answer !== 'object' || answer === null || !('kind' in answer)) return String(answer);
  return 'reason' in answer ? `${String(answer.kind)} ${String(answer.reason)}` : String(answer.kind);
}

complete('is one call with the job token, exactly as the server task waits for it', async () => {
  server.script(service({ status: 204 }, unused));
  await callback.complete(pipeline, token, 'failed');
  assert.is(server.calls.length, 1);
  const [call] = server.calls;
  assert.is(call?.method, 'POST');
  assert.is(call?.url, `${plan}/events?api-version=2.0-preview.1`);
  assert.is(call?.headers['authorization'], `Bearer ${token}`);
  assert.equal(JSON.parse(call?.body ?? ''), {
    name: 'TaskCompleted',
    taskId: 'task',
    jobId: 'job',
    result: 'failed',
  });
});

complete('never takes the token to where a redirect leads', async () => {
  for (const status of [301, 302, 307, 308]) {
    server.script(call =>
      call.url.includes('/elsewhere') ? { status: 204 } : { status, headers: { location: '/elsewhere' } },
    );
    await callback.complete(pipeline, token, 'succeeded');
    assert.not.ok(server.calls.some(({ url }) => url.includes('/elsewhere')));
  }
});

complete('asks the plan with a version that the service offers', async () => {
  server.script(service({ status: 404 }, unused));
  await callback.complete(pipeline, token, 'succeeded');
  const asked = server.calls.at(-1);
  assert.is(asked?.url, plan);
  assert.match(String(asked?.headers['accept']), 'api-version=7.2-preview.2');
});

complete('keeps the pause that the service asks for, also with a success', async () => {
  const own = createFakeClock();
  const polite = createDevOpsPipelineCallback(own);
  server.script(() => ({ status: 200, headers: { 'retry-after': '5' } }));
  assert.is(await polite.tell(pipeline, token, ['line']), 'told');
  assert.is(await polite.tell(pipeline, token, ['line']), 'unknown', 'what is only told is left out');
  assert.is(server.calls.length, 1);
  await polite.complete(pipeline, token, 'succeeded');
  assert.equal(own.sleeps, [5_000]);
  server.script(service({ status: 429, headers: { 'retry-after': '120' } }, unused));
  const elsewhere = { ...pipeline, planUrl: `${server.url}/fabrikam/` };
  await outcomeOf(polite.complete(elsewhere, token, 'succeeded'));
  const again = await outcomeOf(polite.complete(elsewhere, token, 'succeeded'));
  assert.is(again.kind === 'transient' && again.retryAfterMs, 120_000);
  assert.is(server.calls.length, 1);
});

const lineAnswers: [string, Scripted | 'reset', Scripted | 'reset', string][] = [
  ['200', { status: 200, body: {} }, unused, 'told'],
  ['204', { status: 204 }, unused, 'told'],
  ['the sign-in page', { status: 203, body: '<html>' }, { status: 401 }, 'unknown'],
  ['400, plan alive', refusal(400, 'SomeException'), unused, 'unknown'],
  ['400, plan completed', refusal(400, 'SomeException'), planIs('completed'), 'planOver SomeException'],
  ['401, plan not to be seen', { status: 401 }, { status: 401 }, 'unknown'],
  ['404, plan gone', { status: 404 }, { status: 404 }, 'planOver HTTP 404'],
  ['404, plan alive', { status: 404 }, unused, 'unknown'],
  ['400, plan unreachable', refusal(400, 'SomeException'), 'reset', 'unknown'],
  ...['TaskOrchestrationPlanNotFoundException', 'TaskOrchestrationPlanTerminatedException'].map(
    (typeKey): [string, Scripted, Scripted, string] => [
      `${typeKey}, as 500`,
      refusal(500, typeKey),
      unused,
      `planOver ${typeKey}`,
    ],
  ),
  [
    'a plan that is not for this token, which reads it all the same',
    refusal(403, 'TaskOrchestrationPlanSecurityException'),
    unused,
    'unknown',
  ],
  [
    'a plan that is not for this token',
    refusal(403, 'TaskOrchestrationPlanSecurityException'),
    refusal(403, 'TaskOrchestrationPlanSecurityException'),
    'planOver TaskOrchestrationPlanSecurityException',
  ],
  ['429', { status: 429 }, unused, 'unknown'],
  ['500', refusal(500, 'SomeException'), planIs('completed'), 'unknown'],
  ['503', { status: 503, body: '<html>' }, unused, 'unknown'],
  ['a lost connection', 'reset', unused, 'unknown'],
];
for (const [name, feed, asked, expected] of lineAnswers) {
  complete(`a line that is answered with ${name}: ${expected}`, async () => {
    server.script(call => {
      if (call.url.includes('/feed?')) return feed;
      return call.method === 'OPTIONS' ? { status: 200, body: locations } : asked;
    });
    const answer = await callback.tell(pipeline, token, ['line']);
    assert.ok(
      (typeof answer === 'string' ? answer : `planOver ${answer.planOver}`).startsWith(expected),
      JSON.stringify(answer),
    );
  });
}

const Feed = z.object({ value: z.array(z.string()), count: z.number() });

const notes = suite('pipeline callback: what the author of the pipeline reads');

notes('lines go to the feed of the job, at most 100 of 1024 characters a call, in order', async () => {
  server.script(() => ({ status: 200 }));
  const lines = [
    `first\r\nsecond`,
    'x'.repeat(3_000),
    ...Array.from({ length: 100 }, (_, index) => `line ${index}`),
  ];
  await callback.tell(pipeline, token, lines);
  assert.equal(
    server.calls.map(({ method, url }) => `${method} ${url}`),
    Array.from({ length: 2 }, () => `POST ${plan}/timelines/timeline/records/job/feed?api-version=4.1`),
  );
  const sent = server.calls.map(({ body }) => Feed.parse(JSON.parse(body)));
  assert.equal(
    sent.map(({ count, value }) => [count, value.length]),
    [
      [100, 100],
      [3, 3],
    ],
  );
  assert.equal(sent[0]?.value.slice(0, 2), ['first', 'second']);
  assert.is(sent[0]?.value[2]?.length, 1_024);
  assert.is(sent[1]?.value.at(-1), 'line 99');
});

notes('a token in a line is masked', async () => {
  server.script(() => ({ status: 200 }));
  await callback.tell(pipeline, token, [`the token is ${token}!`]);
  assert.match(server.calls[0]?.body ?? '', 'the token is ***!');
  assert.not.match(server.calls[0]?.body ?? '', token);
});

notes('the token is in no reason of a failure, whatever it was made of', async () => {
  server.script(() => ({ status: 200 }));
  await callback.annotate(pipeline, token, { error: `The agent said ${token}.` });
  assert.match(server.calls.at(-1)?.body ?? '', 'The agent said ***.');
  assert.not.match(server.calls.at(-1)?.body ?? '', token);
});

notes('variables, the reason of a failure and the log go to the record of the task', async () => {
  server.script(({ method, url }) =>
    method === 'POST' && url.includes('/logs?')
      ? { status: 200, body: { id: 12 } }
      : { status: 200, body: {} },
  );
  await callback.annotate(pipeline, token, {
    variables: { agentName: 'r-1-1' },
    error: 'No agent could be provided.',
    log: ['one', 'two'],
  });
  assert.equal(
    server.calls.map(({ method, url }) => `${method} ${url}`),
    [
      `POST ${plan}/logs?api-version=4.1`,
      `POST ${plan}/logs/12?api-version=4.1`,
      `PATCH ${plan}/timelines/timeline/records?api-version=4.1`,
    ],
  );
  assert.equal(JSON.parse(server.calls[0]?.body ?? ''), { path: String.raw`logs\task` });
  assert.is(server.calls[1]?.headers['content-type'], 'application/octet-stream');
  assert.is(server.calls[1]?.body, 'one\ntwo\n');
  assert.equal(JSON.parse(server.calls[2]?.body ?? ''), {
    value: [
      {
        id: 'task',
        variables: { agentName: { value: 'r-1-1', isSecret: false } },
        issues: [{ type: 'error', message: 'No agent could be provided.' }],
        errorCount: 1,
        log: { id: 12 },
      },
    ],
    count: 1,
  });
});

notes('a log that can not be written does not keep the variables back', async () => {
  server.script(({ url }) => (url.includes('/logs') ? { status: 500 } : { status: 200 }));
  await callback.annotate(pipeline, token, { variables: { agentName: 'r-1-1' }, log: ['one'] });
  assert.match(server.calls.at(-1)?.body ?? '', 'r-1-1');
});

notes('nothing to say is not said, and nothing that fails is thrown', async () => {
  server.script(() => ({ status: 200 }));
  await callback.tell(pipeline, token, []);
  await callback.annotate(pipeline, token, {});
  assert.is(server.calls.length, 0);
  for (const answer of [{ status: 500 }, { status: 401 }, { status: 404 }, 'reset'] as const) {
    server.script(() => answer);
    await callback.tell(pipeline, token, ['line']);
    await callback.annotate(pipeline, token, { error: 'e', log: ['l'], variables: { a: 'b' } });
  }
  assert.is(await callback.tell({ ...pipeline, planUrl: 'not a url' }, token, ['line']), 'unknown');
});

notes.after(() => server.close());
complete.run();
notes.run();
