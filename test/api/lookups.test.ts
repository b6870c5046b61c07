import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cancelRequest } from '../../shared/api/cancel-request.js';
import { health } from '../../shared/api/health.js';
import { methodNotAllowed } from '../../shared/api/method-not-allowed.js';
import type { ApiResponse } from '../../shared/api/problem.js';
import { listRequests, showRequest } from '../../shared/api/show-request.js';
import { changeRequest } from '../../shared/change-request.js';
import { TransientError } from '../../shared/domain/failure.js';
import type { AgentRequest, RequestState } from '../../shared/domain/request.js';
import { apiCall, bodyOf, named } from '../fakes/api-call.js';
import { createFakeClock } from '../fakes/clock.js';
import { someRequest } from '../fakes/requests.js';
import {
  createWorld,
  haveRequest,
  holdsSecret,
  traces,
  type World,
  waitingPipeline,
} from '../fakes/world.js';
import { documented } from '../support/documented.js';

const show = async (world: World, requestId: string, wait?: string): Promise<ApiResponse> => {
  const call = apiCall({ params: { requestId }, query: wait === undefined ? {} : { wait } });
  return documented('getAgent', await showRequest(world)(call));
};

const setState = (world: World, state: RequestState): Promise<AgentRequest | undefined> =>
  changeRequest(world.store, { requestId: 'r-1', generation: 1 }, row => ({ ...row, state }));

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

const showing = suite('GET /api/agents/{requestId}');

showing('shows a request as the contract says, without anything of the callback', async () => {
  const world = createWorld();
  await haveRequest(world, 'online', { ...waitingPipeline(world), tags: { team: 'a' } });
  const response = await show(world, 'r-1');
  assert.is(response.status, 200);
  assert.equal(Object.keys(bodyOf(response)).toSorted(), [
    'agentName',
    'attempt',
    'batch',
    'createdAt',
    'devOpsPool',
    'endedAt',
    'failure',
    'history',
    'links',
    'onlineAt',
    'profile',
    'requestId',
    'state',
    'tags',
    'timings',
    'updatedAt',
  ]);
  const sealed = (await world.store.get('r-1'))?.request.callback?.sealedToken ?? '?';
  assert.not.ok(response.body.includes(sealed));
  assert.not.ok(holdsSecret(response.body));
});

showing('says that there is no such request, whatever the id looks like', async () => {
  const world = createWorld();
  for (const id of ['nobody', '', 'UPPER', '../x', 'a'.repeat(200), "x' or true", '__proto__']) {
    const response = await show(world, id);
    assert.is(response.status, 404, id);
    assert.is(bodyOf(response)['code'], 'RequestNotFound');
  }
});

showing('refuses a wait that is no number of seconds up to 25', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting');
  for (const wait of ['', '-1', '25.1', '26', 'x', 'NaN', 'Infinity', '1e9', '5s']) {
    const response = await show(world, 'r-1', wait);
    assert.is(response.status, 400, wait);
    assert.equal(named(response), ['query wait']);
  }
});

showing('answers at once without a wait', async () => {
  const world = createWorld({ clock: createFakeClock(undefined, 'wait') });
  await haveRequest(world, 'starting');
  assert.is((await show(world, 'r-1')).status, 200);
  assert.is((await show(world, 'r-1', '0')).status, 200);
  assert.equal(world.clock.sleeps, []);
});

showing('waits as long as it was told when nothing changes, and no longer', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting');
  const before = world.clock.now().getTime();
  const response = await show(world, 'r-1', '7.2');
  assert.is(response.status, 200);
  assert.is(world.clock.now().getTime() - before, 7_200);
});

showing('answers early when the state changes', async () => {
  const world = createWorld({ clock: createFakeClock(undefined, 'wait') });
  await haveRequest(world, 'starting');
  let answer: ApiResponse | undefined;
  const asking = show(world, 'r-1', '25').then(response => (answer = response));
  await settled();
  world.clock.advance(2_000);
  await settled();
  assert.is(answer, undefined, 'nothing has changed yet');
  await setState(world, 'online');
  world.clock.advance(1_000);
  await asking;
  assert.is(answer && bodyOf(answer)['state'], 'online');
});

