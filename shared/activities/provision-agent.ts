import { changeRequest } from '../change-request.js';
import { type OwnFailure, TransientError } from '../domain/failure.js';
import { remedyFor } from '../domain/failure-guide.js';
import { advance } from '../domain/lifecycle.js';
import { agentNameOf, dayOf } from '../domain/names.js';
import { pipelineLog } from '../domain/pipeline-log.js';
import { type AgentRequest, isEnded } from '../domain/request.js';
import type { AgentTask, Rejected } from '../ports.js';
import type { Activities, AttemptPhase, Provisioned } from '../workflow/contract.js';
import { deferUntilFree } from './defer-until-free.js';
import type { WithOrchestrations } from './dependencies.js';
import { noteOnce } from './note-once.js';
import { tellPipeline } from './waiting-pipeline.js';

/** Longest that a job may keep its agent, beyond the time to come online. */
const jobHours = 72;
/** Idle agents are taken back by the app; this much later they leave by themselves, for it may be away. */
const idleMarginMinutes = 5;
/** Whoever waits wants to know why when a pause is as long as this. */
const longPauseMs = 30_000;

/** See {@link Activities}. */
export const provisionAgent =
  (dependencies: WithOrchestrations) =>
  async (input: Activities['provisionAgent']['input']): Promise<Provisioned> => {
    const { store, compute, registry, orchestrations, clock, log } = dependencies;
    const deferred = await deferUntilFree(dependencies, input);
    if (deferred) return deferred;
    let stop: Provisioned | undefined;
    const request = await changeRequest(store, input, row => {
      stop = whyNot(row, input.attempt);
      if (stop || (row.state === 'provisioning' && row.attempt === input.attempt)) return undefined;
      return advance(row, {
        to: 'provisioning',
        at: clock.now().toISOString(),
        attempt: input.attempt,
        agentName: agentNameOf(row.requestId, input.attempt),
        detail: `Attempt ${input.attempt - row.firstAttempt + 1} of ${input.attempts}.`,
      });
    });
    if (!request) return { kind: 'superseded' };
    if (stop) {
      if (stop.kind === 'created') await orchestrations.ensureWatch(request.devOpsPool);
      return stop;
    }

    const [unfit, heard] = await Promise.all([
      checkPool(dependencies, request),
      tellPipeline(dependencies, request, pipelineLog.provisioning(request, input.attempts)),
    ]);
    if (typeof heard === 'object') return { kind: 'runOver', reason: heard.planOver };
    if (unfit) return unfit;
    const task = agentTask(dependencies, request);
    if ('kind' in task) return task;
    const created = await createTask(dependencies, request, task);
    if (created.kind === 'rejected') return created;

    // Before the row says `starting`: what is there from then on must be watched.
    await orchestrations.ensureWatch(request.devOpsPool);
    const starting = await changeRequest(store, input, row => {
      if (isEnded(row.state) || row.state !== 'provisioning' || row.attempt !== input.attempt)
        return undefined;
      return advance(row, {
        to: 'starting',
        at: clock.now().toISOString(),
        batch: created.batch,
        detail: `Batch task ${created.batch.taskId} in job ${created.batch.jobId}, pool ${created.batch.poolId}.`,
      });
    });
    // Further on than `starting` is fine: another run of this step was faster, and the task is in use.
    const reached = starting && whyNot(starting, input.attempt);
    if (!starting || reached?.kind !== 'created') {
      // Nobody will follow this task: the request has ended while we made it.
      await compute.deleteTask(created.batch);
      return { kind: 'superseded' };
    }
    log.info(
      `Request ${request.requestId} attempt ${input.attempt}: Batch task ${created.batch.taskId} created.`,
      { requestId: request.requestId, attempt: input.attempt },
    );
    await tellPipeline(dependencies, starting, pipelineLog.starting(starting));
    // The agent registers by itself; the placeholder only keeps the waiting job from failing until then.
    if (!request.callback && dependencies.config.keepPlaceholders)
      await registry.ensurePlaceholder(request.devOpsPool, task.os);
    return reached;
  };

/** Creates the task; one that has to wait for a person, as a disabled job has, says so to everybody who looks. */
async function createTask(
  dependencies: WithOrchestrations,
  request: AgentRequest,
  task: AgentTask,
): ReturnType<WithOrchestrations['compute']['createTask']> {
  const { compute, store, clock } = dependencies;
  try {
    return await compute.createTask(task);
  } catch (error) {
    if (error instanceof TransientError && (error.retryAfterMs ?? 0) >= longPauseMs) {
      await noteOnce(store, request, error.failure, clock.now().toISOString());
      await tellPipeline(dependencies, request, pipelineLog.heldUp(error.failure));
    }
    throw error;
  }
}

/** Reasons not to make a task; one of them is that it was made before. */
function whyNot(row: AgentRequest, attempt: number): Provisioned | undefined {
  if (isEnded(row.state) || row.attempt > attempt) return { kind: 'superseded' };
  if (row.attempt === attempt && isPhase(row.state)) return { kind: 'created', phase: row.state };
  if (row.cancelRequestedAt !== undefined) return { kind: 'cancelled' };
  return undefined;
}

const isPhase = (state: AgentRequest['state']): state is AttemptPhase =>
  state === 'starting' || state === 'online' || state === 'busy';

async function checkPool(
  { registry }: WithOrchestrations,
  { devOpsPool }: AgentRequest,
): Promise<Rejected | undefined> {
  if (await registry.poolExists(devOpsPool)) return undefined;
  const failure: OwnFailure = {
    code: 'AgentPoolMissing',
    stage: 'registration',
    message: `Azure DevOps has no agent pool named "${devOpsPool}", or we may not see it. ${remedyFor('AgentPoolMissing')}`,
    retryable: false,
  };
  return { kind: 'rejected', failure };
}

function agentTask({ config, clock }: WithOrchestrations, request: AgentRequest): AgentTask | Rejected {
  const profile = config.profiles.get(request.profile);
  const agentName = agentNameOf(request.requestId, request.attempt);
  if (!profile) {
    const failure: OwnFailure = {
      code: 'ProfileMissing',
      stage: 'createTask',
      message: `Profile "${request.profile}" is not configured any more. ${remedyFor('ProfileMissing')}`,
      retryable: false,
    };
    return { kind: 'rejected', failure };
  }
  const expiresAt = new Date(clock.now().getTime() + request.timeoutMinutes * 60_000);
  return {
    profile: profile.name,
    day: dayOf(request.createdAt),
    poolId: profile.batchPool,
    taskId: agentName,
    image: request.image,
    os: profile.os,
    slots: profile.slots,
    environment: {
      ...request.capabilities,
      AZDO_URL: config.devOps.url,
      AZDO_POOL: request.devOpsPool,
      AZDO_AGENT: agentName,
      AZDO_AGENT_DISPOSE: 'true',
      // A node that is lost runs its tasks again elsewhere, much later perhaps: such an agent must not come up.
      AZDO_EXPIRES_AT: expiresAt.toISOString(),
      AZDO_IDLE_MINUTES: String(profile.idleMinutes + idleMarginMinutes),
      ...(profile.agentAuth === 'token' && config.devOps.token !== undefined
        ? { AZDO_TOKEN: config.devOps.token }
        : {}),
    },
    // Batch takes whole minutes only.
    maxWallClockMinutes: Math.ceil(request.timeoutMinutes) + jobHours * 60,
  };
}
