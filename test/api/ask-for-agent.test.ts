import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { askForAgent } from '../../shared/api/ask-for-agent.js';
import type { ApiResponse } from '../../shared/api/problem.js';
import { whenStorageIsAway } from '../../shared/api/when-storage-is-away.js';
import { beginLifecycle } from '../../shared/dispatch/begin-lifecycle.js';
import { TransientError } from '../../shared/domain/failure.js';
import { fail } from '../contracts/fail.js';
import { apiCall, bodyOf, type CallOptions, named, pipelineHeaders } from '../fakes/api-call.js';
import { createWorld, holdsSecret, jobToken, traces, type World } from '../fakes/world.js';
import { documented } from '../support/documented.js';

const post = async (world: World, options: CallOptions = {}, articleRoute = false): Promise<ApiResponse> =>
  documented(
    articleRoute ? 'requestAgentAsArticle' : 'requestAgent',
    await whenStorageIsAway(world.log, askForAgent(world, { articleRoute }))(apiCall(options)),
  );

const untouched = (world: World): void => {
  assert.equal(world.store.requests(), []);
  assert.equal(world.queue.calls, []);
  assert.equal(world.compute.calls, []);
  assert.equal(world.registry.calls, []);
  assert.equal(world.pipeline.calls, []);
};

/** Asks, and makes sure that the refusal names what it should and had no effect. */
async function refused(options: CallOptions, names: readonly string[], articleRoute = false): Promise<void> {
  const world = createWorld();
  const response = await post(world, options, articleRoute);
  assert.is(response.status, 400, response.body);
  assert.equal(named(response), names.toSorted(), response.body);
  untouched(world);
}

const accepting = suite('POST /api/agents: what is accepted');

accepting('an empty body asks for the first profile, over HTTP, without a pipeline', async () => {
  const world = createWorld();
  const response = await post(world);
  assert.is(response.status, 202);
  const body = bodyOf(response);
  assert.is(body['profile'], 'ubuntu');
  assert.is(body['state'], 'accepted');
  assert.match(String(body['requestId']), /^[0-9a-f]{32}$/);
  assert.is(
    response.headers['location'],
    `https://agents.example.com/api/agents/${String(body['requestId'])}`,
  );
  assert.ok(Number(response.headers['retry-after']) > 0);
  assert.match(response.headers['content-type'] ?? '', /^application\/json/);
  assert.is(response.headers['idempotent-replay'], undefined);
  const [row, ...others] = world.store.requests();
  assert.equal(others, []);
  assert.is(row?.image, 'registry.example.com/azdo-agent:ubuntu-24.04-azdo');
  assert.is(row?.timeoutMinutes, 30);
  assert.is(row?.callback, undefined);
  assert.equal(world.queue.sent, [JSON.stringify({ version: 1, requestId: body['requestId'] })]);
});

accepting('a call costs one write and one send, and reads nothing, whoever asks', async () => {
  for (const options of [{}, { body: { requestId: 'nightly-42' } }, { headers: pipelineHeaders }]) {
    const world = createWorld();
    await post(world, options);
    const calls = [...world.store.calls, ...world.queue.calls].map(({ method }) => method);
    // The limits list the live requests once, in the background.
    assert.equal(
      calls.filter(method => method !== 'live'),
      ['insert', 'send'],
    );
  }
});

accepting('every field is kept as it was asked for', async () => {
  const world = createWorld();
  const body = {
    profile: 'windows',
    requestId: 'nightly-42',
    capabilities: { AGENT_FOR: '42', 'Some.Thing': 'grün 漢字' },
    timeoutMinutes: 120,
    attempt: '1.1',
    callback: false,
    tags: { team: 'build', 'any thing': '' },
  };
  const response = await post(world, { body });
  assert.is(response.status, 202, response.body);
  const [row] = world.store.requests();
  assert.is(row?.requestId, 'nightly-42');
  assert.is(row?.devOpsPool, 'Private Windows');
  assert.equal(row?.capabilities, body.capabilities);
  assert.equal(row?.tags, body.tags);
  assert.is(row?.timeoutMinutes, 120);
  assert.equal(bodyOf(response)['tags'], body.tags);
});