showing('does not wait for what has ended', async () => {
  const world = createWorld({ clock: createFakeClock(undefined, 'wait') });
  await haveRequest(world, 'starting');
  await setState(world, 'cancelled');
  assert.is(bodyOf(await show(world, 'r-1', '25'))['state'], 'cancelled');
  assert.equal(world.clock.sleeps, []);
});

showing.run();

const listing = suite('GET /api/agents');

async function filled(): Promise<World> {
  const world = createWorld();
  const windows = { profile: 'windows', devOpsPool: 'Private Windows' };
  for (const [index, changes] of [{}, windows, {}, { state: 'completed' } as const].entries()) {
    await world.store.insert(
      someRequest({ requestId: `r-${index}`, createdAt: `2026-01-31T10:00:0${index}.000Z`, ...changes }),
      new Uint8Array(),
    );
  }
  return world;
}

const list = async (world: World, query: Record<string, string>): Promise<readonly [string, unknown]> => {
  const response = documented('listAgents', await listRequests(world)(apiCall({ query })));
  assert.is(response.status, 200, response.body);
  const { requests, continuation } = bodyOf(response);
  if (!Array.isArray(requests)) throw new Error(response.body);
  const ids = requests.map((each: unknown) =>
    String(Object.fromEntries(Object.entries(each ?? {}))['requestId']),
  );
  return [ids.join(' '), continuation];
};

listing('lists the newest first, filters and pages', async () => {
  const world = await filled();
  assert.equal(await list(world, {}), ['r-3 r-2 r-1 r-0', null]);
  assert.equal(await list(world, { profile: 'windows' }), ['r-1', null]);
  assert.equal(await list(world, { state: 'completed' }), ['r-3', null]);
  assert.equal(await list(world, { state: 'accepted', profile: 'ubuntu' }), ['r-2 r-0', null]);
  const [first, continuation] = await list(world, { top: '3' });
  assert.is(first, 'r-3 r-2 r-1');
  assert.equal(await list(world, { top: '3', continuation: String(continuation) }), ['r-0', null]);
});

listing('names every bad query value at once', async () => {
  const world = await filled();
  const response = await listRequests(world)(
    apiCall({ query: { state: 'sleeping', profile: 'A B', top: '201' } }),
  );
  assert.is(response.status, 400);
  assert.equal(named(response), ['query profile', 'query state', 'query top']);
  for (const [name, values] of [
    ['state', ['', 'Accepted', 'constructor']],
    ['profile', ['', "o'neill", '-a', 'a'.repeat(21)]],
    ['top', ['', '0', '-1', '1.5', 'x', '201', 'Infinity']],
    ['continuation', ['', 'x', 'bm90LW91cnM', "' or true"]],
  ] as const) {
    for (const value of values) {
      const one = documented('listAgents', await listRequests(world)(apiCall({ query: { [name]: value } })));
      assert.is(one.status, 400, `${name}=${value}`);
      assert.equal(named(one), [`query ${name}`]);
    }
  }
});

listing.run();

const cancelling = suite('DELETE /api/agents/{requestId}');

const cancel = async (world: World, requestId = 'r-1'): Promise<ApiResponse> =>
  documented('cancelAgent', await cancelRequest(world)(apiCall({ params: { requestId } })));

cancelling('writes the wish down and tells the orchestration', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting');
  world.orchestrations.running.set('r-1', {});
  const response = await cancel(world);
  assert.is(response.status, 202);
  assert.is(bodyOf(response)['requestId'], 'r-1');
  assert.is((await world.store.get('r-1'))?.request.cancelRequestedAt, world.clock.now().toISOString());
  assert.equal(world.orchestrations.raised, [
    { requestId: 'r-1', situation: { kind: 'cancel', attempt: 1 } },
  ]);
});

cancelling('twice is once: the first wish stands, its event is repeated', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting');
  world.orchestrations.running.set('r-1', {});
  await cancel(world);
  const first = (await world.store.get('r-1'))?.request;
  world.clock.advance(5_000);
  assert.is((await cancel(world)).status, 202);
  assert.equal((await world.store.get('r-1'))?.request, first);
  assert.is(world.orchestrations.raised.length, 2);
});

