import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readSources } from '../../scripts/checks/read-sources.js';
import { root } from '../../scripts/root.js';
import { apiProblemCodes, problemCodes, problems } from '../../shared/answers/problem-codes.js';
import { askForAgent } from '../../shared/api/ask-for-agent.js';
import { cancelRequest } from '../../shared/api/cancel-request.js';
import { listDeadLetters, settleDeadLetters, showDeadLetter } from '../../shared/api/dead-letters.js';
import { showEvents } from '../../shared/api/events.js';
import { showOverview } from '../../shared/api/overview.js';
import { changePlaceholders, showPlaceholders } from '../../shared/api/placeholders.js';
import { type ApiResponse, json } from '../../shared/api/problem.js';
import { listRequests, showRequest } from '../../shared/api/show-request.js';
import { whenStorageIsAway } from '../../shared/api/when-storage-is-away.js';
import { TransientError } from '../../shared/domain/failure.js';
import { eventFeed } from '../../shared/operations/events.js';
import { recentRequests } from '../../shared/operations/recent-requests.js';
import { showPools } from '../../shared/operations/show-pools.js';
import { apiCall, bodyOf, type CallOptions } from '../fakes/api-call.js';
import { haveDeadLetter } from '../fakes/dead-letters.js';
import { createFakeRequestSurvey } from '../fakes/request-survey.js';
import { createWorld, type World } from '../fakes/world.js';
import { documented, operations, problemsOf } from '../support/documented.js';

type Away = (world: World, error: TransientError) => void;
const storage =
  (method: 'get' | 'insert' | 'list' | 'live'): Away =>
  (world, error) =>
    world.store.failNext(method, error, 5);
const devOps =
  (method: 'hasPlaceholder' | 'removePlaceholder'): Away =>
  (world, error) =>
    world.registry.failNext(method, error, 5);

/** One for each world, so that what is away is away for the handler. */
const surveys = new WeakMap<World, ReturnType<typeof createFakeRequestSurvey>>();
const surveyOf = (world: World): ReturnType<typeof createFakeRequestSurvey> => {
  const survey = surveys.get(world) ?? createFakeRequestSurvey(world.store.table);
  surveys.set(world, survey);
  return survey;
};
const survey =
  (method: 'digests' | 'lives'): Away =>
  (world, error) =>
    surveyOf(world).failNext(method, error, 5);

type Handler = (world: World) => Parameters<typeof whenStorageIsAway>[1];

interface Provoked {
  readonly handler: Handler;
  readonly byCall?: Readonly<Record<string, CallOptions>>;
  /** What is away when it is asked, each by itself. */
  readonly away: readonly Away[];
  /** A call that would do. */
  readonly good: CallOptions;
}

const ended = { params: { requestId: 'r-1' } };
const tooLarge = { body: 'x'.repeat(70_000) };
const ask = (articleRoute: boolean): Provoked => ({
  handler: world => askForAgent(world, { articleRoute }),
  byCall: {
    InvalidRequest: { body: { timeoutMinutes: 0 } },
    BodyTooLarge: tooLarge,
    TooManyWaiting: { body: {} },
  },
  away: [storage('insert')],
  good: { body: {} },
});
const settle = (action: string): Provoked => ({
  handler: settleDeadLetters,
  byCall: {
    InvalidRequest: { params: { action }, body: { requestIds: [] } },
    BodyTooLarge: { params: { action }, ...tooLarge },
  },
  away: [storage('get')],
  good: { params: { action }, body: { requestIds: ['r-1'] } },
});

const changePools = (action: string): Provoked => ({
  handler: changePlaceholders,
  byCall: {
    InvalidRequest: { params: { action }, body: { devOpsPools: [] } },
    BodyTooLarge: { params: { action }, ...tooLarge },
  },
  away: [devOps(action === 'ensure' ? 'hasPlaceholder' : 'removePlaceholder')],
  good: { params: { action }, body: action === 'ensure' ? {} : { devOpsPools: ['Nobody names it'] } },
});

