import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { finishRequest } from '../../shared/activities/finish-request.js';
import { provisionAgent } from '../../shared/activities/provision-agent.js';
import { watchPool } from '../../shared/activities/watch-pool.js';
import { changeRequest } from '../../shared/change-request.js';
import { note } from '../../shared/domain/lifecycle.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import type { Told } from '../../shared/domain/watch.js';
import type { Provisioned } from '../../shared/workflow/contract.js';
import { fail } from '../contracts/fail.js';
import { somePipeline } from '../fakes/requests.js';
import {
  createLimits,
  createWorld,
  haveRequest,
  holdsSecret,
  linuxPool,
  traces,
  type World,
  waitingPipeline,
} from '../fakes/world.js';

const worldOf = (maxAlive = 1): World =>
  createWorld({
    env: {
      AgentProfiles: JSON.stringify({
        ubuntu: { devOpsPool: linuxPool, batchPool: 'b', image: 'i', maxAlive },
      }),
    },
  });

const at = (second: number): string => new Date(Date.UTC(2026, 0, 31, 10, 0, second)).toISOString();

/** A request whose orchestration has been started. */
async function waiting(world: World, number: number, changes: Partial<AgentRequest> = {}): Promise<void> {
  const requestId = `r-${number}`;
  const startClaimedAt = at(number);
  await haveRequest(world, 'accepted', { requestId, createdAt: at(number), startClaimedAt, ...changes });
  world.orchestrations.running.set(requestId, {});
}

const provision = (world: World, number: number): Promise<Provisioned> =>
  provisionAgent(world)({ requestId: `r-${number}`, generation: 1, attempt: 1, attempts: 3 });
const row = async (world: World, number: number): Promise<AgentRequest> =>
  (await world.store.get(`r-${number}`))?.request ?? fail(`r-${number} is gone`);
const cancel = (world: World, requestId: string) =>
  finishRequest(world)({
    requestId,
    generation: 1,
    attempt: 1,
    outcome: { state: 'cancelled', detail: 'Cancelled by request.' },
  });
const nudged = (world: World): readonly string[] =>
  world.orchestrations.raised.map(({ requestId, situation }) => `${requestId} ${situation.kind}`);

const deferring = suite('provisionAgent beyond maxAlive');

deferring(
  'leaves the request accepted, tells why once, and touches neither Batch nor Azure DevOps',
  async () => {
    const world = worldOf();
    await haveRequest(world, 'busy', { requestId: 'busy' });
    const before = world.compute.calls.length + world.registry.calls.length;
    await waiting(world, 1);
    await waiting(world, 2, waitingPipeline(world, 'r-2'));
    for (let asked = 0; asked < 3; asked += 1) assert.equal(await provision(world, 2), { kind: 'deferred' });

    const request = await row(world, 2);
    assert.is(request.state, 'accepted');
    assert.is(request.attempt, 0);
    assert.equal(
      request.history.map(({ state, detail }) => `${state}: ${detail}`),
      [
        'accepted: Asked for.',
        'accepted: Waits for a free place: profile ubuntu allows 1 agent at once (maxAlive), 1 of them in use; ' +
          '1 request is ahead. It begins by itself; its timeout counts from then.',
      ],
    );
    assert.equal(world.pipeline.lines, [request.history[1]?.detail]);
    assert.is(world.compute.calls.length + world.registry.calls.length, before);
    assert.ok(world.orchestrations.watched.has(linuxPool), 'nobody would tell it that a place is free');
    assert.not.ok(holdsSecret(traces(world)));
  },
);

deferring('begins when a place is free, with its whole time ahead of it', async () => {
  const world = worldOf();
  await waiting(world, 1);
  await waiting(world, 2);
  assert.equal(await provision(world, 1), { kind: 'created', phase: 'starting' });
  assert.equal(await provision(world, 2), { kind: 'deferred' });
  await cancel(world, 'r-1');
  world.clock.advance(10 * 3_600_000);
  assert.equal(await provision(world, 2), { kind: 'created', phase: 'starting' });
  const task = world.compute.tasks().find(({ taskId }) => taskId === 'r-2-1');
  assert.is(task?.environment['AZDO_EXPIRES_AT'], '2026-01-31T20:30:00.000Z');
});

