import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { type AgentJobs, variablesSetOn } from './agent-jobs.js';
import { ControlError } from './errors.js';
import { hindrances, resultOf, turnOf } from './job-graph.js';
import { type JobDefinition, type JobIds, type Jobs, newIds } from './jobs.js';
import type { RunLog } from './log-view.js';
import type { Variables } from './macros.js';
import type { Job, Result, Run, TimelineRecord } from './rows.js';
import type { RunVariables } from './run-variables.js';
import type { Secrets } from './secrets.js';
import type { ServerJobs } from './server-jobs.js';
import { now, type State } from './state.js';
import type { Timelines } from './timelines.js';

export interface RunDefinition {
  readonly name?: string | undefined;
  readonly jobs: readonly JobDefinition[];
  readonly attempt: number;
  /** Held in memory, masked in the log, and written nowhere. */
  readonly secretVariables?: Variables;
  /** Let this be the token of the server job instead of a new one. */
  readonly authToken?: string | undefined;
}

interface Plan extends Pick<Run, 'planId' | 'timelineId'> {
  readonly jobs: readonly JobIds[];
}

const projectId = '7b0c2a5e-4f1d-4d1b-9c56-2d8f0f6a1e01';

/**
 * Plays pipelines: graphs of server jobs and of jobs on agents, each of which starts when those that it depends on are
 * over.
 *
 *     server job    pending → requesting → waiting → completed
 *     job on agent  pending → running → completed
 *
 * Each step is written down before it is acted upon, so that a restart goes on from there.
 */
export class Runs {
  readonly #state: State;
  readonly #jobs: Jobs;
  readonly #serverJobs: ServerJobs;
  readonly #agentJobs: AgentJobs;
  readonly #timelines: Timelines;
  readonly #log: RunLog;
  readonly #secrets: Secrets;
  readonly #variables: RunVariables;
  readonly #ended = new EventEmitter().setMaxListeners(0);
  /** Tokens that were given with a definition: for the first server job, once. */
  readonly #authTokens = new Map<string, string>();
  #closed = false;

