import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import type { RunIntent, TaskRecord } from '../../../scripts/local/batch/records.js';
import { failure, jobActionOf, type RunOutcome, settle } from '../../../scripts/local/batch/task-outcome.js';

const at = '2026-01-31T12:00:05.000Z';
const now = '2026-01-31T12:00:06.000Z';

const running: TaskRecord = {
  version: 3,
  creationTime: '2026-01-31T12:00:00.000Z',
  lastModified: '2026-01-31T12:00:00.000Z',
  stateTransitionTime: '2026-01-31T12:00:00.000Z',
  spec: { id: 't', commandLine: 'x' },
  seq: 1,
  state: 'running',
  runId: 'r',
  node: { poolId: 'p', nodeId: 'n' },
  startTime: '2026-01-31T12:00:01.000Z',
  retryCount: 0,
  requeueCount: 0,
};
const exit = (exitCode: number): RunOutcome => ({ kind: 'exit', exitCode, at });

const outcomes = suite('what becomes of a task after a run');

interface Case {
  readonly says: string;
  readonly outcome: RunOutcome;
  readonly intent?: RunIntent;
  readonly maxRetries?: number;
  readonly task?: Partial<TaskRecord>;
  readonly state: 'active' | 'completed';
  readonly code?: string;
  readonly exitCode?: number;
  readonly counts?: [retries: number, requeues: number];
}

const cases: Case[] = [
  { says: 'exit 0 is success', outcome: exit(0), state: 'completed', exitCode: 0 },
  {
    says: 'another exit is a failure',
    outcome: exit(7),
    state: 'completed',
    code: 'FailureExitCode',
    exitCode: 7,
  },
  { says: 'a failed exit is retried', outcome: exit(7), maxRetries: 2, state: 'active', counts: [1, 0] },
  {
    says: 'as often as allowed',
    outcome: exit(7),
    maxRetries: 2,
    task: { retryCount: 2 },
    state: 'completed',
    code: 'FailureExitCode',
    exitCode: 7,
  },
  {
    says: 'for ever',
    outcome: exit(7),
    maxRetries: -1,
    task: { retryCount: 99 },
    state: 'active',
    counts: [100, 0],
  },
  {
    says: 'ended by a user',
    outcome: exit(143),
    intent: 'terminate',
    maxRetries: 5,
    state: 'completed',
    code: 'TaskEnded',
    exitCode: 143,
  },
  {
    says: 'over its wall clock',
    outcome: exit(143),
    intent: 'timeout',
    state: 'completed',
    code: 'TaskEnded',
    exitCode: 143,
  },
  {
    says: 'put back by a user is counted',
    outcome: exit(143),
    intent: 'requeue',
    state: 'active',
    counts: [0, 1],
  },
  {
    says: 'a lost node is counted nowhere',
    outcome: exit(143),
    intent: 'lost',
    state: 'active',
    counts: [0, 0],
  },
  { says: 'nobody knows how it ended', outcome: { kind: 'gone' }, state: 'active', counts: [0, 0] },
  {
    says: 'could not be started, and is not retried',
    outcome: { kind: 'notStarted', failure: failure('ContainerInvalidImage', 'no'), at },
    maxRetries: 5,
    state: 'completed',
    code: 'ContainerInvalidImage',
  },
];
for (const { says, outcome, intent, maxRetries = 0, task = {}, state, code, exitCode, counts } of cases) {
  outcomes(says, () => {
    const before = { ...running, ...task };
    const after = { ...before, ...settle(before, outcome, intent, maxRetries, now) };
    assert.is(after.state, state);
    assert.is(after.failureInfo?.code, code);
    assert.is(after.exitCode, exitCode);
    assert.is(after.runId, undefined);
    if (state === 'active') {
      assert.is(after.node, undefined);
      assert.is(after.startTime, undefined);
      assert.equal([after.retryCount, after.requeueCount], counts);
    } else {
      assert.is(after.result, code === undefined ? 'success' : 'failure');
      assert.is(after.endTime, at);
    }
  });
}

outcomes('exit conditions choose what happens to the job', () => {
  const spec = {
    ...running.spec,
    exitConditions: {
      exitCodes: [{ code: 3, exitOptions: { jobAction: 'disable' as const } }],
      exitCodeRanges: [{ start: 10, end: 19, exitOptions: { jobAction: 'terminate' as const } }],
      preProcessingError: { jobAction: 'terminate' as const },
      default: { jobAction: 'none' as const },
    },
  };
  const after = (outcome: RunOutcome): string =>
    jobActionOf(spec, { ...running, ...settle(running, outcome, undefined, 0, now) });
  assert.is(after(exit(3)), 'disable');
  assert.is(after(exit(19)), 'terminate');
  assert.is(after(exit(20)), 'none');
  assert.is(after(exit(0)), 'none');
  assert.is(after({ kind: 'notStarted', failure: failure('CommandProgramNotFound', 'x'), at }), 'terminate');
});

outcomes.run();
