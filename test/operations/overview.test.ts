import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { overviewSchema } from '../../shared/answers/overview.js';
import { showOverview } from '../../shared/api/overview.js';
import { end } from '../../shared/domain/lifecycle.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import { recentRequests } from '../../shared/operations/recent-requests.js';
import { apiCall, bodyOf, named } from '../fakes/api-call.js';
import { createFakeRequestSurvey } from '../fakes/request-survey.js';
import { someRequest } from '../fakes/requests.js';
import { createWorld, type World } from '../fakes/world.js';

const hourMs = 60 * 60_000;

function open(atMost?: number) {
  const world = createWorld();
  const survey = createFakeRequestSurvey(world.store.table);
  const recent = recentRequests(survey, world.clock, atMost);
  const look = async (query: Record<string, string> = {}) =>
    overviewSchema.parse(bodyOf(await showOverview({ ...world, recent })(apiCall({ query }))));
  return { world, survey, recent, look };
}

const ago = ({ clock }: World, ms: number): string => new Date(clock.now().getTime() - ms).toISOString();

async function have(world: World, changes: Partial<AgentRequest> & { requestId: string }): Promise<void> {
  const createdAt = changes.createdAt ?? ago(world, 60_000);
  await world.store.insert(someRequest({ createdAt, ...changes }), new Uint8Array());
}

async function finish(world: World, requestId: string): Promise<void> {
  const stored = await world.store.get(requestId);
  if (!stored) throw new Error('It is gone.');
  const at = world.clock.now().toISOString();
  await world.store.replace(stored, end(stored.request, { to: 'cancelled', at, detail: '' }));
}

const failedWith = (code: string, endedAt: string): Partial<AgentRequest> => ({
  state: 'deadLettered',
  endedAt,
  updatedAt: endedAt,
  failure: { code, stage: 'container', message: '', retryable: false },
});

const overview = suite('GET /api/overview');

overview('of nothing is all zero, with the profiles that are configured', async () => {
  const { look } = open();
  const answer = await look();
  assert.equal(answer.counts, {});
  assert.equal(answer.profiles, ['ubuntu', 'windows']);
  const { count, p50Ms, p95Ms, maxMs, buckets } = answer.timeToOnline;
  assert.equal([count, p50Ms, p95Ms, maxMs], [0, null, null, null]);
  assert.ok(buckets.every(bucket => bucket.count === 0));
  assert.is(buckets.at(-1)?.upToMs, null);
});

overview('counts all that lives, and of the ended what was asked for in time', async () => {
  const { world, look } = open();
  await have(world, { requestId: 'old-live', state: 'busy', createdAt: ago(world, 100 * hourMs) });
  await have(world, { requestId: 'old-ended', state: 'completed', createdAt: ago(world, 25 * hourMs) });
  await have(world, { requestId: 'ended', state: 'completed', createdAt: ago(world, 23 * hourMs) });
  await have(world, { requestId: 'new', state: 'accepted' });
  assert.equal((await look()).counts, { busy: 1, completed: 1, accepted: 1 });
  assert.equal((await look({ hours: '1' })).counts, { busy: 1, accepted: 1 });
  assert.equal((await look({ hours: '168' })).counts, { busy: 1, completed: 2, accepted: 1 });
  assert.equal((await look({ hours: '1' })).counts, { busy: 1, accepted: 1 });
});

overview('tells how long it took to online, each in one bucket', async () => {
  const { world, look } = open();
  const seconds = [3, 5, 7, 30, 31, 4_000];
  for (const [index, each] of seconds.entries()) {
    const createdAt = ago(world, 2 * hourMs);
    const onlineAt = new Date(Date.parse(createdAt) + each * 1_000).toISOString();
    await have(world, { requestId: `r-${index}`, state: 'completed', createdAt, onlineAt });
  }
  await have(world, { requestId: 'waits', state: 'starting' });
  const { count, p50Ms, p95Ms, maxMs, buckets } = (await look()).timeToOnline;
  assert.equal([count, p50Ms, p95Ms, maxMs], [6, 7_000, 4_000_000, 4_000_000]);
  assert.equal(
    buckets.filter(bucket => bucket.count > 0),
    [
      { upToMs: 5_000, count: 2 },
      { upToMs: 10_000, count: 1 },
      { upToMs: 30_000, count: 1 },
      { upToMs: 45_000, count: 1 },
      { upToMs: null, count: 1 },
    ],
  );
});

