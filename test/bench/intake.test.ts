import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Sample, shareWorlds, summarise } from '../../scripts/bench/figures/intake.js';
import { median, percentile } from '../../scripts/bench/statistics.js';

const statistics = suite('statistics');

statistics('the median is in the middle, whatever the order', () => {
  assert.is(median([9, 1, 5]), 5);
  assert.is(median([10, 1, 4, 6]), 5);
  assert.is(median([7]), 7);
});

statistics('a percentile is a value that was measured', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.is(percentile(hundred, 99), 99);
  assert.is(percentile([1, 2, 3], 99), 3);
  assert.is(percentile([1, 2, 3], 1), 1);
});

statistics('there is none of nothing', () => {
  assert.throws(() => median([]), /no values/);
});

statistics.run();

const intake = suite('the intake figure');

intake('a large burst has a world of its own, small ones share', () => {
  assert.equal(shareWorlds([1, 100, 1_000]), [[1, 100], [1_000]]);
  assert.equal(shareWorlds([1, 30, 100]), [[1, 30], [100]]);
  assert.equal(shareWorlds([1, 3]), [[1, 3]]);
});

const sample = (
  contender: Sample['contender'],
  repetition: number,
  acceptedPerSecond: number,
  more: Partial<Sample> = {},
): Sample => ({
  contender,
  repetition,
  acceptedPerSecond,
  burst: 1_000,
  calls: 1_000,
  p50: 10,
  p99: 100,
  cpuMs: 0.5,
  errors: {},
  ...more,
});

const measured = (more: Partial<Sample> = {}) =>
  summarise(
    [
      // The machine was half as fast in the second repetition, for both.
      sample('ours', 1, 90, more),
      sample('floor', 1, 100),
      sample('ours', 2, 45),
      sample('floor', 2, 50),
      sample('ours', 3, 80),
      sample('floor', 3, 100),
    ],
    [1_000],
  );
const holds = (text: RegExp, of = measured()): boolean | undefined =>
  of.goals?.find(goal => text.test(goal.text))?.holds;

intake('is compared with the floor of the same repetition', () => {
  const [ours] = measured().rows;
  assert.is(ours?.['acceptedPerSecond'], 80);
  assert.is(ours?.['ofFloor'], 0.9);
  assert.ok(holds(/0\.8 of the floor/));
});

intake('goals do not hold when it is too slow, late or refuses', () => {
  const slow = summarise([sample('ours', 1, 79), sample('floor', 1, 100)], [1_000]);
  assert.is(holds(/0\.8 of the floor/, slow), false);
  const late = summarise([sample('ours', 1, 100, { p99: 3_000 }), sample('floor', 1, 100)], [1_000]);
  assert.is(holds(/p99/, late), false);
  assert.is(holds(/p99/), true);
  const refusing = measured({ errors: { 'answered 429': 2 } });
  assert.is(holds(/no errors/, refusing), false);
  assert.is(refusing.rows[0]?.['errors'], 2);
  assert.is(holds(/no errors/), true);
});

intake('without a floor there is nothing to compare with', () => {
  assert.throws(() => summarise([sample('ours', 1, 90)], [1_000]), /no floor/);
});

intake.run();
