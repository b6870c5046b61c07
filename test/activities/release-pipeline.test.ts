import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { finishRequest } from '../../shared/activities/finish-request.js';
import { recordBusy } from '../../shared/activities/record-busy.js';
import { releasePipeline } from '../../shared/activities/release-pipeline.js';
import { retireAttempt } from '../../shared/activities/retire-attempt.js';
import { changeRequest } from '../../shared/change-request.js';
import { TransientError } from '../../shared/domain/failure.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import type { Released } from '../../shared/workflow/contract.js';
import { fail } from '../contracts/fail.js';
import { somePipeline } from '../fakes/requests.js';
import {
  createWorld,
  haveRequest,
  holdsSecret,
  linuxPool,
  traces,
  type World,
  waitingPipeline,
} from '../fakes/world.js';

const ref = { requestId: 'r-1', generation: 1, attempt: 1 } as const;
const release = (world: World): Promise<Released> => releasePipeline(world)(ref);
const row = async (world: World): Promise<AgentRequest> =>
  (await world.store.get('r-1'))?.request ?? fail('the request is gone');
const succeeded = [{ taskInstanceId: somePipeline.taskInstanceId, result: 'succeeded' }];
const failure = { code: 'X', stage: 'online', message: 'Lost.', retryable: true } as const;

const test = suite('releasePipeline');

test('writes that the agent is online and lets the pipeline go on, with its variables and its log', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', waitingPipeline(world));
  world.clock.advance(42_000);
  assert.equal(await release(world), { kind: 'released' });
  assert.equal(world.pipeline.completions, succeeded);
  assert.equal(world.pipeline.notes[0]?.variables, { agentName: 'r-1-1', requestId: 'r-1' });
  assert.match(world.pipeline.notes[0]?.log?.join('\n') ?? '', /accepted[\s\S]*starting[\s\S]*online/);
  assert.match(
    world.pipeline.lines[0] ?? '',
    /^Agent r-1-1 is online after 42 s, in agent pool Private Linux\.$/,
  );
  const order = world.pipeline.calls.map(({ method }) => method);
  assert.is(order.at(-1), 'complete', 'after the completion the record is closed');
  const request = await row(world);
  assert.is(request.state, 'online');
  assert.is(request.onlineAt, '2026-01-31T10:00:42.000Z');
  assert.equal(
    { ...request.callback },
    {
      result: 'succeeded',
      acknowledgedAt: '2026-01-31T10:00:42.000Z',
      sealedToken: undefined,
    },
  );
  assert.not.ok(holdsSecret(traces(world)));
});

test('only writes it down where no pipeline waits, and answers who asked by queue', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', { replyQueue: 'agent-replies' });
  assert.equal(await release(world), { kind: 'released' });
  assert.equal(world.pipeline.calls, []);
  assert.is((await row(world)).state, 'online');
  assert.is(world.queue.replies.length, 1);
  assert.match(world.queue.replies[0]?.message ?? '', /"state":"online"/);
});

test('a completion that is merely refused is recorded and changes nothing', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', waitingPipeline(world));
  world.pipeline.stopWaiting(somePipeline.taskInstanceId);
  assert.equal(await release(world), { kind: 'released' });
  const request = await row(world);
  assert.is(request.state, 'online');
  assert.is(request.callback?.refusedWith, 'OrchestrationSessionNotFoundException');
  assert.is(request.callback?.acknowledgedAt, undefined);
  assert.is(request.callback?.sealedToken, undefined);
  assert.match(request.history.at(-1)?.detail ?? '', /did not take our completion: Orchestration/);
  assert.is(world.compute.tasks().length, 1);
});

test('a run that is over is told as that, each time it is asked', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', waitingPipeline(world));
  world.pipeline.endPlan(somePipeline.planId);
  assert.is((await release(world)).kind, 'planOver');
  assert.is((await release(world)).kind, 'planOver', 'a second run forgot that nobody waits');
});

test('a run that came to its end with the help of the agent while we were away was not cancelled', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', waitingPipeline(world));
  world.pipeline.failNext('complete', new TransientError('InternalError', 'callback', 'Died.'), 1, 'after');
  await release(world).then(
    () => assert.unreachable(),
    () => {},
  );
  world.registry.put(linuxPool, 'r-1-1', { ranJob: true });
  world.pipeline.endPlan(somePipeline.planId);
  assert.equal(await release(world), { kind: 'released' });
  assert.equal(world.pipeline.completions, succeeded);
  const { callback, state } = await row(world);
  assert.is(state, 'online');
  assert.ok(callback?.acknowledgedAt);
  assert.is(callback?.refusedWith, undefined);
});

test('its own echo after a crash is no refusal', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', waitingPipeline(world));
  const lost = new TransientError('AzDOUnavailable', 'callback', 'The answer was lost.');
  world.pipeline.failNext('complete', lost, 1, 'after');
  await release(world).then(
    () => assert.unreachable(),
    () => {},
  );
  assert.equal(await release(world), { kind: 'released' });
  assert.equal(world.pipeline.completions, succeeded);
  const { callback } = await row(world);
  assert.ok(callback?.acknowledgedAt);
  assert.is(callback?.refusedWith, undefined);
});

