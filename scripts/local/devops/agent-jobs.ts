import type { Auth } from './auth.js';
import { cancelMessage, jobMessage } from './job-message.js';
import { type JobQueue, minimumAgentVersion, type QueueEvent } from './job-requests.js';
import type { Jobs } from './jobs.js';
import type { RunLog } from './log-view.js';
import { expand } from './macros.js';
import { poolNamed } from './pools.js';
import type { Job, JobRequest, Run, TimelineRecord } from './rows.js';
import type { RunVariables } from './run-variables.js';
import type { Secrets } from './secrets.js';
import { isOver } from './server-jobs.js';
import type { Message } from './sessions.js';
import { now, type State } from './state.js';
import type { Timelines } from './timelines.js';

/** Plays jobs on agents: each waits in the queue of its pool for an agent that meets its demands. */
export class AgentJobs {
  readonly #state: State;
  readonly #jobs: Jobs;
  readonly #auth: Auth;
  readonly #queue: JobQueue;
  readonly #timelines: Timelines;
  readonly #log: RunLog;
  readonly #secrets: Secrets;
  readonly #variables: RunVariables;
  readonly #collectionUri: string;

  constructor(parts: {
    state: State;
    jobs: Jobs;
    auth: Auth;
    queue: JobQueue;
    timelines: Timelines;
    log: RunLog;
    secrets: Secrets;
    variables: RunVariables;
    collectionUri: string;
  }) {
    this.#state = parts.state;
    this.#jobs = parts.jobs;
    this.#auth = parts.auth;
    this.#queue = parts.queue;
    this.#timelines = parts.timelines;
    this.#log = parts.log;
    this.#secrets = parts.secrets;
    this.#variables = parts.variables;
    this.#collectionUri = parts.collectionUri;
    this.#queue.onEvent((event, request) => this.#onQueue(event, request));
  }

