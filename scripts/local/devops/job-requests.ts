import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { capabilitiesOf, parseDemand, satisfies } from './demands.js';
import { jobRequestNotFound } from './errors.js';
import { findPool } from './pools.js';
import type { Agent, JobRequest, Result } from './rows.js';
import type { Sessions } from './sessions.js';
import { inMs, isPast, now, type State } from './state.js';
import { decode, list, number, wireEnum } from './wire.js';

/** The service adds this to every job; an agent older than this never gets one. */
export const minimumAgentVersion = 'Agent.Version -gtVersion 2.163.1';

export interface NewJobRequest
  extends Pick<
    JobRequest,
    | 'poolId'
    | 'runId'
    | 'buildId'
    | 'definitionName'
    | 'planId'
    | 'projectId'
    | 'jobId'
    | 'jobName'
    | 'demands'
  > {}

export type QueueEvent = 'received' | 'finished' | 'silent';

/**
 * The jobs that wait for an agent, oldest first, and those that agents run. A job goes to an agent that listens and
 * meets its demands; it is the agent's once the agent has acknowledged it, and stays so while the agent renews its lock.
 */
export class JobQueue {
  readonly #state: State;
  readonly #sessions: Sessions;
  readonly #lockMs: number;
  #tell: (event: QueueEvent, request: JobRequest) => void = () => {};

  constructor(state: State, sessions: Sessions, lockMs: number) {
    this.#state = state;
    this.#sessions = sessions;
    this.#lockMs = lockMs;
    // While we were away, nobody could renew.
    for (const request of this.#active()) {
      if (request.lockedUntil !== undefined) this.#update(request, { lockedUntil: inMs(lockMs) });
    }
  }

  onEvent(tell: (event: QueueEvent, request: JobRequest) => void): void {
    this.#tell = tell;
  }

  get(requestId: number): JobRequest | undefined {
    return this.#state.jobRequests.get(requestId);
  }

  /** True when some enabled agent of the pool, online or not, could ever run a job with these demands. */
  couldRun(poolId: number, demands: readonly string[]): boolean {
    const wanted = demands.map(parseDemand);
    return this.#state
      .agentsFor(poolId, wanted)
      .some(agent => agent.enabled && satisfies(capabilitiesOf(agent), wanted));
  }

