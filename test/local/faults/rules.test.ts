import Fastify, { type FastifyInstance } from 'fastify';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { addCallsAndFaults } from '../../../scripts/local/calls.js';
import type { Presets } from '../../../scripts/local/faults/rule.js';

const presets: Presets = {
  busy: {
    about: 'for this test',
    rule: { call: 'GET *', status: 503, headers: { 'retry-after': '7', 'x-kind': 'busy' } },
    body: call => ({ busyWith: call }),
  },
};

interface Context {
  server: FastifyInstance;
  url: string;
  /** What the service itself did. */
  effects: string[];
}

async function start(seed: number): Promise<Context> {
  const server = Fastify({ forceCloseConnections: true });
  const effects: string[] = [];
  addCallsAndFaults(server, { presets, seed });
  server.get<{ Params: { id: string } }>('/things/:id', async ({ params: { id } }) => {
    effects.push(`get ${id}`);
    return { id };
  });
  server.post<{ Params: { id: string } }>('/things/:id', async ({ params: { id } }, reply) => {
    effects.push(`post ${id}`);
    return reply.code(id === 'bad' ? 409 : 201).send({ id });
  });
  return { server, effects, url: await server.listen({ host: '127.0.0.1', port: 0 }) };
}

const faults = suite<Context>('fault rules');
faults.before.each(async context => void Object.assign(context, await start(1)));
faults.after.each(({ server }) => server.close());

