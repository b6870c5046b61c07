import type { Job, JobResult, Result, Run } from './rows.js';

/** What a job of a run does next. */
type Turn = 'wait' | 'start' | 'skip';

/** Whether the turn of a job has come: when all that it depends on is over, its condition decides. */
export function turnOf(job: Job, jobs: readonly Job[]): Turn {
  if (job.state !== 'pending') return 'wait';
  const before = jobs.filter(({ name }) => job.dependsOn.includes(name));
  if (before.some(({ state }) => state !== 'completed')) return 'wait';
  const results = before.map(({ result }) => result);
  return meets(job.condition, results) ? 'start' : 'skip';
}

/** As the functions of the same name in a pipeline; a job that was skipped is neither succeeded nor failed. */
function meets(condition: Job['condition'], results: ReadonlyArray<JobResult | undefined>): boolean {
  switch (condition) {
    case 'succeeded':
      return results.every(result => result === 'succeeded');
    case 'failed':
      return results.includes('failed');
    case 'succeededOrFailed':
      return results.every(result => result === 'succeeded' || result === 'failed');
    case 'always':
      return true;
  }
}

/** The names of the jobs for whose sake a job is skipped. */
export const hindrances = (job: Job, jobs: readonly Job[]): string[] =>
  jobs
    .filter(({ name, result }) => job.dependsOn.includes(name) && result !== 'succeeded')
    .map(({ name }) => name);

export function resultOf(jobs: readonly Job[]): Result {
  if (jobs.some(({ result }) => result === 'failed')) return 'failed';
  return jobs.some(({ result }) => result === 'canceled') ? 'canceled' : 'succeeded';
}

/** The stage of a run in a word, of those who wait for it to get on. */
export type RunState = 'queued' | 'requesting' | 'waiting' | 'running' | 'completed';

export function runState(run: Run, jobs: readonly Job[]): RunState {
  if (run.state === 'completed') return 'completed';
  for (const state of ['running', 'requesting', 'waiting'] as const) {
    if (jobs.some(job => job.state === state)) return state;
  }
  return 'queued';
}
