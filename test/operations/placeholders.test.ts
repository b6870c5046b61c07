import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { provisionAgent } from '../../shared/activities/provision-agent.js';
import { placeholderResultsSchema, placeholdersSchema } from '../../shared/answers/placeholders.js';
import { changePlaceholders, showPlaceholders } from '../../shared/api/placeholders.js';
import { reconcile } from '../../shared/dispatch/reconcile.js';
import { newReconcileMemory } from '../../shared/dispatch/reconcile-memory.js';
import { TransientError } from '../../shared/domain/failure.js';
import { apiCall, bodyOf, named } from '../fakes/api-call.js';
import { createWorld, haveRequest, linuxPool, type World, windowsPool } from '../fakes/world.js';

const settle = async (world: World, action: string, devOpsPools?: readonly string[]) => {
  const body = devOpsPools && { devOpsPools };
  const answer = await changePlaceholders(world)(apiCall({ params: { action }, body }));
  assert.is(answer.status, 200, answer.body);
  return placeholderResultsSchema.parse(bodyOf(answer)).results;
};
const outcomes = async (...asked: Parameters<typeof settle>) =>
  (await settle(...asked)).map(({ devOpsPool, outcome }) => [devOpsPool, outcome]);
const list = async (world: World) =>
  placeholdersSchema.parse(bodyOf(await showPlaceholders(world)())).placeholders;
const notKept = { KeepPlaceholders: 'false' };
const linux = 'azdo-batch-agents-placeholder-linux';

const placeholders = suite('/api/placeholders');

placeholders('lists one for each pool and system that profiles name, there or not', async () => {
  const world = createWorld();
  await world.registry.ensurePlaceholder(linuxPool, 'linux');
  assert.equal(await list(world), [
    { devOpsPool: linuxPool, agentName: linux, present: true, kept: true },
    {
      devOpsPool: windowsPool,
      agentName: 'azdo-batch-agents-placeholder-windows',
      present: false,
      kept: true,
    },
  ]);
  const gone = createWorld({ env: { ...notKept, AzDOUbuntuPool: 'No such pool', AzDOWindowsPool: '' } });
  assert.equal(await list(gone), [
    { devOpsPool: 'No such pool', agentName: linux, present: false, kept: false },
  ]);
});

placeholders('ensures and removes them, however often, once nobody keeps them', async () => {
  const world = createWorld({ env: notKept });
  assert.equal(await outcomes(world, 'ensure'), [
    [linuxPool, 'present'],
    [windowsPool, 'present'],
  ]);
  assert.is(world.registry.agents(windowsPool).length, 1);
  assert.equal(await outcomes(world, 'ensure', [windowsPool.toUpperCase()]), [[windowsPool, 'present']]);
  for (const outcome of ['removed', 'absent']) {
    assert.equal(await outcomes(world, 'remove', [linuxPool]), [[linuxPool, outcome]]);
  }
  assert.equal(world.registry.agents(linuxPool), []);
});

placeholders('refuses to remove what would be made again, and says what to do', async () => {
  const world = createWorld();
  await world.registry.ensurePlaceholder(linuxPool, 'linux');
  const [result] = await settle(world, 'remove', [linuxPool]);
  assert.is(result?.outcome, 'refused');
  assert.match(result?.detail ?? '', /made again within 20 seconds.*Set KeepPlaceholders to false/);
  assert.is(world.registry.agents(linuxPool).length, 1);
});

placeholders('clears a pool that no profile names any more, and makes none there', async () => {
  const world = createWorld({ env: { AzDOWindowsPool: '' } });
  await world.registry.ensurePlaceholder(windowsPool, 'windows');
  assert.equal(await outcomes(world, 'ensure', [windowsPool, 'nowhere']), [
    [windowsPool, 'refused'],
    ['nowhere', 'refused'],
  ]);
  assert.equal(await outcomes(world, 'remove', [windowsPool, 'nowhere']), [
    [windowsPool, 'removed'],
    ['nowhere', 'poolMissing'],
  ]);
  assert.equal(await outcomes(world, 'remove', [windowsPool]), [[windowsPool, 'absent']]);
});

placeholders('with KeepPlaceholders false nobody makes one but who asks for it', async () => {
  for (const [env, expected] of [
    [notKept, 0],
    [{ KeepPlaceholders: 'TRUE' }, 1],
  ] as const) {
    const world = createWorld({ env });
    await reconcile(world, newReconcileMemory())();
    assert.is(world.registry.agents(linuxPool).length, expected);
    const other = createWorld({ env });
    await haveRequest(other, 'accepted');
    await provisionAgent(other)({ requestId: 'r-1', generation: 1, attempt: 1, attempts: 3 });
    assert.is(other.registry.agents(linuxPool).length, expected);
  }
});

placeholders('says that Azure DevOps is away, and not that storage is', async () => {
  const world = createWorld();
  const away = new TransientError('AzDOUnavailable', 'registration', 'Azure DevOps answered 503.');
  world.registry.failNext('hasPlaceholder', away, 10);
  for (const answer of [
    await showPlaceholders(world)(),
    await changePlaceholders(world)(apiCall({ params: { action: 'ensure' } })),
  ]) {
    assert.equal([answer.status, bodyOf(answer)['code']], [503, 'AzDOUnavailable']);
    assert.match(answer.body, 'Azure DevOps answered 503.');
  }
});

placeholders('names what is wrong with a call, and does nothing', async () => {
  const world = createWorld();
  const call = async (action: string, body?: unknown) =>
    named(await changePlaceholders(world)(apiCall({ params: { action }, body })));
  assert.equal(await call('destroy'), ['path action']);
  assert.equal(await call('ensure', { devOpsPools: [] }), ['body devOpsPools']);
  assert.equal(await call('ensure', { pools: ['a'], devOpsPools: [1] }), [
    'body devOpsPools.0',
    'body pools',
  ]);
  assert.equal(await call('remove', 'not json'), ['body']);
  assert.equal(world.registry.calls, []);
});

placeholders.run();
