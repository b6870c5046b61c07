import { runState } from './job-graph.js';
import type { JobQueue } from './job-requests.js';
import type { RunLog } from './log-view.js';
import type { Job, JobRequest, Run } from './rows.js';
import type { Runs } from './runs.js';
import type { Timelines } from './timelines.js';

export const firstServerJob = (jobs: readonly Job[]): Job | undefined =>
  jobs.find(({ work }) => work.kind === 'server');

export interface RunViews {
  readonly view: (run: Run) => object;
  readonly viewWithLog: (run: Run) => object;
}

/**
 * A run as the control API shows it. `jobId`, `taskInstanceId`, `request` and `job` are those of the first server job
 * and of the first job on an agent: most pipelines here have one of each. `jobs` has all.
 */
export function runViews(runs: Runs, queue: JobQueue, timelines: Timelines, log: RunLog): RunViews {
  const requestOf = (job: Job): JobRequest | undefined =>
    job.jobRequestId === undefined ? undefined : queue.get(job.jobRequestId);

  const agentJobView = (job: Job): object => {
    const request = requestOf(job);
    const record = timelines.get(job.runId, job.id);
    return {
      requestId: request?.id ?? null,
      agentName: request?.agent?.name ?? null,
      state: request ? jobState(request) : record?.state === 'completed' ? 'completed' : 'pending',
      result: request?.result ?? record?.result ?? null,
      queuedAt: request?.queueTime ?? null,
      startedAt: request?.receiveTime ?? null,
      finishedAt: request?.finishTime ?? null,
    };
  };

  const requestView = (run: Run, job: Job | undefined): object => ({
    status: job?.answer?.status ?? null,
    requestId: job?.answer?.requestId ?? null,
    response: job?.answer?.response ?? null,
    error: job?.answer?.error ?? null,
    answeredAt: job?.answer?.at ?? null,
    completions: run.completions,
  });

  const jobView = (job: Job): object => ({
    id: job.id,
    name: job.name,
    displayName: job.displayName,
    kind: job.work.kind,
    dependsOn: job.dependsOn,
    state: job.state,
    result: job.result ?? null,
    agentName: requestOf(job)?.agent?.name ?? null,
    requestId: job.answer?.requestId ?? null,
  });

  const view: RunViews['view'] = run => {
    const jobs = runs.jobsOf(run.runId);
    const serverJob = firstServerJob(jobs);
    const agentJob = jobs.find(({ work }) => work.kind === 'agent');
    return {
      runId: run.runId,
      name: run.name,
      attempt: run.attempt,
      buildId: run.buildId,
      state: runState(run, jobs),
      result: run.result ?? null,
      projectId: run.projectId,
      planId: run.planId,
      timelineId: run.timelineId,
      jobId: serverJob?.id ?? null,
      taskInstanceId: serverJob?.taskIds[0] ?? null,
      request: requestView(run, serverJob),
      job: agentJob ? agentJobView(agentJob) : null,
      jobs: jobs.map(jobView),
      variables: Object.fromEntries(
        Object.entries(runs.outputs(run.runId)).map(([name, variable]) => [name, variable.value]),
      ),
      issues: timelines.of(run.runId).flatMap(record => record.issues),
      createdAt: run.createdAt,
      startedAt: run.startedAt ?? null,
      finishedAt: run.finishedAt ?? null,
    };
  };
  return { view, viewWithLog: run => ({ ...view(run), log: log.of(run.runId) }) };
}

function jobState(request: {
  finishTime?: string | undefined;
  receiveTime?: string | undefined;
  agent?: object | undefined;
}): string {
  if (request.finishTime !== undefined) return 'completed';
  if (request.receiveTime !== undefined) return 'running';
  return request.agent ? 'assigned' : 'queued';
}