accepting('a byte order mark or white space around the JSON does no harm', async () => {
  for (const text of ['\uFEFF{"profile":"windows"}', ' \r\n{"profile":"windows"}\n']) {
    const response = await post(createWorld(), { body: text });
    assert.is(response.status, 202, response.body);
    assert.is(bodyOf(response)['profile'], 'windows');
  }
  assert.is((await post(createWorld(), { body: ' \n' })).status, 202);
});

accepting('names that objects inherit are ordinary names for tags', async () => {
  const world = createWorld();
  const tags = { constructor: 'a', toString: 'b', hasOwnProperty: 'c', prototype: 'd' };
  const response = await post(world, { body: { tags } });
  assert.is(response.status, 202, response.body);
  assert.equal({ ...world.store.requests()[0]?.tags }, tags);
});

accepting('a pipeline waits unless it says otherwise', async () => {
  const waits = async (body: unknown, articleRoute = false): Promise<boolean> => {
    const world = createWorld();
    const response = await post(world, { body, headers: pipelineHeaders }, articleRoute);
    assert.is(response.status, 202, response.body);
    const [row] = world.store.requests();
    assert.is(row?.pipeline?.planId, pipelineHeaders['PlanId']);
    return row?.callback !== undefined;
  };
  assert.ok(await waits({}));
  assert.ok(await waits({ callback: true }));
  assert.not.ok(await waits({ callback: false }));
  assert.not.ok(await waits({ AgentOSType: 'ubuntu-latest' }));
  assert.not.ok(await waits({}, true));
  assert.ok(await waits({ callback: true }, true));
  assert.ok(await waits({ AgentOSType: 'ubuntu-latest', callback: true }));
  assert.ok(await waits({ AgentOSType: null, AgentBuildType: null }));
});

accepting('the article’s body is mapped to a profile and an image tag', async () => {
  const asked = async (body: unknown, articleRoute: boolean): Promise<readonly [unknown, unknown]> => {
    const world = createWorld();
    const response = await post(world, { body }, articleRoute);
    assert.is(response.status, 202, response.body);
    const [row] = world.store.requests();
    return [row?.profile, row?.image.split(':')[1]];
  };
  const cases: readonly (readonly [unknown, string, string])[] = [
    [{ AgentOSType: 'ubuntu-18.04' }, 'ubuntu', 'ubuntu-22.04-azdo'],
    [{ AgentOSType: 'ubuntu-latest', AgentBuildType: '' }, 'ubuntu', 'ubuntu-24.04-azdo'],
    [{ AgentOSType: 'windows-latest' }, 'windows', 'windows-core-ltsc2022-azdo'],
    [
      { AgentOSType: 'windows-latest', AgentBuildType: 'net60' },
      'windows',
      'windows-core-ltsc2022-azdo-net60',
    ],
    [{ AgentOSType: 'something else', AgentBuildType: 'netcore31' }, 'ubuntu', 'ubuntu-24.04-azdo-netcore31'],
    [{ AgentOSType: 'constructor' }, 'ubuntu', 'ubuntu-24.04-azdo'],
    [{ AgentBuildType: 'net60' }, 'ubuntu', 'ubuntu-24.04-azdo-net60'],
    [{ AgentOSType: null, AgentBuildType: null }, 'ubuntu', 'ubuntu-24.04-azdo'],
  ];
  for (const [body, profile, tag] of cases) {
    assert.equal(await asked(body, true), [profile, tag], JSON.stringify(body));
    assert.equal(await asked(body, false), [profile, tag], JSON.stringify(body));
  }
  assert.equal(await asked(undefined, true), ['ubuntu', 'ubuntu-24.04-azdo']);
  assert.equal(await asked({ profile: 'windows' }, true), ['windows', 'windows-core-ltsc2022-azdo']);
});

accepting('the largest of everything is still taken, and its message fits the queue', async () => {
  const world = createWorld();
  const capabilities = Object.fromEntries(
    Array.from({ length: 16 }, (_, index) => [`C${index}`, 'x'.repeat(1_000)]),
  );
  const tags = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`t${index}`, 'y'.repeat(512)]));
  const response = await post(world, { body: { capabilities, tags, attempt: 'z'.repeat(256) } });
  assert.is(response.status, 202, response.body);
  assert.is(world.queue.sent.length, 1);
});

