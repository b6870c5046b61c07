import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Auth } from './auth.js';
import {
  type FunctionAnswer,
  type FunctionCall,
  functionCall,
  sendFunctionCall,
} from './azure-function-task.js';
import { ControlError, nothingWaits, planTerminated, type VssError } from './errors.js';
import { cancelMessage, jobMessage } from './job-message.js';
import { type JobQueue, minimumAgentVersion, type QueueEvent } from './job-requests.js';
import type { RunLog } from './log-view.js';
import { expand, predefined, type Variables } from './macros.js';
import { poolNamed } from './pools.js';
import type { Secrets } from './secrets.js';
import type { Message } from './sessions.js';
import {
  type AgentJob,
  type FunctionRequest,
  type JobRequest,
  now,
  type Result,
  type Run,
  type State,
  type TimelineRecord,
} from './state.js';
import type { Timelines } from './timelines.js';

export interface RunDefinition {
  readonly name?: string | undefined;
  readonly request: FunctionRequest;
  readonly job: AgentJob | null;
  readonly attempt: number;
  /** Let this be the job's token instead of a new one. */
  readonly authToken?: string | undefined;
}

export interface TaskCompletion {
  readonly taskId: string;
  readonly jobId: string;
  readonly result: 'succeeded' | 'succeededWithIssues' | 'failed' | 'canceled';
}

const serverJobName = 'RequestAzDOAgent';
const agentJobName = 'RunWithEphemeralAgent';
const projectId = '7b0c2a5e-4f1d-4d1b-9c56-2d8f0f6a1e01';
const separator = '='.repeat(78);

/**
 * Plays pipelines of two jobs: a server job with one AzureFunction@1 task, and a job on an agent that depends on it.
 *
 *     queued → requesting → waiting → running → completed
 *                            (callback) (agent job)
 *
 * Each step is written down before it is acted upon, so that a restart goes on from there.
 */
export class Runs {
  readonly #state: State;
  readonly #auth: Auth;
  readonly #queue: JobQueue;
  readonly #timelines: Timelines;
  readonly #log: RunLog;
  readonly #secrets: Secrets;
  readonly #collectionUri: string;
  readonly #answerTimeoutMs: number;
  readonly #ended = new EventEmitter().setMaxListeners(0);
  /** What each run sent, with its token: in memory only. */
  readonly #calls = new Map<string, FunctionCall>();
  #closed = false;

  constructor(parts: {
    state: State;
    auth: Auth;
    queue: JobQueue;
    timelines: Timelines;
    log: RunLog;
    secrets: Secrets;
    collectionUri: string;
    answerTimeoutMs: number;
  }) {
    this.#state = parts.state;
    this.#auth = parts.auth;
    this.#queue = parts.queue;
    this.#timelines = parts.timelines;
    this.#log = parts.log;
    this.#secrets = parts.secrets;
    this.#collectionUri = parts.collectionUri;
    this.#answerTimeoutMs = parts.answerTimeoutMs;
    this.#queue.onEvent((event, request) => this.#onQueue(event, request));
    for (const run of this.#state.runs.all()) this.#secrets.remember(run.runId, run.request.key);
  }

  all(): Run[] {
    return this.#state.runs.all();
  }

  /** @throws {ControlError} 404 */
  get(runId: string): Run {
    const run = this.#state.runs.get(runId);
    if (!run) throw new ControlError(404, `There is no run ${runId}.`);
    return run;
  }

  start(definition: RunDefinition): Run {
    const buildId = this.#state.next('build');
    return this.#begin(
      {
        buildId,
        name: definition.name ?? `pipeline-${buildId}`,
        attempt: definition.attempt,
        request: definition.request,
        job: definition.job,
        ...newPlan(),
      },
      definition.authToken,
    );
  }

  /** Runs a pipeline again, as "Rerun" does: one attempt more and a new token. Which ids a re-run keeps is not documented. */
  retry(runId: string, sameIds: boolean): Run {
    const run = this.get(runId);
    if (run.state !== 'completed') throw new ControlError(409, `${runId} is not over: it is ${run.state}.`);
    const plan = sameIds
      ? {
          planId: run.planId,
          timelineId: run.timelineId,
          jobId: run.jobId,
          taskInstanceId: run.taskInstanceId,
          agentJobId: run.agentJobId,
        }
      : newPlan();
    const { buildId, name, request, job } = run;
    return this.#begin({ buildId, name, request, job, attempt: run.attempt + 1, ...plan }, undefined);
  }

  /** Ends a run at once: its plan is over, its agent (if one works for it) is told to stop. */
  cancel(runId: string): Run {
    const run = this.get(runId);
    if (run.state === 'completed') return run;
    this.#log.add(runId, '##[error]The run was canceled by its owner.');
    const ended = this.#end(run, 'canceled');
    if (run.jobRequestId !== undefined) this.#queue.cancel(run.jobRequestId);
    return ended;
  }

