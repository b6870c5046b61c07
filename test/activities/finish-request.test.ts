import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { finishRequest } from '../../shared/activities/finish-request.js';
import { retireAttempt } from '../../shared/activities/retire-attempt.js';
import { changeRequest } from '../../shared/change-request.js';
import { TransientError } from '../../shared/domain/failure.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import type { Finished, Outcome } from '../../shared/workflow/contract.js';
import { fail } from '../contracts/fail.js';
import { breakingAt } from '../fakes/breaking.js';
import { somePipeline } from '../fakes/requests.js';
import {
  createWorld,
  haveRequest,
  holdsSecret,
  linuxPool,
  originalMessage,
  traces,
  type World,
  waitingPipeline,
} from '../fakes/world.js';

const ref = { requestId: 'r-1', generation: 1, attempt: 1 } as const;
const replyQueue = 'agent-replies';
const finish = (world: World, outcome: Outcome): Promise<Finished> =>
  finishRequest(world)({ ...ref, outcome });
const row = async (world: World): Promise<AgentRequest> =>
  (await world.store.get('r-1'))?.request ?? fail('the request is gone');

const failure = {
  code: 'ImagePullFailed',
  stage: 'container',
  message: "The agent's image could not be pulled.",
  retryable: true,
} as const;
const completed: Outcome = { state: 'completed', detail: 'The agent ran its job and ended.' };
const expired: Outcome = { state: 'expired', detail: 'Online, but no job came within 600 s.' };
const cancelled: Outcome = { state: 'cancelled', detail: 'Cancelled by request.' };
const deadLettered: Outcome = { state: 'deadLettered', detail: 'ImagePullFailed: …', failure };

const nothingLeft = (world: World): void => {
  assert.equal(world.compute.tasks(), [], 'a Batch task is left');
  assert.equal(world.registry.agents(linuxPool), [], 'a registration is left');
};

const test = suite('finishRequest');

test('a run that is over is told nothing more, and why is written down', async () => {
  const world = createWorld();
  await haveRequest(world, 'online', { ...waitingPipeline(world) });
  await finish(world, { state: 'cancelled', detail: 'The run is over.', planOver: 'PlanTerminated' });
  assert.equal(world.pipeline.calls, []);
  const { callback } = await row(world);
  assert.is(callback?.refusedWith, 'PlanTerminated');
  assert.is(callback?.sealedToken, undefined);
  nothingLeft(world);
});

test('every end has cleaned up, is answered and is written last', async () => {
  const cases: readonly (readonly ['accepted' | 'starting' | 'online' | 'busy', Outcome])[] = [
    ['accepted', cancelled],
    ['starting', cancelled],
    ['starting', deadLettered],
    ['online', expired],
    ['online', cancelled],
    ['busy', completed],
    ['busy', cancelled],
  ];
  for (const [state, outcome] of cases) {
    const world = createWorld();
    await haveRequest(world, state, { replyQueue });
    if (state === 'busy') {
      // A job that is done leaves its agent idle; one whose container is killed does so a moment later.
      const idle = (): void => world.registry.put(linuxPool, 'r-1-1', { busy: false });
      if (outcome.state === 'completed') idle();
      else world.compute.beforeNext('deleteTask', idle);
    }
    const { dependencies, calls } = breakingAt(world, -1);
    assert.equal(await finishRequest(dependencies)({ ...ref, outcome }), { kind: 'ended' });
    nothingLeft(world);
    const request = await row(world);
    assert.is(request.state, outcome.state);
    assert.ok(request.endedAt);
    assert.is(request.history.at(-1)?.detail, outcome.detail);
    assert.is(world.queue.replies.length, 1);
    assert.match(world.queue.replies[0]?.message ?? '', new RegExp(`"state":"${outcome.state}"`));
    assert.is(calls.at(-1), 'store.replace', 'the end is not the last that is written');
  }
});

test('takes the registration away before the task, so that no job is sent to a dying agent', async () => {
  const world = createWorld();
  await haveRequest(world, 'online');
  const { dependencies, calls } = breakingAt(world, -1);
  await finishRequest(dependencies)({ ...ref, outcome: cancelled });
  assert.ok(calls.indexOf('registry.removeAgent') >= 0);
  assert.ok(calls.indexOf('registry.removeAgent') < calls.indexOf('compute.deleteTask'));
});

