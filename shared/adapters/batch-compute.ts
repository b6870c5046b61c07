import type { BatchServiceModels } from '@azure/batch';
import * as z from 'zod';
import type { JobView } from '../domain/daily-jobs.js';
import { type Failure, shorten, TransientError } from '../domain/failure.js';
import { batchJobIdOf } from '../domain/names.js';
import type { BatchPlace } from '../domain/request.js';
import { type TaskView, taskStates } from '../domain/situation.js';
import type { AgentTask, Clock, Compute } from '../ports.js';
import {
  type BatchClientOptions,
  batchCall,
  batchError,
  isMissing,
  openBatchClient,
} from './batch-client.js';
import { batchFacts, classifyBatchError } from './batch-errors.js';
import { findPoolProblem, poolDeleting } from './batch-pool-problem.js';
import { viewPools } from './batch-pool-views.js';
import { product } from './product.js';
import { createSystemClock } from './system-clock.js';

export interface BatchComputeOptions extends BatchClientOptions {
  /** Pulls images with the identity of the nodes; absent: as the pool is set up to. */
  readonly registry?: { readonly server: string; readonly identityResourceId: string };
  /** Marks the tasks of this installation, see {@link installationIdOf}; absent: they are marked as nobody's. */
  readonly installation?: string | undefined;
  readonly clock?: Clock;
}

const poolIsFitForMs = 60_000;
/** A job that was just created may not be found for a moment. */
const jobNotFoundTries = 6;
const jobNotFoundPauseMs = 1_000;
const lastRound = 9;
const tailBytes = 2_048;
const taskColumns = 'id,displayName,state,previousState,executionInfo';