cancelling('works before anything has been started', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted');
  assert.is((await cancel(world)).status, 202);
  assert.ok((await world.store.get('r-1'))?.request.cancelRequestedAt);
});

cancelling('an ended request can not be cancelled, and is left as it is', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting');
  const ended = await setState(world, 'expired');
  const response = await cancel(world);
  assert.is(response.status, 409);
  assert.is(bodyOf(response)['code'], 'RequestEnded');
  assert.match(String(bodyOf(response)['detail']), /expired/);
  assert.equal((await world.store.get('r-1'))?.request, ended);
  assert.equal(world.orchestrations.raised, []);
});

cancelling('one that ends in that very moment has ended', async () => {
  const world = createWorld();
  await haveRequest(world, 'busy');
  world.store.beforeNext('replace', () => setState(world, 'completed'));
  assert.is((await cancel(world)).status, 409);
  assert.is((await world.store.get('r-1'))?.request.cancelRequestedAt, undefined);
});

cancelling('what is not there can not be cancelled', async () => {
  const world = createWorld();
  for (const id of ['nobody', '', 'UPPER', '../r-1']) assert.is((await cancel(world, id)).status, 404, id);
});

cancelling.run();

const healthy = suite('GET /api/health');

const dependencies = (response: ApiResponse): unknown => bodyOf(response)['dependencies'];

healthy('tells what can be reached', async () => {
  const response = await health(createWorld({ clock: createFakeClock(undefined, 'wait') }))();
  assert.is(response.status, 200);
  assert.is(bodyOf(response)['status'], 'healthy');
  assert.equal(dependencies(response), {
    storage: { reachable: true },
    batch: { reachable: true },
    azureDevOps: { reachable: true },
  });
});

healthy('tells what can not, and nothing about why or where', async () => {
  const world = createWorld({ clock: createFakeClock(undefined, 'wait') });
  const secret = 'https://account.region.batch.azure.com refused the-batch-key';
  world.compute.failNext('ping', new TransientError('BatchUnavailable', 'createTask', secret));
  world.registry.failNext('ping', new Error(secret));
  const response = await health(world)();
  assert.is(response.status, 200);
  assert.is(bodyOf(response)['status'], 'degraded');
  assert.equal(dependencies(response), {
    storage: { reachable: true },
    batch: { reachable: false },
    azureDevOps: { reachable: false },
  });
  assert.not.match(response.body, /http|key|refused|azure\.com/);
  assert.not.match(traces(world), /the-batch-key/);
});

healthy('gives a service that does not answer three seconds, and then up', async () => {
  const clock = createFakeClock(undefined, 'wait');
  const world = createWorld({ clock });
  world.compute.beforeNext('ping', () => new Promise(() => {}));
  let answer: ApiResponse | undefined;
  const asking = health(world)().then(response => (answer = response));
  await settled();
  clock.advance(2_900);
  await settled();
  assert.is(answer, undefined);
  clock.advance(200);
  await asking;
  assert.equal(answer && dependencies(answer), {
    storage: { reachable: true },
    batch: { reachable: false },
    azureDevOps: { reachable: true },
  });
});

healthy('asks the services at its own pace, however often it is asked', async () => {
  const clock = createFakeClock(undefined, 'wait');
  const world = createWorld({ clock });
  const check = health(world);
  await Promise.all(Array.from({ length: 50 }, check));
  clock.advance(9_000);
  await check();
  assert.is(world.compute.callsOf('ping').length, 1);
  assert.is(world.registry.callsOf('ping').length, 1);
  clock.advance(1_001);
  await check();
  assert.is(world.compute.callsOf('ping').length, 2);
});

healthy.run();

const methods = suite('other methods');

methods('are told which ones the route knows', () => {
  const response = methodNotAllowed(['GET', 'POST']);
  assert.is(response.status, 405);
  assert.is(response.headers['allow'], 'GET, POST');
  assert.is(bodyOf(response)['code'], 'MethodNotAllowed');
});

methods.run();