overview('counts failures by code, the most frequent first, with the last request of each', async () => {
  const { world, look } = open();
  const at = (minute: number) => ago(world, (60 - minute) * 60_000);
  await have(world, { requestId: 'a', ...failedWith('PoolMissing', at(1)) });
  await have(world, { requestId: 'b', ...failedWith('ImagePullFailed', at(2)) });
  await have(world, { requestId: 'c', ...failedWith('ImagePullFailed', at(9)) });
  await have(world, { requestId: 'd', ...failedWith('ImagePullFailed', at(5)) });
  await have(world, { requestId: 'retries', ...failedWith('QuotaReached', at(5)), state: 'provisioning' });
  assert.equal((await look()).failures, [
    { code: 'ImagePullFailed', count: 3, lastAt: at(9), lastRequestId: 'c' },
    { code: 'PoolMissing', count: 1, lastAt: at(1), lastRequestId: 'a' },
  ]);
});

overview('filters by profile and by tag, and still tells what can be filtered by', async () => {
  const { world, look } = open();
  await have(world, { requestId: 'a', profile: 'gone', tags: { team: 'blue' } });
  await have(world, { requestId: 'b', tags: { team: 'blue', ['__proto__']: 'x' } });
  await have(world, { requestId: 'c', tags: { team: 'green' } });
  const all = await look();
  assert.equal(all.tags['team'], ['blue', 'green']);
  assert.equal(all.profiles, ['ubuntu', 'windows', 'gone']);
  const blue = await look({ tag: 'team=blue' });
  assert.equal(blue.counts, { accepted: 2 });
  assert.equal([blue.tags, blue.profiles], [all.tags, all.profiles]);
  assert.equal((await look({ tag: 'team=blue', profile: 'ubuntu' })).counts, { accepted: 1 });
  assert.equal((await look({ tag: 'toString=x' })).counts, {});
});

overview('follows what changes, ends and comes, and asks only for that', async () => {
  const { world, survey, look } = open();
  await have(world, { requestId: 'old', createdAt: ago(world, 400 * hourMs) });
  for (let index = 0; index < 50; index += 1) await have(world, { requestId: `r-${index}` });
  assert.equal((await look()).counts, { accepted: 51 });
  world.clock.advance(20_000);
  await finish(world, 'r-3');
  await finish(world, 'old');
  await have(world, { requestId: 'new', createdAt: world.clock.now().toISOString() });
  world.clock.advance(1_000);
  assert.equal((await look()).counts, { accepted: 50, cancelled: 1 }, 'one was asked for too long ago');
  const read = await Promise.all(
    survey.calls.slice(-2).map(async ({ args: [range] }) => {
      assert.type(range, 'object');
      return JSON.stringify(range);
    }),
  );
  assert.ok(
    read.every(range => range.includes('changedSince')),
    read.join(),
  );
  assert.is(survey.calls.length, 4);
});

overview('sees what somebody removed by hand some minutes later', async () => {
  const { world, look } = open();
  await have(world, { requestId: 'a' });
  await have(world, { requestId: 'b' });
  assert.equal((await look()).counts, { accepted: 2 });
  world.store.table.rows.delete('a');
  world.clock.advance(11 * 60_000);
  assert.equal((await look()).counts, { accepted: 1 });
});

overview('says when there is more than it counts', async () => {
  const { world, look } = open(10);
  for (let index = 0; index < 10; index += 1) await have(world, { requestId: `r-${index}` });
  assert.is((await look()).truncated, false);
  world.clock.advance(1_000);
  await have(world, { requestId: 'more', createdAt: world.clock.now().toISOString() });
  assert.is((await look()).truncated, true);
});

overview('is the same for ten at once as for one', async () => {
  const { world, look } = open();
  await have(world, { requestId: 'a', state: 'completed', createdAt: ago(world, 30 * hourMs) });
  await have(world, { requestId: 'b' });
  const answers = await Promise.all(
    ['1', '24', '48', '168', '48', '1'].map(async hours => (await look({ hours })).counts),
  );
  const [few, many] = [{ accepted: 1 }, { accepted: 1, completed: 1 }];
  assert.equal(answers, [few, few, many, many, many, few]);
});

overview('names everything that is wrong with the query at once', async () => {
  const { world, recent } = open();
  for (const hours of ['0', '169', '1.5', 'x', '']) {
    const query = { hours, profile: 'Not One', tag: 'novalue' };
    const answer = await showOverview({ ...world, recent })(apiCall({ query }));
    assert.equal(named(answer), ['query hours', 'query profile', 'query tag']);
  }
});

overview.run();