test('spares an agent that got a job at the very last moment', async () => {
  const world = createWorld();
  const before = await haveRequest(world, 'online');
  world.registry.put(linuxPool, 'r-1-1', { busy: true });
  assert.equal(await finish(world, expired), { kind: 'agentBusy' });
  assert.is(world.compute.tasks().length, 1);
  assert.is(world.registry.agents(linuxPool).length, 1);
  assert.equal(await row(world), before);
});

test('spares an agent that got its job while it was being given up, and only if it really runs', async () => {
  for (const [state, task, expected] of [
    ['starting', 'running', 'agentBusy'],
    ['starting', 'completed', 'ended'],
    ['online', 'running', 'ended'],
  ] as const) {
    const world = createWorld();
    const before = await haveRequest(world, state, waitingPipeline(world));
    world.compute.change('r-1-1', { state: task });
    world.registry.put(linuxPool, 'r-1-1', { online: true, busy: true });
    world.compute.beforeNext('deleteTask', () => world.registry.put(linuxPool, 'r-1-1', { busy: false }));
    assert.equal(await finish(world, deadLettered), { kind: expected }, `${state}, ${task}`);
    if (expected === 'ended') continue;
    assert.is(world.compute.tasks().length, 1);
    assert.equal(world.pipeline.calls, []);
    assert.equal(world.queue.deadLetters, []);
    assert.equal(await row(world), before);
  }
});

test('a cancelled agent goes although its job runs, as soon as Azure DevOps lets go of it', async () => {
  const world = createWorld();
  await haveRequest(world, 'busy');
  world.compute.beforeNext('deleteTask', () =>
    world.registry.beforeNext('removeAgent', () =>
      world.registry.beforeNext('removeAgent', () => world.registry.put(linuxPool, 'r-1-1', { busy: false })),
    ),
  );
  assert.equal(await finish(world, cancelled), { kind: 'ended' });
  nothingLeft(world);
  assert.is(world.registry.callsOf('removeAgent').length, 3);
});

test('has no end while Azure DevOps holds on to the agent, so that it is tried again', async () => {
  const world = createWorld();
  await haveRequest(world, 'busy', { replyQueue });
  try {
    await finish(world, cancelled);
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof TransientError && error.failure.code === 'AgentStillBusy', String(error));
  }
  assert.equal(world.compute.tasks(), []);
  assert.is((await row(world)).state, 'busy');
  assert.equal(world.queue.replies, []);
  world.registry.put(linuxPool, 'r-1-1', { busy: false });
  assert.equal(await finish(world, cancelled), { kind: 'ended' });
  nothingLeft(world);
});

test('lets a pipeline know at once, and once only, although its agent can not be taken back for long', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', { ...waitingPipeline(world) });
  for (let run = 0; run < 3; run += 1) {
    world.registry.failNext('removeAgent', new TransientError('AzDOAuthenticationFailed', 'online', 'No.'));
    try {
      await finish(world, cancelled);
      fail('it ended with its agent still there');
    } catch (error) {
      assert.instance(error, TransientError);
    }
    assert.is((await row(world)).state, 'starting');
    assert.is(world.pipeline.callsOf('complete').length, 1, `run ${run}`);
  }
  await finish(world, cancelled);
  assert.is((await row(world)).state, 'cancelled');
  assert.is(world.pipeline.callsOf('complete').length, 1);
  nothingLeft(world);
});

