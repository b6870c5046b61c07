import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { WithOrchestrations } from '../../shared/activities/dependencies.js';
import { finishRequest } from '../../shared/activities/finish-request.js';
import { lookAtAgent } from '../../shared/activities/look-at-agent.js';
import { provisionAgent } from '../../shared/activities/provision-agent.js';
import { recordBusy } from '../../shared/activities/record-busy.js';
import { releasePipeline } from '../../shared/activities/release-pipeline.js';
import { retireAttempt } from '../../shared/activities/retire-attempt.js';
import { settleEnd } from '../../shared/activities/settle-end.js';
import { watchPool } from '../../shared/activities/watch-pool.js';
import { changeRequest } from '../../shared/change-request.js';
import { dispatchMessage } from '../../shared/dispatch/dispatch-message.js';
import { TransientError } from '../../shared/domain/failure.js';
import { breakingAt } from '../fakes/breaking.js';
import { somePipeline } from '../fakes/requests.js';
import {
  createWorld,
  haveRequest,
  linuxPool,
  originalMessage,
  type World,
  waitingPipeline,
  windowsPool,
} from '../fakes/world.js';

/**
 * Whatever runs may run twice, or die at any call and run again: the world must then look as if it had run once.
 */
interface Step {
  readonly name: string;
  readonly arrange: (world: World) => Promise<unknown>;
  readonly run: (dependencies: WithOrchestrations) => Promise<unknown>;
  /** The second run has another answer, which is fine. */
  readonly forgetsAnswer?: true;
}

const ref = { requestId: 'r-1', generation: 1, attempt: 1 } as const;
const failure = {
  code: 'ImagePullFailed',
  stage: 'container',
  message: 'No such image.',
  retryable: true,
} as const;
const replyQueue = 'agent-replies';
const waits = (world: World) => ({ ...waitingPipeline(world), replyQueue });

const provision: Step['run'] = dependencies => provisionAgent(dependencies)({ ...ref, attempts: 3 });
const release: Step['run'] = dependencies => releasePipeline(dependencies)(ref);
const finish =
  (outcome: Parameters<ReturnType<typeof finishRequest>>[0]['outcome']): Step['run'] =>
  dependencies =>
    finishRequest(dependencies)({ ...ref, outcome });
const unsealable = (world: World) => {
  const { pipeline } = waitingPipeline(world);
  return { pipeline, callback: { sealedToken: world.seal.seal('another', 'x') } };
};

