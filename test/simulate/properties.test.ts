import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { simulate } from '../../scripts/simulate/simulation.js';
import type { World } from '../../scripts/simulate/world.js';
import { formula, plainWorld, requests } from './support.js';

const properties = suite('whatever is asked for and decided');

const demand = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3 })),
  { minLength: 1, maxLength: 40 },
);
const assumed = fc.record({
  seed: fc.integer({ min: 0, max: 1000 }),
  slots: fc.integer({ min: 3, max: 5 }),
  fill: fc.constantFrom<World['fill'][]>('pack', 'spread'),
  removal: fc.constantFrom<World['removal'][]>('idle-first', 'any'),
  whileResizing: fc.constantFrom<World['whileResizing'][]>('replace', 'wait'),
  prefetch: fc.boolean(),
  bootSpread: fc.double({ min: 0, max: 1, noNaN: true }),
  evictionsPerHour: fc.constantFrom(0, 0.5, 3),
  quotaSpot: fc.integer({ min: 0, max: 3 }),
  quotaDedicated: fc.integer({ min: 2, max: 4 }),
});
/** Decides anything for six hours and then keeps two dedicated nodes. */
const decisions = fc.array(
  fc.record({
    targetLowPriorityNodes: fc.integer({ min: 0, max: 5 }),
    targetDedicatedNodes: fc.integer({ min: 0, max: 5 }),
    nodeDeallocationOption: fc.constantFrom('requeue' as const, 'taskcompletion' as const),
  }),
  { minLength: 72, maxLength: 72 },
);

properties('every request is served, nodes keep to the quota, and no slot is used twice', () => {
  fc.assert(
    fc.property(demand, assumed, decisions, (list, change, decided) => {
      const trace = requests(...list);
      const world = { ...plainWorld, ...change };
      const decide = formula(
        minutes => decided[Math.floor(minutes / 5)] ?? { targetDedicatedNodes: 2, targetLowPriorityNodes: 0 },
      );
      const outcome = simulate(trace, decide, world);
      assert.is(outcome.requests, list.length);
      assert.is(outcome.unserved, 0);
      assert.ok(outcome.peakNodes <= change.quotaSpot + change.quotaDedicated);
      assert.ok(outcome.utilisation <= 1 && outcome.utilisation > 0, `${outcome.utilisation} of the slots`);
      const { p50, p90, p95, p99, max } = outcome.waitMinutes;
      assert.equal(
        [p50, p90, p95, p99, max],
        [p50, p90, p95, p99, max].toSorted((one, other) => one - other),
      );
      assert.ok(p50 >= 0.49, 'nobody is online before the container runs');
      // At least what the jobs need was paid for, and no more than the quota for as long as it took.
      const needed = list.reduce((sum, [, runs, slots]) => sum + runs * slots, 0) / 60;
      assert.ok((outcome.nodeHours.spot + outcome.nodeHours.dedicated) * change.slots >= needed);
      if (change.evictionsPerHour === 0) assert.is(outcome.evictions, 0);
      assert.equal(simulate(trace, decide, world), outcome, 'the same again');
    }),
    { numRuns: 60 },
  );
});

properties.run();
