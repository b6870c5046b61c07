import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BatchPlace } from '../../shared/domain/request.js';
import type { AgentTask, Compute } from '../../shared/ports.js';
import { fail } from './fail.js';

export interface ComputeUnderTest {
  readonly compute: Compute;
  /** A task that runs until it is deleted, in a pool that exists. */
  readonly endless: (taskId: string) => AgentTask;
  /** Waits until a task runs. */
  readonly untilRunning: (place: BatchPlace) => Promise<void>;
  /** A pool that can't grow: the service says that there are "no more cores". */
  readonly troubled: () => Promise<string>;
  /** A pool whose only node is idle. */
  readonly withNode: () => Promise<string>;
  /** Creates a task that prints a text and ends with a code, and waits for its end. */
  readonly runToEnd: (taskId: string, exitCode: number, output: string) => Promise<BatchPlace>;
}

export function computeContract(name: string, make: () => Promise<ComputeUnderTest>): void {
  const test = suite(`compute: ${name}`);

  async function create(compute: Compute, task: AgentTask): Promise<BatchPlace> {
    const answer = await compute.createTask(task);
    return answer.kind === 'created' ? answer.batch : fail(answer.failure.message);
  }

  test('makes one task, however often it is asked for', async () => {
    const { compute, endless } = await make();
    const task = endless('r-1-1');
    const places = await Promise.all([1, 2, 3].map(() => create(compute, task)));
    places.push(await create(compute, task));
    for (const place of places) assert.equal(place, places[0]);
    const place = places[0] ?? fail('no task');
    assert.is(place.poolId, task.poolId);
    assert.is(place.taskId, 'r-1-1');
    const tasks = await compute.listTasks([place.jobId]);
    assert.equal(
      tasks.map(({ taskId }) => taskId),
      ['r-1-1'],
    );
    assert.is(tasks[0]?.jobId, place.jobId);
    await compute.deleteTask(place);
  });

  test('keeps the tasks of a profile and day in one job, and those of another day apart', async () => {
    const { compute, endless } = await make();
    const first = await create(compute, endless('r-1-1'));
    const second = await create(compute, endless('r-2-1'));
    const tomorrow = await create(compute, { ...endless('r-3-1'), day: '20260201' });
    assert.is(first.jobId, second.jobId);
    assert.is.not(first.jobId, tomorrow.jobId);
    const ids = async (jobIds: string[]) =>
      (await compute.listTasks(jobIds)).map(({ taskId }) => taskId).toSorted();
    assert.equal(await ids([first.jobId]), ['r-1-1', 'r-2-1']);
    assert.equal(await ids([first.jobId, tomorrow.jobId]), ['r-1-1', 'r-2-1', 'r-3-1']);
    assert.equal(await ids([]), []);
    for (const place of [first, second, tomorrow]) await compute.deleteTask(place);
  });

  test('refuses a task for a pool that does not exist, for good, and says what to do', async () => {
    const { compute, endless } = await make();
    const answer = await compute.createTask({ ...endless('r-1-1'), poolId: 'no-such-pool' });
    if (answer.kind !== 'rejected') fail('the task was accepted and would never run');
    const { code, stage, message, retryable } = answer.failure;
    assert.equal([code, stage, retryable], ['PoolMissing', 'nodeAllocation', false]);
    assert.match(message, /no-such-pool.*batchPool/);
  });

  test('knows what keeps a pool from running tasks', async () => {
    const { compute, endless, troubled } = await make();
    assert.is(await compute.poolProblem(endless('r-1-1').poolId), undefined);
    const missing = await compute.poolProblem('no-such-pool');
    assert.equal([missing?.code, missing?.retryable], ['PoolMissing', false]);
    const problem = await compute.poolProblem(await troubled());
    assert.equal(
      [problem?.code, problem?.stage, problem?.retryable],
      ['QuotaReached', 'nodeAllocation', true],
    );
    assert.match(problem?.message ?? '', /no more cores/i);
  });

  test('counts the nodes of pools, and tells one that is missing from one without', async () => {
    const { compute, withNode, troubled } = await make();
    const [full, idle] = [await troubled(), await withNode()];
    const views = await compute.poolViews([idle, full, 'no-such-pool']);
    assert.equal(
      views.map(({ poolId }) => poolId),
      [idle, full, 'no-such-pool'],
    );
    const [one, other, missing] = views;
    assert.equal(one?.nodes, { current: 1, target: 1, idle: 1, running: 0, starting: 0, unusable: 0 });
    assert.is(one?.problem, undefined);
    assert.is(other?.nodes?.current, 0);
    assert.equal([other?.problem?.code, missing?.problem?.code], ['QuotaReached', 'PoolMissing']);
    assert.is(missing?.nodes, undefined);
    assert.equal(await compute.poolViews([]), []);
  });

  test('tells of a task that it runs', async () => {
    const { compute, endless, untilRunning } = await make();
    const place = await create(compute, endless('r-1-1'));
    await untilRunning(place);
    const task = (await compute.getTask(place)) ?? fail('no task');
    assert.is(task.state, 'running');
    assert.is(task.exitCode, undefined);
    assert.is(task.failureCode, undefined);
    await compute.deleteTask(place);
  });

  test('tells how a task ended and what it printed last', async () => {
    const { compute, runToEnd } = await make();
    const good = await runToEnd('r-1-1', 0, 'all is well');
    const task = await compute.getTask(good);
    assert.equal([task?.state, task?.exitCode, task?.failureCode], ['completed', 0, undefined]);
    const bad = await runToEnd('r-2-1', 3, 'config.sh: the pool was not found');
    const [listed] = (await compute.listTasks([bad.jobId])).filter(({ taskId }) => taskId === 'r-2-1');
    assert.equal([listed?.state, listed?.exitCode, listed?.failureCode], ['completed', 3, 'FailureExitCode']);
    assert.match((await compute.outputTail(bad)) ?? '', 'config.sh: the pool was not found');
    for (const place of [good, bad]) await compute.deleteTask(place);
  });

  test('deletes a task, running or ended, and does not mind when it is gone', async () => {
    const { compute, endless, untilRunning, runToEnd } = await make();
    const running = await create(compute, endless('r-1-1'));
    await untilRunning(running);
    const over = await runToEnd('r-2-1', 0, 'done');
    for (const place of [running, over]) {
      await compute.deleteTask(place);
      await gone(compute, place);
      await compute.deleteTask(place);
      assert.is(await compute.outputTail(place), undefined);
    }
  });

  test('tells which jobs there are and which tasks this installation made', async () => {
    const { compute, endless } = await make();
    const place = await create(compute, endless('r-1-1'));
    const job = (await compute.listJobs()).find(({ jobId }) => jobId === place.jobId);
    assert.equal(job, { jobId: place.jobId, state: 'active', marked: true });
    assert.is((await compute.getTask(place))?.madeHere, true);
    assert.is((await compute.listTasks([place.jobId]))[0]?.madeHere, true);
    await compute.deleteTask(place);
  });

  test('ends a job and removes it, and does not mind when that was done before', async () => {
    const { compute, endless } = await make();
    const before = await create(compute, endless('r-1-1'));
    const stateOf = async () =>
      (await compute.listJobs()).find(({ jobId }) => jobId === before.jobId)?.state ?? 'gone';
    for (let times = 0; times < 2; times += 1) await compute.endJob(before.jobId);
    await until('the job to end', async () => (await stateOf()) === 'ended');
    await compute.endJob(before.jobId);
    assert.is((await compute.getTask(before))?.state, 'completed', 'nothing runs on in it');

    const after = await create(compute, endless('r-1-2'));
    assert.is.not(after.jobId, before.jobId);
    for (let times = 0; times < 2; times += 1) await compute.deleteJob(before.jobId);
    await until('the job to be gone', async () => (await stateOf()) === 'gone');
    await compute.deleteJob(before.jobId);
    await compute.endJob(before.jobId);
    assert.equal(await compute.listTasks([before.jobId]), []);
    await compute.deleteTask(after);
  });

  test('knows nothing of a job or a task that never was', async () => {
    const { compute } = await make();
    const place = { poolId: 'linux', jobId: 'never', taskId: 'never' };
    assert.equal(await compute.listTasks(['never']), []);
    assert.is(await compute.getTask(place), undefined);
    assert.is(await compute.outputTail(place), undefined);
    await compute.deleteTask(place);
    await compute.ping();
  });

  test.run();
}

/** Batch ends a running task before it removes it. */
const gone = (compute: Compute, place: BatchPlace): Promise<void> =>
  until(`task ${place.taskId} to be gone`, async () => (await compute.getTask(place)) === undefined);

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) fail(`waited in vain for ${what}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