accepting.run();

const refusing = suite('POST /api/agents: what is refused');

refusing('every field has its rule', async () => {
  const wrong: readonly (readonly [string, readonly unknown[]])[] = [
    ['profile', ['', 'x'.repeat(65), 'macos', 1, null, 'constructor', '__proto__']],
    ['requestId', ['', 'UPPER', '-a', 'a_b', 'a'.repeat(41), 'a/b', 1, '$(Build.BuildId)', 'ä']],
    ['timeoutMinutes', [0, 0.5, 121, -1, '30', null, true]],
    ['attempt', ['a'.repeat(257), 1, null, {}]],
    ['callback', ['true', 1, null]],
    ['capabilities', [[], 'a', null, 1]],
    ['tags', [[], 'a', null, 1]],
    ['AgentOSType', [1, 'a'.repeat(65), {}]],
    ['AgentBuildType', [1, 'a'.repeat(41), 'a b', 'a/b', 'a:b', '../x']],
  ];
  for (const [field, values] of wrong) {
    for (const value of values) await refused({ body: { [field]: value } }, [`body ${field}`]);
  }
});

refusing('capabilities can not steer the container or break its environment', async () => {
  const reserved = [
    'PATH',
    'path',
    'AZDO_TOKEN',
    'azdo_url',
    'AZ_BATCH_NODE_ID',
    'VSTS_AGENT',
    'SYSTEM_X',
    'LD_PRELOAD',
  ];
  const odd = ['', '1A', 'A B', 'A=B', 'A-B', 'Ä', 'a'.repeat(129), 'constructor', 'prototype'];
  for (const name of [...reserved, ...odd, 'NODE_OPTIONS', 'http_proxy', 'BASH_ENV']) {
    await refused({ body: { capabilities: { [name]: 'x' } } }, [`body capabilities.${name}`]);
  }
  for (const value of ['a\nb', '\u0000', 'a\u007f', 'x'.repeat(1_024), 1, null]) {
    await refused({ body: { capabilities: { OK: value } } }, ['body capabilities.OK']);
  }
  const many = (count: number, value: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`C${index}`, value]));
  await refused({ body: { capabilities: many(65, '') } }, ['body capabilities']);
  await refused({ body: { capabilities: many(64, 'x'.repeat(300)) } }, ['body capabilities']);
});

refusing('tags have limits', async () => {
  const many = (count: number, value: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, value]));
  await refused({ body: { tags: many(33, '') } }, ['body tags']);
  await refused({ body: { tags: many(32, 'x'.repeat(300)) } }, ['body tags']);
  await refused({ body: { tags: { a: 'x'.repeat(513) } } }, ['body tags.a']);
  await refused({ body: { tags: { ['n'.repeat(65)]: '' } } }, [`body tags.${'n'.repeat(65)}`]);
  await refused({ body: { tags: { a: 1 } } }, ['body tags.a']);
});

refusing('limits count bytes, so that what is accepted always fits the queue', async () => {
  // Under 64 KiB as a body and under the limits if they counted characters; too large for a queue with its id.
  const capabilities = Object.fromEntries(
    Array.from({ length: 16 }, (_, index) => [`C${index}`, '漢'.repeat(1_000)]),
  );
  await refused({ body: { capabilities } }, ['body capabilities']);
  const tags = Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`t${index}`, '漢'.repeat(500)]));
  await refused({ body: { tags } }, ['body tags']);
});

refusing('unknown fields, inherited names and __proto__ are refused by name', async () => {
  await refused({ body: { Profile: 'ubuntu', colour: 'red' } }, ['body Profile', 'body colour']);
  await refused({ body: { constructor: {}, toString: 1 } }, ['body constructor', 'body toString']);
  await refused({ body: '{"__proto__":{"profile":"ubuntu"}}' }, ['body __proto__']);
  await refused({ body: '{"tags":{"__proto__":"x"}}' }, ['body __proto__']);
  await refused({ body: String.raw`{"tags":{"\u005f_proto__":"x"}}` }, ['body __proto__']);
  await refused({ body: '{"capabilities":{"__proto__":"x"}}' }, ['body __proto__']);
  await refused({ body: { version: 1 } }, ['body version']);
  await refused({ body: { replyQueue: 'agent-replies' } }, ['body replyQueue']);
});

