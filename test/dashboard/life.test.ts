import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { axisOf, place } from '../../shared/dashboard/page/axis.js';
import { lifeOf, tellLife } from '../../shared/dashboard/page/life.js';
import { ago, duration, roundDuration } from '../../shared/dashboard/page/time.js';
import type { HistoryEntry, RequestState } from '../../shared/domain/request.js';

const start = Date.parse('2026-01-31T10:00:00.000Z');
const at = (seconds: number): string => new Date(start + seconds * 1_000).toISOString();
const line = (seconds: number, state: RequestState, attempt = 1, detail = ''): HistoryEntry => ({
  state,
  at: at(seconds),
  attempt,
  detail,
});
const request = (...history: readonly HistoryEntry[]) => ({
  history,
  createdAt: at(0),
  state: history.at(-1)?.state ?? 'accepted',
});
const stretches = (life: ReturnType<typeof lifeOf>): readonly string[] =>
  life.segments.map(
    ({ state, from, to, attempt }) =>
      `${state} ${(from - start) / 1_000}-${(to - start) / 1_000} #${attempt}`,
  );

const bars = suite('a request as a bar');

bars('has a stretch for each state, and notes begin none', () => {
  const life = lifeOf(
    request(
      line(0, 'accepted', 0),
      line(1, 'provisioning'),
      line(2, 'starting'),
      line(20, 'starting', 1, 'Still no node.'),
      line(40, 'online'),
      line(42, 'busy'),
      line(100, 'completed'),
    ),
    start + 500_000,
  );
  assert.equal(stretches(life), [
    'accepted 0-1 #0',
    'provisioning 1-2 #1',
    'starting 2-40 #1',
    'online 40-42 #1',
    'busy 42-100 #1',
  ]);
  assert.is(life.end, 'completed');
  assert.is(
    tellLife(life),
    'accepted 1.0 s, provisioning 1.0 s, starting 38 s, online 2.0 s, busy 58 s, then completed.',
  );
});

bars('grows while the request lives', () => {
  const life = lifeOf(
    request(line(0, 'accepted', 0), line(1, 'provisioning'), line(2, 'starting')),
    start + 9_000,
  );
  assert.is(stretches(life).at(-1), 'starting 2-9 #1');
  assert.match(tellLife(life), /starting 7\.0 s, and going on\.$/);
});

bars('marks where a later attempt begins', () => {
  const life = lifeOf(
    request(
      line(0, 'accepted', 0),
      line(1, 'provisioning'),
      line(2, 'starting'),
      line(30, 'provisioning', 2),
      line(31, 'starting', 2),
      line(60, 'deadLettered', 2),
    ),
    start + 90_000,
  );
  assert.equal(
    life.segments.map(({ again }) => again),
    [false, false, false, true, false],
  );
  assert.match(tellLife(life), /attempt 2: provisioning 1\.0 s, starting 29 s, then dead-lettered\.$/);
});

bars('begins where the request was begun again', () => {
  const life = lifeOf(
    request(
      line(0, 'accepted', 0),
      line(1, 'provisioning'),
      line(3, 'deadLettered'),
      line(3_600, 'accepted', 1),
      line(3_601, 'provisioning', 2),
    ),
    start + 3_605_000,
  );
  assert.equal(stretches(life), ['accepted 3600-3601 #1', 'provisioning 3601-3605 #2']);
  assert.is(life.end, undefined);
});

bars('needs no history', () => {
  assert.equal(lifeOf(request(), start).segments, []);
});

bars.run();

const axis = suite('the axis of the bars');

axis('reaches from the oldest to now, or as far as was asked for', () => {
  const now = start + 600_000;
  const life = lifeOf(request(line(0, 'accepted', 0)), now);
  const fit = axisOf('fit', [life], now);
  assert.equal([fit.from, fit.to], [start, now]);
  assert.is(axisOf('1h', [life], now).from, now - 3_600_000);
  assert.equal([axisOf('age', [life], now).from, axisOf('age', [life], now).to], [0, 600_000]);
  assert.ok(axisOf('fit', [], now).to > axisOf('fit', [], now).from);
});

axis('has a few marks at round times', () => {
  for (const seconds of [31, 100, 1_000, 10_000, 100_000, 1_000_000, 9_000_000]) {
    const life = lifeOf(request(line(0, 'accepted', 0)), start + seconds * 1_000);
    for (const span of ['fit', 'age'] as const) {
      const { marks } = axisOf(span, [life], start + seconds * 1_000);
      assert.ok(marks.length >= 1 && marks.length <= 6, `${seconds} s have ${marks.length} marks`);
    }
  }
  assert.equal(
    axisOf('age', [lifeOf(request(line(0, 'accepted', 0)), start + 100_000)], start).marks.map(
      ({ label }) => label,
    ),
    ['0 s', '30 s', '1 min', '90 s'],
  );
});

axis('puts what is outside of it at its edge', () => {
  assert.equal(
    [-5, 0, 50, 100, 200].map(time => place({ from: 0, to: 100 }, time)),
    [0, 0, 50, 100, 100],
  );
  assert.is(place({ from: 5, to: 5 }, 5), 0);
});

axis.run();

const times = suite('times on the page');

times('are told in at most two units', () => {
  const told: readonly (readonly [number, string])[] = [
    [0, '0.0 s'],
    [840, '0.8 s'],
    [48_200, '48 s'],
    [59_960, '1 min 00 s'],
    [125_000, '2 min 05 s'],
    [11_400_000, '3 h 10 min'],
    [200_000_000, '2 d 7 h'],
  ];
  for (const [ms, text] of told) assert.is(duration(ms), text);
  assert.equal([30_000, 90_000, 120_000, 7_200_000].map(roundDuration), ['30 s', '90 s', '2 min', '2 h']);
  assert.is(ago(start, start + 90_000), '1 min ago');
});

times.run();
