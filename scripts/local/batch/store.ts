import * as z from 'zod';

import { Journal, type JournalEntry } from './journal.js';
import { idKey, JobRecord, PoolRecord, RunRecord, TaskRecord } from './records.js';

export interface Job {
  readonly key: string;
  record: JobRecord;
  readonly tasks: Map<string, TaskRecord>;
  /** Tasks not completed; counted so that the end of a large job is seen without counting. */
  open: number;
}

type Changes<T> = Partial<Omit<T, 'version' | 'lastModified'>>;

/** All state, in memory and journaled. Records are replaced, never changed in place. */
export class Store {
  readonly jobs = new Map<string, Job>();
  readonly runs = new Map<string, RunRecord>();
  readonly pools = new Map<string, PoolRecord>();
  /** What the runs on each node take of it; nodes without runs are left out. */
  readonly usedSlots = new Map<string, number>();
  #journal: Journal;
  #tasks = 0;
  #seq = 0;

  constructor(file: string) {
    const { journal, entries } = Journal.open(file);
    this.#journal = journal;
    for (const entry of entries) this.#load(entry);
  }

  nextSeq(): number {
    this.#seq += 1;
    return this.#seq;
  }

  addJob(record: JobRecord): Job {
    const job: Job = { key: idKey(record.spec.id), record, tasks: new Map(), open: 0 };
    this.jobs.set(job.key, job);
    this.#append('job', job.key, record);
    return job;
  }

  changeJob(job: Job, changes: Changes<JobRecord>): JobRecord {
    job.record = { ...job.record, ...changes, ...stamp(job.record, changes.state) };
    this.#append('job', job.key, job.record);
    return job.record;
  }

  removeJob(job: Job): void {
    for (const key of job.tasks.keys()) this.removeTask(job, key);
    this.jobs.delete(job.key);
    this.#append('job', job.key, null);
  }

  addTask(job: Job, record: TaskRecord): void {
    this.#setTask(job, record);
    this.#append('task', taskPath(job.key, idKey(record.spec.id)), record);
  }

  changeTask(job: Job, task: TaskRecord, changes: Changes<TaskRecord>): TaskRecord {
    const record = { ...task, ...changes, ...stamp(task, changes.state) };
    this.addTask(job, record);
    return record;
  }

  removeTask(job: Job, key: string): void {
    const task = job.tasks.get(key);
    if (!task) return;
    job.tasks.delete(key);
    this.#tasks -= 1;
    if (task.state !== 'completed') job.open -= 1;
    this.#append('task', taskPath(job.key, key), null);
  }

  saveRun(run: RunRecord): RunRecord {
    this.#setRun(run);
    this.#append('run', run.id, run);
    return run;
  }

  removeRun(id: string): void {
    const run = this.runs.get(id);
    if (run) this.#useSlots(run, -run.slots);
    this.runs.delete(id);
    this.#append('run', id, null);
  }

  savePool(pool: PoolRecord): void {
    const key = idKey(pool.config.id);
    this.pools.set(key, pool);
    this.#append('pool', key, pool);
  }

  changePool(pool: PoolRecord, changes: Changes<PoolRecord>): PoolRecord {
    const record = { ...pool, ...changes, ...stamp(pool, undefined) };
    this.savePool(record);
    return record;
  }

  close(): void {
    this.#journal.close();
  }

  #setTask(job: Job, record: TaskRecord): void {
    const key = idKey(record.spec.id);
    const before = job.tasks.get(key);
    if (!before) this.#tasks += 1;
    job.open +=
      Number(record.state !== 'completed') - Number(before !== undefined && before.state !== 'completed');
    job.tasks.set(key, record);
    this.#seq = Math.max(this.#seq, record.seq);
  }

  #setRun(run: RunRecord): void {
    const before = this.runs.get(run.id);
    if (before) this.#useSlots(before, -before.slots);
    this.#useSlots(run, run.slots);
    this.runs.set(run.id, run);
  }

  /** Counted as they come and go: counting all runs for each that starts takes long where there are thousands. */
  #useSlots({ nodeId }: RunRecord, slots: number): void {
    const used = (this.usedSlots.get(nodeId) ?? 0) + slots;
    if (used === 0) this.usedSlots.delete(nodeId);
    else this.usedSlots.set(nodeId, used);
  }

  #load({ kind, key, value }: JournalEntry): void {
    switch (z.enum(['job', 'task', 'run', 'pool']).parse(kind)) {
      case 'job': {
        this.jobs.set(key, { key, record: JobRecord.parse(value), tasks: new Map(), open: 0 });
        return;
      }
      case 'task': {
        const job = this.jobs.get(key.split('/', 1)[0] ?? '');
        if (job) this.#setTask(job, TaskRecord.parse(value));
        return;
      }
      case 'run': {
        this.#setRun(RunRecord.parse(value));
        return;
      }
      case 'pool': {
        this.pools.set(key, PoolRecord.parse(value));
      }
    }
  }

  #append(kind: string, key: string, value: unknown): void {
    this.#journal.append(kind, key, value);
    const live = this.jobs.size + this.#tasks + this.runs.size + this.pools.size;
    if (this.#journal.isLong(live)) this.#journal.compact(this.#entries());
  }

  *#entries(): Generator<JournalEntry> {
    for (const [key, value] of this.pools) yield { kind: 'pool', key, value };
    for (const job of this.jobs.values()) {
      yield { kind: 'job', key: job.key, value: job.record };
      for (const [key, value] of job.tasks) yield { kind: 'task', key: taskPath(job.key, key), value };
    }
    for (const [key, value] of this.runs) yield { kind: 'run', key, value };
  }
}

const taskPath = (jobKey: string, taskKey: string): string => `${jobKey}/${taskKey}`;

interface Entity<S extends string> {
  readonly version: number;
  readonly state?: S;
  readonly stateTransitionTime: string;
}

interface Stamp<S extends string> {
  version: number;
  lastModified: string;
  stateTransitionTime?: string;
  previousState?: S;
  previousStateTransitionTime?: string;
}

/** What every change sets: the version, the date and, when the state changes, where it came from. */
function stamp<S extends string>(record: Entity<S>, state: S | undefined): Stamp<S> {
  const now = new Date().toISOString();
  const dated = { version: record.version + 1, lastModified: now };
  if (state === undefined || record.state === undefined || state === record.state) return dated;
  return {
    ...dated,
    stateTransitionTime: now,
    previousState: record.state,
    previousStateTransitionTime: record.stateTransitionTime,
  };
}