test('fails the server task of a pipeline that waits, with a sentence for its author', async () => {
  for (const [outcome, sentence] of [
    [
      deadLettered,
      /^No agent: the agent's image could not be pulled \(ImagePullFailed\)\. Ask the platform team to check the image's name and tag, .*\. Request r-1: \/api\/agents\/r-1, help: \/api\/help\/ImagePullFailed$/m,
    ],
    [cancelled, /^No agent: the request was cancelled .*\. Request r-1: \/api\/agents\/r-1$/m],
  ] as const) {
    const world = createWorld();
    await haveRequest(world, 'starting', waitingPipeline(world));
    await finish(world, outcome);
    assert.equal(world.pipeline.completions, [
      { taskInstanceId: somePipeline.taskInstanceId, result: 'failed' },
    ]);
    assert.match(world.pipeline.lines.join('\n'), sentence);
    assert.match(world.pipeline.notes[0]?.error ?? '', sentence);
    assert.match(world.pipeline.notes[0]?.log?.join('\n') ?? '', /starting: starting/);
    const { callback } = await row(world);
    assert.is(callback?.result, 'failed');
    assert.ok(callback?.acknowledgedAt);
    assert.is(callback?.sealedToken, undefined);
    assert.not.ok(holdsSecret(traces(world)));
  }
});

test('a release that arrived just before a crash is what the pipeline was told, also when it is cancelled then', async () => {
  const world = createWorld();
  const { pipeline, callback } = waitingPipeline(world);
  await haveRequest(world, 'online', { pipeline, callback: { ...callback, result: 'succeeded' } });
  world.pipeline.stopWaiting(somePipeline.taskInstanceId);
  await finish(world, cancelled);
  const request = await row(world);
  assert.is(request.callback?.result, 'succeeded');
  assert.ok(request.callback?.acknowledgedAt);
  assert.is(request.callback?.refusedWith, undefined);
  assert.not.match(request.history.map(({ detail }) => detail).join('\n'), /did not take/);
});

test('does not call a pipeline that was released or that refused', async () => {
  for (const callback of [
    { result: 'succeeded', acknowledgedAt: '2026-01-31T10:00:00.000Z' },
    { result: 'succeeded', refusedWith: 'Nobody waits.' },
  ] as const) {
    const world = createWorld();
    await haveRequest(world, 'online', { pipeline: somePipeline, callback });
    await finish(world, expired);
    assert.equal(world.pipeline.calls, []);
    assert.equal({ ...(await row(world)).callback }, { ...callback, sealedToken: undefined });
  }
});

test('ends although the pipeline is over or its token can not be unsealed', async () => {
  const over = createWorld();
  await haveRequest(over, 'starting', waitingPipeline(over));
  over.pipeline.endPlan(somePipeline.planId);
  await finish(over, cancelled);
  assert.is((await row(over)).state, 'cancelled');
  assert.is((await row(over)).callback?.refusedWith, 'TaskOrchestrationPlanTerminatedException');
  nothingLeft(over);

  const sealed = createWorld();
  const callback = { sealedToken: sealed.seal.seal('another', 'x') };
  await haveRequest(sealed, 'starting', { pipeline: somePipeline, callback });
  await finish(sealed, deadLettered);
  assert.is((await row(sealed)).state, 'deadLettered');
  assert.is((await row(sealed)).callback?.sealedToken, undefined);
});

test('sends the original with its failure to the dead letters', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting');
  await finish(world, deadLettered);
  assert.equal(
    world.queue.deadLetters.map((text): unknown => JSON.parse(text)),
    [
      {
        version: 1,
        requestId: 'r-1',
        generation: 1,
        profile: 'ubuntu',
        deadLetteredAt: world.clock.now().toISOString(),
        failure,
        message: originalMessage,
      },
    ],
  );
  assert.equal((await row(world)).failure, failure);
});

test('only a dead letter is a dead letter', async () => {
  for (const outcome of [expired, cancelled]) {
    const world = createWorld();
    await haveRequest(world, 'online');
    await finish(world, outcome);
    assert.equal(world.queue.deadLetters, []);
  }
});

test('does nothing to a request that has ended or begun anew', async () => {
  for (const changes of [{ state: 'completed' }, { generation: 2 }] as const) {
    const world = createWorld();
    const before = await haveRequest(world, 'accepted', {
      ...waitingPipeline(world),
      replyQueue,
      ...changes,
    });
    assert.equal(await finish(world, cancelled), { kind: 'ended' });
    assert.equal(await row(world), before);
    assert.equal(world.pipeline.calls, []);
    assert.equal(world.queue.calls, []);
  }
});