  add(request: NewJobRequest): JobRequest {
    const id = this.#state.next('jobRequest');
    const added = this.#state.jobRequests.put(id, { ...request, id, queueTime: now(), cancelAsked: false });
    for (const agent of this.#matching(request.poolId, request.demands)) this.schedule(agent.id);
    return this.#state.jobRequests.get(id) ?? added;
  }

  /** Gives the agent the oldest job that it can run, when it listens and is free. */
  schedule(agentId: number): void {
    const agent = this.#state.agents.get(agentId);
    if (!agent?.enabled || !this.#sessions.isListening(agentId) || this.#assigned(agentId)) return;
    const capabilities = capabilitiesOf(agent);
    // A job that was given back is among the last of its group, and the first in line all the same.
    const request = this.#state
      .waitingRequests(agent.poolId)
      .toSorted((one, other) => one.id - other.id)
      .find(waiting => satisfies(capabilities, waiting.demands.map(parseDemand)));
    if (!request) return;
    // Two numbers: the job itself, and its cancellation.
    const messageId = this.#state.next('message');
    this.#state.next('message');
    this.#update(request, { agent: reference(agent), messageId, assignTime: now() });
    this.#sessions.wake(agentId);
  }

  /** @throws {VssError} 404 when the message speaks of a job that is not the agent's (any more). */
  acknowledge(agentId: number, messageId: number): void {
    const request = this.#assigned(agentId);
    const first = request?.messageId ?? Number.NaN;
    if (!request || (messageId !== first && messageId !== first + 1)) throw jobRequestNotFound(messageId);
    if (messageId !== first || request.receiveTime !== undefined) return;
    this.#tell('received', this.#update(request, { receiveTime: now(), lockedUntil: inMs(this.#lockMs) }));
  }

  renew(requestId: number): JobRequest {
    const request = this.#state.jobRequests.get(requestId);
    if (!request || request.finishTime !== undefined) throw jobRequestNotFound(requestId);
    return this.#update(request, { lockedUntil: inMs(this.#lockMs) });
  }

  /** Ends a job request. One that is over stays as it is: an agent repeats itself when it lost the answer. */
  finish(requestId: number, result: Result): JobRequest {
    const request = this.#state.jobRequests.get(requestId);
    if (!request) throw jobRequestNotFound(requestId);
    if (request.finishTime !== undefined) return request;
    const { lockedUntil: _released, ...rest } = request;
    const finished = this.#state.jobRequests.put(requestId, { ...rest, finishTime: now(), result });
    this.#tell('finished', finished);
    if (finished.agent) this.schedule(finished.agent.id);
    return finished;
  }

  /** A job that no agent runs is over at once; else its agent is told to stop. */
  cancel(requestId: number): void {
    const request = this.#state.jobRequests.get(requestId);
    if (!request || request.finishTime !== undefined) return;
    if (request.receiveTime === undefined) {
      this.finish(requestId, 'canceled');
      return;
    }
    this.#update(request, { cancelAsked: true });
    if (request.agent) this.#sessions.wake(request.agent.id);
  }

  /** An agent's session is over: a job that it has not acknowledged waits again. */
  release(agentId: number): void {
    const request = this.#assigned(agentId);
    if (!request || request.receiveTime !== undefined) return;
    const { agent: _agent, messageId: _message, assignTime: _time, ...rest } = request;
    this.#state.jobRequests.put(request.id, rest);
    for (const other of this.#matching(rest.poolId, rest.demands)) this.schedule(other.id);
  }

  /** Gives up the jobs whose agent no longer renews. */
  expireLocks(): void {
    for (const request of this.#active()) {
      if (request.lockedUntil === undefined || !isPast(request.lockedUntil)) continue;
      this.#tell('silent', request);
      this.finish(request.id, request.cancelAsked ? 'canceled' : 'failed');
    }
  }

  isRunning(agentId: number): boolean {
    return this.#assigned(agentId)?.receiveTime !== undefined;
  }

  assigned(agentId: number): JobRequest | undefined {
    return this.#assigned(agentId);
  }

  assignedTo(agentId: number): object | undefined {
    const request = this.#assigned(agentId);
    return request && this.view(request);
  }

  lastCompletedBy(agentId: number): object | undefined {
    const request = this.#state.completedRequests(agentId).at(-1);
    return request && this.view(request);
  }

  /** The pool's requests: all that are not over, and the newest of those that are. */
  inPool(poolId: number, completed: number): JobRequest[] {
    return [
      ...this.#state.activeRequests(poolId),
      ...(completed > 0 ? this.#state.endedRequests(poolId).slice(-completed).toReversed() : []),
    ];
  }

  view(request: JobRequest): object {
    const waits = !request.agent && request.finishTime === undefined;
    return {
      requestId: request.id,
      poolId: request.poolId,
      queueTime: request.queueTime,
      assignTime: request.assignTime,
      receiveTime: request.receiveTime,
      finishTime: request.finishTime,
      lockedUntil: request.lockedUntil,
      result: request.result,
      serviceOwner: '00025394-6065-48ca-87d9-7f5672854ef7',
      scopeId: request.projectId,
      planType: 'Build',
      planId: request.planId,
      jobId: request.jobId,
      jobName: request.jobName,
      demands: request.demands,
      reservedAgent: request.agent && {
        ...request.agent,
        enabled: true,
        status: this.#status(request.agent.id),
      },
      matchedAgents: waits
        ? this.#matching(request.poolId, request.demands).map(agent => ({
            ...reference(agent),
            enabled: true,
            status: this.#status(agent.id),
          }))
        : undefined,
      definition: { id: 1, name: request.definitionName },
      owner: { id: request.buildId, name: String(request.buildId) },
      data: { ParallelismTag: 'Private', IsScheduledKey: 'False' },
    };
  }

  #status(agentId: number): string {
    return this.#sessions.isOnline(agentId) ? 'online' : 'offline';
  }

