import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  agentNameOf,
  partsOfAgentName,
  partsOfBatchJobId,
  placeholderNameOf,
} from '../../shared/domain/names.js';
import { findSuspects, isOrphan, type Suspect } from '../../shared/domain/orphans.js';
import { endStates, isEnded, liveStates } from '../../shared/domain/request.js';
import type { AgentView, TaskView } from '../../shared/domain/situation.js';
import { someRequest } from '../fakes/requests.js';

const pool = 'Private Linux';
const minute = (n: number): string => new Date(Date.UTC(2026, 0, 31, 10, n)).toISOString();
const agent = (name: string, changes: Partial<AgentView> = {}): AgentView => ({
  name,
  online: false,
  busy: false,
  ranJob: false,
  createdOn: minute(2),
  ...changes,
});
const task = (taskId: string, madeHere?: boolean): TaskView => ({
  jobId: 'agents-ubuntu-20260131',
  taskId,
  state: 'running',
  madeHere,
});
const names = (suspects: readonly Suspect[]): readonly string[] =>
  suspects.map(({ thing, name }) => `${thing.kind} ${name}`);
const one = (suspects: readonly Suspect[]): Suspect => {
  const [only] = suspects;
  if (!only) throw new Error('Nothing is suspected.');
  return only;
};
const ofTask = (taskId: string, madeHere?: boolean): Suspect =>
  one(findSuspects([task(taskId, madeHere)], new Map(), []));
const ofAgent = (name: string, changes: Partial<AgentView> = {}): Suspect =>
  one(findSuspects([], new Map([[pool, [agent(name, changes)]]]), []));

const test = suite('orphans');

test('reads the names that it gives, and no others', () => {
  assert.equal(partsOfAgentName('r-1-2'), { requestId: 'r-1', attempt: 2 });
  assert.equal(partsOfAgentName('R-1-2'), { requestId: 'r-1', attempt: 2 });
  for (const name of ['r', 'r-', 'r-0', 'r-01', '-1', 'r_1-1', 'r 1-1', placeholderNameOf('linux')]) {
    assert.is(partsOfAgentName(name), undefined, name);
  }
  assert.equal(partsOfBatchJobId('agents-my-linux-20260131-2'), { profile: 'my-linux', day: '20260131' });
  assert.equal(partsOfBatchJobId('agents-ubuntu-20260131'), { profile: 'ubuntu', day: '20260131' });
  for (const id of ['agents-ubuntu', 'my-agents-ubuntu-20260131', 'agents-ubuntu-20260131-x', 'agents--1']) {
    assert.is(partsOfBatchJobId(id), undefined, id);
  }
});

test('suspects what no live request owns: of an ended one, or of an earlier attempt', () => {
  const live = [{ requestId: 'r-1', attempt: 2 }];
  const agents = new Map([[pool, ['r-1-1', 'r-1-2', 'r-2-1', 'build-server-1'].map(name => agent(name))]]);
  const tasks = ['r-1-1', 'r-1-2', 'r-1-3', 'r-2-1', 'of-somebody'].map(id => task(id));
  assert.equal(names(findSuspects(tasks, agents, live)), [
    'task r-1-1',
    'task r-2-1',
    'agent r-1-1',
    'agent r-2-1',
    'agent build-server-1',
  ]);
});

test('suspects no placeholder, no busy agent and no task of another installation', () => {
  const agents = new Map([
    [
      pool,
      [
        agent(placeholderNameOf('linux')),
        agent(placeholderNameOf('windows')),
        agent('r-1-1', { busy: true }),
      ],
    ],
  ]);
  assert.equal(names(findSuspects([task('r-2-1', false)], agents, [])), []);
});

