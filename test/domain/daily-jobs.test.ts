import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decideJobs, isOurJob, type JobView } from '../../shared/domain/daily-jobs.js';
import type { TaskView } from '../../shared/domain/situation.js';

const now = new Date('2026-02-10T12:00:00.000Z');
const job = (jobId: string, state: JobView['state'] = 'active'): JobView => ({ jobId, state, marked: true });
const taskIn = (jobId: string, state: TaskView['state']): TaskView => ({ jobId, taskId: 'r-1-1', state });
const yesterday = 'agents-ubuntu-20260209';

const test = suite('daily jobs');

test('end once their day is past and nothing is left to run in them', () => {
  const jobs = [job(yesterday), job(`${yesterday}-1`), job('agents-ubuntu-20260210')];
  assert.equal(decideJobs(jobs, [], [], now).end, [yesterday, `${yesterday}-1`]);
  assert.equal(decideJobs(jobs, [taskIn(yesterday, 'completed')], [], now).end.length, 2);
  for (const state of ['active', 'preparing', 'running'] as const) {
    assert.equal(decideJobs(jobs, [taskIn(yesterday.toUpperCase(), state)], [], now).end, [`${yesterday}-1`]);
  }
});

test('stay while a request of their profile and day lives: it may need another task', () => {
  const ended = (profile: string, createdAt: string): readonly string[] =>
    decideJobs([job(yesterday)], [], [{ profile, createdAt }], now).end;
  assert.equal(ended('ubuntu', '2026-02-09T23:59:00.000Z'), []);
  assert.equal(ended('windows', '2026-02-09T23:59:00.000Z'), [yesterday]);
  assert.equal(ended('ubuntu', '2026-02-10T00:01:00.000Z'), [yesterday]);
});

test('stay for a while after midnight: a request of the day before may just be stored', () => {
  const at = (time: string): readonly string[] =>
    decideJobs([job(yesterday)], [], [], new Date(`2026-02-10T${time}Z`)).end;
  assert.equal(at('00:59:00'), []);
  assert.equal(at('01:00:00'), [yesterday]);
});

test('that have ended are removed after a week; others never', () => {
  const removed = (jobId: string, state: JobView['state']): readonly string[] =>
    decideJobs([job(jobId, state)], [], [], now).remove;
  assert.equal(removed('agents-ubuntu-20260202', 'ended'), ['agents-ubuntu-20260202']);
  assert.equal(removed('agents-ubuntu-20260203', 'ended'), []);
  assert.equal(removed('agents-ubuntu-20260101', 'ending'), []);
  assert.equal(removed('agents-ubuntu-20260101', 'active'), []);
});

test('are ours by their name and their profile or mark', () => {
  const profiles = new Set(['ubuntu']);
  assert.is(isOurJob({ ...job(yesterday), marked: false }, profiles), true);
  assert.is(
    isOurJob(job('agents-removed-20260209'), profiles),
    true,
    'its profile is not configured any more',
  );
  assert.is(isOurJob({ ...job('agents-smith-20260209'), marked: false }, profiles), false);
  assert.is(isOurJob(job('nightly-20260209'), profiles), false);
});

test.run();
