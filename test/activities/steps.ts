import type { WithOrchestrations } from '../../shared/activities/dependencies.js';
import { finishRequest } from '../../shared/activities/finish-request.js';
import { lookAtAgent } from '../../shared/activities/look-at-agent.js';
import { provisionAgent } from '../../shared/activities/provision-agent.js';
import { recordBusy } from '../../shared/activities/record-busy.js';
import { releasePipeline } from '../../shared/activities/release-pipeline.js';
import { retireAttempt } from '../../shared/activities/retire-attempt.js';
import { settleEnd } from '../../shared/activities/settle-end.js';
import { watchPool } from '../../shared/activities/watch-pool.js';
import { createFakeRequestStore } from '../fakes/request-store.js';
import { somePipeline } from '../fakes/requests.js';
import {
  createLimits,
  createWorld,
  haveRequest,
  linuxPool,
  type World,
  waitingPipeline,
  windowsPool,
} from '../fakes/world.js';

/** One step of a request's life that may run anywhere, at any time, and more than once. */
export interface Step {
  readonly name: string;
  readonly arrange: (world: World) => Promise<unknown>;
  readonly run: (dependencies: WithOrchestrations) => Promise<unknown>;
  /** The second run has another answer, which is fine. */
  readonly forgetsAnswer?: true;
}

export const ref = { requestId: 'r-1', generation: 1, attempt: 1 } as const;
export const failure = {
  code: 'ImagePullFailed',
  stage: 'container',
  message: 'No such image.',
  retryable: true,
} as const;
export const replyQueue = 'agent-replies';
export const waits = (world: World) => ({ ...waitingPipeline(world), replyQueue });

export const provision: Step['run'] = dependencies => provisionAgent(dependencies)({ ...ref, attempts: 3 });
export const release: Step['run'] = dependencies => releasePipeline(dependencies)(ref);
export const finish =
  (outcome: Parameters<ReturnType<typeof finishRequest>>[0]['outcome']): Step['run'] =>
  dependencies =>
    finishRequest(dependencies)({ ...ref, outcome });
const unsealable = (world: World) => {
  const { pipeline } = waitingPipeline(world);
  return { pipeline, callback: { sealedToken: world.seal.seal('another', 'x') } };
};

export const steps: readonly Step[] = [
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
    name: 'finishRequest, completed, nobody waits',
    arrange: async world => {
      await haveRequest(world, 'busy');
      world.registry.put(linuxPool, 'r-1-1', { busy: false, ranJob: true });
    },
    run: finish({ state: 'completed', detail: 'Done.' }),
  },
  {
    name: 'finishRequest, completed, its job told only by its end',
    arrange: async world => {
      await haveRequest(world, 'online');
      world.registry.put(linuxPool, 'r-1-1', { ranJob: true });
    },
    run: finish({ state: 'completed', detail: 'Done.' }),
  },
  {
    name: 'finishRequest, cancelled, nobody waits',
    arrange: world => haveRequest(world, 'starting'),
    run: finish({ state: 'cancelled', detail: 'Cancelled by request.' }),
  },
  {
    name: 'finishRequest, cancelled while it is provided',
    arrange: world => haveRequest(world, 'provisioning'),
    run: finish({ state: 'cancelled', detail: 'Cancelled by request.' }),
  },
  {
    name: 'finishRequest, run known to be over',
    arrange: world => haveRequest(world, 'starting', waitingPipeline(world)),
    run: finish({ state: 'cancelled', detail: 'The run is over.', planOver: 'PlanTerminated' }),
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
export const stateOf = (world: World): unknown => ({
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

export async function arranged(step: Step): Promise<World> {
  const world = createWorld();
  await step.arrange(world);
  return world;
}

/** Another process in the same world; its memory is its own, and empty at first. */
export function anotherProcess(world: World): World {
  const store = createFakeRequestStore(world.store.table);
  return { ...world, store, ...createLimits({ ...world, store }) };
}