const steps: readonly Step[] = [
  { name: 'provisionAgent', arrange: world => haveRequest(world, 'accepted', waits(world)), run: provision },
  {
    name: 'provisionAgent beyond maxAlive',
    arrange: async world => {
      const { maxAlive } = world.config.profiles.get('ubuntu') ?? { maxAlive: 0 };
      for (let alive = 0; alive < maxAlive; alive += 1) {
        await haveRequest(world, 'provisioning', { requestId: `alive-${alive}` });
      }
      await haveRequest(world, 'accepted', waits(world));
    },
    run: provision,
  },
  {
    name: 'provisionAgent, nobody waits',
    arrange: async world => {
      // As reconcile has made it; one that is missing is made by the first run that comes so far, or by reconcile.
      await world.registry.ensurePlaceholder(linuxPool, 'linux');
      await haveRequest(world, 'accepted');
    },
    run: provision,
  },
  {
    name: 'provisionAgent, no such Batch pool',
    arrange: async world => {
      world.compute.missingPools.add('batchLinux');
      await haveRequest(world, 'accepted');
    },
    run: provision,
  },
  {
    name: 'provisionAgent, cancelled',
    arrange: world => haveRequest(world, 'accepted', { cancelRequestedAt: '2026-01-31T10:00:00.000Z' }),
    run: provision,
  },
  { name: 'releasePipeline', arrange: world => haveRequest(world, 'starting', waits(world)), run: release },
  {
    name: 'releasePipeline, nobody waits',
    arrange: world => haveRequest(world, 'starting', { replyQueue }),
    run: release,
  },
  {
    name: 'releasePipeline, run over',
    arrange: async world => {
      world.pipeline.endPlan(somePipeline.planId);
      await haveRequest(world, 'starting', waits(world));
    },
    run: release,
  },
  {
    name: 'releasePipeline, token can not be unsealed',
    arrange: world => haveRequest(world, 'starting', unsealable(world)),
    run: release,
  },
  {
    name: 'recordBusy',
    arrange: world => haveRequest(world, 'online'),
    run: dependencies => recordBusy(dependencies)(ref),
  },
  {
    name: 'lookAtAgent',
    arrange: world => haveRequest(world, 'online'),
    run: dependencies => lookAtAgent(dependencies)(ref),
  },
  {
    name: 'settleEnd',
    arrange: world => haveRequest(world, 'online'),
    run: dependencies =>
      settleEnd(dependencies)({
        ...ref,
        wasOnline: true,
        situation: { kind: 'taskEnded', attempt: 1, ranJob: false, exitCode: 1 },
      }),
  },
  ...(['provisioning', 'starting', 'online'] as const).map(
    (state): Step => ({
      name: `retireAttempt, ${state}`,
      arrange: world => haveRequest(world, state, waits(world)),
      run: dependencies => retireAttempt(dependencies)({ ...ref, failure }),
      forgetsAnswer: true,
    }),
  ),
  {
    name: 'finishRequest, completed',
    arrange: async world => {
      await haveRequest(world, 'busy', { replyQueue });
      world.registry.put(linuxPool, 'r-1-1', { busy: false, ranJob: true });
    },
    run: finish({ state: 'completed', detail: 'Done.' }),
  },
  {
    name: 'finishRequest, expired',
    arrange: world => haveRequest(world, 'online', { replyQueue }),
    run: finish({ state: 'expired', detail: 'No job came.' }),
  },
  {
    name: 'finishRequest, cancelled while a pipeline waits',
    arrange: world => haveRequest(world, 'starting', waits(world)),
    run: finish({ state: 'cancelled', detail: 'Cancelled by request.' }),
  },
  {
    name: 'finishRequest, dead-lettered while a pipeline waits',
    arrange: world => haveRequest(world, 'starting', waits(world)),
    run: finish({ state: 'deadLettered', detail: 'No.', failure }),
  },
  {
    name: 'finishRequest, run over',
    arrange: async world => {
      world.pipeline.endPlan(somePipeline.planId);
      await haveRequest(world, 'online', waitingPipeline(world));
    },
    run: finish({ state: 'cancelled', detail: 'The run is over.' }),
  },
  {
    name: 'finishRequest, token can not be unsealed',
    arrange: world => haveRequest(world, 'starting', unsealable(world)),
    run: finish({ state: 'deadLettered', detail: 'No.', failure }),
  },
  {
    name: 'watchPool',
    arrange: async world => {
      world.orchestrations.running.set('r-1', {});
      await haveRequest(world, 'starting');
      world.registry.put(linuxPool, 'r-1-1', { online: true });
    },
    run: dependencies => watchPool(dependencies)({ devOpsPool: linuxPool, told: {} }),
  },
];

/** All that a user could notice afterwards; copies of a message count once, for queues deliver at least once. */
const stateOf = (world: World): unknown => ({
  requests: world.store.requests().map(request => ({
    ...request,
    callback: request.callback && {
      ...request.callback,
      sealedToken: request.callback.sealedToken === undefined ? 'none' : 'sealed',
    },
  })),
  tasks: world.compute.tasks(),
  agents: [linuxPool, windowsPool].map(pool => world.registry.agents(pool)),
  completions: world.pipeline.completions,
  watched: [...world.orchestrations.watched],
  running: [...world.orchestrations.running],
  raised: [...new Set(world.orchestrations.raised.map(each => JSON.stringify(each)))],
  deadLetters: [...new Set(world.queue.deadLetters)],
  replies: [...new Set(world.queue.replies.map(each => JSON.stringify(each)))],
});

async function arranged(step: Step): Promise<World> {
  const world = createWorld();
  await step.arrange(world);
  return world;
}

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
        const world = await arranged(step);
        try {
          await step.run(breakingAt(world, index, when).dependencies);
        } catch (error) {
          if (!(error instanceof TransientError)) throw error;
        }
        const second = await step.run(world);
        assert.equal(stateOf(world), expected, `died ${when} ${call} (${index})`);
        if (!step.forgetsAnswer) assert.equal(second, answer, `died ${when} ${call} (${index})`);
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
