import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeSchedule, requestKinds } from '../../scripts/chaos/schedule.js';

const schedule = suite('the schedule of chaos');

const options = fc.record({
  seed: fc.nat(),
  requests: fc.integer({ min: 1, max: 200 }),
  kills: fc.integer({ min: 0, max: 100 }),
  forgets: fc.integer({ min: 0, max: 5 }),
  faults: fc.boolean(),
});

schedule('is the same for the same seed, and has what was asked for', () => {
  fc.assert(
    fc.property(options, given => {
      const steps = makeSchedule(given);
      assert.equal(steps, makeSchedule(given));
      const of = (type: string) => steps.filter(step => step.type === type);
      assert.equal(
        of('request').map(step => step.type === 'request' && step.number),
        Array.from({ length: given.requests }, (_, index) => index + 1),
      );
      assert.is(of('kill').length, given.kills);
      assert.is(of('forget').length, Math.min(given.forgets, given.requests));
      if (!given.faults) assert.is(of('weather').length + of('preempt').length, 0);
    }),
  );
});

schedule('differs from seed to seed', () => {
  const of = (seed: number) =>
    JSON.stringify(makeSchedule({ seed, requests: 20, kills: 5, forgets: 0, faults: true }));
  assert.is(new Set([1, 2, 3, 4, 5].map(of)).size, 5);
});

schedule('has every way to ask where there is room for all', () => {
  const steps = makeSchedule({ seed: 7, requests: requestKinds.length, kills: 0, forgets: 0, faults: true });
  const kinds = steps.flatMap(step => (step.type === 'request' ? [step.kind] : []));
  assert.equal(kinds.toSorted(), requestKinds.toSorted());
});

schedule('kills the host most of all, and every other part now and then', () => {
  const steps = makeSchedule({ seed: 1, requests: 300, kills: 100, forgets: 3, faults: true });
  const parts = steps.flatMap(step => (step.type === 'kill' ? [step.part] : []));
  const count = (part: string) => parts.filter(each => each === part).length;
  assert.ok(count('host') > 40);
  for (const part of ['batch', 'devops', 'storage']) assert.ok(count(part) > 3, part);
});

schedule.run();