test('a second run that lags behind changes nothing of the end, and brings no token back', async () => {
  for (const method of ['removeAgent', 'deleteTask'] as const) {
    const world = createWorld();
    await haveRequest(world, 'starting', waitingPipeline(world));
    let ended: AgentRequest | undefined;
    const meanwhile = async (): Promise<void> => {
      await finish(world, deadLettered);
      ended = await row(world);
    };
    if (method === 'removeAgent') world.registry.beforeNext(method, meanwhile);
    else world.compute.beforeNext(method, meanwhile);
    await finish(world, deadLettered);
    assert.equal(await row(world), ended);
    assert.is(world.pipeline.completions.length, 1);
  }
  const world = createWorld();
  await haveRequest(world, 'starting', waitingPipeline(world));
  let ended: AgentRequest | undefined;
  world.pipeline.beforeNext('complete', async () => {
    await finish(world, deadLettered);
    ended = await row(world);
  });
  await finish(world, deadLettered);
  assert.equal(await row(world), ended);
});

test('takes back a task that was made but never written down', async () => {
  for (const outcome of [cancelled, deadLettered]) {
    const world = createWorld();
    const { batch } = await haveRequest(world, 'starting');
    assert.is(batch?.jobId, 'agents-ubuntu-20260131');
    await changeRequest(world.store, ref, request => ({
      ...request,
      state: 'provisioning',
      batch: undefined,
    }));
    await finish(world, outcome);
    nothingLeft(world);
  }
});

test('ends although Batch can not say whether there ever was a task', async () => {
  const world = createWorld();
  await haveRequest(world, 'provisioning', waitingPipeline(world));
  world.compute.failNext('deleteTask', new TransientError('BatchUnavailable', 'createTask', 'Away.'), 9);
  assert.equal(await finish(world, deadLettered), { kind: 'ended' });
  assert.is((await row(world)).state, 'deadLettered');
  assert.is(world.pipeline.completions.length, 1);
});

test.run();

const retire = suite('retireAttempt');

retire('takes back what is left, and the next attempt has a name of its own', async () => {
  for (const state of ['provisioning', 'starting', 'online'] as const) {
    const world = createWorld();
    await haveRequest(world, state, waitingPipeline(world));
    const { delayMs } = await retireAttempt(world)({ ...ref, failure });
    assert.ok(delayMs >= 1_000 && delayMs <= 2_000, String(delayMs));
    nothingLeft(world);
    const request = await row(world);
    assert.is(request.state, 'provisioning');
    assert.is(request.attempt, 2);
    assert.is(request.agentName, 'r-1-2');
    assert.is(request.batch, undefined);
    assert.is(request.onlineAt, undefined);
    assert.equal(request.failure, failure);
    assert.match(
      request.history.at(-1)?.detail ?? '',
      /Attempt 1 failed with ImagePullFailed.*Next attempt in 2 s/,
    );
    assert.match(
      world.pipeline.lines.join('\n'),
      /^Attempt 1 of 3 failed: the agent's image could not be pulled \(ImagePullFailed\)\. Trying again in 1\.5 s\.$/m,
    );
    assert.equal(world.pipeline.completions, []);
  }
});

retire('waits longer after each attempt of this generation', async () => {
  const world = createWorld();
  await haveRequest(world, 'provisioning', { attempt: 7, firstAttempt: 5 });
  const { delayMs } = await retireAttempt(world)({ ...ref, attempt: 7, failure });
  assert.is(delayMs, 13_500);
});

retire('twice is one attempt more, not two', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting');
  await retireAttempt(world)({ ...ref, failure });
  const once = await row(world);
  await retireAttempt(world)({ ...ref, failure });
  assert.equal(await row(world), once);
});

retire('changes nothing of an end that came in between', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting');
  world.compute.beforeNext('deleteTask', () =>
    changeRequest(world.store, ref, request => ({ ...request, state: 'cancelled' })),
  );
  await retireAttempt(world)({ ...ref, failure });
  assert.is((await row(world)).state, 'cancelled');
  nothingLeft(world);
});

retire.run();