  /** Queues a job whose turn has come; it fails at once when no agent could ever run it. */
  start(run: Run, pending: Job): void {
    if (pending.work.kind !== 'agent') return;
    const job = this.#jobs.update(pending, { state: 'running' });
    // Only predefined variables expand in the name of a pool and in demands.
    const variables = this.#variables.predefined(run, job);
    const poolName = expand(pending.work.pool, variables);
    const demands = [...pending.work.demands.map(demand => expand(demand, variables)), minimumAgentVersion];
    this.#log.addTo(
      run.runId,
      job.id,
      `##[section]Starting: ${job.displayName}`,
      `Pool: ${poolName}`,
      `Demands: ${demands.join(', ')}`,
    );
    const pool = poolNamed(this.#state, poolName);
    const problem = !pool
      ? `Could not find a pool with name ${poolName}. The pool does not exist or has not been authorized for use.`
      : this.#queue.couldRun(pool.id, demands)
        ? undefined
        : `No agent found in pool ${pool.name} which satisfies the specified demands: ${demands.join(', ')}`;
    if (!pool || problem !== undefined) {
      this.#timelines.fail(run.runId, job.id, problem ?? '');
      this.#log.addTo(run.runId, job.id, `##[section]Finishing: ${job.displayName}`);
      this.#jobs.end(job, 'failed');
      return;
    }
    this.#log.addTo(run.runId, job.id, 'Queued. Waiting for an agent.');
    const request = this.#queue.add({
      poolId: pool.id,
      runId: run.runId,
      buildId: run.buildId,
      definitionName: run.name,
      planId: run.planId,
      projectId: run.projectId,
      jobId: job.id,
      jobName: job.name,
      demands,
    });
    this.#jobs.update(this.#jobs.get(job.runId, job.id) ?? job, { jobRequestId: request.id });
  }

  /** After a restart: a job that was queued or ran goes on. */
  resume(run: Run, job: Job): void {
    const request = job.jobRequestId === undefined ? undefined : this.#queue.get(job.jobRequestId);
    if (!request) this.start(run, job);
    else if (request.finishTime !== undefined) this.#done(job, request);
  }

  /** Ends what is queued for runs that are not known: an earlier version wrote them down in another way. */
  dropStrays(): void {
    for (const request of this.#state.jobRequests.all()) {
      if (request.finishTime === undefined && !this.#state.runs.get(request.runId)) {
        this.#queue.finish(request.id, 'canceled');
      }
    }
  }

  /** Tells the agent of a job that runs for longer than it may to stop it. */
  tick(job: Job): void {
    const request = job.jobRequestId === undefined ? undefined : this.#queue.get(job.jobRequestId);
    if (!request || request.cancelAsked || request.finishTime !== undefined) return;
    if (!isOver(request.receiveTime, job.timeoutMinutes)) return;
    this.#timelines.fail(
      job.runId,
      job.id,
      `The job running on agent ${request.agent?.name ?? ''} ran longer than the maximum time of ` +
        `${job.timeoutMinutes} minutes.`,
    );
    this.#queue.cancel(request.id);
  }

  /** Ends the queueing of a job whose run is over, or tells its agent to stop. */
  cancel(job: Job): void {
    if (job.jobRequestId !== undefined) this.#queue.cancel(job.jobRequestId);
  }

  /** What an agent is to be told next about its job. */
  nextMessage(agentId: number, lastMessageId: number): Message | undefined {
    const request = this.#queue.assigned(agentId);
    if (!request || request.messageId === undefined) return undefined;
    const run = this.#state.runs.get(request.runId);
    const job = this.#jobs.get(request.runId, request.jobId);
    if (!run || job?.work.kind !== 'agent') return undefined;
    if (request.receiveTime === undefined && request.messageId > lastMessageId) {
      const token = this.#auth.issuePlanToken(run.planId);
      this.#secrets.remember(run.runId, token);
      return jobMessage(run, job, job.work, request, request.messageId, this.#collectionUri, {
        token,
        outputs: Object.fromEntries(
          Object.entries(this.outputs(job)).map(([name, variable]) => [name, variable.value]),
        ),
        open: this.#variables.open(run, job),
        all: this.#variables.all(run, job),
      });
    }
    const cancelId = request.messageId + 1;
    return request.cancelAsked && cancelId > lastMessageId ? cancelMessage(job, cancelId) : undefined;
  }

  /** Variables that functions set on the tasks or jobs that a job depends on. Secret ones have no value here. */
  outputs(job: Job): TimelineRecord['variables'] {
    const before = this.#jobs.of(job.runId).filter(({ name }) => job.dependsOn.includes(name));
    return Object.fromEntries(before.flatMap(each => Object.entries(variablesSetOn(this.#timelines, each))));
  }

  #onQueue(event: QueueEvent, request: JobRequest): void {
    const run = this.#state.runs.get(request.runId);
    const job = this.#jobs.get(request.runId, request.jobId);
    if (!run || !job) return;
    const agent = request.agent?.name ?? '';
    const plays = run.state === 'running' && job.state === 'running';
    if (event === 'received') {
      this.#timelines.put(run.runId, job.id, {
        state: 'inProgress',
        startTime: now(),
        workerName: agent,
      });
      this.#log.addTo(run.runId, job.id, `Agent: ${agent}`);
    } else if (event === 'silent' && plays) {
      this.#timelines.fail(
        run.runId,
        job.id,
        `We stopped hearing from agent ${agent}. Verify the agent machine is running and has a healthy network connection.`,
      );
    } else if (event === 'finished' && plays) {
      this.#done(job, request);
    }
  }

  #done(job: Job, request: JobRequest): void {
    const result = request.result ?? 'failed';
    this.#log.addTo(
      job.runId,
      job.id,
      `Job completed with result: ${result}`,
      `##[section]Finishing: ${job.displayName}`,
    );
    // A job that was stopped for running too long fails its run; only a canceled run counts as canceled.
    this.#jobs.end(job, result === 'succeeded' ? 'succeeded' : 'failed', result);
  }
}

/** Variables that a function set on a server job or on its task. */
export const variablesSetOn = (timelines: Timelines, job: Job): TimelineRecord['variables'] =>
  Object.fromEntries(
    [job.id, ...job.taskIds].flatMap(id => Object.entries(timelines.get(job.runId, id)?.variables ?? {})),
  );
