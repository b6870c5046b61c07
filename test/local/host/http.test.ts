import { stat } from 'node:fs/promises';
import { request } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { type AppFolder, makeApp, RunningHost, sample } from './harness.js';

const test = suite('HTTP functions');
let app: AppFolder;
let host: RunningHost;

test.before(async () => {
  app = await makeApp({
    main: sample('web'),
    settings: {
      'AzureWebJobs.resting.Disabled': 'true',
      AzureWebJobs_dozing_Disabled: '1',
      'AzureWebJobs.restless.Disabled': 'false',
    },
  });
  host = await RunningHost.start(app);
});
test.after(async () => {
  await host?.stop();
  await app?.remove();
});

const text = async (path: string, init?: RequestInit): Promise<string> =>
  (await host.fetch(path, init)).text();
const Problem = z.object({ title: z.string(), status: z.number(), detail: z.string(), code: z.string() });
const problem = async (response: Response): Promise<z.output<typeof Problem>> => {
  assert.match(response.headers.get('content-type') ?? '', 'application/problem+json');
  const body = Problem.parse(await response.json());
  assert.is(body.status, response.status);
  return body;
};

test('are reached under the prefix, in any case, with their query', async () => {
  assert.is(await text('/api/hello?name=A%20B'), 'Hello, A B!');
  assert.is(await text('/API/Hello'), 'Hello, world!');
});

test('get the body byte for byte and send bytes, headers and status', async () => {
  const body = Uint8Array.from({ length: 300_000 }, (_, index) => index % 256);
  const response = await host.fetch('/api/echo', { method: 'POST', body, headers: { 'x-sent': 'yes' } });
  assert.is(response.status, 201);
  assert.is(response.headers.get('x-seen'), 'yes');
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(body));
});

test('may have constrained, optional and catch-all parameters; a literal route wins', async () => {
  const read = async (path: string): Promise<unknown> => (await host.fetch(path)).json();
  const kind = 'AbC';
  assert.equal(await read('/api/items/AbC/5?tag=x&tag=y'), {
    params: { kind, number: '5' },
    tags: ['x', 'y'],
  });
  assert.equal(await read('/api/items/AbC/5/p%2Fq'), {
    params: { kind, number: '5', part: 'p/q' },
    tags: [],
  });
  assert.is(await text('/api/items/special/7'), 'literal');
  assert.is(await text('/api/files/a/b/c.txt'), 'a/b/c.txt');
  assert.is(await text('/api/files'), '(none)');
  assert.is((await host.fetch('/api/items/ab1/5')).status, 405);
});

test('answer 404 where none is, and 405 with what is allowed for a wrong method', async () => {
  assert.is((await problem(await host.fetch('/api/absent'))).code, 'NotFound');
  const response = await host.fetch('/api/items/a/1', { method: 'POST' });
  assert.equal(response.headers.get('allow')?.split(', ').toSorted(), ['DELETE', 'GET', 'PUT']);
  assert.is((await problem(response)).code, 'MethodNotAllowed');
  assert.is((await host.fetch('/api/items/a/1', { method: 'PUT' })).status, 204);
});

test('open to their own key, a host key and the master key, in query or header', async () => {
  const keys = await host.keys();
  const own = keys.functions['forFunctions']?.['default'] ?? '';
  for (const key of [own, keys.functionKeys.default, keys.masterKey]) {
    assert.is(await text(`/api/forFunctions?code=${encodeURIComponent(key)}`), 'in');
    assert.is(await text('/api/forFunctions', { headers: { 'x-functions-key': key } }), 'in');
  }
  assert.is(await text('/api/forAdmins', { headers: { 'x-functions-key': keys.masterKey } }), 'in');
});

test('stay closed to no key, a wrong one, and one of another function', async () => {
  const keys = await host.keys();
  const other = keys.functions['hello']?.['default'] ?? '';
  for (const key of ['', 'wrong', other]) {
    assert.is((await problem(await host.fetch(`/api/forFunctions?code=${key}`))).code, 'Unauthorized');
  }
  assert.is((await host.fetch('/api/forFunctions')).status, 401);
  for (const key of [keys.functionKeys.default, other]) {
    assert.is((await host.fetch('/api/forAdmins', { headers: { 'x-functions-key': key } })).status, 401);
  }
  assert.is((await host.fetch('/runtime/webhooks/durabletask/instances')).status, 404);
});

test('keep their keys over a restart, readable by their owner only, and out of the log', async () => {
  const { masterKey, functionKeys } = await host.keys();
  assert.is((await stat(`${app.dir}/.local/host/keys.json`)).mode & 0o777, 0o600);
  assert.not.match(host.output, masterKey);
  assert.not.match(host.output, functionKeys.default);
});

test('that throw answer 500 without their message, which is in the log', async () => {
  const response = await host.fetch('/api/throws?token=canary');
  assert.is(response.status, 500);
  const body = await response.text();
  assert.not.match(body, 'secret');
  assert.match(host.output, 'a secret is in this message');
  assert.not.match(host.output, 'canary');
});

test('that return nothing answer 204', async () => {
  assert.is((await host.fetch('/api/nothing')).status, 204);
});

test('can set cookies, answer with a stream or by an output binding', async () => {
  const cookies = (await host.fetch('/api/cookies')).headers.getSetCookie();
  assert.equal(cookies, ['a=1%202; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax', 'b=2']);
  assert.is(await text('/api/stream'), 'one two');
  const response = await host.fetch('/api/viaOutput');
  assert.is(response.status, 203);
  assert.is(await response.text(), 'via output');
});

test('run without limit beside each other', async () => {
  const all = await Promise.all(Array.from({ length: 50 }, () => text('/api/together')));
  assert.is(new Set(all).size, 1);
});

test('run through the hooks of the app', async () => {
  assert.is(await text('/api/hooked'), 'hooked {"body":"inner"}');
});

test('log by level', async () => {
  await text('/api/logs');
  assert.match(host.output, /Information Function\.logs\.User \[\w{8}\] to be seen/);
  assert.match(host.output, /Warning Function\.logs\.User \[\w{8}\] to be heeded/);
  assert.not.match(host.output, 'too quiet');
});

test('are not served when a setting disables them', async () => {
  assert.is((await host.fetch('/api/resting')).status, 404);
  assert.is((await host.fetch('/api/dozing')).status, 404);
  assert.is(await text('/api/restless'), 'awake');
});

test('refuse a body over 100 MB unread', async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const call = request(`${host.url}/api/echo`, {
      method: 'POST',
      headers: { 'content-length': 100 * 1024 * 1024 + 1 },
    });
    call.on('response', response => resolve(response.statusCode));
    call.on('error', reject);
    call.flushHeaders();
  });
  assert.is(status, 413);
});

test.run();
