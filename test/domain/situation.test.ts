import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AgentView, judge, type Observation, type TaskView } from '../../shared/domain/situation.js';
import { decideWatch } from '../../shared/domain/watch.js';
import { someRequest } from '../fakes/requests.js';

const agent = (more: Partial<AgentView> = {}): AgentView => ({
  name: 'r-1',
  online: true,
  busy: false,
  ranJob: false,
  ...more,
});
const task = (more: Partial<TaskView> = {}): TaskView => ({
  jobId: 'j',
  taskId: 'r-1',
  state: 'running',
  ...more,
});
const request = (state: 'accepted' | 'provisioning' | 'starting' | 'online' | 'busy') => ({
  ...someRequest(),
  state,
  attempt: 1,
  agentName: 'r-1',
  batch: { poolId: 'p', jobId: 'j', taskId: 'r-1' },
  onlineAt: state === 'online' || state === 'busy' ? '2026-01-31T10:05:00.000Z' : undefined,
});
const completed = task({ state: 'completed', exitCode: 0 });

const cases: readonly [
  what: string,
  state: Parameters<typeof request>[0],
  seen: Partial<Observation>,
  expected: string | undefined,
  taskStartedAt?: string,
][] = [
  ['a task that waits for its node', 'starting', { task: task({ state: 'active' }) }, undefined],
  ['a container that has not registered yet', 'starting', { task: task() }, undefined],
  ['an agent that came online', 'starting', { task: task(), agent: agent() }, 'agentOnline'],
  [
    'an agent that took its job before we looked',
    'starting',
    { task: task(), agent: agent({ busy: true }) },
    'agentBusy',
  ],
  [
    'a registration whose agent is not there yet',
    'starting',
    { task: task(), agent: agent({ online: false }) },
    undefined,
  ],
  ['a task that ended before its agent came', 'starting', { task: completed }, 'taskEnded'],
  ['a task that somebody removed', 'starting', {}, 'agentGone'],
  ['an online agent that waits for its job', 'online', { task: task(), agent: agent() }, undefined],
  ['an online agent that got its job', 'online', { task: task(), agent: agent({ busy: true }) }, 'agentBusy'],
  [
    'an online agent that lost its connection for a moment',
    'online',
    { task: task(), agent: agent({ online: false }) },
    undefined,
  ],
  [
    'an online agent whose task ended',
    'online',
    { task: completed, agent: agent({ online: false }) },
    'taskEnded',
  ],
  ['a busy agent at work', 'busy', { task: task(), agent: agent({ busy: true }) }, undefined],
  ['a busy agent that has unregistered and is ending', 'busy', { task: task() }, undefined],
  ['a busy agent that has ended', 'busy', { task: completed }, 'taskEnded'],
  ['a task that is missing while its agent still works', 'busy', { agent: agent({ busy: true }) }, undefined],
  [
    'a task that ran before and waits again',
    'starting',
    { task: task({ state: 'active', previousState: 'running' }) },
    'nodeLost',
  ],
  [
    'the same while Azure DevOps has not noticed yet',
    'starting',
    { task: task({ state: 'active', previousState: 'running' }), agent: agent() },
    'nodeLost',
  ],
  [
    'a busy agent whose task waits again',
    'busy',
    { task: task({ state: 'active', previousState: 'running' }), agent: agent({ busy: true }) },
    'nodeLost',
  ],
  ['a task that seems to wait again, once', 'online', { task: task({ state: 'preparing' }) }, undefined],
  [
    'a task that seems to wait again, twice',
    'online',
    { task: task({ state: 'preparing' }), wasSuspect: true },
    'nodeLost',
  ],
  [
    'a task that began anew after its agent had come online',
    'busy',
    { task: task({ startedAt: '2026-01-31T10:07:00.000Z' }), agent: agent({ busy: true }) },
    'nodeLost',
  ],
  [
    'a task that began a little after, by a clock that is not ours',
    'busy',
    { task: task({ startedAt: '2026-01-31T10:05:30.000Z' }), agent: agent({ busy: true }) },
    undefined,
  ],
  [
    'a second run of the task, soon after the first',
    'busy',
    { task: task({ startedAt: '2026-01-31T10:04:31.000Z' }), agent: agent({ busy: true }) },
    'nodeLost',
    '2026-01-31T10:04:30.000Z',
  ],
  [
    'a second run of the task that is over already',
    'busy',
    { task: task({ state: 'completed', exitCode: 12, startedAt: '2026-01-31T10:04:31.000Z' }) },
    'nodeLost',
    '2026-01-31T10:04:30.000Z',
  ],
  [
    'the end of the run that the agent came with',
    'busy',
    { task: task({ state: 'completed', exitCode: 0, startedAt: '2026-01-31T10:04:30.000Z' }) },
    'taskEnded',
    '2026-01-31T10:04:30.000Z',
  ],
  [
    'the run of the task that the agent came with',
    'busy',
    { task: task({ startedAt: '2026-01-31T10:09:00.000Z' }), agent: agent({ busy: true }) },
    undefined,
    '2026-01-31T10:09:00.000Z',
  ],
  ['nothing yet, because nothing was made yet', 'provisioning', {}, undefined],
  ['nothing yet, because it was only accepted', 'accepted', {}, undefined],
];

const judging = suite('judge');