test('a token that can not be unsealed is told to the operator, also after a crash, and the agent stays', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', {
    pipeline: somePipeline,
    callback: { sealedToken: world.seal.seal('another', 'x') },
  });
  const away = new TransientError('StorageUnavailable', 'online', 'Away.');
  world.store.beforeNext('replace', () => world.store.failNext('replace', away, 1, 'after'));
  await release(world).then(
    () => assert.unreachable(),
    () => {},
  );
  assert.equal(await release(world), { kind: 'released' });
  assert.equal(world.pipeline.calls, []);
  assert.match(world.log.lines.join('\n'), /error: .*CallbackTokenKey/);
  const { callback, state } = await row(world);
  assert.is(state, 'online');
  assert.match(callback?.refusedWith ?? '', /can not be unsealed/);
  assert.is(callback?.acknowledgedAt, undefined, 'nobody has acknowledged anything');
});

test('a cancellation wins, also one that comes in between', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', waitingPipeline(world));
  world.store.beforeNext('replace', () =>
    changeRequest(world.store, ref, request => ({ ...request, cancelRequestedAt: request.updatedAt })),
  );
  assert.equal(await release(world), { kind: 'cancelled' });
  assert.equal(world.pipeline.calls, []);
  assert.is((await row(world)).state, 'starting');
});

test('a cancellation at any write has one winner: the pipeline gets exactly one completion', async () => {
  const cancelled = { state: 'cancelled', detail: 'Cancelled by request.' } as const;
  const results: string[] = [];
  for (let at = 0; at < 4; at += 1) {
    for (const when of ['before', 'after'] as const) {
      const world = createWorld();
      await haveRequest(world, 'starting', waitingPipeline(world));
      const wish = () =>
        changeRequest(world.store, ref, request => ({ ...request, cancelRequestedAt: request.updatedAt }));
      const { store, met } = onReplace(world, at, when, wish);
      const released = await releasePipeline({ ...world, store })(ref);
      if (!met()) await wish();
      // The event of the cancellation reaches the orchestration in either case, now or as its next news.
      await finishRequest(world)({ ...ref, outcome: cancelled });
      assert.is(world.pipeline.completions.length, 1, `write ${at}, ${when}`);
      const [completion] = world.pipeline.completions;
      assert.is(completion?.result, released.kind === 'cancelled' ? 'failed' : 'succeeded');
      results.push(completion?.result ?? '?');
      const request = await row(world);
      assert.is(request.state, 'cancelled');
      assert.is(request.callback?.sealedToken, undefined);
      assert.is(request.callback?.result, completion?.result);
      assert.equal(world.compute.tasks(), []);
      assert.equal(world.registry.agents(linuxPool), []);
    }
  }
  assert.equal([...new Set(results)].toSorted(), ['failed', 'succeeded'], 'both must win at some moment');
});

test('a release and an end of the same moment tell the pipeline once', async () => {
  for (let at = 0; at < 4; at += 1) {
    const world = createWorld();
    await haveRequest(world, 'starting', waitingPipeline(world));
    const cancelled = { state: 'cancelled', detail: 'Cancelled by request.' } as const;
    const { store } = onReplace(world, at, 'before', () =>
      finishRequest(world)({ ...ref, outcome: cancelled }),
    );
    await releasePipeline({ ...world, store })(ref);
    await finishRequest(world)({ ...ref, outcome: cancelled });
    assert.is(world.pipeline.completions.length, 1, `write ${at}`);
    assert.is((await row(world)).callback?.sealedToken, undefined);
  }
});

/** The same store, but something else happens at one of the writes. */
function onReplace(world: World, at: number, when: 'before' | 'after', action: () => Promise<unknown>) {
  let writes = 0;
  const replace: World['store']['replace'] = async (stored, next) => {
    const isThis = writes === at;
    writes += 1;
    if (isThis && when === 'before') await action();
    const answer = await world.store.replace(stored, next);
    if (isThis && when === 'after') await action();
    return answer;
  };
  const store: World['store'] = { ...world.store, replace };
  return { store, met: () => writes > at };
}

test('a second run that lags behind releases nobody for an agent that is lost by now', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', { ...waitingPipeline(world), replyQueue: 'agent-replies' });
  await retireAttempt(world)({ ...ref, failure });
  const before = await row(world);
  await release(world);
  assert.equal(world.pipeline.completions, []);
  assert.equal(world.queue.replies, []);
  assert.equal(await row(world), before);
});

test('an ended request stays as it is', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', waitingPipeline(world));
  const ended = await changeRequest(world.store, ref, request => ({
    ...request,
    state: 'cancelled',
    callback: { result: 'failed' },
  }));
  assert.equal(await release(world), { kind: 'released' });
  assert.equal(await row(world), ended);
});

test('an agent that is provided anew releases no pipeline twice', async () => {
  const world = createWorld();
  await haveRequest(world, 'starting', waitingPipeline(world));
  await release(world);
  await retireAttempt(world)({ ...ref, failure });
  await changeRequest(world.store, ref, request => ({ ...request, state: 'starting' }));
  assert.equal(await releasePipeline(world)({ ...ref, attempt: 2 }), { kind: 'released' });
  assert.equal(world.pipeline.completions, succeeded);
  assert.is((await row(world)).state, 'online');
});

test.run();

const busy = suite('recordBusy');

busy('writes it once, and only of the attempt that is online', async () => {
  const world = createWorld();
  await haveRequest(world, 'online');
  await recordBusy(world)({ ...ref, attempt: 2 });
  assert.is((await row(world)).state, 'online');
  await recordBusy(world)(ref);
  await recordBusy(world)(ref);
  const { state, history } = await row(world);
  assert.is(state, 'busy');
  assert.is(history.filter(entry => entry.state === 'busy').length, 1);
});

busy.run();
