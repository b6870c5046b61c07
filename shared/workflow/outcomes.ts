import type { Failure, OwnFailure } from '../domain/failure.js';
import { remedyFor } from '../domain/failure-guide.js';
import type { AgentEnd, Situation } from '../domain/situation.js';
import type { LifecycleInput, Look, Outcome } from './contract.js';

/** How a request ends, and what is told of it: one constant or function an end. */

export const cancelledByRequest: Outcome = { state: 'cancelled', detail: 'Cancelled by request.' };

export const runIsOver = (reason: string): Outcome => ({
  state: 'cancelled',
  detail: `The pipeline run is over, so its agent is taken back: ${reason}`,
  planOver: reason,
});

/** The end of a request that nobody wants any more; undefined for all other news. It holds for every attempt. */
export function unwanted(news: Situation): Outcome | undefined {
  if (news.kind === 'cancel') return cancelledByRequest;
  return news.kind === 'runOver' ? runIsOver(news.reason) : undefined;
}

export const deadLettered = (failure: Failure): Outcome => ({
  state: 'deadLettered',
  detail: `${failure.code}: ${failure.message}`,
  failure,
});

export const expired = (input: LifecycleInput): Outcome => ({
  state: 'expired',
  detail: `Online, but no job came within ${Math.round(input.idleMs / 1_000)} s.`,
});

export const takenByAnother: OwnFailure = {
  code: 'AgentTaken',
  stage: 'registration',
  message: `The agent ran a job of another pipeline before this one was released. ${remedyFor('AgentTaken')}`,
  retryable: true,
};

/** What kept the agent from being there in time. */
export function timedOut(input: LifecycleInput, look: Look): Failure {
  const minutes = `${Number((input.timeoutMs / 60_000).toFixed(1))} min`;
  if (look.problem) {
    const { message } = look.problem;
    return { ...look.problem, message: `No node took the agent's task within ${minutes}. ${message}` };
  }
  const failure: OwnFailure =
    look.task === 'active' || look.task === undefined
      ? {
          code: 'NodeAllocationTimeout',
          stage: 'nodeAllocation',
          message: `No node of the Batch pool took the agent's task within ${minutes}. ${remedyFor('NodeAllocationTimeout')}`,
          retryable: true,
        }
      : {
          code: 'RegistrationTimeout',
          stage: 'registration',
          message: `The agent's container runs, but it did not register within ${minutes}. ${remedyFor('RegistrationTimeout')}`,
          retryable: true,
        };
  return failure;
}

/** The end of an agent that ran a job, or was running one. */
export function completed(news: AgentEnd): Outcome {
  if (news.kind === 'taskEnded' && news.exitCode === 0 && news.failureCode === undefined) {
    return { state: 'completed', detail: 'The agent ran its job and ended.' };
  }
  if (news.ranJob) return { state: 'completed', detail: 'The agent ran its job and is gone.' };
  if (news.kind === 'nodeLost') {
    const failure: OwnFailure = {
      code: 'NodePreempted',
      stage: 'online',
      message:
        'The node that ran the agent was lost while its job ran: a Spot node that was preempted, or one that broke. ' +
        'Azure DevOps reports the job as lost; run it again.',
      retryable: false,
    };
    return {
      state: 'completed',
      detail: 'NodePreempted: the node that ran the agent was lost while its job ran.',
      failure,
    };
  }
  const how =
    news.kind === 'taskEnded'
      ? `its Batch task ended with ${news.failureCode ?? `exit code ${news.exitCode ?? 'unknown'}`}`
      : 'its Batch task is gone';
  const failure: OwnFailure = {
    code: 'AgentLost',
    stage: 'online',
    message: `The agent ended while its job ran (${how}). Azure DevOps reports the job as lost; run it again.`,
    retryable: false,
  };
  return { state: 'completed', detail: `The agent ended while its job ran: ${how}.`, failure };
}