async function put({ url }: Context, ...rules: readonly object[]): Promise<void> {
  const answer = await putAnswer(url, rules);
  assert.is(answer.status, 204, await answer.text());
}
const putAnswer = (url: string, rules: unknown): Promise<Response> =>
  fetch(`${url}/_local/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rules),
  });

/** The status of an answer, or `broken` when there was none. */
async function outcome(call: Promise<Response>): Promise<number | 'broken'> {
  try {
    const answer = await call;
    await answer.text();
    return answer.status;
  } catch {
    return 'broken';
  }
}
const get = ({ url }: Context, id: string | number, init: RequestInit = {}): Promise<number | 'broken'> =>
  outcome(fetch(`${url}/things/${id}`, init));
const post = ({ url }: Context, id: string, body?: object): Promise<number | 'broken'> =>
  outcome(
    fetch(`${url}/things/${id}`, {
      method: 'POST',
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    }),
  );
const repeat = async <T>(times: number, one: (index: number) => Promise<T>): Promise<T[]> => {
  const all: T[] = [];
  for (let index = 0; index < times; index += 1) all.push(await one(index));
  return all;
};

const Bites = z.array(
  z.object({
    n: z.number(),
    call: z.string(),
    url: z.string(),
    rule: z.string(),
    when: z.string(),
    status: z.number().optional(),
    realStatus: z.number().optional(),
    tookEffect: z.boolean(),
  }),
);
const bites = async ({ url }: Context, after = 0): Promise<z.infer<typeof Bites>> =>
  Bites.parse(await (await fetch(`${url}/_local/faults/bites?after=${after}`)).json());

faults('bite after so many calls, so often, and then no more', async context => {
  await put(context, { call: 'GET /things/:id', after: 1, count: 2, status: 429 });
  assert.equal(await repeat(5, index => get(context, index)), [200, 429, 429, 200, 200]);
  assert.is(await post(context, 'x'), 201);
});

faults('bite with the same chances for the same seed, and with others for another', async context => {
  const rule = { call: 'GET *', probability: 0.5 };
  const play = async (one: Context): Promise<Array<number | 'broken'>> => {
    await put(one, rule);
    return repeat(40, index => get(one, index));
  };
  const same = await start(1);
  const other = await start(2);
  try {
    const first = await play(context);
    assert.equal(await play(same), first);
    assert.not.equal(await play(other), first);
    const bitten = first.filter(status => status === 500).length;
    assert.ok(bitten > 8 && bitten < 32, `${bitten} of 40`);
    assert.not.equal(await play(context), first, 'the same rules put again repeat nothing');
  } finally {
    await same.server.close();
    await other.server.close();
  }
});

faults('count apart for each value of a path parameter, or each URL', async context => {
  await put(context, { call: 'GET *', each: 'id', count: 1, status: 404 });
  assert.equal(await repeat(6, index => get(context, index % 3)), [404, 404, 404, 200, 200, 200]);
  await put(context, { call: 'GET *', each: 'url', count: 1, status: 404 });
  assert.equal(
    [await get(context, '1?a'), await get(context, '1?b'), await get(context, '1?a')],
    [404, 404, 200],
  );
});

faults('bite only for a while after the first call', async context => {
  await put(context, { call: 'GET *', each: 'id', forMs: 60, status: 404 });
  assert.is(await get(context, 'new'), 404);
  const started = Date.now();
  while ((await get(context, 'new')) !== 200) assert.ok(Date.now() - started < 5_000);
  assert.ok(Date.now() - started >= 40);
  assert.is(await get(context, 'newer'), 404);
});

faults('hit one request by its URL, its client or its body', async context => {
  await put(context, { call: '*', url: '/things/b$' });
  assert.equal([await get(context, 'a'), await get(context, 'b')], [200, 500]);
  await put(context, { call: '*', client: 'ours/' });
  const from = (agent: string) => get(context, 'a', { headers: { 'user-agent': agent } });
  assert.equal([await from('theirs/1'), await from('ours/1')], [200, 500]);
  await put(context, { call: 'POST *', content: '"taskId":"b"', when: 'commit' });
  assert.equal(
    [await post(context, 'x', { taskId: 'a' }), await post(context, 'x', { taskId: 'b' })],
    [201, 500],
  );
});

faults('before: the call has no effect; after commit: it has', async context => {
  const outcomes = [];
  for (const [id, rule] of Object.entries({
    'answered-before': { status: 503 },
    'reset-before': { preset: 'reset' },
    'answered-after': { status: 429, when: 'commit' },
    'reset-after': { preset: 'resetAfterCommit' },
  })) {
    await put(context, { call: 'POST *', count: 1, ...rule });
    outcomes.push(await post(context, id));
  }
  assert.equal(outcomes, [503, 'broken', 429, 'broken']);
  assert.equal(context.effects, ['post answered-after', 'post reset-after']);
  const log = await bites(context);
  assert.equal(
    log.map(({ rule, status, realStatus, tookEffect }) => [rule, status, realStatus, tookEffect]),
    [
      ['POST *', 503, undefined, false],
      ['reset', 0, undefined, false],
      ['POST *', 429, 201, true],
      ['resetAfterCommit', 0, 201, true],
    ],
  );
  assert.equal(
    (await bites(context, 2)).map(({ url }) => url),
    ['/things/answered-after', '/things/reset-after'],
  );
});

faults('a call that was refused by the service itself took no effect', async context => {
  await put(context, { call: '*', when: 'commit' });
  assert.is(await post(context, 'bad'), 500);
  assert.equal(
    (await bites(context)).map(({ realStatus, tookEffect }) => [realStatus, tookEffect]),
    [[409, false]],
  );
});

faults('a hang ends with the patience of the client, and the service goes on', async context => {
  for (const preset of ['hang', 'hangAfterCommit']) {
    await put(context, { call: 'POST *', preset, count: 1 });
    const signal = AbortSignal.timeout(80);
    assert.is(await outcome(fetch(`${context.url}/things/${preset}`, { method: 'POST', signal })), 'broken');
    assert.is(await get(context, 'a'), 200);
  }
  assert.equal(context.effects, ['get a', 'post hangAfterCommit', 'get a']);
});

faults('an answer may come late, and with further headers', async context => {
  await put(context, { call: 'GET *', preset: 'retryAfterOnSuccess', holdMs: 60 });
  const started = Date.now();
  const answer = await fetch(`${context.url}/things/a`);
  assert.ok(Date.now() - started >= 55);
  assert.is(answer.status, 200);
  assert.is(answer.headers.get('retry-after'), '2');
  assert.equal(await answer.json(), { id: 'a' });
});

faults('a preset gives what a rule does not say; null takes a header of it away', async context => {
  await put(context, { preset: 'busy' });
  const full = await fetch(`${context.url}/things/a`);
  assert.equal(
    [full.status, full.headers.get('retry-after'), full.headers.get('x-kind')],
    [503, '7', 'busy'],
  );
  assert.equal(await full.json(), { busyWith: 'GET /things/:id' });
  await put(context, { preset: 'busy', status: 429, when: 'commit', headers: { 'retry-after': null } });
  const bare = await fetch(`${context.url}/things/a`);
  assert.equal(
    [bare.status, bare.headers.get('retry-after'), bare.headers.get('x-kind')],
    [429, null, 'busy'],
  );
  assert.equal(await bare.json(), { busyWith: 'GET /things/:id' });
});

faults('rules that can not be understood are refused, and change nothing', async context => {
  await put(context, { call: 'GET *', status: 418 });
  for (const [rule, reason] of [
    [{ preset: 'bussy' }, /no preset bussy/],
    [{ call: 'GET *', url: '(' }, /url/],
    [{ call: 'GET *', colour: 'red' }, /colour/],
    [{ status: 500 }, /call/],
  ] as const) {
    const answer = await putAnswer(context.url, [rule]);
    assert.is(answer.status, 400);
    assert.match(await answer.text(), reason);
  }
  assert.is(await get(context, 'a'), 418);
});

faults.run();
