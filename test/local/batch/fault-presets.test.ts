import type { BatchServiceClient } from '@azure/batch';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { LocalBatch } from '../../../scripts/local/batch/server.js';
import { clientOf, errorOf, Scratch, scriptTask, startBatch } from './support.js';

const scratch = new Scratch();
let batch: LocalBatch;
let client: BatchServiceClient;

const presets = suite('what the Batch client sees of a preset');

presets.before(async () => {
  batch = await startBatch(scratch.file('data'));
  client = clientOf(batch);
});
presets.after(async () => {
  await batch.close();
  scratch.remove();
});

async function put(...rules: readonly object[]): Promise<void> {
  const answer = await fetch(`${batch.url}/_local/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rules),
  });
  assert.is(answer.status, 204, await answer.text());
}

const Presets = z.record(z.string(), z.looseObject({ about: z.string(), status: z.number().optional() }));

presets('an error of the service: its status and code', async () => {
  const known = Presets.parse(await (await fetch(`${batch.url}/_local/faults/presets`)).json());
  for (const [preset, code, status] of [
    ['throttled', 'TooManyRequests', 429],
    ['serverBusy', 'ServerBusy', 503],
    ['internalError', 'InternalError', 500],
    ['operationTimedOut', 'OperationTimedOut', 500],
    ['jobDisabled', 'JobDisabled', 409],
    ['jobCompleted', 'JobCompleted', 409],
    ['quotaReached', 'ActiveJobAndScheduleQuotaReached', 409],
    ['poolNotFound', 'PoolNotFound', 404],
    ['poolBeingResized', 'PoolBeingResized', 409],
    ['authenticationFailed', 'AuthenticationFailed', 403],
    ['accountDisabled', 'AccountIsDisabled', 403],
  ] as const) {
    assert.is(known[preset]?.status, status, preset);
    await put({ preset, call: 'GET /jobs/:jobId' });
    assert.equal(await errorOf(client.job.get('any')), { status, code, values: [] });
  }
});

const Throttled = z.object({
  response: z.object({ headers: z.custom<{ get(name: string): string | undefined }>() }),
});

presets('429 with Retry-After, and without', async () => {
  for (const [headers, expected] of [
    [{}, '2'],
    [{ 'retry-after': null }, undefined],
  ] as const) {
    await put({ preset: 'throttled', headers });
    const error = await client.job.get('any').then(
      () => assert.unreachable(),
      (reason: unknown) => reason,
    );
    assert.is(Throttled.parse(error).response.headers.get('retry-after'), expected);
  }
});

presets('a job that is not found for a while after it was created', async () => {
  await put({ preset: 'jobNotFoundAtFirst' });
  for (const id of ['new-1', 'new-2']) {
    await client.job.add({ id, poolInfo: { poolId: 'batchLinux' } });
    const add = () => client.task.add(id, scriptTask('t', '-v'));
    assert.is((await errorOf(add())).code, 'JobNotFound');
    assert.is((await errorOf(add())).code, 'JobNotFound');
    await add();
  }
});

presets('500 for the creation of one task that was created all the same', async () => {
  await client.job.add({ id: 'Job', poolInfo: { poolId: 'batchLinux' } });
  await put({
    preset: 'internalError',
    call: 'POST /jobs/:jobId/tasks',
    content: '"id":"b"',
    when: 'commit',
  });
  await client.task.add('Job', scriptTask('a', '-v'));
  assert.is((await errorOf(client.task.add('Job', scriptTask('b', '-v')))).code, 'InternalError');
  await put();
  assert.is((await errorOf(client.task.add('Job', scriptTask('b', '-v')))).code, 'TaskExists');
});

presets.run();