refusing('a body that is no JSON object', async () => {
  for (const body of [
    '{',
    'profile=ubuntu',
    "{'profile':'ubuntu'}",
    '{"profile":"ubuntu",}',
    'NaN',
    '{}{}',
  ]) {
    await refused({ body }, ['body']);
  }
  for (const body of ['[]', 'null', '"ubuntu"', '1', 'true', '[{"profile":"ubuntu"}]']) {
    await refused({ body }, ['body']);
  }
  await refused({ body: '['.repeat(30_000) + ']'.repeat(30_000) }, ['body']);
});

refusing('a body that is not UTF-8, rather than guessing at what it meant', async () => {
  const body = Buffer.concat([
    Buffer.from('{"tags":{"name":"M'),
    Buffer.from([0xfc]),
    Buffer.from('ller"}}'),
  ]);
  await refused({ body }, ['body']);
  await refused({ body: Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]) }, ['body']);
});

refusing('a body over 64 KiB, with its length told beforehand or not', async () => {
  const large = `{"tags":{}}${' '.repeat(64 * 1024)}`;
  for (const headers of [{}, { 'content-length': String(large.length) }]) {
    const world = createWorld();
    const response = await post(world, { body: large, headers });
    assert.is(response.status, 413);
    assert.is(bodyOf(response)['code'], 'BodyTooLarge');
    assert.match(response.headers['content-type'] ?? '', /^application\/problem\+json/);
    untouched(world);
  }
  const world = createWorld();
  const unread = {
    ...apiCall({ headers: { 'content-length': '99999999' } }),
    arrayBuffer: async () => fail('a body that is announced as too large was read'),
  };
  assert.is((await askForAgent(world, { articleRoute: false })(unread)).status, 413);
  const fits = `{"tags":{}}${' '.repeat(64 * 1024 - 11)}`;
  assert.is((await post(createWorld(), { body: fits })).status, 202);
});

refusing('pipeline headers come all together or not at all', async () => {
  const names = Object.keys(pipelineHeaders);
  for (const missing of names) {
    const headers = Object.fromEntries(Object.entries(pipelineHeaders).filter(([name]) => name !== missing));
    await refused({ headers }, [`header ${missing}`]);
    await refused({ headers: { ...pipelineHeaders, [missing]: ' ' } }, [`header ${missing}`]);
    await refused(
      { headers: { [missing]: pipelineHeaders[missing] ?? '' } },
      names.filter(name => name !== missing).map(name => `header ${name}`),
    );
  }
});

refusing('a header that is malformed, or a macro that was never expanded', async () => {
  const guids = ['ProjectId', 'PlanId', 'JobId', 'TimelineId', 'TaskInstanceId'];
  for (const name of guids) {
    for (const value of [
      '1',
      'not-a-guid',
      `$(system.${name})`,
      '../../x',
      `${pipelineHeaders[name] ?? ''}0`,
    ]) {
      await refused({ headers: { ...pipelineHeaders, [name]: value } }, [`header ${name}`]);
    }
  }
  await refused({ headers: { ...pipelineHeaders, HubName: 'a/b' } }, ['header HubName']);
  await refused({ headers: { ...pipelineHeaders, HubName: '$(system.HostType)' } }, ['header HubName']);
  await refused({ headers: { ...pipelineHeaders, AuthToken: 'two words' } }, ['header AuthToken']);
  await refused({ headers: { ...pipelineHeaders, AuthToken: '$(system.AccessToken)' } }, [
    'header AuthToken',
  ]);
  await refused(
    { headers: Object.fromEntries(Object.keys(pipelineHeaders).map(name => [name, `$(${name})`])) },
    Object.keys(pipelineHeaders).map(name => `header ${name}`),
  );
});

refusing('a PlanUrl that would carry the token to somebody else', async () => {
  const bad = [
    'https://evil.example.com/contoso/',
    'https://dev.azure.com.evil.example.com/',
    'https://dev.azure.com@evil.example.com/',
    'https://user:pass@dev.azure.com/contoso/',
    'https://dev.azure.com:8443/contoso/',
    'http://dev.azure.com/contoso/',
    'http://127.0.0.1:1234/',
    'ftp://dev.azure.com/',
    'javascript:alert(1)',
    '//dev.azure.com/contoso/',
    'contoso',
    '$(system.CollectionUri)',
    'https://dev.azure.com/contoso/?x=1',
    'https://dev.azure.com/contoso/#x',
  ];
  for (const PlanUrl of bad) await refused({ headers: { ...pipelineHeaders, PlanUrl } }, ['header PlanUrl']);
});