  /** Sends the very same request once more. The run itself takes no notice of the answer. */
  async redeliver(runId: string): Promise<FunctionAnswer> {
    this.get(runId);
    const call = this.#calls.get(runId);
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

  /**
   * The function's word that the task is done. It is kept whatever becomes of it.
   *
   * @returns what it came to, and its position in the run's completions.
   */
  complete(runId: string, asked: TaskCompletion): { readonly refused?: VssError; readonly index: number } {
    const run = this.get(runId);
    const accepted =
      (run.state === 'requesting' || run.state === 'waiting') &&
      run.request.waitForCompletion &&
      run.taskResult === undefined &&
      asked.taskId === run.taskInstanceId &&
      asked.jobId === run.jobId;
    const refused = accepted
      ? undefined
      : run.state === 'completed'
        ? planTerminated(run.planId)
        : nothingWaits(asked.jobId, asked.taskId);
    const { taskId, result } = asked;
    const noted = this.#update(run, {
      completions: [
        ...run.completions,
        { at: now(), taskId, result, accepted, ...(refused && { typeKey: refused.typeKey }) },
      ],
    });
    if (accepted) {
      const good = result === 'succeeded' || result === 'succeededWithIssues';
      this.#taskDone(noted, good ? 'succeeded' : result === 'canceled' ? 'canceled' : 'failed');
    }
    return { index: run.completions.length, ...(refused && { refused }) };
  }

  /** Whether the sender of a completion got the answer to it. */
  completionAnswered(runId: string, index: number, delivered: boolean): void {
    const run = this.get(runId);
    this.#update(run, {
      completions: run.completions.map((completion, at) =>
        at === index ? { ...completion, delivered } : completion,
      ),
    });
  }

  /** After a start: each run that is not over goes on. */
  resume(): void {
    for (const run of this.all()) {
      if (run.state === 'completed') continue;
      this.#log.add(run.runId, 'The pipeline service was restarted. The run goes on.');
      if (run.state === 'queued' || run.state === 'requesting') {
        // Whether the request left, and with which token, nobody knows: it is sent with a new one.
        this.#log.add(run.runId, 'The request is sent (again) with a new job token.');
        void this.#request(run, undefined);
      } else if (run.state === 'running') {
        const request = run.jobRequestId === undefined ? undefined : this.#queue.get(run.jobRequestId);
        if (!request) this.#queueJob(run);
        else if (request.finishTime !== undefined) this.#jobDone(run, request);
      }
    }
  }

  /** Ends what has been going on for too long. */
  tick(): void {
    for (const run of this.all()) {
      if (run.state === 'waiting' && isOver(run.startedAt, run.request.timeoutMinutes)) {
        this.#timelines.fail(
          run.runId,
          run.taskInstanceId,
          `The job running on the server ran longer than the maximum time of ${run.request.timeoutMinutes} minutes.`,
        );
        this.#taskDone(run, 'failed');
      }
      if (run.state !== 'running' || !run.job || run.jobRequestId === undefined) continue;
      const request = this.#queue.get(run.jobRequestId);
      if (!request || request.cancelAsked || request.finishTime !== undefined) continue;
      if (!isOver(request.receiveTime, run.job.timeoutMinutes)) continue;
      this.#timelines.fail(
        run.runId,
        run.agentJobId,
        `The job running on agent ${request.agent?.name ?? ''} ran longer than the maximum time of ` +
          `${run.job.timeoutMinutes} minutes.`,
      );
      this.#queue.cancel(request.id);
    }
  }

  /** What an agent is to be told next about its job. */
  nextMessage(agentId: number, lastMessageId: number): Message | undefined {
    const request = this.#queue.assigned(agentId);
    if (!request || request.messageId === undefined) return undefined;
    const run = this.get(request.runId);
    if (request.receiveTime === undefined && request.messageId > lastMessageId && run.job) {
      const token = this.#auth.issuePlanToken(run.planId);
      this.#secrets.remember(run.runId, token);
      const outputs = Object.fromEntries(
        Object.entries(this.outputs(run)).map(([name, variable]) => [name, variable.value]),
      );
      return jobMessage(run, run.job, request, request.messageId, this.#collectionUri, token, outputs);
    }
    const cancelId = request.messageId + 1;
    return request.cancelAsked && cancelId > lastMessageId ? cancelMessage(run, cancelId) : undefined;
  }

  /** Variables that the function set on its task or job. Secret ones have no value here. */
  outputs(run: Run): TimelineRecord['variables'] {
    return {
      ...this.#timelines.get(run.runId, run.jobId)?.variables,
      ...this.#timelines.get(run.runId, run.taskInstanceId)?.variables,
    };
  }

  close(): void {
    this.#closed = true;
    this.#ended.emit('close');
  }

  #begin(
    given: Pick<
      Run,
      | 'buildId'
      | 'name'
      | 'attempt'
      | 'request'
      | 'job'
      | 'planId'
      | 'timelineId'
      | 'jobId'
      | 'taskInstanceId'
      | 'agentJobId'
    >,
    authToken: string | undefined,
  ): Run {
    const runId = `run-${this.#state.next('run')}`;
    this.#secrets.remember(runId, given.request.key);
    const run = this.#state.runs.put(runId, {
      ...given,
      request: authToken === undefined ? given.request : withoutToken(given.request, authToken),
      runId,
      projectId,
      stepIds: given.job?.steps.map(() => randomUUID()) ?? [],
      state: 'queued',
      createdAt: now(),
      completions: [],
    });
    this.#timelines.put(runId, run.jobId, { type: 'Job', name: serverJobName });
    this.#timelines.put(runId, run.taskInstanceId, {
      type: 'Task',
      name: 'AzureFunction',
      parentId: run.jobId,
    });
    if (run.job) this.#timelines.put(runId, run.agentJobId, { type: 'Job', name: agentJobName });
    for (const [index, step] of (run.job?.steps ?? []).entries()) {
      const stepId = run.stepIds[index] ?? randomUUID();
      this.#timelines.put(runId, stepId, { type: 'Task', name: step.displayName, parentId: run.agentJobId });
    }
    void this.#request(run, authToken);
    return this.get(runId);
  }

  /** The server job up to the function's answer. Never rejects: what goes wrong is the run's failure. */
  async #request(queued: Run, authToken: string | undefined): Promise<void> {
    const startedAt = queued.startedAt ?? now();
    const run = this.#update(queued, { state: 'requesting', startedAt });
    const { runId } = run;
    const token = this.#auth.issuePlanToken(run.planId, authToken);
    this.#secrets.remember(runId, token);
    const call = functionCall(run.request, {
      ...predefined(run, run.jobId, this.#collectionUri),
      'System.JobName': serverJobName,
      'System.AccessToken': token,
    });
    this.#calls.set(runId, call);
    for (const id of [run.jobId, run.taskInstanceId]) {
      this.#timelines.put(runId, id, { state: 'inProgress', startTime: startedAt });
    }
    this.#log.add(
      runId,
      `##[section]Starting: ${serverJobName}`,
      '##[section]Starting: AzureFunction',
      separator,
      'Task         : Invoke Azure Function',
      'Description  : Invoke an Azure Function',
      'Version      : 1.274.0',
      separator,
      `${call.method} ${call.url.replace(/\?code=[^&]*/, '?code=***')}`,
      ...(call.body === '' ? [] : [`Request body: ${call.body}`]),
    );
    let answer: FunctionAnswer;
    try {
      answer = await sendFunctionCall(call, this.#answerTimeoutMs);
    } catch (error) {
      if (this.#closed) return;
      this.#answered(runId, undefined, error instanceof Error ? error.message : String(error));
      return;
    }
    if (!this.#closed) this.#answered(runId, answer, undefined);
  }

  #answered(runId: string, answer: FunctionAnswer | undefined, error: string | undefined): void {
    const response = this.#secrets.mask(runId, answer?.body ?? '');
    const requestId = requestIdIn(response);
    const run = this.#update(this.get(runId), {
      answer: {
        response: response.slice(0, 2000),
        at: now(),
        ...(answer && { status: answer.status }),
        ...(requestId !== undefined && { requestId }),
        ...(error !== undefined && { error }),
      },
    });
    if (answer) {
      this.#log.add(runId, `Response Code: ${answer.status} ${answer.statusText}`, `Response: ${response}`);
    }
    // It may be over by now: completed by a very quick function, or canceled.
    if (run.state !== 'requesting') return;
    const good = answer !== undefined && answer.status >= 200 && answer.status < 300;
    if (!good) {
      const why = error ?? `The function answered ${answer?.status ?? ''} ${answer?.statusText ?? ''}`.trim();
      this.#timelines.fail(runId, run.taskInstanceId, why);
      this.#taskDone(run, 'failed');
    } else if (run.request.waitForCompletion) {
      this.#update(run, { state: 'waiting' });
      this.#log.add(runId, 'Waiting for the function to complete the task.');
    } else {
      this.#taskDone(run, 'succeeded');
    }
  }

  #taskDone(run: Run, result: Result): void {
    const { runId } = run;
    for (const id of [run.taskInstanceId, run.jobId]) {
      this.#timelines.put(runId, id, { state: 'completed', result, finishTime: now() });
    }
    this.#log.add(
      runId,
      `Task completed with result: ${result}`,
      '##[section]Finishing: AzureFunction',
      `##[section]Finishing: ${serverJobName}`,
    );
    const done = this.#update(run, { taskResult: result });
    if (result === 'succeeded' && run.job) {
      this.#queueJob(this.#update(done, { state: 'running' }));
      return;
    }
    if (run.job) {
      this.#timelines.put(runId, run.agentJobId, {
        state: 'completed',
        result: 'skipped',
        finishTime: now(),
      });
      this.#log.add(runId, `##[section]Skipped: ${agentJobName} (${serverJobName} did not succeed)`);
    }
    this.#end(done, result);
  }

  #queueJob(run: Run): void {
    if (!run.job) return;
    const variables: Variables = predefined(run, run.agentJobId, this.#collectionUri);
    // Only predefined variables expand in the name of a pool and in demands.
    const poolName = expand(run.job.pool, variables);
    const demands = [...run.job.demands.map(demand => expand(demand, variables)), minimumAgentVersion];
    this.#log.add(
      run.runId,
      `##[section]Starting: ${agentJobName}`,
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
      this.#timelines.fail(run.runId, run.agentJobId, problem ?? '');
      this.#timelines.put(run.runId, run.agentJobId, {
        state: 'completed',
        result: 'failed',
        finishTime: now(),
      });
      this.#log.add(run.runId, `##[section]Finishing: ${agentJobName}`);
      this.#end(run, 'failed');
      return;
    }
    this.#log.add(run.runId, 'Queued. Waiting for an agent.');
    const request = this.#queue.add({
      poolId: pool.id,
      runId: run.runId,
      buildId: run.buildId,
      definitionName: run.name,
      planId: run.planId,
      projectId: run.projectId,
      jobId: run.agentJobId,
      jobName: agentJobName,
      demands,
    });
    this.#update(this.get(run.runId), { jobRequestId: request.id });
  }

  #onQueue(event: QueueEvent, request: JobRequest): void {
    const run = this.#state.runs.get(request.runId);
    if (!run) return;
    const agent = request.agent?.name ?? '';
    if (event === 'received') {
      this.#timelines.put(run.runId, run.agentJobId, {
        state: 'inProgress',
        startTime: now(),
        workerName: agent,
      });
      this.#log.add(run.runId, `Agent: ${agent}`);
    } else if (event === 'silent' && run.state === 'running') {
      this.#timelines.fail(
        run.runId,
        run.agentJobId,
        `We stopped hearing from agent ${agent}. Verify the agent machine is running and has a healthy network connection.`,
      );
    } else if (event === 'finished' && run.state === 'running') {
      this.#jobDone(run, request);
    }
  }

  #jobDone(run: Run, request: JobRequest): void {
    const result = request.result ?? 'failed';
    this.#timelines.put(run.runId, run.agentJobId, { state: 'completed', result, finishTime: now() });
    this.#log.add(run.runId, `Job completed with result: ${result}`, `##[section]Finishing: ${agentJobName}`);
    // A job that was stopped for running too long fails its run; only a canceled run counts as canceled.
    this.#end(run, result === 'succeeded' ? 'succeeded' : 'failed');
  }

  #end(run: Run, result: Result): Run {
    for (const record of this.#timelines.of(run.runId)) {
      if (record.state === 'completed') continue;
      const left = result === 'canceled' ? 'canceled' : 'skipped';
      this.#timelines.put(run.runId, record.id, { state: 'completed', result: left, finishTime: now() });
    }
    const ended = this.#update(this.get(run.runId), { state: 'completed', result, finishedAt: now() });
    this.#log.add(run.runId, `Run ${result}.`);
    this.#ended.emit(run.runId);
    return ended;
  }

  #update(run: Run, change: Partial<Run>): Run {
    return this.#state.runs.put(run.runId, { ...run, ...change });
  }
}

const newPlan = () => ({
  planId: randomUUID(),
  timelineId: randomUUID(),
  jobId: randomUUID(),
  taskInstanceId: randomUUID(),
  agentJobId: randomUUID(),
});

const isOver = (since: string | undefined, minutes: number): boolean =>
  since !== undefined && Date.parse(since) + minutes * 60_000 <= Date.now();

/** A token that its author wrote out would be journaled with the definition: a macro stands in its place. */
function withoutToken(request: FunctionRequest, token: string): FunctionRequest {
  const hide = (text: string): string => text.replaceAll(token, '$(System.AccessToken)');
  return {
    ...request,
    body: hide(request.body),
    queryParameters: hide(request.queryParameters),
    ...(request.headers && {
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, hide(value)]),
      ),
    }),
  };
}

function requestIdIn(response: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(response);
    if (typeof answer !== 'object' || answer === null || !('requestId' in answer)) return undefined;
    return typeof answer.requestId === 'string' ? answer.requestId : undefined;
  } catch {
    return undefined;
  }
}
