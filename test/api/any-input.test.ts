import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ApiRequest } from '../../shared/api/api-request.js';
import { askForAgent } from '../../shared/api/ask-for-agent.js';
import { cancelRequest } from '../../shared/api/cancel-request.js';
import { listDeadLetters, settleDeadLetters, showDeadLetter } from '../../shared/api/dead-letters.js';
import type { ApiResponse } from '../../shared/api/problem.js';
import { listRequests, showRequest } from '../../shared/api/show-request.js';
import { requestStates } from '../../shared/domain/request.js';
import { apiCall, bodyOf, named, pipelineHeaders } from '../fakes/api-call.js';
import { createWorld, haveRequest, holdsSecret, traces, type World } from '../fakes/world.js';
import { judgedCall } from '../support/broken-calls.js';
import { inputs, oddBytes, oddHeader, oddText, seed, shareOf, someToken } from '../support/junk.js';

const fields = [
  'profile',
  'requestId',
  'capabilities',
  'timeoutMinutes',
  'attempt',
  'callback',
  'tags',
  'AgentOSType',
  'AgentBuildType',
];

const run = { seed, numRuns: inputs } as const;
const planUrl = pipelineHeaders['PlanUrl'] ?? '';

/** Every answer is one that a program can read: a success, or a problem that names what is wrong. */
function mustBeReadable(response: ApiResponse): Record<string, unknown> {
  assert.ok(response.status >= 200 && response.status < 500, response.body);
  const body = bodyOf(response);
  const type = response.headers['content-type'] ?? '';
  if (response.status < 300) {
    assert.match(type, /^application\/json/);
    return body;
  }
  assert.match(type, /^application\/problem\+json/);
  assert.is(body['status'], response.status);
  for (const name of ['title', 'detail', 'code']) assert.type(body[name], 'string');
  if (response.status === 400) assert.ok(named(response).length > 0);
  for (const [name, value] of Object.entries(response.headers)) {
    assert.match(`${name}${value}`, /^[\x20-\x7e]+$/);
  }
  return body;
}

function objectOf(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  return Object.fromEntries(Object.entries(value ?? {}));
}

function mustHaveNoEffect(world: World): void {
  assert.equal(world.store.requests(), []);
  for (const port of [world.queue, world.compute, world.registry, world.pipeline, world.orchestrations]) {
    assert.is(port.calls.length, 0);
  }
}

/** What was asked for is what is kept and queued, and not a word more. */
function mustBeKept(world: World, asked: Readonly<Record<string, unknown>>, articleRoute: boolean): void {
  const [row, ...others] = world.store.requests();
  assert.is(others.length, 0);
  assert.is(world.queue.sent.length, 1);
  assert.is(world.orchestrations.calls.length, 0);
  assert.equal({ ...row?.tags }, { ...Object(asked['tags'] ?? {}) });
  assert.equal({ ...row?.capabilities }, { ...Object(asked['capabilities'] ?? {}) });
  assert.is(row?.timeoutMinutes, asked['timeoutMinutes'] ?? 30);
  if (asked['requestId'] !== undefined) assert.is(row?.requestId, asked['requestId']);
  if (asked['profile'] !== undefined) assert.is(row?.profile, asked['profile']);
  const { callback: _, ...told } = asked;
  const byRoute =
    articleRoute &&
    ['profile', 'AgentOSType', 'AgentBuildType'].every(name => (told[name] ?? undefined) === undefined);
  const message: unknown = {
    ...told,
    ...(byRoute ? { AgentOSType: '' } : {}),
    version: 1,
    requestId: row?.requestId,
  };
  assert.equal(JSON.parse(world.queue.sent[0] ?? ''), JSON.parse(JSON.stringify(message)));
}

const postsOfEach = shareOf(2);

