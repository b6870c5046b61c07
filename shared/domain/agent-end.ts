import type { OwnFailure } from './failure.js';
import { type FailureCode, remedyFor } from './failure-guide.js';
import type { AgentEnd } from './situation.js';

interface Cause {
  readonly code: FailureCode;
  /** Whether another try can help at all. */
  readonly retryable: boolean;
  /** @param why what Batch says about it. */
  readonly message: (why: string) => string;
}

const imageUnusable: Cause = {
  code: 'ImagePullFailed',
  retryable: true,
  message: why => `The agent's image could not be pulled: ${why} ${remedyFor('ImagePullFailed')}`,
};
const filesUnavailable: Cause = {
  code: 'TaskFilesUnavailable',
  retryable: true,
  message: why =>
    `The node could not fetch a file or package that Batch puts beside every task: ${why} ${remedyFor('TaskFilesUnavailable')}`,
};

/**
 * What Batch calls the reasons why a task could not be run, in lower case: the service is not particular about it.
 * See "Batch task errors" of its documentation.
 */
const causes: ReadonlyMap<string, Cause> = new Map<string, Cause>([
  ['containerinvalidimage', imageUnusable],
  ['containerinvalidregistry', imageUnusable],
  [
    'containerinvalidsettings',
    {
      code: 'ContainerSettingsInvalid',
      retryable: false,
      message: why =>
        `Batch refused the container's settings: ${why} ${remedyFor('ContainerSettingsInvalid')}`,
    },
  ],
  [
    'containermiscerror',
    {
      code: 'ContainerFailed',
      retryable: true,
      message: why => `The node could not run the agent's container: ${why} ${remedyFor('ContainerFailed')}`,
    },
  ],
  [
    'commandprogramnotfound',
    {
      code: 'AgentCommandMissing',
      retryable: false,
      message: why =>
        `The agent's image starts a program that is not in it: ${why} ${remedyFor('AgentCommandMissing')}`,
    },
  ],
  [
    'commandlaunchfailed',
    {
      code: 'AgentLaunchFailed',
      retryable: true,
      message: why =>
        `The program of the agent's image could not be started: ${why} ${remedyFor('AgentLaunchFailed')}`,
    },
  ],
  [
    'diskfull',
    {
      code: 'NodeDiskFull',
      retryable: true,
      message: why => `The node's disk is full: ${why} ${remedyFor('NodeDiskFull')}`,
    },
  ],
]);
const aboutFiles = /^(resourcefile|resourcecontainer|applicationpackage|blob)/;

/**
 * Names what ended an agent before it had run a job.
 *
 * @param tail the end of what the task printed, if it could be had.
 */
export function lostAgent(end: AgentEnd, wasOnline: boolean, tail: string | undefined): OwnFailure {
  const stage = wasOnline ? 'online' : 'container';
  if (end.kind === 'nodeLost') {
    return {
      code: 'NodePreempted',
      stage: wasOnline ? 'online' : 'nodeAllocation',
      message:
        'The node that ran the agent was lost before its agent had run a job: a Spot node that was preempted, or one that broke.',
      retryable: true,
    };
  }
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
  const key = code.toLowerCase();
  const cause = causes.get(key) ?? (aboutFiles.test(key) ? filesUnavailable : undefined);
  if (cause) {
    const why = sentence(end.failureMessage ?? code);
    return {
      code: cause.code,
      stage: 'container',
      message: `${cause.message(why)}${said}`,
      retryable: cause.retryable,
    };
  }
  if (key === 'taskended') {
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

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** A container says what went wrong at its end. */
const lastOf = (text: string, limit: number): string =>
  text.length <= limit ? text : `…${text.slice(1 - limit)}`;
