import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { retireAttempt } from '../../shared/activities/retire-attempt.js';
import { changeRequest } from '../../shared/change-request.js';
import { dispatchMessage } from '../../shared/dispatch/dispatch-message.js';
import { advance, beginAgain, IllegalChangeError } from '../../shared/domain/lifecycle.js';
import { type AgentRequest, isEnded } from '../../shared/domain/request.js';
import { fail } from '../contracts/fail.js';
import { someRequest } from '../fakes/requests.js';
import { createWorld, haveRequest, originalMessage, type World, waitingPipeline } from '../fakes/world.js';
import {
  anotherProcess,
  arranged,
  failure,
  finish,
  provision,
  ref,
  release,
  replyQueue,
  type Step,
  stateOf,
  steps,
} from './steps.js';

/**
 * What a process remembers of a request may be out of date, for another process has changed it: whatever is done from
 * that must come out as if nothing had been remembered.
 */
const cancel = finish({ state: 'cancelled', detail: 'Cancelled by request.' });
const change =
  (decide: (row: AgentRequest, world: World) => AgentRequest | undefined) =>
  async (other: World): Promise<unknown> =>
    changeRequest(other.store, ref, row => (isEnded(row.state) ? undefined : decide(row, other)));

const meanwhile: Readonly<Record<string, (other: World, step: Step) => Promise<unknown>>> = {
  'its end was asked for': change(row => ({ ...row, cancelRequestedAt: row.updatedAt })),
  'a message joined': change(row => (row.replyQueue === undefined ? { ...row, replyQueue } : undefined)),
  'a pipeline joined': change((row, world) =>
    row.callback === undefined ? { ...row, ...waitingPipeline(world) } : undefined,
  ),
  'the step was done': async (other, step) => step.run(other),
  'its task was made': async other => provision(other),
  'its pipeline was released': async other => release(other),
  'it got its next attempt': async other => retireAttempt(other)({ ...ref, failure }),
  'it ended': async other => cancel(other),
  'it ended and began again': async other => {
    await cancel(other);
    const ended = (await other.store.get(ref.requestId)) ?? fail('it is gone');
    await other.store.reopen(beginAgain(ended.request, someRequest()), new Uint8Array());
  },
};

/** An end that an attempt of another state can't have is refused, whatever was remembered. */
const run = async (step: Step, world: World): Promise<unknown> => {
  try {
    return await step.run(world);
  } catch (error) {
    if (error instanceof IllegalChangeError) return error.message;
    throw error;
  }
};

const dispatch: Step = {
  name: 'a queue message',
  arrange: world => haveRequest(world, 'accepted'),
  run: world => dispatchMessage(world)(new TextEncoder().encode(originalMessage), 'm-1', 1),
};

const outOfDate = suite('a memory that is out of date');

for (const step of [...steps, dispatch]) {
  outOfDate(`${step.name}: comes out as if nothing was remembered`, async () => {
    for (const [what, happens] of Object.entries(meanwhile)) {
      const [remembering, expected] = [await arranged(step), await arranged(step)];
      // A process that only looks has not changed the request, and knows it as it was.
      const stale = anotherProcess(remembering);
      await stale.store.get(ref.requestId);
      for (const world of [remembering, expected]) await happens(anotherProcess(world), step);
      const answer = await run(step, stale);
      assert.equal(answer, await run(step, anotherProcess(expected)), what);
      assert.equal(stateOf(remembering), stateOf(expected), what);
    }
  });

  outOfDate(`${step.name}: comes out the same when it gets out of date on the way`, async () => {
    for (const [what, happens] of Object.entries(meanwhile)) {
      if (what === 'the step was done') continue;
      // A task that is made while its attempt is given up belongs to nobody: reconcile removes it.
      if (what === 'its task was made' && step.name.startsWith('retireAttempt')) continue;
      const world = await arranged(step);
      const stale = anotherProcess(world);
      await stale.store.get(ref.requestId);
      let met = false;
      stale.store.beforeNext('replace', async () => {
        met = true;
        await happens(anotherProcess(world), step);
      });
      await run(step, stale);
      if (!met) continue;
      // Whatever came first, an end of the request leaves nothing behind and nobody without an answer.
      await cancel(anotherProcess(world));
      await finish({ state: 'cancelled', detail: '' })(anotherProcess(world));
      const request = (await world.store.get(ref.requestId))?.request ?? fail('it is gone');
      if (request.generation > 1) continue;
      assert.ok(isEnded(request.state), what);
      assert.equal(world.compute.tasks(), [], `${what}: a task is left`);
      assert.is(request.callback?.sealedToken, undefined, `${what}: a token is left`);
      if (request.replyQueue !== undefined) assert.ok(world.queue.replies.length > 0, `${what}: no reply`);
      if (request.pipeline !== undefined && request.callback !== undefined) {
        assert.ok(world.pipeline.completions.length <= 1, `${what}: told twice`);
        const isAnswered =
          world.pipeline.completions.length === 1 || request.callback.refusedWith !== undefined;
        assert.ok(isAnswered, `${what}: the pipeline waits for ever`);
        if (world.pipeline.completions.length === 1) {
          assert.ok(request.callback.acknowledgedAt, `${what}: what it acknowledged is forgotten`);
        }
      }
    }
  });
}

outOfDate('a message of an earlier life starts nothing, and is let go', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted', { generation: 2, attempt: 1, firstAttempt: 2 });
  const stale = anotherProcess(world);
  await stale.store.get(ref.requestId);
  const second = (await world.store.get(ref.requestId)) ?? fail('it is gone');
  await world.store.replace(second, { ...second.request, generation: 3 });
  await dispatch.run(world);
  assert.is(world.orchestrations.callsOf('startLifecycle').length, 1);
  await dispatch.run(stale);
  assert.is(world.orchestrations.callsOf('startLifecycle').length, 1);
});

outOfDate('a change that is illegal only for what is remembered is made', async () => {
  const world = createWorld();
  await haveRequest(world, 'accepted');
  const stale = anotherProcess(world);
  await stale.store.get(ref.requestId);
  await provision(anotherProcess(world));
  const at = '2026-01-31T10:00:02.000Z';
  const online = await changeRequest(stale.store, ref, row => advance(row, { to: 'online', at, detail: '' }));
  assert.is(online?.state, 'online');
});

outOfDate.run();
