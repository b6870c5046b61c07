import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { auditCrowd } from '../../scripts/bench/crowd/audit.js';
import type { Agent, Request, Run, Task } from '../../scripts/bench/crowd/records.js';

const audit = suite('the audit of a burst');

const run = (changes: Partial<Run> = {}, request: Partial<Run['request']> = {}): Run => ({
  runId: 'run-1',
  state: 'completed',
  result: 'succeeded',
  startedAt: 1,
  finishedAt: 9,
  job: { agentName: 'r-1', result: 'succeeded' },
  request: {
    status: 202,
    requestId: 'r',
    error: null,
    answeredAt: 2,
    completions: [{ result: 'succeeded', accepted: true, at: 5 }],
    ...request,
  },
  ...changes,
});
const agent = (name = 'r-1', sessions = 1): Agent => ({
  name,
  registeredAt: 3,
  sessions: Array.from({ length: sessions }, () => ({ openedAt: 4 })),
});
const task = (name = 'r-1', starts = 1): Task => ({ task: name, addedAt: 2, starts });
const request = (state = 'completed'): Request => ({
  requestId: 'r',
  state,
  attempt: 1,
  createdAt: 1,
  endedAt: 9,
});

const known = new Set(['placeholder', 'other-1']);

audit('has nothing to say of a request that went well', () => {
  const verdict = auditCrowd(
    { runs: [run()], agents: [agent(), agent('placeholder')], tasks: [task()] },
    [request()],
    known,
  );
  assert.equal(verdict, { lost: [], doubled: [] });
});

const none: Run['job'] = { agentName: null, result: null };
const accepted = { result: 'succeeded', accepted: true, at: 5 };
const refused = { result: 'succeeded', accepted: false, at: 6 };
const lost: Readonly<Record<string, readonly [Run, Request[]]>> = {
  'a call without an answer': [run({}, { requestId: null, status: null, error: 'no answer' }), []],
  'a run that failed': [run({ result: 'failed', job: none }), [request()]],
  'a run that is not over': [run({ state: 'waiting', result: null, job: none }), [request()]],
  'a job on the agent of another': [run({ job: { agentName: 'other-1', result: 'succeeded' } }), [request()]],
  'a request that ended otherwise': [run(), [request('expired')]],
  'a request that is not there': [run(), []],
};
for (const [what, [played, requests]] of Object.entries(lost)) {
  audit(`counts ${what} as lost`, () => {
    const seen = { runs: [played], agents: [agent(), agent('other-1')], tasks: [task()] };
    const verdict = auditCrowd(seen, requests, new Set([...known, 'r-1']));
    assert.is(verdict.lost.length, 1, verdict.lost.join('\n'));
    assert.equal(verdict.doubled, []);
  });
}

const doubled: Readonly<Record<string, { run?: Run; agents?: Agent[]; tasks?: Task[] }>> = {
  'a second completion that was taken': { run: run({}, { completions: [accepted, accepted] }) },
  'a second agent': { agents: [agent(), agent('r-2')] },
  'a second session': { agents: [agent('r-1', 2)] },
  'a second task': { tasks: [task(), task('r-2')] },
  'an agent that no pipeline knows of': { agents: [agent(), agent('stranger-1')] },
  'a task that no pipeline knows of': { tasks: [task(), task('stranger-1')] },
  'a second run of the task': { tasks: [task('r-1', 2)] },
};
for (const [what, seen] of Object.entries(doubled)) {
  audit(`counts ${what} as doubled`, () => {
    const { run: played = run(), agents = [agent()], tasks = [task()] } = seen;
    const verdict = auditCrowd({ runs: [played], agents, tasks }, [request()], known);
    assert.is(verdict.doubled.length, 1, verdict.doubled.join('\n'));
    assert.equal(verdict.lost, []);
  });
}

audit('takes no notice of a completion that was refused', () => {
  const seen = {
    runs: [run({}, { completions: [accepted, refused] })],
    agents: [agent()],
    tasks: [task()],
  };
  assert.equal(auditCrowd(seen, [request()], known), { lost: [], doubled: [] });
});

audit('counts two pipelines that share a request as lost', () => {
  const seen = { runs: [run(), run({ runId: 'run-2' })], agents: [agent()], tasks: [task()] };
  assert.is(auditCrowd(seen, [request()], known).lost.length, 2);
});

audit.run();