refusing('callback true without a pipeline, and a profile beside the article’s fields', async () => {
  await refused({ body: { callback: true } }, ['body callback']);
  await refused({ body: { profile: 'ubuntu', AgentOSType: 'ubuntu-latest' } }, ['body profile']);
  await refused({ body: { profile: 'ubuntu', AgentBuildType: 'net60' } }, ['body profile'], true);
});

refusing('a mapping to a profile that is not configured gives no other system instead', async () => {
  const world = createWorld({ env: { AzDOWindowsPool: '' } });
  const response = await post(world, { body: { AgentOSType: 'windows-latest' } });
  assert.is(response.status, 400);
  assert.equal(named(response), ['body AgentOSType']);
  untouched(world);
});

refusing('everything that is wrong is named at once, in body and headers alike', async () => {
  const { PlanId: _, ...headers } = pipelineHeaders;
  await refused(
    {
      body: { timeoutMinutes: 0, colour: 'red', tags: { a: 1 }, capabilities: { PATH: 'x', OK: 'a\n' } },
      headers: { ...headers, PlanUrl: 'https://evil.example.com/', JobId: 'x' },
    },
    [
      'body capabilities.OK',
      'body capabilities.PATH',
      'body colour',
      'body tags.a',
      'body timeoutMinutes',
      'header JobId',
      'header PlanId',
      'header PlanUrl',
    ],
  );
  await refused({ body: '{', headers: { ...pipelineHeaders, JobId: 'x' } }, ['body', 'header JobId']);
});

refusing('a profile that is not configured is named beside fields that are malformed', async () => {
  await refused({ body: { profile: 'macos', timeoutMinutes: 0 } }, ['body profile', 'body timeoutMinutes']);
  await refused({ body: { callback: true, colour: 'red' } }, ['body callback', 'body colour']);
  await refused({ body: { profile: 'ubuntu', AgentOSType: 'ubuntu-latest', tags: 1, callback: true } }, [
    'body callback',
    'body profile',
    'body tags',
  ]);
  await refused({ body: '{"profile":"macos","__proto__":1}' }, ['body __proto__', 'body profile']);
});

refusing('the answer is a problem of RFC 9457 that says what is wrong', async () => {
  const response = await post(createWorld(), { body: { timeoutMinutes: 0, profile: 1 } });
  assert.match(response.headers['content-type'] ?? '', /^application\/problem\+json/);
  const problem = bodyOf(response);
  assert.is(problem['status'], 400);
  assert.is(problem['code'], 'InvalidRequest');
  assert.ok(String(problem['title']).length > 10);
  assert.match(String(problem['detail']), /timeoutMinutes/);
  assert.match(String(problem['detail']), /profile/);
});

refusing('a limit is told in words', async () => {
  for (const [body, said] of [
    [{ timeoutMinutes: 500 }, 'must be at most 120'],
    [{ timeoutMinutes: 0 }, 'must be at least 1'],
    [{ attempt: 'x'.repeat(5_000) }, 'must have at most 256 characters'],
  ] as const) {
    const response = await post(createWorld(), { body });
    assert.match(JSON.stringify(bodyOf(response)['errors']), `"detail":"${said}"`);
  }
});

refusing('a refusal does not repeat the token', async () => {
  const world = createWorld();
  const response = await post(world, { body: { colour: 1 }, headers: { ...pipelineHeaders, PlanUrl: 'x' } });
  assert.is(response.status, 400);
  assert.not.ok(holdsSecret(response.body));
  assert.not.ok(holdsSecret(traces(world)));
});

refusing.run();

const repeating = suite('POST /api/agents: repeats');

const fromPipeline: CallOptions = { body: { attempt: '1.1' }, headers: pipelineHeaders };
const idOf = async (options: CallOptions): Promise<string> =>
  String(bodyOf(await post(createWorld(), options))['requestId']);

