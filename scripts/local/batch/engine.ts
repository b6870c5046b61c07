import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { alarm } from './alarm.js';
import { durationMs } from './duration.js';
import { BatchError } from './errors.js';
import { type JobPatch, type JobSpec, refuseUnperformed, type TaskSpec } from './model.js';
import { Pools } from './pools.js';
import { idKey, type JobRecord, type JobState, type RunRecord, type TaskRecord } from './records.js';
import { isDedicated } from './resize.js';
import type { Runner } from './runner.js';
import { Runs } from './runs.js';
import { type Job, Store } from './store.js';
import { taskEnvironment } from './task-environment.js';
import { faultEnvironment, type TaskFault, TaskFaults } from './task-faults.js';
import { TaskLog } from './task-log.js';
import { endedUnrun, jobActionOf, type RunOutcome, reactivated, settle } from './task-outcome.js';

export interface EngineOptions {
  readonly dataDir: string;
  readonly account: string;
  readonly runner: Runner;
  /** From SIGTERM to SIGKILL, in milliseconds. */
  readonly killGraceMs: number;
  readonly maxActiveJobs: number;
  /** Makes the chances of task faults reproducible. */
  readonly seed: number;
}

const defaultRetentionMs = 7 * 86_400_000;

/** What jobs and tasks do: every call of the API that changes one ends here. */
export class Engine {
  readonly store: Store;
  readonly runs: Runs;
  readonly pools: Pools;
  readonly taskFaults: TaskFaults;
  readonly taskLog = new TaskLog();
  /** Where the server answers; tasks are told. Known once it listens. */
  url = '';
  #options: EngineOptions;
  /** By task path; what ends a task at its wall clock, and a job at its own. */
  #alarms = new Map<string, () => void>();
  /** By run: what is to go wrong with it once it has started. */
  #doomed = new Map<string, TaskFault>();
  #closing = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { dataDir, runner, killGraceMs } = options;
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    this.store = new Store(join(dataDir, 'journal.jsonl'));
    this.runs = new Runs(this.store, runner, dataDir, killGraceMs, {
      started: (run, at) => this.#started(run, at),
      ended: (run, outcome) => this.#ended(run, outcome),
      forgotten: run => this.#forgotten(run),
    });
    this.taskFaults = new TaskFaults(options.seed);
    this.pools = new Pools(this.store, this.runs, (path, poolId, nodeId) =>
      this.#startTask(path, poolId, nodeId),
    );
  }

  /** Takes up what an earlier server with the same data folder left. */
  resume(): void {
    this.#emptyTrash();
    const running = new Set<string>();
    for (const run of this.store.runs.values()) {
      const task = this.store.jobs.get(run.jobKey)?.tasks.get(run.taskKey);
      const owned = task?.runId === run.id;
      if (owned) running.add(run.id);
      // Its task is gone or has moved on: what is left of it must not run beside the next.
      this.runs.adopt(owned ? run : this.store.saveRun({ ...run, intent: 'delete' }));
    }
    for (const job of this.store.jobs.values()) {
      this.#watchJob(job);
      for (const task of job.tasks.values()) {
        const stranded = task.runId !== undefined && !running.has(task.runId);
        const current = stranded ? this.store.changeTask(job, task, settledAsLost(task)) : task;
        if (current.state === 'active') this.#enqueue(job, current);
      }
      this.#advanceJob(job);
    }
    this.pools.schedule();
  }

  /** Ends all tasks that run; with the same data folder they start again, as after the loss of a node. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    this.pools.close();
    for (const cancel of this.#alarms.values()) cancel();
    await Promise.all([...this.store.runs.keys()].map(id => this.runs.end(id, 'lost', graceMs)));
    this.store.close();
  }

  job(id: string): Job {
    const job = this.store.jobs.get(idKey(id));
    if (!job) throw new BatchError('JobNotFound');
    return job;
  }

  task(job: Job, id: string): TaskRecord {
    const task = job.tasks.get(idKey(id));
    if (!task) throw new BatchError('TaskNotFound');
    return task;
  }

  taskDir(job: Job, task: TaskRecord): string {
    return join(this.#options.dataDir, 'workitems', job.key, idKey(task.spec.id));
  }

  // --- jobs

  addJob(spec: JobSpec): Job {
    refuseUnperformed('job', spec);
    if (this.store.jobs.has(idKey(spec.id))) throw new BatchError('JobExists');
    const active = [...this.store.jobs.values()].filter(({ record }) => record.state !== 'completed').length;
    if (active >= this.#options.maxActiveJobs) throw new BatchError('ActiveJobAndScheduleQuotaReached');
    const now = new Date().toISOString();
    const job = this.store.addJob({
      version: 0,
      creationTime: now,
      lastModified: now,
      stateTransitionTime: now,
      state: 'active',
      spec,
    });
    this.#watchJob(job);
    this.#advanceJob(job);
    return job;
  }

  patchJob(job: Job, patch: JobPatch): void {
    refuse(job, ['completed', 'terminating', 'deleting']);
    if (patch.poolInfo && job.record.state !== 'disabled')
      throw new BatchError('OperationInvalidForCurrentState');
    const { poolInfo = job.record.spec.poolInfo, ...changes } = patch;
    this.store.changeJob(job, { spec: { ...job.record.spec, ...changes, poolInfo } });
    this.#watchJob(job);
    this.#enqueueAll(job);
    this.#advanceJob(job);
  }

  disableJob(job: Job, tasks: 'requeue' | 'terminate' | 'wait'): void {
    refuse(job, ['completed', 'terminating', 'deleting', 'disabled']);
    this.store.changeJob(job, { state: 'disabling' });
    this.#dequeueAll(job);
    if (tasks !== 'wait') this.#endRuns(job, tasks);
    this.#advanceJob(job);
  }

  enableJob(job: Job): void {
    refuse(job, ['completed', 'terminating', 'deleting']);
    if (job.record.state === 'active') return;
    this.store.changeJob(job, { state: 'enabling' });
    this.#advanceJob(job);
  }

  terminateJob(job: Job, reason = 'UserTerminate'): void {
    refuse(job, ['completed', 'terminating', 'deleting']);
    this.store.changeJob(job, { state: 'terminating', terminateReason: reason });
    this.#dequeueAll(job);
    this.#endRuns(job, 'terminate');
    this.#advanceJob(job);
  }

  deleteJob(job: Job): void {
    refuse(job, ['deleting']);
    this.store.changeJob(job, { state: 'deleting' });
    this.#dequeueAll(job);
    this.#endRuns(job, 'delete');
    this.#advanceJob(job);
  }

  // --- tasks

  addTask(job: Job, spec: TaskSpec): TaskRecord {
    refuse(job, ['completed', 'terminating', 'deleting', 'disabled', 'disabling']);
    refuseUnperformed('task', spec);
    if (spec.commandLine.trim() === '' && !spec.containerSettings) {
      throw new BatchError('InvalidPropertyValue', [
        { key: 'PropertyName', value: 'commandLine' },
        { key: 'Reason', value: 'Only a task that runs in a container may leave its command line empty.' },
      ]);
    }
    if (job.tasks.has(idKey(spec.id))) throw new BatchError('TaskExists');
    const now = new Date().toISOString();
    const task: TaskRecord = {
      version: 0,
      creationTime: now,
      lastModified: now,
      stateTransitionTime: now,
      spec,
      seq: this.store.nextSeq(),
      state: 'active',
      retryCount: 0,
      requeueCount: 0,
    };
    this.store.addTask(job, task);
    this.taskLog.added(pathOf(job, task), job.record.spec.id, spec.id);
    this.#enqueue(job, task);
    return task;
  }

  terminateTask(job: Job, task: TaskRecord): void {
    if (task.state === 'completed') throw new BatchError('TaskCompleted');
    if (task.runId !== undefined) {
      void this.runs.end(task.runId, 'terminate');
      return;
    }
    this.pools.dequeue(pathOf(job, task));
    this.store.changeTask(job, task, endedUnrun(new Date().toISOString()));
    this.#advanceJob(job);
  }

  reactivateTask(job: Job, task: TaskRecord): void {
    refuse(job, ['completed', 'terminating', 'deleting']);
    if (task.state !== 'completed') throw new BatchError('TaskNotCompleted');
    if (task.result === 'success') throw new BatchError('TaskSucceeded');
    this.#enqueue(job, this.store.changeTask(job, task, reactivated));
  }

  deleteTask(job: Job, task: TaskRecord): void {
    const path = pathOf(job, task);
    const run = task.runId === undefined ? undefined : this.store.runs.get(task.runId);
    this.pools.dequeue(path);
    this.store.removeTask(job, idKey(task.spec.id));
    this.taskLog.removed(path);
    // Moved first: a new task of the same name may come before this one's processes have ended.
    const trash = this.#discard(this.taskDir(job, task), run?.id ?? randomUUID());
    if (run) {
      this.store.saveRun({ ...run, taskDir: trash });
      void this.runs.end(run.id, 'delete');
    } else {
      void rm(trash, { recursive: true, force: true });
    }
    this.#advanceJob(job);
  }

  /** Whether a completed task's files have outlived their retention time; they are removed then. */
  filesExpired(job: Job, task: TaskRecord): boolean {
    if (task.filesRemoved) return true;
    if (task.endTime === undefined) return false;
    const retention = durationMs(task.spec.constraints?.retentionTime ?? '') ?? defaultRetentionMs;
    if (Date.now() < Date.parse(task.endTime) + retention) return false;
    rmSync(this.taskDir(job, task), { recursive: true, force: true });
    this.store.changeTask(job, task, { filesRemoved: true });
    return true;
  }

  // --- what happens by itself

  #startTask(path: string, poolId: string, nodeId: string): void {
    const { job, task } = this.#find(path);
    if (!job || !task) return;
    const taskDir = this.taskDir(job, task);
    const workDir = join(taskDir, 'wd');
    const run = this.store.saveRun({
      id: randomUUID(),
      jobKey: job.key,
      taskKey: idKey(task.spec.id),
      poolId,
      nodeId,
      slots: task.spec.requiredSlots ?? 1,
      taskDir,
    });
    this.store.changeTask(job, task, { state: 'preparing', runId: run.id, node: { poolId, nodeId } });
    const fault = this.taskFaults.decide({
      pool: poolId,
      job: job.record.spec.id,
      task: task.spec.id,
      image: task.spec.containerSettings?.imageName ?? '',
    });
    if (fault) this.#doomed.set(run.id, fault);
    const env = taskEnvironment(job.record.spec, task.spec, {
      account: this.#options.account,
      accountUrl: this.url,
      poolId,
      nodeId,
      isDedicated: isDedicated(nodeId),
      rootDir: this.#options.dataDir,
      taskDir,
      workDir,
    });
    this.runs.start(
      run,
      { spec: task.spec, env: { ...env, ...faultEnvironment(fault) }, workDir },
      fault?.does === 'failToStart' ? fault : undefined,
    );
  }

  #started(run: RunRecord, at: string): void {
    const { job, task } = this.#find(`${run.jobKey}/${run.taskKey}`);
    if (!job || !task || task.runId !== run.id) return;
    if (task.state === 'preparing') {
      this.taskLog.started(pathOf(job, task), at);
      this.store.changeTask(job, task, {
        state: 'running',
        startTime: at,
        ...(task.retryCount > 0 && { lastRetryTime: at }),
        ...(run.container !== undefined && {
          containerInfo: { containerId: run.container, state: 'running' },
        }),
      });
    }
    this.#doom(run, Date.parse(at));
    const limit = durationMs(task.spec.constraints?.maxWallClockTime ?? '');
    if (limit === undefined || this.#closing) return;
    this.#setAlarm(run.id, Date.parse(at) + limit, () => void this.runs.end(run.id, 'timeout'));
  }

  /** Does to a run that has started what a task fault is to do to it. */
  #doom(run: RunRecord, startedAt: number): void {
    const fault = this.#doomed.get(run.id);
    this.#doomed.delete(run.id);
    if (!fault || !('afterMs' in fault) || this.#closing) return;
    const at = startedAt + fault.afterMs;
    const later = (act: () => void): void => this.#setAlarm(`fault/${run.id}`, at, act);
    const node = (state: 'preempted' | 'unusable'): void =>
      later(() => this.pools.setNodeState(this.pools.get(run.poolId), run.nodeId, state));
    if (fault.does === 'wallClock') later(() => void this.runs.end(run.id, 'timeout'));
    if (fault.does === 'kill') later(() => void this.runs.kill(run.id));
    if (fault.does === 'preemptNode') node('preempted');
    if (fault.does === 'breakNode') node('unusable');
  }

  #ended(run: RunRecord, outcome: RunOutcome): void {
    this.#doomed.delete(run.id);
    this.#clearAlarm(`fault/${run.id}`);
    this.#clearAlarm(run.id);
    const { job, task } = this.#find(`${run.jobKey}/${run.taskKey}`);
    if (!job || !task || task.runId !== run.id) return;
    const maxRetries =
      task.spec.constraints?.maxTaskRetryCount ?? job.record.spec.constraints?.maxTaskRetryCount ?? 0;
    const changes = settle(task, outcome, run.intent, maxRetries, new Date().toISOString());
    const settled = this.store.changeTask(job, task, changes);
    if (settled.state === 'completed') this.taskLog.ended(pathOf(job, settled));
    this.pools.taskEnded(run, settled.state === 'completed' ? settled.result : undefined);
    if (settled.state === 'active') this.#enqueue(job, settled);
    if (job.record.spec.onTaskFailure !== 'performexitoptionsjobaction' || job.record.state !== 'active')
      return;
    const action = jobActionOf(settled.spec, settled);
    if (action === 'terminate') this.terminateJob(job, 'TaskFailed');
    if (action === 'disable') this.disableJob(job, 'requeue');
  }

  #forgotten(run: RunRecord): void {
    const job = this.store.jobs.get(run.jobKey);
    if (run.taskDir.startsWith(join(this.#options.dataDir, 'trash'))) {
      void rm(run.taskDir, { recursive: true, force: true });
    }
    if (job) this.#advanceJob(job);
    this.pools.schedule();
  }

  /** Moves a job on whose change of state waited for its tasks. */
  #advanceJob(job: Job): void {
    const { state, spec } = job.record;
    if (state === 'active') {
      if (spec.onAllTasksComplete === 'terminatejob' && job.open === 0)
        this.terminateJob(job, 'AllTasksComplete');
      return;
    }
    if (state === 'completed' || state === 'disabled') return;
    if (state === 'enabling') {
      this.#later(job, 'enabling', () => {
        this.store.changeJob(job, { state: 'active' });
        this.#enqueueAll(job);
        this.#advanceJob(job);
      });
      return;
    }
    if (this.runs.of(job.key).length > 0) return;
    this.#later(job, state, () => {
      if (state === 'disabling') this.store.changeJob(job, { state: 'disabled' });
      if (state === 'terminating') {
        this.#clearAlarm(job.key);
        this.store.changeJob(job, { state: 'completed', endTime: new Date().toISOString() });
      }
      if (state === 'deleting') {
        this.#clearAlarm(job.key);
        for (const task of job.tasks.values()) this.taskLog.removed(pathOf(job, task));
        this.store.removeJob(job);
        const trash = this.#discard(join(this.#options.dataDir, 'workitems', job.key), randomUUID());
        void rm(trash, { recursive: true, force: true });
      }
    });
  }

  /** The service answers before it has done what was asked; so do we, by a moment. */
  #later(job: Job, state: JobState, change: () => void): void {
    setImmediate(() => {
      if (!this.#closing && job.record.state === state) change();
    });
  }

  #watchJob(job: Job): void {
    this.#clearAlarm(job.key);
    const { record } = job;
    const limit = durationMs(record.spec.constraints?.maxWallClockTime ?? '');
    if (limit === undefined || record.state === 'completed') return;
    this.#setAlarm(job.key, Date.parse(record.creationTime) + limit, () => {
      if (
        job.record.state !== 'completed' &&
        job.record.state !== 'terminating' &&
        job.record.state !== 'deleting'
      ) {
        this.terminateJob(job, 'MaxWallClockTimeExpiry');
      }
    });
  }

  #enqueue(job: Job, task: TaskRecord): void {
    if (job.record.state !== 'active') return;
    this.pools.enqueue(job.record.spec.poolInfo.poolId, {
      key: pathOf(job, task),
      priority: job.record.spec.priority ?? 0,
      seq: task.seq,
      slots: task.spec.requiredSlots ?? 1,
    });
  }

  #enqueueAll(job: Job): void {
    for (const task of job.tasks.values()) {
      if (task.state === 'active') this.#enqueue(job, task);
    }
  }

  /** Lets waiting tasks try a pool that has come or changed. */
  enqueueForPool(poolId: string): void {
    for (const job of this.store.jobs.values()) {
      if (idKey(job.record.spec.poolInfo.poolId) === idKey(poolId)) this.#enqueueAll(job);
    }
  }

  #dequeueAll(job: Job): void {
    for (const task of job.tasks.values()) {
      if (task.state === 'active') this.pools.dequeue(pathOf(job, task));
    }
  }

  #endRuns(job: Job, intent: 'requeue' | 'terminate' | 'delete'): void {
    for (const run of this.runs.of(job.key)) void this.runs.end(run.id, intent);
  }

  #find(path: string): { job?: Job; task?: TaskRecord } {
    const [jobKey = '', taskKey = ''] = path.split('/');
    const job = this.store.jobs.get(jobKey);
    const task = job?.tasks.get(taskKey);
    return { ...(job && { job }), ...(task && { task }) };
  }

  #discard(folder: string, name: string): string {
    const trash = join(this.#options.dataDir, 'trash');
    mkdirSync(trash, { recursive: true, mode: 0o700 });
    try {
      renameSync(folder, join(trash, name));
    } catch {
      // It was never made, or Windows holds it open; then it is overwritten by the next task of its name.
    }
    return join(trash, name);
  }

  #emptyTrash(): void {
    const trash = join(this.#options.dataDir, 'trash');
    if (!existsSync(trash)) return;
    for (const name of readdirSync(trash)) {
      if (!this.store.runs.has(name)) rmSync(join(trash, name), { recursive: true, force: true });
    }
  }

  #setAlarm(name: string, at: number, ring: () => void): void {
    this.#clearAlarm(name);
    this.#alarms.set(name, alarm(at, ring));
  }

  #clearAlarm(name: string): void {
    this.#alarms.get(name)?.();
    this.#alarms.delete(name);
  }
}

const pathOf = (job: Job, task: TaskRecord): string => `${job.key}/${idKey(task.spec.id)}`;

const settledAsLost = (task: TaskRecord): Partial<TaskRecord> =>
  settle(task, { kind: 'gone' }, 'lost', 0, new Date().toISOString());

const refusals = {
  active: 'OperationInvalidForCurrentState',
  enabling: 'OperationInvalidForCurrentState',
  disabling: 'JobDisabled',
  disabled: 'JobDisabled',
  terminating: 'JobBeingTerminated',
  completed: 'JobCompleted',
  deleting: 'JobBeingDeleted',
} as const satisfies Record<JobRecord['state'], string>;

/** @throws BatchError (409) that names the state, when the job is in one of them. */
function refuse(job: Job, states: readonly JobState[]): void {
  if (states.includes(job.record.state)) throw new BatchError(refusals[job.record.state]);
}
