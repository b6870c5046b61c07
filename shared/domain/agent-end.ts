import type { Failure } from './failure.js';
import type { Situation } from './situation.js';

type AgentEnd = Extract<Situation, { kind: 'agentGone' | 'taskEnded' }>;

/** Batch failure codes that say that the image or its registry is at fault, not the agent. */
const imageFailures = new Set(['ContainerInvalidImage', 'ContainerInvalidRegistry']);

/**
 * Names what ended an agent before it had run a job.
 *
 * @param tail the end of what the task printed, if it could be had.
 */
export function lostAgent(end: AgentEnd, wasOnline: boolean, tail: string | undefined): Failure {
  const stage = wasOnline ? 'online' : 'container';
  if (end.kind === 'agentGone') {
    return {
      code: 'TaskGone',
      stage: wasOnline ? 'online' : 'nodeAllocation',
      message: "The agent's Batch task was removed before its agent had run a job.",
      retryable: true,
    };
  }
  const said = tail === undefined ? '' : ` Its last words: ${lastOf(tail.trim(), 300)}`;
  const code = end.failureCode ?? '';
  if (imageFailures.has(code)) {
    return {
      code: 'ImagePullFailed',
      stage: 'container',
      message: `The agent's image could not be pulled: ${end.failureMessage ?? code}. Check the image's name and tag, and that the pool may pull from the registry.`,
      retryable: true,
    };
  }
  if (code === 'ContainerInvalidSettings') {
    return {
      code: 'ContainerSettingsInvalid',
      stage: 'container',
      message: `Batch refused the container's settings: ${end.failureMessage ?? code}. Mend the profile.`,
      retryable: false,
    };
  }
  if (code === 'TaskEnded' && end.exitCode === undefined) {
    return {
      code: 'TaskTimedOut',
      stage,
      message: `The agent's Batch task was ended before its agent had run a job.${said}`,
      retryable: true,
    };
  }
  if (end.exitCode === 0) {
    return {
      code: 'AgentExitedEarly',
      stage,
      message: `The agent ended by itself before it had run a job.${said}`,
      retryable: true,
    };
  }
  const how = end.exitCode === undefined ? code || 'an unknown error' : `exit code ${end.exitCode}`;
  return {
    code: end.exitCode === undefined ? 'ContainerFailed' : 'AgentStartFailed',
    stage,
    message: `The agent's container ended with ${how} before its agent had run a job.${said}`,
    retryable: true,
  };
}

/** A container says what went wrong at its end. */
const lastOf = (text: string, limit: number): string =>
  text.length <= limit ? text : `…${text.slice(1 - limit)}`;