repeating('the same call derives the same id; another token, attempt or task another', async () => {
  const id = await idOf(fromPipeline);
  assert.match(id, /^[a-z0-9][a-z0-9-]{0,39}$/);
  assert.is(await idOf(fromPipeline), id);
  assert.is(
    await idOf({
      ...fromPipeline,
      headers: { ...pipelineHeaders, PlanUrl: 'https://dev.azure.com/contoso' },
    }),
    id,
  );
  const others = await Promise.all([
    idOf({ ...fromPipeline, body: { attempt: '1.2' } }),
    idOf({ ...fromPipeline, body: {} }),
    ...['AuthToken'].map(name => idOf({ ...fromPipeline, headers: { ...pipelineHeaders, [name]: 'other' } })),
    ...['ProjectId', 'PlanId', 'JobId', 'TimelineId', 'TaskInstanceId'].map(name =>
      idOf({
        ...fromPipeline,
        headers: { ...pipelineHeaders, [name]: '00000000-0000-4000-8000-000000000000' },
      }),
    ),
  ]);
  assert.is(new Set([id, ...others]).size, others.length + 1);
});

repeating('without a pipeline each call is a request of its own', async () => {
  const world = createWorld();
  await Promise.all([post(world), post(world), post(world)]);
  assert.is(world.store.requests().length, 3);
});

repeating('a repeat of a request that is alive joins it', async () => {
  const world = createWorld();
  const first = await post(world, fromPipeline);
  const again = await post(world, fromPipeline);
  assert.is(again.status, 202);
  assert.is(again.headers['idempotent-replay'], 'true');
  assert.is(again.body, first.body);
  assert.is(again.headers['location'], first.headers['location']);
  assert.is(world.store.requests().length, 1);
});

repeating('a repeat sends the message again only while nobody has taken the first', async () => {
  const world = createWorld();
  await post(world, fromPipeline);
  await post(world, fromPipeline);
  assert.is(world.queue.sent.length, 2);
  assert.is(world.queue.sent[0], world.queue.sent[1]);

  const id = world.store.requests()[0]?.requestId ?? '';
  const stored = await world.store.get(id);
  await beginLifecycle(world, stored ?? fail('the request is not in the table'));
  const again = await post(world, fromPipeline);
  assert.is(again.status, 202);
  assert.is(world.queue.sent.length, 2);
});

repeating('two identical calls at the same moment make one request', async () => {
  const world = createWorld();
  const answers = await Promise.all([
    post(world, fromPipeline),
    post(world, fromPipeline),
    post(world, fromPipeline),
  ]);
  assert.equal(
    answers.map(({ status }) => status),
    [202, 202, 202],
  );
  assert.is(new Set(answers.map(answer => bodyOf(answer)['requestId'])).size, 1);
  assert.is(world.store.requests().length, 1);
  assert.is(new Set(world.queue.sent).size, 1);
  assert.is(answers.filter(({ headers }) => headers['idempotent-replay'] === undefined).length, 1);
});

async function endIt(world: World, acknowledgedAt: string | undefined): Promise<void> {
  const [row] = world.store.requests();
  const stored = await world.store.get(row?.requestId ?? '');
  if (!stored) throw new Error('There is nothing to end.');
  await world.store.replace(stored, {
    ...stored.request,
    state: 'completed',
    attempt: 2,
    endedAt: stored.request.updatedAt,
    callback: stored.request.callback && { result: 'succeeded', acknowledgedAt },
  });
}

repeating('a repeat of an ended request answers with it and starts nothing', async () => {
  const world = createWorld();
  const options = { body: { requestId: 'nightly-42' } };
  await post(world, options);
  await endIt(world, undefined);
  const again = await post(world, options);
  assert.is(again.status, 200);
  assert.is(again.headers['idempotent-replay'], 'true');
  assert.is(again.headers['location'], 'https://agents.example.com/api/agents/nightly-42');
  assert.is(bodyOf(again)['state'], 'completed');
  assert.is(world.queue.sent.length, 1);
  assert.is(world.store.requests()[0]?.generation, 1);
});

