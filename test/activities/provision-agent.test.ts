import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { provisionAgent } from '../../shared/activities/provision-agent.js';
import { changeRequest } from '../../shared/change-request.js';
import { TransientError } from '../../shared/domain/failure.js';
import { advance } from '../../shared/domain/lifecycle.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import type { Provisioned } from '../../shared/workflow/contract.js';
import { fail } from '../contracts/fail.js';
import { somePipeline } from '../fakes/requests.js';
import {
  agentsToken,
  createWorld,
  haveRequest,
  holdsSecret,
  linuxPool,
  traces,
  type World,
  waitingPipeline,
} from '../fakes/world.js';

const ref = { requestId: 'r-1', generation: 1, attempt: 1 } as const;
const provision = (world: World, attempt = 1): Promise<Provisioned> =>
  provisionAgent(world)({ ...ref, attempt, attempts: 3 });
const row = async (world: World): Promise<AgentRequest> =>
  (await world.store.get('r-1'))?.request ?? fail('the request is gone');
const at = '2026-01-31T10:00:01.000Z';

const test = suite('provisionAgent');

test('makes one task, named after the request and its attempt, watched from then on', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', { capabilities: { AGENT_FOR: '42' }, timeoutMinutes: 20 });
  assert.equal(await provision(world), { kind: 'created', phase: 'starting' });
  const [task, ...others] = world.compute.tasks();
  assert.equal(others, []);
  assert.equal(task, {
    profile: 'ubuntu',
    day: '20260131',
    poolId: 'batchLinux',
    taskId: 'r-1-1',
    image: 'azdo-agent:ubuntu-24.04-azdo',
    os: 'linux',
    slots: 1,
    environment: {
      AGENT_FOR: '42',
      AZDO_URL: 'https://dev.azure.com/contoso/',
      AZDO_POOL: linuxPool,
      AZDO_AGENT: 'r-1-1',
      AZDO_AGENT_DISPOSE: 'true',
      AZDO_EXPIRES_AT: '2026-01-31T10:20:00.000Z',
      AZDO_IDLE_MINUTES: '15',
      AZDO_TOKEN: agentsToken,
    },
    maxWallClockMinutes: 20 + 72 * 60,
  });
  const request = await row(world);
  assert.is(request.state, 'starting');
  assert.is(request.agentName, 'r-1-1');
  assert.is(request.batch?.taskId, 'r-1-1');
  assert.equal(
    request.history.map(({ state }) => state),
    ['accepted', 'provisioning', 'starting'],
  );
  assert.ok(world.orchestrations.watched.has(linuxPool));
});

test('tells a waiting pipeline how far it is, and makes no placeholder for it', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', waitingPipeline(world));
  await provision(world);
  assert.is(world.pipeline.lines.length, 2);
  assert.match(
    world.pipeline.lines[0] ?? '',
    /^Request r-1: asking for an agent of profile ubuntu, attempt 1 of 3\.$/,
  );
  assert.match(
    world.pipeline.lines[1] ?? '',
    /^Agent r-1-1 is queued in Batch pool .+; waiting for a node\.$/,
  );
  assert.equal(world.registry.agents(linuxPool), []);
  assert.not.ok(holdsSecret(traces(world)));
});

test('makes nothing for a run that is over', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', waitingPipeline(world));
  world.pipeline.endPlan(somePipeline.planId);
  assert.equal(await provision(world), {
    kind: 'runOver',
    reason: 'TaskOrchestrationPlanTerminatedException',
  });
  assert.equal(world.compute.tasks(), []);
});

test('says in the history and to the pipeline what a person has to do, once', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', waitingPipeline(world));
  const disabled = new TransientError('JobDisabled', 'createTask', 'Its job is disabled.', 60_000);
  world.compute.failNext('createTask', disabled, 2);
  for (let tries = 0; tries < 2; tries += 1) {
    await provision(world).then(
      () => assert.unreachable(),
      (error: unknown) => assert.is(error, disabled),
    );
  }
  const notes = (await row(world)).history.filter(
    ({ detail }) => detail === 'JobDisabled: Its job is disabled.',
  );
  assert.is(notes.length, 1);
  assert.match(
    world.pipeline.lines.join('\n'),
    /^Held up: Its job is disabled \(JobDisabled\)\. Ask the platform team to enable .*\. It is tried again by itself\.$/m,
  );
  assert.is((await provision(world)).kind, 'created');
});

test('makes the placeholder that keeps the job of a pipeline that does not wait from failing', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted');
  await provision(world);
  assert.equal(
    world.registry.agents(linuxPool).map(({ name, online }) => [name, online]),
    [['azdo-batch-agents-placeholder-linux', false]],
  );
});

test('gives an agent that signs in with its node’s identity no token', async () => {
  const profile = {
    devOpsPool: linuxPool,
    batchPool: 'batchLinux',
    image: 'azdo-agent:x',
    agentAuth: 'identity',
  };
  const world = createWorld({ env: { AgentProfiles: JSON.stringify({ ubuntu: profile }) } });
  await haveRequest(world, 'accepted');
  await provision(world);
  const [task] = world.compute.tasks();
  assert.ok(task?.environment['AZDO_URL']);
  assert.not.ok('AZDO_TOKEN' in (task?.environment ?? {}));
  assert.not.ok(holdsSecret(traces(world), agentsToken));
});

