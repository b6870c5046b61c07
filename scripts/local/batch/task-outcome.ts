import type { ExitOptions, TaskSpec } from './model.js';
import type { FailureInfo, RunIntent, TaskRecord } from './records.js';

/** How a run of a task ended, as the node saw it. */
export type RunOutcome =
  | { readonly kind: 'exit'; readonly exitCode: number; readonly at: string; readonly failure?: FailureInfo }
  /** It could not be started: no such program, image, registry. */
  | { readonly kind: 'notStarted'; readonly failure: FailureInfo; readonly at: string }
  /** Nobody knows: the node, or what watched the task on it, went away. */
  | { readonly kind: 'gone' };

export type TaskChanges = Partial<TaskRecord>;

const sentences = {
  FailureExitCode: ['userError', 'The task exited with an exit code representing a failure.'],
  TaskEnded: ['userError', 'The task was ended before it completed.'],
  CommandProgramNotFound: ['userError', 'The specified command program is not found.'],
  CommandLaunchFailed: ['userError', 'The specified command program could not be launched.'],
  ContainerInvalidImage: ['userError', 'One or more container images specified could not be found or used.'],
  ContainerInvalidRegistry: [
    'userError',
    'The container registry could not be reached or refused the login.',
  ],
  ContainerInvalidSettings: ['userError', 'The container could not be made with its settings.'],
  ContainerMiscError: ['userError', 'The container could not be run.'],
  DiskFull: ['userError', 'There is not enough disk space on the node.'],
} as const satisfies Record<string, readonly [FailureInfo['category'], string]>;

export const failureCodes = [
  'FailureExitCode',
  'TaskEnded',
  'CommandProgramNotFound',
  'CommandLaunchFailed',
  'ContainerInvalidImage',
  'ContainerInvalidRegistry',
  'ContainerInvalidSettings',
  'ContainerMiscError',
  'DiskFull',
] as const satisfies ReadonlyArray<keyof typeof sentences>;
export type FailureCode = (typeof failureCodes)[number];

export function failure(code: FailureCode, detail: string): FailureInfo {
  const [category, message] = sentences[code];
  return { category, code, message, details: [{ name: 'Message', value: detail }] };
}

/** A task that waits to be scheduled again, as if it had never run; its counts stay. */
const waitingAgain: TaskChanges = {
  state: 'active',
  runId: undefined,
  node: undefined,
  startTime: undefined,
  endTime: undefined,
  exitCode: undefined,
  containerInfo: undefined,
  failureInfo: undefined,
  result: undefined,
};

/**
 * What becomes of a task after a run.
 *
 * @param maxRetries how often a failed exit is tried again; -1 for ever.
 */
export function settle(
  task: TaskRecord,
  outcome: RunOutcome,
  intent: RunIntent | undefined,
  maxRetries: number,
  now: string,
): TaskChanges {
  // A lost node's tasks run again and no counter tells: this is what makes a preempted task dangerous to its owner.
  if (intent === 'lost' || (outcome.kind === 'gone' && intent === undefined)) return waitingAgain;
  if (intent === 'requeue') {
    return { ...waitingAgain, requeueCount: task.requeueCount + 1, lastRequeueTime: now };
  }
  const exitCode = outcome.kind === 'exit' ? outcome.exitCode : undefined;
  const endTime = outcome.kind === 'gone' ? now : outcome.at;
  const ended = (failureInfo: FailureInfo | undefined): TaskChanges => ({
    state: 'completed',
    runId: undefined,
    endTime,
    exitCode,
    failureInfo,
    result: failureInfo ? 'failure' : 'success',
    ...(task.containerInfo && { containerInfo: { ...task.containerInfo, state: 'exited' } }),
  });
  if (intent === 'timeout')
    return ended(failure('TaskEnded', 'The task ran for longer than its maxWallClockTime.'));
  if (intent !== undefined || outcome.kind === 'gone') {
    return ended(failure('TaskEnded', 'The task was ended by user request.'));
  }
  if (outcome.failure) return ended(outcome.failure);
  if (exitCode === 0) return ended(undefined);
  if (maxRetries < 0 || task.retryCount < maxRetries) {
    return { ...waitingAgain, retryCount: task.retryCount + 1 };
  }
  return ended(failure('FailureExitCode', `The task exited with exit code ${exitCode ?? 'unknown'}.`));
}

/** A task that was ended by a user before it ever ran. */
export const endedUnrun = (now: string): TaskChanges => ({
  state: 'completed',
  endTime: now,
  failureInfo: failure('TaskEnded', 'The task was ended by user request.'),
  result: 'failure',
});

/** A completed task, made to run once more by a user. */
export const reactivated: TaskChanges = { ...waitingAgain, retryCount: 0 };

/** What the task's exit conditions ask of its job. */
export function jobActionOf(spec: TaskSpec, task: TaskRecord): 'none' | 'disable' | 'terminate' {
  if (task.state !== 'completed' || task.result === 'success') return 'none';
  return exitOptions(spec, task)?.jobAction ?? 'none';
}

function exitOptions({ exitConditions }: TaskSpec, { exitCode }: TaskRecord): ExitOptions | undefined {
  if (!exitConditions) return undefined;
  if (exitCode === undefined) return exitConditions.preProcessingError ?? exitConditions.default;
  return (
    exitConditions.exitCodes?.find(({ code }) => code === exitCode)?.exitOptions ??
    exitConditions.exitCodeRanges?.find(({ start, end }) => start <= exitCode && exitCode <= end)
      ?.exitOptions ??
    exitConditions.default
  );
}
