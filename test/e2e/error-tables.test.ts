import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { type AgentsApi, agentsApi } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { accepted, type Pipelines, pipelinesOf } from './support/pipelines.js';
import { misbehave } from './support/stand-ins.js';
import { take } from './support/storage.js';
import { openWorld } from './support/world.js';

/**
 * Rows of the tables of errors on the real stack, at the same time, each fault for one request alone. All rows, those
 * that take long included, are in test/failures, in virtual time.
 */
let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;
let pipelines: Pipelines;

const tables = suite('errors of the services, all at once');
tables.before(async () => {
  ({ stack, end } = await openWorld());
  api = agentsApi(stack);
  pipelines = pipelinesOf(stack);
});
tables.after(async () => end());

const Bites = z.array(z.looseObject({ name: z.string(), bitten: z.number() }));
async function bitesOf(part: 'batch' | 'devops'): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${stack.url(part)}/_local/faults`);
  const rules = Bites.parse(await response.json());
  return new Map(rules.map(({ name, bitten }) => [name, bitten]));
}

interface Row {
  readonly status: number;
  readonly code?: string;
  readonly commits?: boolean;
  readonly count?: number;
  /** `online`, or the code of the failure. */
  readonly becomes: string;
}
const onTaskAdd: Readonly<Record<string, Row>> = {
  'invalid-value': { status: 400, code: 'InvalidPropertyValue', becomes: 'BatchRequestInvalid' },
  'no-sign-in': { status: 403, code: 'AuthenticationFailed', becomes: 'BatchAuthenticationFailed' },
  'no-account': { status: 403, code: 'AccountIsDisabled', becomes: 'BatchAccountDisabled' },
  'no-pool': { status: 404, code: 'PoolNotFound', becomes: 'PoolMissing' },
  'new-job': { status: 404, code: 'JobNotFound', count: 2, becomes: 'online' },
  resizing: { status: 409, code: 'PoolBeingResized', count: 1, becomes: 'online' },
  'throttled-late': { status: 429, code: 'TooManyRequests', commits: true, count: 1, becomes: 'online' },
  'broken-late': { status: 500, code: 'InternalError', commits: true, count: 1, becomes: 'online' },
  reset: { status: 0, count: 1, becomes: 'online' },
};

tables('Azure Batch: each has its own outcome, with one task at most', async () => {
  await misbehave(
    stack,
    'batch',
    ...Object.entries(onTaskAdd).map(([name, { status, code, commits, count }]) => ({
      name,
      call: 'POST */tasks',
      content: `"id":"${name}-1"`,
      status,
      when: commits ? ('commit' as const) : ('before' as const),
      ...(count === undefined ? {} : { count }),
      ...(code === undefined ? {} : { body: { code, message: { lang: 'en-US', value: `About ${code}.` } } }),
    })),
  );
  await Promise.all(
    Object.entries(onTaskAdd).map(async ([name, { becomes }]) => {
      await api.ask({ requestId: name });
      const request = await api.until(name, ['online', 'deadLettered']);
      assert.is(request.failure?.code ?? request.state, becomes, name);
      assert.is(request.attempt, 1, name);
      if (request.state === 'online') await api.cancel(name);
      await api.end(name);
    }),
  );
  const bites = await bitesOf('batch');
  for (const [name, { count = 1 }] of Object.entries(onTaskAdd)) assert.is(bites.get(name), count, name);
  const letters = await take(stack, 'agent-requests-deadletter');
  assert.is(letters.length, Object.values(onTaskAdd).filter(({ becomes }) => becomes !== 'online').length);
  await misbehave(stack, 'batch');
  await nothingLeft(stack);
});

const onCompletion = {
  OrchestrationSessionNotFoundException: { state: 'cancelled', told: [] },
  TaskOrchestrationPlanTerminatedException: { state: 'cancelled', told: [] },
  VssServiceException: { state: 'completed', told: ['succeeded'] },
} as const;

tables('Azure DevOps: a run that is over takes its agent back, one that stumbles is told again', async () => {
  const runs = await Promise.all(
    Object.entries(onCompletion).map(async ([typeKey, expected]) => ({
      typeKey,
      expected,
      run: await pipelines.start(),
    })),
  );
  await misbehave(
    stack,
    'devops',
    ...runs.map(({ typeKey, run }) => ({
      name: typeKey,
      call: 'POST */events',
      content: run.taskInstanceId,
      status: 500,
      ...(typeKey === 'VssServiceException' ? { count: 1 } : {}),
      body: { $id: '1', message: `About ${typeKey}.`, typeKey },
    })),
  );
  await Promise.all(
    runs.map(async ({ typeKey, expected, run }) => {
      const requestId = await pipelines.requestId(run.runId);
      if (typeKey === 'OrchestrationSessionNotFoundException') await pipelines.cancel(run.runId);
      const request = await api.end(requestId, 30_000);
      assert.is(request.state, expected.state, typeKey);
      assert.equal(accepted(await pipelines.get(run.runId)), expected.told, typeKey);
    }),
  );
  await misbehave(stack, 'devops');
  await Promise.all(runs.map(({ run }) => pipelines.cancel(run.runId).catch(() => undefined)));
  await nothingLeft(stack);
});

tables.run();