test('lets an agent that no job comes for leave by itself, later than the app would take it back', async () => {
  for (const [idleMinutes, given] of [
    [60, '65'],
    [0.5, '5.5'],
  ] as const) {
    const profile = { devOpsPool: linuxPool, batchPool: 'batchLinux', image: 'azdo-agent:x', idleMinutes };
    const world = createWorld({ env: { AgentProfiles: JSON.stringify({ ubuntu: profile }) } });
    await haveRequest(world, 'accepted');
    await provision(world);
    assert.is(world.compute.tasks()[0]?.environment['AZDO_IDLE_MINUTES'], given);
  }
});

test('keeps the token of agents out of the row, the log and the pipeline', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', waitingPipeline(world));
  await provision(world);
  const seen = JSON.stringify([world.store.calls, world.log.lines, world.pipeline.calls, world.queue.calls]);
  assert.not.ok(holdsSecret(seen, agentsToken));
});

test('gives Batch whole minutes, whatever the caller asked for', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', { timeoutMinutes: 1.5 });
  await provision(world);
  assert.is(world.compute.tasks()[0]?.maxWallClockMinutes, 2 + 72 * 60);
});

test('says what to do about an agent pool that is missing, and makes no task', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', { devOpsPool: 'No such pool' });
  const answer = await provision(world);
  if (answer.kind !== 'rejected') fail(answer.kind);
  assert.is(answer.failure.code, 'AgentPoolMissing');
  assert.is(answer.failure.retryable, false);
  assert.match(answer.failure.message, /"No such pool".*Create the agent pool/);
  assert.equal(world.compute.tasks(), []);
  assert.is((await row(world)).state, 'provisioning');
});

test('gives on what Batch refuses, and says when the profile is gone', async () => {
  const world = createWorld();
  world.compute.missingPools.add('batchLinux');
  await haveRequest(world, 'accepted');
  const refused = await provision(world);
  assert.is(refused.kind === 'rejected' && refused.failure.code, 'PoolMissing');

  const other = createWorld();
  await haveRequest(other, 'accepted', { profile: 'retired' });
  const gone = await provision(other);
  assert.is(gone.kind === 'rejected' && gone.failure.code, 'ProfileMissing');
  assert.equal(other.compute.tasks(), []);
});

test('finds a task that was made before the host died', async () => {
  const world = createWorld();
  await haveRequest(world, 'provisioning');
  world.compute.failNext('createTask', new Error('The answer was lost.'), 1, 'after');
  await provision(world).then(
    () => assert.unreachable(),
    () => {},
  );
  assert.equal(await provision(world), { kind: 'created', phase: 'starting' });
  assert.is(world.compute.tasks().length, 1);
});

test('goes on where the attempt is, and has it watched', async () => {
  for (const phase of ['starting', 'online', 'busy'] as const) {
    const world = createWorld();
    const before = await haveRequest(world, phase);
    assert.equal(await provision(world), { kind: 'created', phase });
    assert.equal(await row(world), before);
    assert.ok(world.orchestrations.watched.has(linuxPool));
    assert.is(world.compute.callsOf('createTask').length, 1, 'the one that was there');
  }
});

test('makes nothing for a request that is cancelled, ended, further on or begun anew', async () => {
  const cases: readonly (readonly [Partial<AgentRequest>, Provisioned['kind']])[] = [
    [{ cancelRequestedAt: at }, 'cancelled'],
    [{ state: 'expired' }, 'superseded'],
    [{ state: 'provisioning', attempt: 2 }, 'superseded'],
    [{ generation: 2 }, 'superseded'],
  ];
  for (const [changes, kind] of cases) {
    const world = createWorld();
    const before = await haveRequest(world, 'accepted', changes);
    assert.equal(await provision(world), { kind });
    assert.equal(world.compute.tasks(), []);
    assert.equal(await row(world), before);
  }
});

test('takes the task back when the request has ended while it was made', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted');
  world.compute.beforeNext('createTask', () =>
    changeRequest(world.store, ref, request =>
      advance(request, { to: 'cancelled', at, detail: 'Cancelled by request.' }),
    ),
  );
  assert.equal(await provision(world), { kind: 'superseded' });
  assert.equal(world.compute.tasks(), []);
  assert.is((await row(world)).state, 'cancelled');
});

test('a cancellation that comes while the task is made finds it in the row', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted');
  world.compute.beforeNext('createTask', () =>
    changeRequest(world.store, ref, request => ({ ...request, cancelRequestedAt: at })),
  );
  assert.is((await provision(world)).kind, 'created');
  const request = await row(world);
  assert.is(request.batch?.taskId, 'r-1-1');
  assert.is(request.cancelRequestedAt, at);
});

test('a second run that lags behind leaves an agent that works by now alone', async () => {
  for (const further of ['online', 'busy'] as const) {
    const world = createWorld();
    await haveRequest(world, 'provisioning');
    world.compute.beforeNext('createTask', async () => {
      await provision(world);
      await changeRequest(world.store, ref, request => advance(request, { to: 'online', at, detail: '' }));
      if (further === 'busy') {
        await changeRequest(world.store, ref, request => advance(request, { to: 'busy', at, detail: '' }));
      }
    });
    assert.equal(await provision(world), { kind: 'created', phase: further });
    assert.is(world.compute.tasks().length, 1, 'the task of a working agent was deleted');
    assert.is((await row(world)).state, further);
  }
});

test.run();