repeating('a repeat that overtakes the end of its request is answered with the end', async () => {
  const world = createWorld();
  const options = { body: { requestId: 'nightly-42' } };
  await post(world, options);
  world.store.beforeNext('get', async () => endIt(world, undefined));
  const again = await post(world, options);
  assert.is(again.status, 200);
  assert.is(bodyOf(again)['state'], 'completed');
});

repeating('a pipeline whose completion was not acknowledged has nothing new to ask', async () => {
  const world = createWorld();
  await post(world, fromPipeline);
  await endIt(world, undefined);
  assert.is((await post(world, fromPipeline)).status, 200);
  assert.is(world.queue.sent.length, 1);
});

repeating('a pipeline that has acknowledged asks anew: the next generation begins', async () => {
  const world = createWorld();
  await post(world, fromPipeline);
  await endIt(world, '2026-01-31T10:01:00.000Z');
  world.clock.advance(60_000);
  const answers = await Promise.all([post(world, fromPipeline), post(world, fromPipeline)]);
  assert.equal(
    answers.map(({ status }) => status),
    [202, 202],
  );
  const [row, ...others] = world.store.requests();
  assert.equal(others, []);
  assert.is(row?.generation, 2);
  assert.is(row?.state, 'accepted');
  assert.is(row?.firstAttempt, 3);
  assert.is(row?.callback?.acknowledgedAt, undefined);
  assert.is(world.seal.unseal(row?.requestId ?? '', row?.callback?.sealedToken ?? ''), jobToken);
  assert.ok(world.queue.sent.length >= 2);
  assert.is(new Set(world.queue.sent).size, 1);
});

repeating('a pipeline that does not wait any more starts nothing by repeating', async () => {
  const world = createWorld();
  await post(world, fromPipeline);
  await endIt(world, '2026-01-31T10:01:00.000Z');
  const again = await post(world, { ...fromPipeline, body: { attempt: '1.1', callback: false } });
  assert.is(again.status, 200);
});

repeating('what is kept is accepted even while the queue is away, and its repeat queues it', async () => {
  const world = createWorld();
  world.queue.failNext('send', new TransientError('StorageUnavailable', 'intake', 'The queue is away.'));
  assert.is((await post(world, fromPipeline)).status, 202);
  assert.equal(world.queue.sent, []);
  const again = await post(world, fromPipeline);
  assert.is(again.status, 202);
  assert.is(world.queue.sent.length, 1);
  assert.is(world.store.requests().length, 1);
});

repeating('when the table is away nothing is queued', async () => {
  for (const when of ['before', 'after'] as const) {
    const world = createWorld();
    world.store.failNext('insert', new TransientError('StorageUnavailable', 'intake', 'Away.'), 1, when);
    assert.is((await post(world, fromPipeline)).status, 503);
    assert.equal(world.queue.sent, []);
    assert.is((await post(world, fromPipeline)).status, 202);
    assert.is(world.queue.sent.length, 1);
    assert.is(world.store.requests().length, 1);
  }
});

repeating.run();

const token = suite('POST /api/agents: the job token');

token('is kept sealed, for this request alone, and is to be read nowhere', async () => {
  const world = createWorld();
  const answers = [await post(world, fromPipeline), await post(world, fromPipeline)];
  world.queue.failNext('send', new TransientError('StorageUnavailable', 'intake', 'Away.'));
  answers.push(await post(world, { ...fromPipeline, body: { attempt: '2' } }));
  const [row] = world.store.requests();
  const sealed = row?.callback?.sealedToken ?? '';
  assert.is(world.seal.unseal(row?.requestId ?? '', sealed), jobToken);
  assert.is(world.seal.unseal('another', sealed), undefined);
  assert.not.ok(holdsSecret(traces(world)), 'the token is to be found in what is stored, queued or logged');
  assert.not.ok(holdsSecret(JSON.stringify(answers)), 'the token is to be found in an answer');
  assert.ok(holdsSecret(`x${Buffer.from(`ab${jobToken}c`).toString('base64')}`), 'the search finds base64');
});

token('of a pipeline that does not wait is not kept at all', async () => {
  const world = createWorld();
  await post(world, { ...fromPipeline, body: { callback: false } });
  assert.is(world.store.requests()[0]?.callback, undefined);
  assert.not.ok(holdsSecret(traces(world)));
});

token.run();
