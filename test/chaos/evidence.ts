import type { AgentRecord, Evidence, RequestRow, RunRecord } from '../../scripts/chaos/evidence.js';
import type { Asked } from '../../scripts/chaos/ledger.js';
import { Ledger } from '../../scripts/chaos/ledger.js';
import type { RequestKind } from '../../scripts/chaos/schedule.js';

/** A moment of the test's morning. */
export const at = (seconds: number): string =>
  new Date(Date.parse('2026-01-01T09:00:00.000Z') + seconds * 1_000).toISOString();

export function asked(kind: RequestKind, change: Partial<Asked> = {}): Asked {
  const one = new Ledger(1).open({ type: 'request', number: 1, kind, jobMs: 0, thenMs: 0 });
  return { ...one, sent: 1, ...change };
}

const message = Buffer.from('{"version":1}').toString('base64');

/** A request that a pipeline asked for and whose agent ran its job. */
export function row(change: Partial<RequestRow> = {}): RequestRow {
  const line = (state: string, seconds: number, attempt: number) => ({
    state,
    at: at(seconds),
    attempt,
    detail: '',
  });
  return {
    rowKey: 'ended~0~r1',
    requestId: 'r1',
    tag: '1-1',
    generation: 1,
    state: 'completed',
    attempt: 1,
    history: [
      line('accepted', 0, 0),
      line('provisioning', 1, 1),
      line('starting', 2, 1),
      line('online', 3, 1),
      line('busy', 4, 1),
      line('completed', 9, 1),
    ],
    failureCode: undefined,
    planId: 'plan1',
    taskInstanceId: 'task1',
    replyQueue: undefined,
    message,
    text: '{}',
    ...change,
  };
}

export const run = (change: Partial<RunRecord> = {}): RunRecord => ({
  runId: 'run-1',
  name: '1-1',
  state: 'completed',
  result: 'succeeded',
  planId: 'plan1',
  taskInstanceId: 'task1',
  waits: true,
  asked: true,
  completions: [{ result: 'succeeded', at: at(3.5), accepted: true }],
  jobAgent: 'r1-1',
  jobStartedAt: at(4),
  abandoned: false,
  finishedAt: at(8),
  ...change,
});

export const agent = (change: Partial<AgentRecord> = {}): AgentRecord => ({
  id: 1,
  name: 'r1-1',
  registeredAt: at(2.5),
  removedAt: at(8.5),
  sessions: [{ openedAt: at(2.6), endedAt: at(8.4) }],
  ...change,
});

/** A world in which one pipeline got its agent and nothing is left of it. */
export const evidence = (change: Partial<Evidence> = {}): Evidence => ({
  asked: [asked('pipeline', { answers: [{ status: 202, requestId: 'r1' }] })],
  rows: [row()],
  deadLetters: [],
  replies: [],
  runs: [run()],
  agents: [agent()],
  kills: [],
  forgotten: [],
  bites: [],
  leftovers: [],
  ...change,
});

/** A request that was given up, with its dead letter. */
export function givenUp(change: Partial<Evidence> = {}): Evidence {
  const base = row();
  return evidence({
    rows: [
      {
        ...base,
        state: 'deadLettered',
        failureCode: 'PoolMissing',
        attempt: 1,
        history: [
          ...base.history.slice(0, 2),
          { state: 'deadLettered', at: at(2), attempt: 1, detail: 'PoolMissing' },
        ],
      },
    ],
    deadLetters: [{ requestId: 'r1', generation: 1, at: at(2), failureCode: 'PoolMissing', message }],
    runs: [run({ result: 'failed', jobAgent: undefined, jobStartedAt: undefined })],
    agents: [],
    ...change,
  });
}
