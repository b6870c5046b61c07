import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { type AgentsApi, type Answer, agentsApi } from './support/agents-api.js';
import { callsOf, resetCalls } from './support/stand-ins.js';
import { rowsOf, waitingIn } from './support/storage.js';
import { openWorld } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;

const Problem = z.looseObject({
  title: z.string().min(1),
  status: z.number(),
  detail: z.string().min(1),
  code: z.string().min(1),
  errors: z.array(z.strictObject({ in: z.string(), name: z.string(), detail: z.string().min(1) })).optional(),
});

const bad = suite('bad input');

bad.before(async () => {
  ({ stack, end } = await openWorld());
  api = agentsApi(stack);
  await resetCalls(stack);
});
bad.after(async () => end());

/** After each: a refused request is as if it had never been sent. */
bad.after.each(async () => {
  assert.equal(await rowsOf(stack, 'AgentRequests'), [], 'something was stored');
  assert.is(await waitingIn(stack, 'agent-requests'), 0, 'something was queued');
  assert.equal(await callsOf(stack, 'batch'), {}, 'Batch was called');
  assert.equal(await callsOf(stack, 'devops'), {}, 'Azure DevOps was called');
});

function mustRefuse(answer: Answer, status: number, code: string): z.infer<typeof Problem> {
  assert.is(answer.status, status, answer.text);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  const problem = Problem.parse(answer.json);
  assert.is(problem.status, status);
  assert.is(problem.code, code);
  return problem;
}

const context = (): Record<string, string> => ({
  PlanUrl: stack.settings['AzDOUrl'] ?? '',
  ProjectId: '7b0c2a5e-4f1d-4d1b-9c56-2d8f0f6a1e01',
  HubName: 'build',
  PlanId: '11111111-1111-4111-8111-111111111111',
  JobId: '22222222-2222-4222-8222-222222222222',
  TimelineId: '33333333-3333-4333-8333-333333333333',
  TaskInstanceId: '44444444-4444-4444-8444-444444444444',
  AuthToken: 'a-token-of-a-job',
});

bad('a call without a key, or with a wrong one, opens no route', async () => {
  for (const [method, path] of [
    ['POST', '/agents'],
    ['POST', '/ProvideAzDOAgent'],
    ['GET', '/agents'],
    ['GET', '/agents/some-request'],
    ['DELETE', '/agents/some-request'],
    ['GET', '/deadletters'],
    ['GET', '/deadletters/some-request'],
    ['POST', '/deadletters/redrive'],
    ['POST', '/deadletters/purge'],
  ] as const) {
    const body = method === 'POST' ? {} : undefined;
    for (const key of ['', 'wrong', `${stack.functionKey}x`]) {
      mustRefuse(await api.call(method, path, body, { 'x-functions-key': key }), 401, 'Unauthorized');
    }
  }
});

bad('a wrong method is told which ones the route knows', async () => {
  for (const [method, path, allow] of [
    ['PUT', '/agents', /GET.*POST/],
    ['DELETE', '/agents', /GET.*POST/],
    ['POST', '/agents/some-request', /GET.*DELETE/],
    ['GET', '/ProvideAzDOAgent', /POST/],
    ['DELETE', '/deadletters', /GET/],
    ['POST', '/deadletters/some-request', /GET/],
    ['DELETE', '/deadletters/some-request', /GET/],
    ['PUT', '/deadletters/redrive', /POST/],
    ['DELETE', '/deadletters/purge', /POST/],
  ] as const) {
    const answer = await api.call(method, path);
    mustRefuse(answer, 405, 'MethodNotAllowed');
    assert.match(answer.headers.get('allow') ?? '', allow);
  }
});

bad('a body that is not JSON, or not an object of JSON', async () => {
  for (const body of ['{', 'profile=ubuntu', '"text"', '[]', 'null', '7']) {
    const { errors } = mustRefuse(await api.call('POST', '/agents', body), 400, 'InvalidRequest');
    assert.is(errors?.length, 1, body);
    assert.is(errors?.[0]?.in, 'body');
  }
});

bad('a body of more than 64 KiB', async () => {
  const body = JSON.stringify({ tags: { text: 'x'.repeat(64 * 1024) } });
  mustRefuse(await api.call('POST', '/agents', body), 413, 'BodyTooLarge');
  // Larger than anybody's patience, and answered all the same.
  mustRefuse(await api.call('POST', '/agents', `"${'x'.repeat(5_000_000)}"`), 413, 'BodyTooLarge');
});

bad('every wrong field and header is named at once', async () => {
  const answer = await api.call(
    'POST',
    '/agents',
    { profil: 'ubuntu', requestId: 'Not An Id', timeoutMinutes: 1_000, capabilities: { PATH: '/' } },
    { PlanUrl: stack.settings['AzDOUrl'] ?? '', PlanId: 'no-guid', AuthToken: 'a-token-of-a-job' },
  );
  const { errors = [] } = mustRefuse(answer, 400, 'InvalidRequest');
  const named = errors.map(({ in: where, name }) => `${where} ${name}`).toSorted();
  assert.equal(named, [
    'body capabilities.PATH',
    'body profil',
    'body requestId',
    'body timeoutMinutes',
    'header HubName',
    'header JobId',
    'header PlanId',
    'header ProjectId',
    'header TaskInstanceId',
    'header TimelineId',
  ]);
});

bad('a PlanUrl on a foreign host, and nothing is sent there', async () => {
  const { host } = new URL(stack.settings['AzDOUrl'] ?? '');
  for (const planUrl of [
    'https://evil.example/',
    `http://${host}@evil.example/`,
    `https://${host.replace('127.0.0.1', 'localhost')}/`,
    `http://127.0.0.1:1/`,
    `${stack.url('batch')}/`,
    'file:///etc/passwd',
    'not a url',
  ]) {
    const answer = await api.call('POST', '/agents', {}, { ...context(), PlanUrl: planUrl });
    const { errors } = mustRefuse(answer, 400, 'InvalidRequest');
    assert.equal(
      errors?.map(({ in: where, name }) => `${where} ${name}`),
      ['header PlanUrl'],
      planUrl,
    );
  }
});

bad('an unknown profile is told the known ones', async () => {
  const { errors } = mustRefuse(
    await api.call('POST', '/agents', { profile: 'solaris' }),
    400,
    'InvalidRequest',
  );
  assert.is(errors?.[0]?.name, 'profile');
  assert.match(errors?.[0]?.detail ?? '', /"solaris" is not configured; there are: ubuntu, windows/);
});

bad('a callback without a pipeline', async () => {
  const { errors } = mustRefuse(await api.call('POST', '/agents', { callback: true }), 400, 'InvalidRequest');
  assert.is(errors?.[0]?.name, 'callback');
});

bad('a query that makes no sense', async () => {
  const answer = await api.call('GET', '/agents?state=happy&top=0&profile=No%20Name');
  const { errors } = mustRefuse(answer, 400, 'InvalidRequest');
  assert.equal(errors?.map(({ name }) => name).toSorted(), ['profile', 'state', 'top']);
  mustRefuse(await api.call('GET', '/agents?continuation=invented'), 400, 'InvalidRequest');
});

bad('a request that nobody knows', async () => {
  mustRefuse(await api.call('GET', '/agents/no-such-request'), 404, 'RequestNotFound');
  mustRefuse(await api.call('DELETE', '/agents/no-such-request'), 404, 'RequestNotFound');
  mustRefuse(await api.call('GET', `/agents/${encodeURIComponent("x' or true")}`), 404, 'RequestNotFound');
});

bad.run();
