import type { Auth } from './auth.js';
import {
  type FunctionAnswer,
  type FunctionCall,
  functionCall,
  sendFunctionCall,
} from './azure-function-task.js';
import { ControlError, nothingWaits, planTerminated, type VssError } from './errors.js';
import { type Jobs, taskId } from './jobs.js';
import type { RunLog } from './log-view.js';
import type { BusMessage, FunctionRequest, Job, Result } from './rows.js';
import { type RunVariables } from './run-variables.js';
import type { Secrets } from './secrets.js';
import type { SendToQueue } from './service-bus-task.js';
import { now, type State } from './state.js';
import type { Timelines } from './timelines.js';

export interface TaskCompletion {
  readonly taskId: string;
  readonly jobId: string;
  readonly result: 'succeeded' | 'succeededWithIssues' | 'failed' | 'canceled';
}

const titles = {
  function: { name: 'AzureFunction', title: 'Invoke Azure Function', version: '1.274.0' },
  serviceBus: { name: 'PublishToAzureServiceBus', title: 'Publish To Azure Service Bus', version: '' },
} as const;
const separator = '='.repeat(78);

/** Plays server jobs: one task each, which calls a function or publishes a message, and may wait to be completed. */
export class ServerJobs {
  readonly #state: State;
  readonly #jobs: Jobs;
  readonly #auth: Auth;
  readonly #timelines: Timelines;
  readonly #log: RunLog;
  readonly #secrets: Secrets;
  readonly #variables: RunVariables;
  readonly #answerTimeoutMs: number;
  readonly #sendToQueue: SendToQueue | undefined;
  /** What each job sent, with its token: in memory only. */
  readonly #calls = new Map<string, FunctionCall>();
  #closed = false;

  constructor(parts: {
    state: State;
    jobs: Jobs;
    auth: Auth;
    timelines: Timelines;
    log: RunLog;
    secrets: Secrets;
    variables: RunVariables;
    answerTimeoutMs: number;
    sendToQueue?: SendToQueue | undefined;
  }) {
    this.#state = parts.state;
    this.#jobs = parts.jobs;
    this.#auth = parts.auth;
    this.#timelines = parts.timelines;
    this.#log = parts.log;
    this.#secrets = parts.secrets;
    this.#variables = parts.variables;
    this.#answerTimeoutMs = parts.answerTimeoutMs;
    this.#sendToQueue = parts.sendToQueue;
  }

