import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { RunningDevOps } from '../../../scripts/local/devops/server.js';
import {
  closeAll,
  completeTask,
  control,
  type Pipeline,
  pipelineOf,
  play,
  start,
  testFunction,
  until,
  webApi,
} from './stack.js';

const presets = suite('what the typed client sees of a preset');
const completions = suite('the completions of a task');
for (const each of [presets, completions]) each.after.each(closeAll);

async function put(devops: RunningDevOps, ...rules: readonly object[]): Promise<void> {
  const answer = await fetch(`${devops.url}/_local/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rules),
  });
  assert.is(answer.status, 204, await answer.text());
}

/** A pipeline whose server task waits for its function. */
async function waiting(devops: RunningDevOps): Promise<{ runId: string; pipeline: Pipeline }> {
  const call = await testFunction();
  const { runId } = await play(devops, { request: { function: call.url, key: 'k' }, job: null });
  return { runId, pipeline: pipelineOf(await call.first()) };
}

const ClientError = z.object({
  statusCode: z.number(),
  result: z.object({ typeKey: z.string() }).optional(),
  rateLimit: z.object({ retryAfter: z.number().optional() }).optional(),
});
async function thrown(call: Promise<unknown>): Promise<z.infer<typeof ClientError>> {
  try {
    await call;
  } catch (error) {
    return ClientError.parse(error);
  }
  throw new Error('the call was expected to fail, and did not');
}

presets('the page to sign in: no error, and nothing', async () => {
  const devops = await start();
  const api = await webApi(devops).getTaskAgentApi();
  await put(devops, { preset: 'signInPage', call: 'GET *' });
  assert.is(await api.getAgentPools(), null);
});

presets('a limit of calls: its Retry-After, with 429 or with 200', async () => {
  const devops = await start();
  const api = await webApi(devops).getTaskAgentApi();
  await put(devops, { preset: 'throttled', count: 1 });
  const { statusCode, result, rateLimit } = await thrown(api.getAgentPools());
  assert.equal([statusCode, result?.typeKey, rateLimit?.retryAfter], [429, 'RequestBlockedException', 2]);
  await put(devops, { preset: 'throttled', count: 1, headers: { 'retry-after': null } });
  assert.is((await thrown(api.getAgentPools())).rateLimit?.retryAfter, undefined);

  await put(devops, { preset: 'slowedDown', headers: { 'retry-after': '9' } });
  assert.is((await api.getAgentPools()).length, 1);
  const bare = await fetch(`${devops.collectionUrl}/_apis/distributedtask/pools`, {
    headers: { authorization: `Basic ${Buffer.from(`:${devops.pat}`).toString('base64')}` },
  });
  assert.is(bare.status, 200);
  assert.is(bare.headers.get('retry-after'), '9');
  assert.is(bare.headers.get('x-ratelimit-remaining'), '0');
});

presets('a callback that comes too late, by its typeKey, for one plan alone', async () => {
  const devops = await start();
  const { pipeline } = await waiting(devops);
  const other = await waiting(devops);
  for (const [preset, status, typeKey] of [
    ['sessionNotFound', 500, 'OrchestrationSessionNotFoundException'],
    ['planSecurity', 403, 'TaskOrchestrationPlanSecurityException'],
    ['planTerminated', 400, 'TaskOrchestrationPlanTerminatedException'],
  ] as const) {
    await put(devops, { preset, url: pipeline.plan });
    const { statusCode, result } = await thrown(completeTask(pipeline));
    assert.equal([statusCode, result?.typeKey], [status, typeKey]);
  }
  // The client does not throw for this one.
  await put(devops, { preset: 'planNotFound', url: pipeline.plan });
  assert.is(await completeTask(pipeline), 404);
  assert.is(await completeTask(other.pipeline), 204);
});

const Completions = z.array(
  z.object({
    runId: z.string(),
    taskInstanceId: z.string(),
    result: z.string(),
    accepted: z.boolean(),
    typeKey: z.string().optional(),
    delivered: z.boolean(),
  }),
);

completions('are all kept: what each came to, and whether its sender was told', async () => {
  const devops = await start();
  const { runId, pipeline } = await waiting(devops);
  await put(devops, { call: 'POST *events', preset: 'reset', count: 1 });
  await completeTask(pipeline).then(
    () => assert.unreachable(),
    () => undefined,
  );
  await put(devops, { call: 'POST *events', preset: 'resetAfterCommit', count: 1 });
  await completeTask(pipeline).then(
    () => assert.unreachable(),
    () => undefined,
  );
  await put(devops, { preset: 'serverError', call: 'POST *events', when: 'commit', count: 1 });
  await completeTask(pipeline, { result: 'failed' }).then(
    () => assert.unreachable(),
    () => undefined,
  );
  await put(devops);
  await completeTask(pipeline, { result: 'failed' }).then(
    () => assert.unreachable(),
    () => undefined,
  );
  const kept = await until('all answers are noted', async () => {
    const parsed = Completions.safeParse((await control(devops, 'GET', '/completions')).body);
    return parsed.success && parsed.data.length === 3 ? parsed.data : undefined;
  });
  const typeKey = 'TaskOrchestrationPlanTerminatedException';
  const same = { runId, taskInstanceId: pipeline.task };
  assert.equal(kept, [
    { ...same, result: 'succeeded', accepted: true, delivered: false },
    { ...same, result: 'failed', accepted: false, typeKey, delivered: false },
    { ...same, result: 'failed', accepted: false, typeKey, delivered: true },
  ]);
});

completions('whose sender hung up before the answer were not delivered', async () => {
  const devops = await start();
  const { pipeline } = await waiting(devops);
  await put(devops, { call: 'POST *events', when: 'none', holdMs: 200 });
  const { url, project, hub, plan, job, task, token } = pipeline;
  const answer = fetch(`${url}${project}/_apis/distributedtask/hubs/${hub}/plans/${plan}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ name: 'TaskCompleted', taskId: task, jobId: job, result: 'succeeded' }),
    signal: AbortSignal.timeout(80),
  });
  await answer.then(
    () => assert.unreachable(),
    () => undefined,
  );
  const [kept] = await until('the answer is noted', async () => {
    const parsed = Completions.safeParse((await control(devops, 'GET', '/completions')).body);
    return parsed.success && parsed.data.length > 0 ? parsed.data : undefined;
  });
  assert.equal([kept?.accepted, kept?.delivered], [true, false]);
});

presets.run();
completions.run();
