import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { recordBusy } from '../../shared/activities/record-busy.js';
import { changeRequest } from '../../shared/change-request.js';
import { dispatchMessage } from '../../shared/dispatch/dispatch-message.js';
import { TransientError } from '../../shared/domain/failure.js';
import { breakingAt } from '../fakes/breaking.js';
import { createWorld, haveRequest, originalMessage, type World } from '../fakes/world.js';
import {
  anotherProcess,
  arranged,
  finish,
  provision,
  ref,
  release,
  type Step,
  stateOf,
  steps,
  waits,
} from './steps.js';

/**
 * Whatever runs may run twice, or die at any call and run again: the world must then look as if it had run once,
 * whatever the process remembers in which it runs again.
 */
const memories = {
  /** The process lives; only the call broke off. */
  kept: async (world: World) => world,
  /** It died, and another goes on. */
  lost: async (world: World) => anotherProcess(world),
  /** It died, and one goes on that had seen the request before. */
  'out of date': async (world: World) => {
    const other = anotherProcess(world);
    await other.store.get(ref.requestId);
    return other;
  },
} satisfies Readonly<Record<string, (world: World) => Promise<World>>>;

const again = suite('run again');

for (const step of steps) {
  again(`${step.name}: twice is once`, async () => {
    const world = await arranged(step);
    const answer = await step.run(world);
    const once = stateOf(world);
    const second = await step.run(world);
    assert.equal(stateOf(world), once);
    if (!step.forgetsAnswer && !step.name.startsWith('provisionAgent')) assert.equal(second, answer);
  });

  again(`${step.name}: a host that dies at any call and comes back`, async () => {
    const reference = await arranged(step);
    const { dependencies, calls } = breakingAt(reference, -1);
    const answer = await step.run(dependencies);
    const expected = stateOf(reference);
    assert.ok(calls.length > 0);
    for (const [index, call] of calls.entries()) {
      for (const when of ['before', 'after'] as const) {
        for (const [memory, next] of Object.entries(memories)) {
          const world = await arranged(step);
          const nextProcess = await next(world);
          try {
            await step.run(breakingAt(world, index, when).dependencies);
          } catch (error) {
            if (!(error instanceof TransientError)) throw error;
          }
          const second = await step.run(nextProcess);
          const then = `died ${when} ${call} (${index}), memory ${memory}`;
          assert.equal(stateOf(world), expected, then);
          if (!step.forgetsAnswer) assert.equal(second, answer, then);
        }
      }
    }
  });
}

again('a queue message: a host that dies at any call and comes back', async () => {
  const run: Step['run'] = dependencies =>
    dispatchMessage(dependencies)(new TextEncoder().encode(originalMessage), 'm-1', 2);
  const reference = createWorld();
  const { dependencies, calls } = breakingAt(reference, -1);
  await run(dependencies);
  for (const index of calls.keys()) {
    for (const when of ['before', 'after'] as const) {
      const world = createWorld();
      await run(breakingAt(world, index, when).dependencies).catch(() => {});
      world.clock.advance(31_000);
      await run(world);
      assert.is(world.store.requests().length, 1);
      assert.is(world.orchestrations.running.size, 1, `died ${when} ${calls[index] ?? ''}`);
    }
  }
});

again('a whole life: each step may die at any call, and a cancellation may come at any call', async () => {
  const life: readonly Step['run'][] = [
    provision,
    release,
    dependencies => recordBusy(dependencies)(ref),
    finish({ state: 'completed', detail: 'Done.' }),
  ];
  for (const [index, step] of life.entries()) {
    let more = true;
    for (let at = 0; more; at += 1) {
      const world = createWorld();
      await haveRequest(world, 'accepted', waits(world));
      for (const before of life.slice(0, index)) await before(world);
      const { dependencies, calls } = breakingAt(world, at, 'after');
      await step(dependencies).catch(() => {});
      more = calls.length > at;
      await changeRequest(world.store, ref, row =>
        row.state === 'completed' ? undefined : { ...row, cancelRequestedAt: '2026-01-31T10:00:00.000Z' },
      );
      await step(world);
      await finish({ state: 'cancelled', detail: 'Cancelled by request.' })(world);
      assert.equal(world.compute.tasks(), [], `step ${index}, call ${at}: a task is left`);
      const [request] = world.store.requests();
      assert.ok(request?.endedAt, `step ${index}, call ${at}: no end`);
      assert.is(request?.callback?.sealedToken, undefined, `step ${index}, call ${at}: the token is left`);
      assert.is(world.pipeline.completions.length, 1, `step ${index}, call ${at}: told once`);
    }
  }
});

again.run();