const Task = z.object({
  id: z.string(),
  displayName: z.string().nullish(),
  state: z.enum(taskStates),
  previousState: z.enum(taskStates).nullish().catch(undefined),
  executionInfo: z
    .object({
      // The client makes a date of it.
      startTime: z.coerce.date().nullish(),
      exitCode: z.number().nullish(),
      failureInfo: z
        .object({
          code: z.string().nullish(),
          message: z.string().nullish(),
          details: z.array(z.object({ name: z.string().nullish(), value: z.string().nullish() })).nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

const Job = z.object({ id: z.string(), displayName: z.string().nullish(), state: z.string() });

/** A job in which nothing can be started any more: its next round takes over. */
const jobHasEnded: ReadonlySet<string> = new Set(['JobBeingTerminated', 'JobBeingDeleted', 'JobCompleted']);
const endedJobStates: ReadonlySet<string> = new Set(['terminating', 'deleting', 'completed']);

export function createBatchCompute(options: BatchComputeOptions): Compute {
  const client = openBatchClient(options);
  const { installation } = options;
  const clock = options.clock ?? createSystemClock();
  const fitPools = new Map<string, number>();
  /** Which round of a profile's job of the day is in use, by job and pool. */
  const rounds = new Map<string, number>();

  /** @returns what makes the pool unfit for any task. */
  async function poolUnfit(poolId: string): Promise<Failure | undefined> {
    const now = clock.now().getTime();
    if ((fitPools.get(poolId) ?? Number.NEGATIVE_INFINITY) > now) return undefined;
    const pool = await client.pool.get(poolId, { ...batchCall(), poolGetOptions: { select: 'id,state' } });
    if (pool.state === 'deleting') return poolDeleting(poolId);
    fitPools.set(poolId, now + poolIsFitForMs);
    return undefined;
  }

  /** @returns false if the job can't take this pool's tasks: it has ended or is on another pool. */
  async function ensureJob(jobId: string, poolId: string): Promise<boolean> {
    try {
      // A shared job must not end because it happens to be empty.
      await client.job.add(
        {
          id: jobId,
          displayName: product.productName,
          poolInfo: { poolId },
          onAllTasksComplete: 'noaction',
        },
        batchCall(),
      );
      return true;
    } catch (error) {
      if (batchFacts(error).code !== 'JobExists') throw error;
    }
    const job = await client.job.get(jobId, {
      ...batchCall(),
      jobGetOptions: { select: 'id,state,poolInfo' },
    });
    return !endedJobStates.has(job.state ?? '') && sameId(job.poolInfo?.poolId, poolId);
  }

  /** @returns false if the job has ended meanwhile. */
  async function addTask(jobId: string, task: AgentTask): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      try {
        await client.task.add(jobId, toTask(task, options), batchCall());
        return true;
      } catch (error) {
        const { code } = batchFacts(error);
        if (code === 'TaskExists') return true;
        if (code !== undefined && jobHasEnded.has(code)) return false;
        if (code !== 'JobNotFound' || tries === jobNotFoundTries) throw error;
      }
      await clock.sleep(jobNotFoundPauseMs);
      if (!(await ensureJob(jobId, task.poolId))) return false;
    }
  }

  /** @returns the job that has the task now. */
  async function addToJob(task: AgentTask): Promise<string> {
    const key = `${task.profile} ${task.day} ${task.poolId}`;
    const cached = rounds.get(key);
    for (let round = cached ?? 0; round <= lastRound; round += 1) {
      const jobId = batchJobIdOf(task.profile, task.day, round);
      if (round !== cached && !(await ensureJob(jobId, task.poolId))) continue;
      rounds.set(key, round);
      if (await addTask(jobId, task)) return jobId;
    }
    // Jobs that were being deleted are gone some time later: the search begins anew.
    rounds.delete(key);
    throw new TransientError(
      'JobsExhausted',
      'createTask',
      `Every Batch job of profile ${task.profile} for ${task.day} has ended or is on another pool. Wait until ended ` +
        'jobs are deleted, or delete them.',
      60_000,
    );
  }

  async function listJob(jobId: string): Promise<readonly TaskView[]> {
    const views: TaskView[] = [];
    try {
      let page = await client.task.list(jobId, {
        ...batchCall(),
        taskListOptions: { select: taskColumns, maxResults: 1_000 },
      });
      for (;;) {
        views.push(...page.map(task => toView(jobId, task, installation)));
        if (!page.odatanextLink) return views;
        page = await client.task.listNext(page.odatanextLink, batchCall());
      }
    } catch (error) {
      if (batchFacts(error).status === 404) return [];
      throw batchError(error, 'nodeAllocation', `The tasks of Batch job ${jobId} can't be listed`);
    }
  }

  async function fileTail({ jobId, taskId }: BatchPlace, path: string): Promise<string> {
    try {
      const { contentLength } = await client.file.getPropertiesFromTask(jobId, taskId, path, batchCall());
      if (!(contentLength > 0)) return '';
      const ocpRange = `bytes=${Math.max(0, contentLength - tailBytes)}-${contentLength - 1}`;
      const file = await client.file.getFromTask(jobId, taskId, path, {
        ...batchCall(),
        fileGetFromTaskOptions: { ocpRange },
      });
      const chunks: Buffer[] = [];
      for await (const chunk of file.readableStreamBody ?? [])
        chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      const tail = Buffer.concat(chunks).subarray(-tailBytes).toString('utf8');
      // A line without its beginning may hold half a secret, which nobody could recognise and hide.
      return (contentLength > tailBytes ? tail.slice(tail.indexOf('\n') + 1) : tail).trim();
    } catch {
      // It only makes a failure's message better; the failure must not wait for it.
      return '';
    }
  }

  async function listJobs(): Promise<readonly JobView[]> {
    const views: JobView[] = [];
    let page = await client.job.list({
      ...batchCall(),
      jobListOptions: {
        filter: "startswith(id, 'agents-')",
        select: 'id,displayName,state',
        maxResults: 1_000,
      },
    });
    for (;;) {
      for (const job of page) {
        const { id, displayName, state } = Job.parse(job);
        if (state === 'deleting') continue;
        views.push({
          jobId: id,
          state: state === 'completed' ? 'ended' : state === 'terminating' ? 'ending' : 'active',
          marked: displayName === product.productName,
        });
      }
      if (!page.odatanextLink) return views;
      page = await client.job.listNext(page.odatanextLink, batchCall());
    }
  }

  return {
    listJobs: async () => {
      try {
        return await listJobs();
      } catch (error) {
        throw batchError(error, 'nodeAllocation', "The Batch jobs can't be listed");
      }
    },

    endJob: async jobId => {
      try {
        await client.job.terminate(jobId, {
          ...batchCall(),
          jobTerminateOptionalParams: { terminateReason: 'Its day is over.' },
        });
      } catch (error) {
        const { status, code } = batchFacts(error);
        if (status === 404 || (code !== undefined && jobHasEnded.has(code))) return;
        throw batchError(error, 'nodeAllocation', `Batch job ${jobId} can't be ended`);
      }
    },

    deleteJob: async jobId => {
      try {
        await client.job.deleteMethod(jobId, batchCall());
      } catch (error) {
        const { status, code } = batchFacts(error);
        if (status === 404 || code === 'JobBeingDeleted') return;
        throw batchError(error, 'nodeAllocation', `Batch job ${jobId} can't be deleted`);
      }
    },

    createTask: async task => {
      const what = `The task of agent ${task.taskId} in Batch pool ${task.poolId} can't be created`;
      try {
        const problem = await poolUnfit(task.poolId);
        if (problem) return { kind: 'rejected', failure: problem };
      } catch (error) {
        fitPools.delete(task.poolId);
        const outcome = isMissing(error)
          ? classifyBatchError({ statusCode: 404, code: 'PoolNotFound' }, 'nodeAllocation', what)
          : classifyBatchError(error, 'createTask', what);
        if (outcome.kind === 'transient') throw outcome.error;
        return { kind: 'rejected', failure: outcome.failure };
      }
      try {
        const jobId = await addToJob(task);
        return { kind: 'created', batch: { poolId: task.poolId, jobId, taskId: task.taskId } };
      } catch (error) {
        const outcome = classifyBatchError(error, 'createTask', what);
        if (outcome.kind === 'transient') throw outcome.error;
        return { kind: 'rejected', failure: outcome.failure };
      }
    },

    listTasks: async jobIds => (await Promise.all(jobIds.map(listJob))).flat(),

    getTask: async ({ jobId, taskId }) => {
      try {
        const task = await client.task.get(jobId, taskId, {
          ...batchCall(),
          taskGetOptions: { select: taskColumns },
        });
        return toView(jobId, task, installation);
      } catch (error) {
        if (batchFacts(error).status === 404) return undefined;
        throw batchError(error, 'nodeAllocation', `Batch task ${taskId} can't be read`);
      }
    },

    poolProblem: async poolId => {
      const what = `Batch pool ${poolId} can't be used`;
      try {
        const problem = await findPoolProblem(client, poolId, batchCall);
        if (problem?.code === 'PoolMissing') fitPools.delete(poolId);
        return problem;
      } catch (error) {
        if (!isMissing(error)) throw batchError(error, 'nodeAllocation', what);
        fitPools.delete(poolId);
        const missing = { statusCode: 404, code: 'PoolNotFound' };
        const outcome = classifyBatchError(missing, 'nodeAllocation', what);
        return outcome.kind === 'permanent' ? outcome.failure : undefined;
      }
    },

    poolViews: async poolIds => {
      try {
        return await viewPools(client, poolIds, batchCall);
      } catch (error) {
        throw batchError(error, 'nodeAllocation', "The Batch pools can't be read");
      }
    },

    deleteTask: async ({ jobId, taskId }) => {
      try {
        await client.task.deleteMethod(jobId, taskId, batchCall());
      } catch (error) {
        const { status, code } = batchFacts(error);
        // With its job the task goes, too.
        if (status === 404 || code === 'JobBeingDeleted') return;
        if (status === 409) {
          throw new TransientError(
            'BatchUnavailable',
            'createTask',
            `Batch task ${taskId} can't be deleted now: ${code ?? 'conflict'}.`,
          );
        }
        throw batchError(error, 'createTask', `Batch task ${taskId} can't be deleted`);
      }
    },

    outputTail: async place => {
      const text = (await fileTail(place, 'stderr.txt')) || (await fileTail(place, 'stdout.txt'));
      return text === '' ? undefined : text;
    },

    ping: async () => {
      try {
        await client.pool.list({ ...batchCall(), poolListOptions: { maxResults: 1, select: 'id' } });
      } catch (error) {
        throw batchError(error, 'createTask', "Azure Batch can't be used");
      }
    },
  };
}

function toTask(
  task: AgentTask,
  { registry, installation }: BatchComputeOptions,
): BatchServiceModels.TaskAddParameter {
  return {
    id: task.taskId,
    displayName: markOf(installation),
    // Empty keeps the image's entry point.
    commandLine: '',
    containerSettings: {
      imageName: task.image,
      workingDirectory: 'containerImageDefault',
      ...(registry
        ? {
            registry: {
              registryServer: registry.server,
              identityReference: { resourceId: registry.identityResourceId },
            },
          }
        : {}),
    },
    environmentSettings: Object.entries(task.environment).map(([name, value]) => ({ name, value })),
    constraints: {
      maxWallClockTime: `PT${task.maxWallClockMinutes}M`,
      // A task that runs twice would register the same agent twice.
      maxTaskRetryCount: 0,
      retentionTime: 'PT1H',
    },
    requiredSlots: task.slots,
    userIdentity: {
      // Windows containers start only with administrator rights on the node.
      autoUser: { scope: 'task', elevationLevel: task.os === 'windows' ? 'admin' : 'nonadmin' },
    },
  };
}

/** Tells the tasks of one installation from those of another that shares the account. */
const markOf = (installation: string | undefined): string =>
  installation === undefined ? product.productName : `${product.productName} ${installation}`;

function madeHere(displayName: string | null | undefined, installation: string | undefined) {
  if (!displayName?.startsWith(`${product.productName} `)) return undefined;
  return displayName === markOf(installation);
}

function toView(jobId: string, task: unknown, installation: string | undefined): TaskView {
  const { id, displayName, state, previousState, executionInfo } = Task.parse(task);
  const failure = executionInfo?.failureInfo;
  const details = failure?.details?.map(({ name, value }) => `${name ?? ''}: ${value ?? ''}`).join('; ');
  const message = [failure?.message, details].filter(Boolean).join(' ');
  return {
    jobId,
    taskId: id,
    state,
    previousState: previousState ?? undefined,
    startedAt: executionInfo?.startTime?.toISOString(),
    exitCode: executionInfo?.exitCode ?? undefined,
    failureCode: failure?.code ?? undefined,
    failureMessage: message === '' ? undefined : shorten(message, 500),
    madeHere: madeHere(displayName, installation),
  };
}

const sameId = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();