  constructor(parts: {
    state: State;
    jobs: Jobs;
    serverJobs: ServerJobs;
    agentJobs: AgentJobs;
    timelines: Timelines;
    log: RunLog;
    secrets: Secrets;
    variables: RunVariables;
  }) {
    this.#state = parts.state;
    this.#jobs = parts.jobs;
    this.#serverJobs = parts.serverJobs;
    this.#agentJobs = parts.agentJobs;
    this.#timelines = parts.timelines;
    this.#log = parts.log;
    this.#secrets = parts.secrets;
    this.#variables = parts.variables;
    this.#jobs.onEnd(job => this.#advance(job.runId));
    for (const run of this.#state.runs.all()) this.#rememberKeys(run.runId, this.#jobs.of(run.runId));
  }

  all(): Run[] {
    return this.#state.runs.all();
  }

  jobsOf(runId: string): readonly Job[] {
    return this.#jobs.of(runId);
  }

  /** @throws {ControlError} 404 */
  get(runId: string): Run {
    const run = this.#state.runs.get(runId);
    if (!run) throw new ControlError(404, `There is no run ${runId}.`);
    return run;
  }

  start(definition: RunDefinition): Run {
    const buildId = this.#state.next('build');
    const name = definition.name ?? `pipeline-${buildId}`;
    return this.#begin({ ...definition, buildId, name }, newPlan(definition.jobs));
  }

  /** Runs a pipeline again, as "Rerun" does: one attempt more and a new token. Which ids a re-run keeps is not documented. */
  retry(runId: string, sameIds: boolean): Run {
    const run = this.get(runId);
    if (run.state !== 'completed') throw new ControlError(409, `${runId} is not over: it is ${run.state}.`);
    const jobs = this.#jobs.of(runId);
    const { buildId, name, planId, timelineId } = run;
    return this.#begin(
      { buildId, name, jobs, attempt: run.attempt + 1, secretVariables: this.#variables.secretsOf(runId) },
      sameIds ? { planId, timelineId, jobs } : newPlan(jobs),
    );
  }

  /** Ends a run at once: its plan is over, and agents that work for it are told to stop. */
  cancel(runId: string): Run {
    const run = this.get(runId);
    if (run.state === 'completed') return run;
    this.#log.add(runId, '##[error]The run was canceled by its owner.');
    const ended = this.#end(run, 'canceled');
    for (const job of this.#jobs.of(runId)) this.#agentJobs.cancel(job);
    return ended;
  }

  /** Resolves with the run when it is over, or as it is when the time is up or the caller is gone. */
  async untilEnd(runId: string, ms: number, gone: AbortSignal): Promise<Run> {
    const run = this.get(runId);
    if (run.state === 'completed' || ms <= 0 || this.#closed) return run;
    await new Promise<void>(resolve => {
      const done = (): void => {
        clearTimeout(timer);
        this.#ended.off(runId, done);
        this.#ended.off('close', done);
        gone.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#ended.once(runId, done);
      this.#ended.once('close', done);
      gone.addEventListener('abort', done, { once: true });
    });
    return this.get(runId);
  }

  /** Whether the sender of a completion got the answer to it. */
  completionAnswered(runId: string, index: number, delivered: boolean): void {
    const run = this.get(runId);
    this.#state.runs.put(runId, {
      ...run,
      completions: run.completions.map((completion, at) =>
        at === index ? { ...completion, delivered } : completion,
      ),
    });
  }

  /** After a start: each run that is not over goes on. */
  resume(): void {
    this.#agentJobs.dropStrays();
    for (const run of this.all()) {
      if (run.state === 'completed') continue;
      this.#log.add(run.runId, 'The pipeline service was restarted. The run goes on.');
      for (const job of this.#jobs.of(run.runId)) {
        if (job.state === 'requesting') {
          // Whether the request left, and with which token, nobody knows: it is sent with a new one.
          this.#log.add(run.runId, 'The request is sent (again) with a new job token.');
          void this.#serverJobs.start(job);
        } else if (job.state === 'running') this.#agentJobs.resume(run, job);
      }
      this.#advance(run.runId);
    }
  }

  /** Ends what has been going on for too long. */
  tick(): void {
    for (const run of this.all()) {
      if (run.state === 'completed') continue;
      for (const job of this.#jobs.of(run.runId)) {
        if (job.state === 'waiting') this.#serverJobs.tick(job);
        else if (job.state === 'running') this.#agentJobs.tick(job);
      }
    }
  }

  /** Variables that functions set on the tasks or jobs of the run. Secret ones have no value here. */
  outputs(runId: string): TimelineRecord['variables'] {
    return Object.fromEntries(
      this.#jobs
        .of(runId)
        .filter(({ work }) => work.kind === 'server')
        .flatMap(job => Object.entries(variablesSetOn(this.#timelines, job))),
    );
  }

  close(): void {
    this.#closed = true;
    this.#ended.emit('close');
  }

  #begin(definition: RunDefinition & Pick<Run, 'buildId' | 'name'>, plan: Plan): Run {
    const { buildId, name, attempt, jobs, secretVariables = {}, authToken } = definition;
    const runId = `run-${this.#state.next('run')}`;
    for (const secret of Object.values(secretVariables)) this.#secrets.remember(runId, secret);
    this.#variables.keep(runId, secretVariables);
    this.#rememberKeys(runId, jobs);
    const run = this.#state.runs.put(runId, {
      runId,
      buildId,
      name,
      attempt,
      projectId,
      planId: plan.planId,
      timelineId: plan.timelineId,
      secretVariables: Object.keys(secretVariables),
      state: 'running',
      createdAt: now(),
      startedAt: now(),
      completions: [],
    });
    if (authToken !== undefined) this.#authTokens.set(runId, authToken);
    for (const [index, job] of jobs.entries()) {
      const written = authToken === undefined ? job : withoutToken(job, authToken);
      this.#jobs.add(run, written, plan.jobs[index] ?? newIds(job));
    }
    this.#advance(runId);
    return this.get(runId);
  }

  /** Starts each job whose turn has come, skips those that will never run, and ends the run when all are over. */
  #advance(runId: string): void {
    for (;;) {
      const run = this.get(runId);
      if (run.state === 'completed') return;
      // What is started or skipped may end at once, and change what others may do.
      const jobs = this.#jobs.of(runId);
      const job = jobs.find(each => turnOf(each, jobs) !== 'wait');
      if (!job) {
        if (jobs.every(({ state }) => state === 'completed')) this.#end(run, resultOf(jobs));
        return;
      }
      if (turnOf(job, jobs) === 'skip') {
        const why = hindrances(job, jobs).join(', ');
        this.#log.add(
          runId,
          `##[section]Skipped: ${job.displayName}${why === '' ? '' : ` (${why} did not succeed)`}`,
        );
        this.#jobs.end(job, 'skipped');
      } else if (job.work.kind === 'agent') this.#agentJobs.start(run, job);
      else {
        const authToken = this.#authTokens.get(runId);
        this.#authTokens.delete(runId);
        void this.#serverJobs.start(job, authToken);
      }
    }
  }

  #end(run: Run, result: Result): Run {
    const ended = this.#state.runs.put(run.runId, {
      ...this.get(run.runId),
      state: 'completed',
      result,
      finishedAt: now(),
    });
    const left = result === 'canceled' ? 'canceled' : 'skipped';
    for (const job of this.#jobs.of(run.runId)) {
      if (job.state !== 'completed') this.#jobs.update(job, { state: 'completed', result: left });
    }
    for (const record of this.#timelines.of(run.runId)) {
      if (record.state === 'completed') continue;
      this.#timelines.put(run.runId, record.id, { state: 'completed', result: left, finishTime: now() });
    }
    this.#log.add(run.runId, `Run ${result}.`);
    this.#ended.emit(run.runId);
    return ended;
  }

  /** A key that an author wrote out is as secret as one in a variable. */
  #rememberKeys(runId: string, jobs: readonly JobDefinition[]): void {
    for (const { work } of jobs) {
      const key = work.kind === 'server' && work.task.kind === 'function' ? work.task.key : '';
      if (!key.includes('$(')) this.#secrets.remember(runId, key);
    }
  }
}

const newPlan = (jobs: readonly JobDefinition[]): Plan => ({
  planId: randomUUID(),
  timelineId: randomUUID(),
  jobs: jobs.map(newIds),
});

/** A token that its author wrote out would be journaled with the definition: a macro stands in its place. */
function withoutToken(job: JobDefinition, token: string): JobDefinition {
  if (job.work.kind !== 'server' || job.work.task.kind !== 'function') return job;
  const hide = (text: string): string => text.replaceAll(token, '$(System.AccessToken)');
  const { task } = job.work;
  return {
    ...job,
    work: {
      ...job.work,
      task: {
        ...task,
        body: hide(task.body),
        queryParameters: hide(task.queryParameters),
        ...(task.headers && {
          headers: Object.fromEntries(
            Object.entries(task.headers).map(([name, value]) => [name, hide(value)]),
          ),
        }),
      },
    },
  };
}
