import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { judgedCall } from '../support/broken-calls.js';
import { oddText, seed } from '../support/junk.js';
import { type AgentsApi, type Answer, agentsApi } from './support/agents-api.js';
import { type RawAnswer, sendRaw } from './support/raw-http.js';
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

/** Every answer of the host's own is one that a program can read, too. */
function mustBeProblem({ status, head, body }: RawAnswer, name: string): void {
  assert.ok(status >= 400 && status < 500, `${name}: ${head}`);
  assert.match(head, /^content-type: application\/problem\+json/im, name);
  const problem = Problem.parse(JSON.parse(body));
  assert.is(problem.status, status, name);
  assert.not.match(body, stack.functionKey);
}

const request = (line: string, headers: readonly string[] = [], body = ''): string =>
  [
    line,
    'Host: agents.example',
    `x-functions-key: ${stack.functionKey}`,
    'Connection: close',
    ...headers,
    '',
    body,
  ].join('\r\n');

bad('HTTP that is broken, or larger than the host reads', async () => {
  const post = 'POST /api/agents HTTP/1.1';
  const cases: Record<string, string> = {
    'no HTTP at all': 'hello\r\n\r\n',
    'a request line of junk': '\u0000\u0001 / HTTP/1.1\r\n\r\n',
    'an unknown method': request('STEAL /api/agents HTTP/1.1'),
    'an unknown version': request('GET /api/agents HTTP/9.9'),
    'no host': `GET /api/agents HTTP/1.1\r\nx-functions-key: ${stack.functionKey}\r\nConnection: close\r\n\r\n`,
    'a header without a name': request(post, [': x']),
    'a header with a blank in its name': request(post, ['a b: x']),
    'a header with a control character': request(post, ['AuthToken: a\u0001b']),
    'headers of 100 KB': request(post, [`AuthToken: ${'x'.repeat(100_000)}`]),
    'a thousand headers of a pipeline': request(
      post,
      Array.from({ length: 1_000 }, () => `PlanUrl: ${'x'.repeat(60)}`),
    ),
    'a path of 100 KB': request(`GET /api/agents/${'x'.repeat(100_000)} HTTP/1.1`),
    'a length that is no number': request(post, ['Content-Length: many'], '{}'),
    'a negative length': request(post, ['Content-Length: -1'], '{}'),
    'two lengths': request(post, ['Content-Length: 2', 'Content-Length: 3'], '{}'),
    'a length beside chunks': request(post, ['Content-Length: 2', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
    'chunks of no size': request(post, ['Transfer-Encoding: chunked'], 'zz\r\n{}\r\n0\r\n\r\n'),
    'chunks of a body that is no JSON': request(post, ['Transfer-Encoding: chunked'], '1\r\n{\r\n0\r\n\r\n'),
    'an encoding of chunks that nobody knows': request(post, ['Transfer-Encoding: br'], '{}'),
    'a path that can not be decoded': request('GET /api/agents/%E0%A4%A HTTP/1.1'),
    'a lone percent sign': request('GET /api/agents/% HTTP/1.1'),
    'a path of slashes': request('GET // HTTP/1.1'),
    'a path that leaves the routes': request('GET /api/agents/../../etc/passwd HTTP/1.1'),
    'a byte of zero in the path': request('GET /api/agents/%00 HTTP/1.1'),
    'an encoded slash in an id': request('DELETE /api/agents/a%2F..%2Fb HTTP/1.1'),
    'a route that there is not': request('GET /api/admin HTTP/1.1'),
    'a webhook of the host': request('GET /runtime/webhooks/durabletask/instances HTTP/1.1'),
    'the admin routes of the host': request('GET /admin/host/keys HTTP/1.1'),
    'another method of the health route': request('POST /api/health HTTP/1.1', ['Content-Length: 0']),
    'a body that says it is gzip': request(
      post,
      ['Content-Encoding: gzip', 'Content-Length: 4'],
      '\u001f{}x',
    ),
    'a wrong host name and a wrong query': request('GET /api/agents?top=x HTTP/1.1'),
  };
  for (const host of ['[', 'a b', 'a/b', 'x@y', 'a:b:c', '', 'ä', 'a'.repeat(5_000)]) {
    cases[`the host "${host.slice(0, 9)}"`] =
      `GET /api/agents?top=x HTTP/1.1\r\nHost: ${host}\r\nx-functions-key: ${stack.functionKey}\r\nConnection: close\r\n\r\n`;
  }
  await Promise.all(
    Object.entries(cases).map(async ([name, text]) =>
      mustBeProblem(await sendRaw(stack.url('host'), text), name),
    ),
  );
});

bad('a body that is shorter than it says, without an answer that could be taken for one', async () => {
  const { status } = await sendRaw(
    stack.url('host'),
    request('POST /api/agents HTTP/1.1', ['Content-Length: 100'], '{}'),
  );
  assert.ok(status === 0 || (status >= 400 && status < 500), String(status));
});

bad(`hundreds of generated calls, each answered with what is wrong (seed ${seed})`, async () => {
  const planUrl = stack.settings['AzDOUrl'] ?? '';
  const wrong = judgedCall(planUrl).filter(
    call =>
      call.wrong.length > 0 &&
      Object.values(call.headers).every(value => /^[\x20-\x7e]{0,12000}$/.test(value)),
  );
  await Promise.all(
    fc.sample(wrong, { seed, numRuns: 120 }).map(async call => {
      const answer = await api.call('POST', '/agents', call.body, call.headers);
      const { errors = [] } = mustRefuse(answer, 400, 'InvalidRequest');
      assert.equal(errors.map(({ in: where, name }) => `${where} ${name}`.trim()).toSorted(), call.wrong);
      if (call.token) assert.not.ok(answer.text.includes(call.token) && call.token.startsWith('canary.'));
    }),
  );
  await Promise.all(
    fc.sample(oddText, { seed, numRuns: 60 }).map(async text => {
      const id = encodeURIComponent(Buffer.from(text).toString('utf8'));
      for (const method of ['GET', 'DELETE', 'PUT']) {
        const { status } = await api.call(method, `/agents/${id}`);
        assert.ok(status < 500, `${method} ${id} was answered ${status}`);
      }
      const { status } = await api.call('GET', `/agents?top=x&state=${id}&profile=${id}&continuation=${id}`);
      assert.is(status, 400);
    }),
  );
  assert.not.match(stack.output('host'), 'canary.');
});

bad.run();