test('takes a thing for ours by the row of its request, or a task by its mark', () => {
  const ended = someRequest({ state: 'expired', attempt: 2, endedAt: minute(20), timeoutMinutes: 10 });
  assert.is(isOrphan(ofTask('r-1-2'), ended), true);
  assert.is(isOrphan(ofTask('r-1-3'), ended), false, 'the request never came so far');
  assert.is(isOrphan(ofTask('r-1-3', true), ended), true);
  assert.is(isOrphan(ofTask('r-1-1'), undefined), false);
  assert.is(isOrphan(ofTask('r-1-1', true), undefined), true);
  assert.is(isOrphan(ofAgent('r-1-1'), ended), true);
  assert.is(isOrphan(ofAgent('r-1-3'), ended), false);
  assert.is(isOrphan(ofAgent('r-1-1'), undefined), false);
  assert.is(isOrphan(ofAgent('r-1-1'), { ...ended, devOpsPool: 'Another' }), false);
});

test('takes no agent for ours that registered before its request or long after it', () => {
  const ended = someRequest({ state: 'expired', attempt: 1, endedAt: minute(20), timeoutMinutes: 10 });
  const registered = (createdOn: string | undefined): boolean =>
    isOrphan(ofAgent('r-1-1', { createdOn }), ended);
  assert.is(registered(new Date(Date.parse(minute(0)) - 6 * 60_000).toISOString()), false);
  assert.is(registered(minute(0)), true);
  assert.is(registered(minute(34)), true);
  assert.is(registered(minute(36)), false);
  assert.is(registered(undefined), false);
});

test('an agent of an earlier generation is ours, too', () => {
  const again = someRequest({
    state: 'starting',
    generation: 2,
    attempt: 2,
    createdAt: minute(60),
    history: [{ state: 'accepted', at: minute(0), attempt: 0, detail: '' }],
  });
  assert.is(isOrphan(ofAgent('r-1-1', { createdOn: minute(1) }), again), true);
});

test('never what is owned, busy, foreign or a placeholder, whatever there is', () => {
  const requestId = fc.constantFrom('r-1', 'r-2', 'build-server', 'azdo-batch-agents-placeholder');
  const attempt = fc.integer({ min: 1, max: 4 });
  const name = fc.oneof(
    fc.tuple(requestId, attempt).map(([id, n]) => agentNameOf(id, n)),
    fc.constantFrom(placeholderNameOf('linux'), placeholderNameOf('windows'), 'BUILD-7', 'x'),
  );
  const row = fc.record({
    state: fc.constantFrom(...liveStates, ...endStates),
    attempt: fc.integer({ min: 0, max: 4 }),
  });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, fc.option(fc.boolean(), { nil: undefined }))),
      fc.array(fc.tuple(name, fc.boolean(), fc.integer({ min: -60, max: 120 }))),
      fc.dictionary(requestId, row),
      (taskSeeds, agentSeeds, rows) => {
        const requests = Object.entries(rows).map(([id, { state, attempt: n }]) =>
          someRequest({
            requestId: id,
            state,
            attempt: n,
            ...(isEnded(state) ? { endedAt: minute(20) } : {}),
          }),
        );
        const live = requests.filter(({ state }) => !isEnded(state));
        const suspects = findSuspects(
          taskSeeds.map(([id, madeHere]) => task(id, madeHere)),
          new Map([[pool, agentSeeds.map(([id, busy, at]) => agent(id, { busy, createdOn: minute(at) }))]]),
          live,
        );
        for (const suspect of suspects) {
          const found = requests.find(each => each.requestId === suspect.requestId);
          if (!isOrphan(suspect, found)) continue;
          const owner = live.find(each => each.requestId === suspect.requestId);
          assert.ok(!owner || owner.attempt > suspect.attempt, 'a live request owns it');
          assert.is.not(suspect.name, placeholderNameOf('linux'));
          assert.is.not(suspect.name, placeholderNameOf('windows'));
          if (suspect.thing.kind === 'agent') {
            assert.is(suspect.thing.agent.busy, false);
            assert.ok(found && found.attempt >= suspect.attempt, 'we never had such a request');
          } else {
            assert.is.not(suspect.thing.task.madeHere, false);
            assert.ok(suspect.thing.task.madeHere || (found && found.attempt >= suspect.attempt));
          }
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

test.run();
