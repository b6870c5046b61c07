import { getPersonalAccessTokenHandler, WebApi } from 'azure-devops-node-api';
import * as z from 'zod';
import type { Stack } from '../../local/stack/stack.js';
import { type AppName, agentPool } from '../world.js';

const Run = z.looseObject({
  runId: z.string(),
  state: z.string(),
  result: z.string().nullable(),
  request: z.looseObject({ status: z.number().nullable(), requestId: z.string().nullable() }),
});

type Within = Pick<Stack, 'url' | 'functionKey'>;

/** How long one question for a run's end may hang, in seconds. */
const holdSeconds = 20;

/** Has the local Azure DevOps play a pipeline whose first job asks for an agent and whose second runs on it. */
export async function startRun(stack: Within, app: AppName): Promise<string> {
  // The article's pipeline does not wait, and any agent of its pool will do.
  const waits = app !== 'article';
  const { runId } = await call(stack, 'POST', '', {
    request: {
      function: `${stack.url('host')}/api/${waits ? 'agents' : 'ProvideAzDOAgent'}`,
      key: stack.functionKey,
      body: JSON.stringify(waits ? { capabilities: { BENCH_BUILD: '$(Build.BuildId)' } } : {}),
      waitForCompletion: waits,
    },
    job: {
      pool: agentPool,
      demands: waits ? ['BENCH_BUILD -equals $(Build.BuildId)'] : [],
      steps: [{ displayName: 'Build', script: 'echo "built on $AZDO_AGENT"' }],
    },
  });
  return runId;
}

/** @returns the id that the app gave; undefined while it has not answered. */
export async function requestIdOf(stack: Within, runId: string): Promise<string | undefined> {
  const { request } = await call(stack, 'GET', `/${runId}`);
  if (request.status !== null && request.status >= 300) {
    throw new Error(`The call of ${runId} was answered with ${request.status}.`);
  }
  return request.requestId ?? undefined;
}

/** @throws when the run fails: then there is nothing to measure. */
export async function untilSucceeded(stack: Within, runId: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { state, result } = await call(stack, 'GET', `/${runId}?wait=${holdSeconds}`, undefined, signal);
    if (state !== 'completed') continue;
    if (result !== 'succeeded') throw new Error(`${runId} has ${result ?? 'no result'}.`);
    return;
  }
}

async function call(
  stack: Within,
  method: string,
  path: string,
  body?: object,
  signal?: AbortSignal,
): Promise<z.infer<typeof Run>> {
  const response = await fetch(`${stack.url('devops')}/_local/runs${path}`, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
  if (!response.ok) throw new Error(`A played run was answered ${response.status}: ${await response.text()}`);
  return Run.parse(await response.json());
}

/** The article's agent that is always offline: without one, a job fails at once while no other is registered. */
export async function registerDummyAgent({ settings, pat }: Pick<Stack, 'settings' | 'pat'>): Promise<void> {
  const api = await new WebApi(
    (settings['AzDOUrl'] ?? '').replace(/\/+$/, ''),
    getPersonalAccessTokenHandler(pat),
  ).getTaskAgentApi();
  const poolId = (await api.getAgentPools(agentPool)).find(({ name }) => name === agentPool)?.id;
  if (poolId === undefined) throw new Error(`There is no agent pool ${agentPool}.`);
  await api.addAgent({ name: 'dummy', version: '99.999.9' }, poolId);
}