  /** Plays the job up to the answer to its task. Never rejects: what goes wrong is the job's failure. */
  async start(pending: Job, authToken?: string): Promise<void> {
    if (pending.work.kind !== 'server') return;
    const { task } = pending.work;
    const startedAt = pending.startedAt ?? now();
    const job = this.#jobs.update(pending, { state: 'requesting', startedAt });
    const { name, title, version } = titles[task.kind];
    for (const id of [job.id, taskId(job)]) {
      this.#timelines.put(job.runId, id, { state: 'inProgress', startTime: startedAt });
    }
    this.#log.addTo(
      job.runId,
      job.id,
      `##[section]Starting: ${job.displayName}`,
      `##[section]Starting: ${name}`,
      separator,
      `Task         : ${title}`,
      `Version      : ${task.kind === 'serviceBus' ? task.version : version}`,
      separator,
    );
    const lost = this.#variables.lost(this.#run(job));
    if (lost.length > 0) {
      this.#failed(job, `The secret ${lost.join(', ')} is held in memory only, and was lost in a restart.`);
    } else if (task.kind === 'function') await this.#call(job, task, authToken);
    else await this.#publish(job, task);
  }

  /** Sends the very same request once more. The run itself takes no notice of the answer. */
  async redeliver(runId: string): Promise<FunctionAnswer> {
    const job = this.#jobs.of(runId).find(({ work }) => work.kind === 'server');
    const call = job && this.#calls.get(keyOf(job));
    if (!call) {
      throw new ControlError(
        409,
        `The request of ${runId} can't be sent again: its token is kept in memory only, and this service was ` +
          'restarted since, or the request was never sent.',
      );
    }
    try {
      return await sendFunctionCall(call, this.#answerTimeoutMs);
    } catch (error) {
      throw new ControlError(502, error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * The function's word that the task is done. It is kept whatever becomes of it.
   *
   * @returns what it came to, and its position in the run's completions.
   */
  complete(runId: string, asked: TaskCompletion): { readonly refused?: VssError; readonly index: number } {
    const run = this.#state.runs.get(runId);
    if (!run) throw new ControlError(404, `There is no run ${runId}.`);
    const job = this.#jobs.get(runId, asked.jobId);
    const accepted =
      run.state !== 'completed' &&
      job?.work.kind === 'server' &&
      job.work.task.kind === 'function' &&
      job.work.task.waitForCompletion &&
      (job.state === 'requesting' || job.state === 'waiting') &&
      asked.taskId === taskId(job);
    const refused = accepted
      ? undefined
      : run.state === 'completed'
        ? planTerminated(run.planId)
        : nothingWaits(asked.jobId, asked.taskId);
    const { taskId: completed, result } = asked;
    this.#state.runs.put(runId, {
      ...run,
      completions: [
        ...run.completions,
        { at: now(), taskId: completed, result, accepted, ...(refused && { typeKey: refused.typeKey }) },
      ],
    });
    if (accepted) {
      const good = result === 'succeeded' || result === 'succeededWithIssues';
      this.#done(job, good ? 'succeeded' : result === 'canceled' ? 'canceled' : 'failed');
    }
    return { index: run.completions.length, ...(refused && { refused }) };
  }

  /** Fails a job that has waited for longer than it may. */
  tick(job: Job): void {
    if (job.state !== 'waiting' || !isOver(job.startedAt, job.timeoutMinutes)) return;
    this.#failed(
      job,
      `The job running on the server ran longer than the maximum time of ${job.timeoutMinutes} minutes.`,
    );
  }

  close(): void {
    this.#closed = true;
  }

  async #call(job: Job, request: FunctionRequest, authToken: string | undefined): Promise<void> {
    const { runId } = job;
    const run = this.#run(job);
    const token = this.#auth.issuePlanToken(run.planId, authToken);
    this.#secrets.remember(runId, token);
    const variables = this.#variables.all(run, job);
    const call = functionCall(request, { ...variables, 'System.AccessToken': token });
    this.#calls.set(keyOf(job), call);
    this.#log.addTo(
      runId,
      job.id,
      `${call.method} ${call.url.replace(/\?code=[^&]*/, '?code=***')}`,
      ...(call.body === '' ? [] : [`Request body: ${call.body}`]),
    );
    let answer: FunctionAnswer | undefined;
    let error: string | undefined;
    try {
      answer = await sendFunctionCall(call, this.#answerTimeoutMs);
    } catch (problem) {
      error = problem instanceof Error ? problem.message : String(problem);
    }
    if (!this.#closed) this.#answered(runId, job.id, request.waitForCompletion, answer, error);
  }

  #answered(
    runId: string,
    jobId: string,
    waits: boolean,
    answer: FunctionAnswer | undefined,
    error: string | undefined,
  ): void {
    const asking = this.#jobs.get(runId, jobId);
    if (!asking) return;
    const response = this.#secrets.mask(runId, answer?.body ?? '');
    const requestId = requestIdIn(response);
    const job = this.#jobs.update(asking, {
      answer: {
        response: response.slice(0, 2000),
        at: now(),
        ...(answer && { status: answer.status }),
        ...(requestId !== undefined && { requestId }),
        ...(error !== undefined && { error }),
      },
    });
    if (answer) {
      this.#log.addTo(
        runId,
        job.id,
        `Response Code: ${answer.status} ${answer.statusText}`,
        `Response: ${response}`,
      );
    }
    // It may be over by now: completed by a very quick function, or canceled.
    if (job.state !== 'requesting') return;
    const good = answer !== undefined && answer.status >= 200 && answer.status < 300;
    if (!good) {
      this.#failed(
        job,
        error ?? `The function answered ${answer?.status ?? ''} ${answer?.statusText ?? ''}`.trim(),
      );
    } else if (waits) {
      this.#jobs.update(job, { state: 'waiting' });
      this.#log.addTo(runId, job.id, 'Waiting for the function to complete the task.');
    } else {
      this.#done(job, 'succeeded');
    }
  }

  async #publish(job: Job, message: BusMessage): Promise<void> {
    const { runId, id } = job;
    let problem: string | undefined;
    try {
      if (!this.#sendToQueue) throw new Error('There is no storage here to which it could be forwarded.');
      await this.#sendToQueue(message, this.#variables.all(this.#run(job), job));
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    const sent = this.#jobs.get(runId, id);
    if (this.#closed || sent?.state !== 'requesting') return;
    if (problem !== undefined) {
      this.#failed(sent, `The message could not be published: ${problem}`);
      return;
    }
    this.#log.addTo(
      runId,
      job.id,
      'The message is published. The local stack forwards it to the queue agent-requests of the storage account.',
    );
    this.#done(sent, 'succeeded');
  }

  #failed(job: Job, why: string): void {
    this.#timelines.fail(job.runId, taskId(job), why);
    this.#done(job, 'failed');
  }

  #done(job: Job, result: Result): void {
    const { runId, work } = job;
    if (work.kind !== 'server') return;
    this.#timelines.put(runId, taskId(job), { state: 'completed', result, finishTime: now() });
    this.#log.addTo(
      runId,
      job.id,
      `Task completed with result: ${result}`,
      `##[section]Finishing: ${titles[work.task.kind].name}`,
      `##[section]Finishing: ${job.displayName}`,
    );
    this.#jobs.end(job, result);
  }

  #run(job: Job) {
    const run = this.#state.runs.get(job.runId);
    if (!run) throw new ControlError(404, `There is no run ${job.runId}.`);
    return run;
  }
}

const keyOf = (job: Job): string => `${job.runId}/${job.id}`;

export const isOver = (since: string | undefined, minutes: number): boolean =>
  since !== undefined && Date.parse(since) + minutes * 60_000 <= Date.now();

function requestIdIn(response: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(response);
    if (typeof answer !== 'object' || answer === null || !('requestId' in answer)) return undefined;
    return typeof answer.requestId === 'string' ? answer.requestId : undefined;
  } catch {
    return undefined;
  }
}