for (const articleRoute of [false, true]) {
  const route = articleRoute ? '/api/ProvideAzDOAgent' : '/api/agents';
  const test = suite(`POST ${route}: ${postsOfEach} of each, seed ${seed}`);
  const post = async (call: ApiRequest, world: World): Promise<ApiResponse> =>
    askForAgent(world, { articleRoute })(call);

  test('junk in every size and encoding is answered and, if refused, without effect', async () => {
    const seen = new Map<number, number>();
    const someHeaders = fc.array(
      fc.tuple(fc.constantFrom(...Object.keys(pipelineHeaders), 'content-length', 'x-odd'), oddHeader),
      { maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(
        oddBytes(fields),
        fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, someHeaders),
        someToken,
        async (body, headers, token) => {
          const world = createWorld();
          const sent: [string, string][] = headers.map(([name, value]) => [name, value]);
          if (sent.length > 0) sent.push(['AuthToken', token]);
          const response = await post(apiCall({ body, headers: sent }), world);
          seen.set(response.status, (seen.get(response.status) ?? 0) + 1);
          mustBeReadable(response);
          if (response.status === 202) {
            const text = new TextDecoder().decode(body).trim();
            mustBeKept(world, objectOf(text === '' ? '{}' : text), articleRoute);
          } else {
            assert.ok([400, 413].includes(response.status), String(response.status));
            mustHaveNoEffect(world);
          }
          assert.not.ok(holdsSecret(response.body + traces(world), token));
        },
      ),
      { seed, numRuns: postsOfEach },
    );
    for (const status of [202, 400, 413]) {
      assert.ok((seen.get(status) ?? 0) >= 10, `hardly any ${status}: ${JSON.stringify([...seen])}`);
    }
  });

  test('of a call with any number of faults exactly these are named; without one it is kept', async () => {
    await fc.assert(
      fc.asyncProperty(judgedCall(planUrl), async ({ body, headers, wrong, token }) => {
        const world = createWorld();
        const response = await post(apiCall({ body, headers }), world);
        mustBeReadable(response);
        if (wrong.length > 0) {
          assert.is(response.status, 400);
          assert.equal(named(response), wrong);
          mustHaveNoEffect(world);
        } else {
          assert.is(response.status, 202, response.body);
          mustBeKept(world, body, articleRoute);
          const waits = token !== undefined && body['callback'] === undefined && !articleRoute;
          const sealed = world.store.requests()[0]?.callback?.sealedToken;
          assert.is(sealed !== undefined, waits);
        }
        if (token !== undefined) assert.not.ok(holdsSecret(response.body + traces(world), token));
      }),
      { seed, numRuns: postsOfEach },
    );
  });

  test.run();
}

const lookups = suite(`GET and DELETE: ${inputs} of each, seed ${seed}`);
const oddQuery = (names: readonly string[]) =>
  fc.array(fc.tuple(fc.constantFrom(...names), oddText), { maxLength: 6 });

lookups('GET of one is the request, or says what is wrong with the id or the wait', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting');
  const before = JSON.stringify(world.store.requests());
  const ids = fc.oneof(fc.constantFrom('r-1', 'R-1', 'r-1 ', 'r-2'), oddText);
  const waits = fc.oneof(
    oddText,
    fc.double({ min: -5, max: 30 }).map(String),
    fc.constantFrom('25', '25.1', '1'),
  );
  await fc.assert(
    fc.asyncProperty(ids, fc.option(waits), async (requestId, wait) => {
      const query: Record<string, string> = wait === null ? {} : { wait };
      const response = await showRequest(world)(apiCall({ params: { requestId }, query }));
      mustBeReadable(response);
      const waitIsWrong = wait !== null && !(/^\d+(\.\d+)?$/.test(wait) && Number(wait) <= 25);
      if (waitIsWrong) assert.equal(named(response), ['query wait']);
      else assert.is(response.status, requestId === 'r-1' ? 200 : 404);
    }),
    run,
  );
  assert.is(JSON.stringify(world.store.requests()), before);
});