  #active(): JobRequest[] {
    return this.#state.pools.all().flatMap(({ id }) => this.#state.activeRequests(id));
  }

  #assigned(agentId: number): JobRequest | undefined {
    return this.#state.assignedRequests(agentId)[0];
  }

  #matching(poolId: number, demands: readonly string[]): Agent[] {
    const wanted = demands.map(parseDemand);
    return this.#state
      .agentsFor(poolId, wanted)
      .filter(agent => agent.enabled && satisfies(capabilitiesOf(agent), wanted));
  }

  #update(request: JobRequest, change: Partial<JobRequest>): JobRequest {
    return this.#state.jobRequests.put(request.id, { ...request, ...change });
  }
}

const reference = ({ id, name, version, osDescription }: Agent) => ({ id, name, version, osDescription });

const ListQuery = z.object({
  completedRequestCount: z.coerce.number().int().min(0).optional(),
  $top: z.coerce.number().int().min(1).optional(),
  agentId: z.coerce.number().int().optional(),
  agentIds: z.string().optional(),
  planId: z.string().optional(),
  jobId: z.string().optional(),
  /** The service knows no such filter, and answers with all; those who use it look for the name themselves. */
  agentName: z.string().optional(),
});

const TaskResult = wireEnum({
  succeeded: 0,
  succeededWithIssues: 1,
  failed: 2,
  canceled: 3,
  skipped: 4,
  abandoned: 5,
});
const Update = z.object({ result: TaskResult.optional() });

const endOf: Readonly<Record<z.infer<typeof TaskResult>, Result>> = {
  succeeded: 'succeeded',
  succeededWithIssues: 'succeeded',
  failed: 'failed',
  canceled: 'canceled',
  skipped: 'canceled',
  abandoned: 'failed',
};

export function addJobRequestRoutes(server: FastifyInstance, state: State, queue: JobQueue): void {
  server.get<{ Params: { poolId: string } }>('/pools/:poolId/jobrequests', async request => {
    const pool = findPool(state, request.params.poolId);
    const query = decode(ListQuery, request.query, 'The query');
    const agentIds = query.agentIds?.split(',').map(Number) ?? (query.agentId ? [query.agentId] : undefined);
    const requests = queue
      .inPool(pool.id, query.completedRequestCount ?? 25)
      .filter(
        job =>
          (query.agentName === undefined ||
            job.agent?.name.toLowerCase() === query.agentName.toLowerCase()) &&
          (!agentIds || (job.agent !== undefined && agentIds.includes(job.agent.id))) &&
          (query.planId === undefined || job.planId === query.planId.toLowerCase()) &&
          (query.jobId === undefined || job.jobId === query.jobId.toLowerCase()),
      )
      .slice(0, query.$top);
    return list(requests.map(job => queue.view(job)));
  });

  server.get<{ Params: { poolId: string; requestId: string } }>(
    '/pools/:poolId/jobrequests/:requestId',
    async request => queue.view(find(request.params)),
  );

  // An agent's word about its job: with a result the job is over, without one its lock is renewed.
  server.patch<{ Params: { poolId: string; requestId: string } }>(
    '/pools/:poolId/jobrequests/:requestId',
    async request => {
      const job = find(request.params);
      const update = decode(Update, request.body, 'The job request');
      return queue.view(
        update.result === undefined ? queue.renew(job.id) : queue.finish(job.id, endOf[update.result]),
      );
    },
  );

  function find(params: { poolId: string; requestId: string }): JobRequest {
    const pool = findPool(state, params.poolId);
    const requestId = decode(number, params.requestId, 'The request id');
    const job = queue.get(requestId);
    if (!job || job.poolId !== pool.id) throw jobRequestNotFound(requestId);
    return job;
  }
}
