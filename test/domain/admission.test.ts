import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  admissible,
  admission,
  type Contender,
  hasBegun,
  waitsForPlace,
} from '../../shared/domain/admission.js';
import { liveStates } from '../../shared/domain/request.js';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 31, 10, 0, second)).toISOString();
const row = (
  requestId: string,
  second: number,
  state: Contender['state'] = 'accepted',
  profile = 'ubuntu',
): Contender => ({ requestId, profile, state, createdAt: at(second) });

const rows = fc.uniqueArray(
  fc.record({
    requestId: fc.integer({ min: 1, max: 200 }).map(String),
    profile: fc.constantFrom('ubuntu', 'windows'),
    state: fc.constantFrom(...liveStates),
    // Few seconds, so that many are of the same moment.
    createdAt: fc.integer({ min: 0, max: 5 }).map(at),
  }),
  { selector: ({ requestId }) => requestId, maxLength: 40 },
);
const limit = fc.integer({ min: 1, max: 20 });

const test = suite('admission');

test('the first of those that wait gets the free place, whoever asks', () => {
  const live = [row('b', 2), row('a', 1), row('busy', 0, 'busy'), row('c', 3)];
  const ask = (requestId: string, maxAlive: number) =>
    admission(live.find(each => each.requestId === requestId) ?? row('?', 0), live, maxAlive);
  assert.equal(ask('a', 2), { admitted: true, begun: 1, ahead: 0 });
  assert.equal(ask('b', 2), { admitted: false, begun: 1, ahead: 1 });
  assert.equal(ask('b', 3), { admitted: true, begun: 1, ahead: 1 });
  assert.equal(ask('a', 1), { admitted: false, begun: 1, ahead: 0 });
});

test('ids decide between requests of the same moment, so that all judge alike', () => {
  const live = [row('b', 1), row('a', 1)];
  assert.equal(
    admissible(live, () => 1).map(({ requestId }) => requestId),
    ['a'],
  );
  assert.is(admission(row('b', 1), live, 1).admitted, false);
});

test('one profile takes no place of another, and one without a limit lets all begin', () => {
  const live = [
    row('w', 0, 'busy', 'windows'),
    row('a', 1),
    row('b', 2, 'accepted', 'windows'),
    row('c', 3, 'accepted', 'old'),
  ];
  const found = admissible(live, profile => (profile === 'old' ? undefined : 1));
  assert.equal(
    found.map(({ requestId }) => requestId),
    ['a', 'c'],
  );
});

test('the watch, which sees all at once, lets exactly those begin that would be let when they ask', () => {
  fc.assert(
    fc.property(rows, limit, limit, (live, ubuntu, windows) => {
      const maxAliveOf = (profile: string): number => (profile === 'ubuntu' ? ubuntu : windows);
      const alone = live.filter(
        each => each.state === 'accepted' && admission(each, live, maxAliveOf(each.profile)).admitted,
      );
      const ids = (found: readonly Contender[]) => found.map(({ requestId }) => requestId).toSorted();
      assert.equal(ids(admissible(live, maxAliveOf)), ids(alone));
    }),
  );
});

test('never lets more begin than are allowed at once, and overtakes nobody', () => {
  fc.assert(
    fc.property(rows, limit, (live, maxAlive) => {
      const chosen = admissible(live, () => maxAlive);
      for (const profile of ['ubuntu', 'windows']) {
        const mine = live.filter(each => each.profile === profile);
        const begun = mine.filter(hasBegun).length;
        const next = chosen.filter(each => each.profile === profile);
        const waiting = mine.filter(({ state }) => state === 'accepted');
        assert.is(next.length, Math.min(waiting.length, Math.max(0, maxAlive - begun)));
        const left = waiting.filter(each => !next.includes(each));
        for (const one of next) for (const other of left) assert.ok(one.createdAt <= other.createdAt);
      }
    }),
  );
});

test('tells a person what the request waits for', () => {
  assert.is(
    waitsForPlace('ubuntu', 200, { admitted: false, begun: 200, ahead: 12 }),
    'Waits for a free place: profile ubuntu allows 200 agents at once (maxAlive), 200 of them in use; 12 requests are ' +
      'ahead. It begins by itself; its timeout counts from then.',
  );
  assert.match(
    waitsForPlace('x', 1, { admitted: false, begun: 0, ahead: 1 }),
    /1 agent at once .* 1 request is ahead/,
  );
});

test.run();
