import { createFakeAgentRegistry } from '../fakes/agent-registry.js';
import { createFakeCompute } from '../fakes/compute.js';
import { createFakeDrainableQueue } from '../fakes/drainable-queue.js';
import { createFakePipelineCallback } from '../fakes/pipeline-callback.js';
import { createFakeRequestQueue } from '../fakes/request-queue.js';
import { createFakeRequestStore } from '../fakes/request-store.js';
import { createFakeRequestSurvey } from '../fakes/request-survey.js';
import { somePipeline } from '../fakes/requests.js';
import { agentRegistryContract } from './agent-registry.js';
import { computeContract } from './compute.js';
import { drainableQueueContract } from './drainable-queue.js';
import { fail } from './fail.js';
import { pipelineCallbackContract } from './pipeline-callback.js';
import { requestQueueContract } from './request-queue.js';
import { requestStoreContract } from './request-store.js';
import { requestSurveyContract } from './request-survey.js';

requestStoreContract('fake', () => {
  const { table } = createFakeRequestStore();
  return () => createFakeRequestStore(table);
});

requestSurveyContract('fake', () => {
  const store = createFakeRequestStore();
  return { store, survey: createFakeRequestSurvey(store.table) };
});

requestQueueContract('fake', async () => {
  const queue = createFakeRequestQueue();
  return {
    queue,
    take: async which => {
      if (which === 'replies') return queue.replies.splice(0).map(({ message }) => message);
      return (which === 'requests' ? queue.sent : queue.deadLetters).splice(0);
    },
  };
});

drainableQueueContract('fake', async () => {
  const texts: string[] = [];
  return { queue: createFakeDrainableQueue(texts), put: async more => void texts.push(...more) };
});

computeContract('fake', async () => {
  const compute = createFakeCompute();
  compute.missingPools.add('no-such-pool');
  const endless = (taskId: string) => ({
    profile: 'ubuntu',
    day: '20260131',
    poolId: 'linux',
    taskId,
    image: 'azdo-agent:x',
    os: 'linux' as const,
    slots: 1,
    environment: {},
    maxWallClockMinutes: 60,
  });
  return {
    compute,
    endless,
    withNode: async () => {
      compute.nodes.set('linux', { current: 1, target: 1, idle: 1, running: 0, starting: 0, unusable: 0 });
      return 'linux';
    },
    troubled: async () => {
      const message = 'There are no more cores.';
      compute.poolProblems.set('full', {
        code: 'QuotaReached',
        stage: 'nodeAllocation',
        message,
        retryable: true,
      });
      return 'full';
    },
    untilRunning: async ({ taskId }) => compute.change(taskId, { state: 'running' }),
    runToEnd: async (taskId, exitCode, output) => {
      const answer = await compute.createTask(endless(taskId));
      const failureCode = exitCode === 0 ? undefined : 'FailureExitCode';
      compute.change(taskId, { state: 'completed', exitCode, failureCode }, output);
      return answer.kind === 'created' ? answer.batch : fail(answer.failure.message);
    },
  };
});

agentRegistryContract('fake', async () => {
  const pool = 'Private Linux';
  const registry = createFakeAgentRegistry([pool]);
  return {
    registry,
    pool,
    connect: async agentName => registry.put(pool, agentName, { online: true }),
    startJob: async agentName => registry.put(pool, agentName, { busy: true }),
    finishJob: async agentName => registry.put(pool, agentName, { online: false, busy: false, ranJob: true }),
  };
});

pipelineCallbackContract('fake', async () => {
  const callback = createFakePipelineCallback();
  return {
    callback,
    pipeline: somePipeline,
    token: 'the job token',
    cancel: async () => callback.endPlan(somePipeline.planId),
    seen: async () => ({
      log: [...callback.lines, ...callback.notes.flatMap(({ log }) => log ?? [])].join('\n'),
      variables: Object.fromEntries(
        callback.notes.flatMap(({ variables }) => Object.entries(variables ?? {})),
      ),
      errors: callback.notes.flatMap(({ error }) => error ?? []),
      results: callback.completions.map(({ result }) => result),
    }),
  };
});