for (const [what, state, seen, expected, taskStartedAt] of cases) {
  judging(`sees ${what}`, () => {
    const situation = judge(
      { ...request(state), taskStartedAt },
      { agent: undefined, task: undefined, ...seen },
    );
    assert.is(situation?.kind, expected);
  });
}

judging('hears of a cancellation before anything else, in every live state', () => {
  for (const state of ['accepted', 'provisioning', 'starting', 'online', 'busy'] as const) {
    const situation = judge(
      { ...request(state), cancelRequestedAt: 'now' },
      { agent: agent(), task: completed },
    );
    assert.is(situation?.kind, 'cancel');
  }
});

judging('passes on how the task ended and whether the agent had run a job', () => {
  const ended = task({
    state: 'completed',
    exitCode: 7,
    failureCode: 'FailureExitCode',
    failureMessage: 'no',
  });
  assert.equal(judge(request('online'), { agent: agent({ online: false, ranJob: true }), task: ended }), {
    kind: 'taskEnded',
    attempt: 1,
    ranJob: true,
    exitCode: 7,
    failureCode: 'FailureExitCode',
    failureMessage: 'no',
  });
});

judging.run();

const watching = suite('decideWatch');
const agents = new Map([['r-1', agent()]]);
const tasks = new Map([['r-1', task()]]);

watching('raises news once, and again only when it had no effect for some rounds', () => {
  const raised: boolean[] = [];
  let told = {};
  for (let round = 0; round < 9; round += 1) {
    const decision = decideWatch([request('starting')], agents, tasks, told);
    raised.push(decision.raise.length > 0);
    told = decision.told;
  }
  assert.equal(raised, [true, false, false, false, false, false, false, true, false]);
});

watching('raises different news at once', () => {
  const first = decideWatch([request('starting')], agents, tasks, {});
  const second = decideWatch([request('starting')], new Map(), new Map([['r-1', completed]]), first.told);
  assert.equal(
    second.raise.map(({ situation }) => situation.kind),
    ['taskEnded'],
  );
});

watching('remembers nothing of requests that are as their row says', () => {
  const decision = decideWatch([request('online')], agents, tasks, { gone: { what: 'x', rounds: 1 } });
  assert.equal(decision.told, {});
});

watching('tells once that a task has got its node, and nothing more until its agent comes', () => {
  const waiting = decideWatch(
    [request('starting')],
    new Map(),
    new Map([['r-1', task({ state: 'active' })]]),
    {},
  );
  assert.equal([waiting.raise, waiting.started], [[], []]);
  let { told } = waiting;
  for (const state of ['preparing', 'running'] as const) {
    const started: string[][] = [];
    for (let round = 0; round < 9; round += 1) {
      const seen = new Map([['r-1', task({ state })]]);
      const decision = decideWatch([request('starting')], new Map(), seen, told);
      started.push(decision.started.map(each => `${each.requestId} ${each.task}`));
      ({ told } = decision);
    }
    assert.equal(started, [[`r-1 ${state}`], [], [], [], [], [], [], [], []]);
  }
  assert.is(decideWatch([request('starting')], agents, tasks, told).raise.length, 1);
});

const waiting = new Map([['r-1', task({ state: 'active' })]]);

watching('gives a node up when two looks in a row see its task wait again, and not after one', () => {
  for (const state of ['starting', 'online', 'busy'] as const) {
    const ran = decideWatch([request(state)], new Map(), tasks, {});
    const first = decideWatch([request(state)], new Map(), waiting, ran.told);
    assert.equal(first.raise, [], `${state}: one list may be old`);
    assert.is(decideWatch([request(state)], new Map(), tasks, first.told).raise.length, 0);
    const second = decideWatch([request(state)], new Map(), waiting, first.told);
    assert.equal(
      second.raise.map(({ situation }) => situation.kind),
      ['nodeLost'],
    );
    const third = decideWatch([request(state)], new Map(), waiting, second.told);
    assert.equal(third.raise, [], 'told again at once');
  }
});

watching('does not take a task that waits for its first node for one that lost it', () => {
  let told = {};
  for (let round = 0; round < 5; round += 1) {
    const decision = decideWatch([request('starting')], new Map(), waiting, told);
    assert.equal(decision.raise, []);
    ({ told } = decision);
  }
});

watching('ends what waits in a Batch pool that is not there, and spares what runs', () => {
  const failure = { code: 'PoolMissing', stage: 'nodeAllocation', message: '', retryable: false } as const;
  const missing = new Map([['p', failure]]);
  const kinds = (...[requests, seen, listed]: Parameters<typeof decideWatch>) =>
    decideWatch(requests, seen, listed, {}, missing).raise.map(({ situation }) => situation.kind);
  assert.equal(kinds([request('starting')], new Map(), waiting, {}), ['poolMissing']);
  assert.equal(kinds([request('starting')], new Map(), tasks, {}), []);
  assert.equal(kinds([request('starting')], agents, waiting, {}), ['agentOnline']);
  const elsewhere = { ...request('starting'), batch: { poolId: 'q', jobId: 'j', taskId: 'r-1' } };
  assert.equal(kinds([elsewhere], new Map(), waiting, {}), []);
});

watching('finds an agent whatever the case of its name', () => {
  const decision = decideWatch([{ ...request('starting'), agentName: 'R-1' }], agents, tasks, {});
  assert.is(decision.raise[0]?.situation.kind, 'agentOnline');
});

watching.run();