lookups(
  'GET of the list names every query parameter that makes no sense, the continuation, too',
  async () => {
    const world = createWorld();
    for (let index = 0; index < 5; index += 1) {
      await haveRequest(world, 'accepted', { requestId: `r-${index}` });
    }
    const first = await listRequests(world)(apiCall({ query: { top: '2' } }));
    const ours = String(bodyOf(first)['continuation']);
    const pick = (good: readonly string[]): fc.Arbitrary<string | null> =>
      fc.option(fc.oneof(fc.constantFrom(...good), oddText));
    const query = fc.record({
      state: pick(requestStates),
      profile: pick(['ubuntu', 'windows']),
      top: pick(['1', '50', '200', '201', '0', '1.5']),
      continuation: pick([ours, `${ours}=`, ours.slice(1)]),
    });
    await fc.assert(
      fc.asyncProperty(query, async asked => {
        const given = Object.entries(asked).filter((pair): pair is [string, string] => pair[1] !== null);
        const response = await listRequests(world)(apiCall({ query: given }));
        mustBeReadable(response);
        const { state, profile, top, continuation } = asked;
        const wrong = [
          ...(continuation === null || continuation === ours ? [] : ['query continuation']),
          ...(profile === null || /^[a-z0-9][a-z0-9-]{0,19}$/.test(profile) ? [] : ['query profile']),
          ...(state === null || requestStates.some(each => each === state) ? [] : ['query state']),
          ...(top === null || (/^\d+$/.test(top) && Number(top) >= 1 && Number(top) <= 200)
            ? []
            : ['query top']),
        ];
        if (wrong.length > 0) assert.equal(named(response), wrong);
        else assert.is(response.status, 200);
      }),
      run,
    );
  },
);

lookups('DELETE takes back what there is and nothing else', async () => {
  const idsAndQuery = fc.tuple(
    fc.oneof({ weight: 1, arbitrary: fc.constant('r-1') }, { weight: 9, arbitrary: oddText }),
    oddQuery(['wait', 'code', 'x']),
    fc.uint8Array({ maxLength: 20 }),
  );
  const calm = createWorld();
  await haveRequest(calm, 'online', { requestId: 'r-2' });
  const before = JSON.stringify(calm.store.requests());
  await fc.assert(
    fc.asyncProperty(idsAndQuery, async ([requestId, query, body]) => {
      const response = await cancelRequest(calm)(apiCall({ params: { requestId }, query, body }));
      mustBeReadable(response);
      assert.is(response.status, 404);
    }),
    run,
  );
  assert.is(JSON.stringify(calm.store.requests()), before);
  assert.is(calm.orchestrations.calls.length, 0);
});

lookups(
  'the routes of dead letters say what is wrong, and settle nothing that they were not asked to',
  async () => {
    const world = createWorld();
    await haveRequest(world, 'online');
    const before = JSON.stringify(world.store.requests());
    const actions = fc.oneof({ weight: 8, arbitrary: fc.constantFrom('redrive', 'purge') }, oddText);
    const bodies = oddBytes(['requestIds', 'dryRun']);
    await fc.assert(
      fc.asyncProperty(
        actions,
        bodies,
        oddQuery(['code', 'profile', 'top', 'continuation']),
        async (action, body, query) => {
          mustBeReadable(await settleDeadLetters(world)(apiCall({ params: { action }, body })));
          mustBeReadable(await showDeadLetter(world)(apiCall({ params: { requestId: action } })));
          const listed = await listDeadLetters(world)(apiCall({ query }));
          mustBeReadable(listed);
          if (query.some(([name]) => name === 'continuation')) {
            assert.ok(named(listed).includes('query continuation'), listed.body);
          }
        },
      ),
      run,
    );
    assert.is(JSON.stringify(world.store.requests()), before);
    assert.is(world.queue.calls.length, 0);
  },
);

lookups.run();
