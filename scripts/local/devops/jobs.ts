import { randomUUID } from 'node:crypto';
import type { Job, JobResult, Run } from './rows.js';
import { now, type State } from './state.js';
import type { Timelines } from './timelines.js';

/** A job as its pipeline describes it. */
export interface JobDefinition
  extends Pick<
    Job,
    'name' | 'displayName' | 'dependsOn' | 'condition' | 'variables' | 'timeoutMinutes' | 'work'
  > {}

/** The ids of a job and of its tasks, which a re-run may keep. */
export interface JobIds extends Pick<Job, 'id' | 'taskIds'> {}

export const newIds = (job: JobDefinition): JobIds => ({
  id: randomUUID(),
  taskIds: job.work.kind === 'server' ? [randomUUID()] : job.work.steps.map(() => randomUUID()),
});

/** The jobs of all runs, each a row, with their records on the run's timeline. */
export class Jobs {
  readonly #state: State;
  readonly #timelines: Timelines;
  #ended: (job: Job) => void = () => {};

  constructor(state: State, timelines: Timelines) {
    this.#state = state;
    this.#timelines = timelines;
  }

  onEnd(tell: (job: Job) => void): void {
    this.#ended = tell;
  }

  /** In the order of the pipeline. */
  of(runId: string): readonly Job[] {
    return this.#state.jobsOfRun(runId);
  }

  get(runId: string, jobId: string): Job | undefined {
    return this.#state.jobs.get(`${runId}/${jobId}`);
  }

  add(run: Run, definition: JobDefinition, ids: JobIds): Job {
    const { runId } = run;
    const { name, displayName, dependsOn, condition, variables, timeoutMinutes, work } = definition;
    const job = this.#put({
      runId,
      name,
      displayName,
      dependsOn,
      condition,
      variables,
      timeoutMinutes,
      work,
      id: ids.id,
      taskIds: ids.taskIds,
      state: 'pending',
    });
    this.#timelines.put(runId, job.id, { type: 'Job', name: displayName });
    const tasks = work.kind === 'server' ? [work] : work.steps;
    for (const [index, task] of tasks.entries()) {
      this.#timelines.put(runId, taskId(job, index), {
        type: 'Task',
        name: task.displayName,
        parentId: job.id,
      });
    }
    return job;
  }

  update(job: Job, change: Partial<Job>): Job {
    return this.#put({ ...job, ...change });
  }

  /**
   * Ends a job, and lets the run go on.
   *
   * @param shown what its record says, where that is more than the run makes of it
   */
  end(job: Job, result: JobResult, shown: JobResult = result): void {
    this.#timelines.put(job.runId, job.id, { state: 'completed', result: shown, finishTime: now() });
    this.#ended(this.update(job, { state: 'completed', result }));
  }

  #put(job: Job): Job {
    return this.#state.jobs.put(`${job.runId}/${job.id}`, job);
  }
}

/** The id of a task of a job. @throws when there is none: rows are made with one for each task. */
export function taskId(job: JobIds, index = 0): string {
  const id = job.taskIds[index];
  if (id === undefined) throw new Error(`Job ${job.id} has no task ${index + 1}.`);
  return id;
}