deferring('a new attempt keeps its place, and a restarted step its task', async () => {
  const world = worldOf();
  await haveRequest(world, 'starting', { requestId: 'r-1' });
  await haveRequest(world, 'busy', { requestId: 'busy' });
  assert.equal(await provision(world, 1), { kind: 'created', phase: 'starting' });
  const again = { requestId: 'r-1', generation: 1, attempt: 2, attempts: 3 };
  assert.equal(await provisionAgent(world)(again), { kind: 'created', phase: 'starting' });
});

deferring('a cancelled request is not held back from its end', async () => {
  const world = worldOf();
  await haveRequest(world, 'busy', { requestId: 'busy' });
  await waiting(world, 1, { cancelRequestedAt: at(2) });
  assert.equal(await provision(world, 1), { kind: 'cancelled' });
});

deferring('a run that is over by then needs no place', async () => {
  const world = worldOf();
  await haveRequest(world, 'busy', { requestId: 'busy' });
  await waiting(world, 1, waitingPipeline(world));
  world.pipeline.endPlan(somePipeline.planId);
  assert.equal(await provision(world, 1), {
    kind: 'runOver',
    reason: 'TaskOrchestrationPlanTerminatedException',
  });
});

deferring('after a restart of the process it is held back as before, and told no second time', async () => {
  const world = worldOf();
  await haveRequest(world, 'busy', { requestId: 'busy' });
  await waiting(world, 1);
  await provision(world, 1);
  const restarted = { ...world, ...createLimits(world) };
  assert.equal(await provision(restarted, 1), { kind: 'deferred' });
  assert.is((await row(world, 1)).history.length, 2);
});

deferring.run();

const nudging = suite('watchPool with deferred requests');

const look = async (world: World, told: Told = {}): Promise<Told> =>
  (await watchPool(world)({ devOpsPool: linuxPool, told })).told;

nudging('tells the first that wait, as many as there are free places, once', async () => {
  const world = worldOf(3);
  for (const number of [1, 2, 3]) await haveRequest(world, 'starting', { requestId: `alive-${number}` });
  for (const number of [3, 1, 2]) {
    await waiting(world, number);
    await provision(world, number);
  }
  const told = await look(world);
  assert.equal(nudged(world), []);
  for (const requestId of ['alive-1', 'alive-2']) await cancel(world, requestId);
  const then = await look(world, told);
  assert.equal(nudged(world).toSorted(), ['r-1 admitted', 'r-2 admitted']);
  await look(world, then);
  assert.is(nudged(world).length, 2);
});

nudging('tells again what had no effect for some rounds', async () => {
  const world = worldOf();
  await haveRequest(world, 'starting', { requestId: 'alive' });
  await waiting(world, 1);
  await provision(world, 1);
  await cancel(world, 'alive');
  let told: Told = {};
  for (let round = 0; round < 8; round += 1) told = await look(world, told);
  assert.equal(nudged(world), ['r-1 admitted', 'r-1 admitted']);
});

nudging('keeps the place of one whose start is on its way, and tells it nothing', async () => {
  const world = worldOf();
  await haveRequest(world, 'starting', { requestId: 'alive' });
  await haveRequest(world, 'accepted', { requestId: 'unstarted', createdAt: at(0) });
  world.orchestrations.running.set('unstarted', {});
  await waiting(world, 1);
  await provision(world, 1);
  await cancel(world, 'alive');
  await look(world);
  assert.equal(nudged(world), []);
});

nudging('tells of a cancellation rather than of a place', async () => {
  const world = worldOf();
  await haveRequest(world, 'starting', { requestId: 'alive' });
  await waiting(world, 1);
  await provision(world, 1);
  await cancel(world, 'alive');
  await changeRequest(world.store, await row(world, 1), request =>
    note({ ...request, cancelRequestedAt: at(5) }, at(5), 'x'),
  );
  await look(world);
  assert.equal(nudged(world), ['r-1 cancel']);
});

nudging('looks at its normal pace while requests wait for a place', async () => {
  const world = worldOf();
  await haveRequest(world, 'starting', { requestId: 'alive' });
  await waiting(world, 1);
  await provision(world, 1);
  assert.is((await watchPool(world)({ devOpsPool: linuxPool, told: {} })).nextMs, 5_000);
});

nudging.run();