/** How each operation is made to give each of its problems. */
const provoked: Readonly<Record<string, Provoked>> = {
  requestAgent: ask(false),
  requestAgentAsArticle: ask(true),
  getAgent: {
    handler: showRequest,
    byCall: {
      InvalidRequest: { ...ended, query: { wait: 'x' } },
      RequestNotFound: { params: { requestId: 'nobody' } },
    },
    away: [storage('get')],
    good: ended,
  },
  listAgents: {
    handler: listRequests,
    byCall: { InvalidRequest: { query: { top: 'x' } } },
    away: [storage('list')],
    good: {},
  },
  cancelAgent: {
    handler: cancelRequest,
    byCall: { RequestNotFound: { params: { requestId: 'nobody' } }, RequestEnded: ended },
    away: [storage('get')],
    good: ended,
  },
  listDeadLetters: {
    handler: listDeadLetters,
    byCall: { InvalidRequest: { query: { code: '?' } } },
    away: [storage('list')],
    good: {},
  },
  getDeadLetter: {
    handler: showDeadLetter,
    byCall: { DeadLetterNotFound: { params: { requestId: 'nobody' } } },
    away: [storage('get')],
    good: ended,
  },
  getPools: {
    handler: world => async () => json(200, await showPools(world)(world.orchestrations)),
    away: [storage('live')],
    good: {},
  },
  getOverview: {
    handler: world => showOverview({ ...world, recent: recentRequests(surveyOf(world), world.clock) }),
    byCall: { InvalidRequest: { query: { hours: 'x' } } },
    away: [survey('digests')],
    good: {},
  },
  listEvents: {
    handler: world => showEvents({ ...world, feed: eventFeed(surveyOf(world), world.clock) }),
    byCall: { InvalidRequest: { query: { after: '?' } } },
    away: [survey('lives')],
    good: {},
  },
  listPlaceholders: { handler: showPlaceholders, away: [devOps('hasPlaceholder')], good: {} },
  ensurePlaceholders: changePools('ensure'),
  removePlaceholders: changePools('remove'),
  redriveDeadLetters: settle('redrive'),
  purgeDeadLetters: settle('purge'),
};

/** A world with an ended request, in which nothing more may wait. */
async function worldOf(): Promise<World> {
  const one = { devOpsPool: 'Private Linux', batchPool: 'b', image: 'i' };
  const world = createWorld({
    env: { AgentProfiles: JSON.stringify({ ubuntu: { ...one, maxWaiting: 1 } }) },
  });
  await haveDeadLetter(world);
  return world;
}

const perOperation = suite('the problems of an operation');

for (const [operationId, { handler, byCall = {}, away, good }] of Object.entries(provoked)) {
  perOperation(`are those that ${operationId} gives, and no others`, async () => {
    const given: string[] = [];
    const call = async (world: World, options: CallOptions): Promise<ApiResponse> =>
      documented(operationId, await whenStorageIsAway(world.log, handler(world))(apiCall(options)));
    for (const [code, options] of Object.entries(byCall)) {
      const world = await worldOf();
      if (code === 'TooManyWaiting') await call(world, good);
      const answer = await call(world, options);
      assert.is(bodyOf(answer)['code'], code, answer.body);
      given.push(code);
    }
    for (const take of away) {
      const world = await worldOf();
      take(world, new TransientError('StorageUnavailable', 'intake', 'Away.'));
      given.push(String(bodyOf(await call(world, good))['code']));
    }
    assert.equal([...new Set(given)].toSorted(), problemsOf(operationId).toSorted());
  });
}

perOperation('are those of an answer that the document knows', () => {
  const odd: ApiResponse = {
    status: 404,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify({ title: 't', status: 404, detail: 'd', code: 'DeadLetterNotFound' }),
  };
  assert.throws(() => documented('getAgent', odd), /code/);
  assert.throws(() => documented('getAgent', { ...odd, status: 418 }), /does not know that status/);
});

perOperation.run();

const all = suite('the codes of problems');

all('are in the document, all of them and no other', () => {
  const inDocument = new Set([...operations.keys()].flatMap(problemsOf));
  assert.equal([...inDocument, 'MethodNotAllowed'].toSorted(), apiProblemCodes.toSorted());
});

all('are given somewhere in the product, each of them', async () => {
  const text = [...(await readSources(root))]
    .filter(([path]) => /^(?:shared|functions)\//.test(path) && !path.startsWith('shared/openapi/'))
    .map(([, source]) => source)
    .join('\n');
  for (const code of problemCodes) assert.match(text, new RegExp(`problem\\(\\s*'${code}'`), code);
});

all('are in the page about the API, with their statuses', async () => {
  const page = await readFile(join(root, '.github', 'docs', 'api.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([A-Z]\w+)` \| (\d{3}) \|/gm)].map(
    ([, code, status]) => `${code} ${status}`,
  );
  assert.equal(rows.toSorted(), apiProblemCodes.map(code => `${code} ${problems[code][0]}`).toSorted());
});

all.run();
