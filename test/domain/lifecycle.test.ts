import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  advance,
  beginAgain,
  end,
  IllegalChangeError,
  note,
  transitions,
} from '../../shared/domain/lifecycle.js';
import {
  type AgentRequest,
  acceptedRequest,
  endStates,
  isEnded,
  liveStates,
  requestStates,
} from '../../shared/domain/request.js';
import { someRequest } from '../fakes/requests.js';

const at = '2026-02-05T08:00:00.000Z';
const inState = (state: AgentRequest['state']): AgentRequest => ({ ...someRequest(), state });

const table = suite('transitions');

table('is total, and nothing follows an end', () => {
  assert.equal(new Set(Object.keys(transitions)), new Set<string>(requestStates));
  for (const state of endStates) assert.equal(transitions[state], []);
});

table('leads from every live state to an end', () => {
  for (const from of liveStates) {
    const seen = new Set<string>([from]);
    const queue: AgentRequest['state'][] = [from];
    for (let state = queue.shift(); state; state = queue.shift()) {
      for (const to of transitions[state]) {
        if (!seen.has(to)) queue.push(to);
        seen.add(to);
      }
    }
    assert.ok(
      endStates.some(state => seen.has(state)),
      `${from} never ends`,
    );
  }
});

table.run();

const advancing = suite('advance');

advancing('writes what the table has and refuses everything else', () => {
  for (const from of requestStates) {
    for (const to of requestStates) {
      const change = (): AgentRequest => advance(inState(from), { to, at, detail: 'd' });
      if (transitions[from].includes(to)) assert.is(change().state, to);
      else assert.throws(change, (error: unknown) => error instanceof IllegalChangeError);
    }
  }
});

advancing('adds one line of history and keeps those before', () => {
  const before = inState('accepted');
  const after = advance(before, { to: 'provisioning', at, detail: 'first', attempt: 1 });
  assert.equal(after.history.slice(0, before.history.length), before.history);
  assert.equal(after.history.at(-1), { state: 'provisioning', at, attempt: 1, detail: 'first' });
});

advancing('forgets the online time of an agent that was lost', () => {
  const online = advance(inState('starting'), { to: 'online', at, detail: '' });
  assert.is(online.onlineAt, at);
  assert.is(advance(online, { to: 'provisioning', at, detail: '', attempt: 2 }).onlineAt, undefined);
});

advancing('keeps any history within what a table property holds', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 2_000 }), { maxLength: 120 }), details => {
      let request = inState('provisioning');
      for (const detail of details) request = note(request, at, detail);
      const text = JSON.stringify(request.history);
      return text.length <= 30_000 && (details.length === 0 || request.history.length > 0);
    }),
    { numRuns: 30 },
  );
});

advancing('lets no time go back, whoever read the clock first', () => {
  const [early, late] = ['2026-01-31T09:59:59.000Z', '2026-01-31T10:30:00.000Z'];
  const noted = note(inState('provisioning'), late, 'Cancellation was asked for.');
  const advanced = advance(noted, { to: 'starting', at: early, detail: 'made before' });
  assert.is(advanced.updatedAt, late);
  assert.equal(
    note(advanced, early, 'noted before')
      .history.slice(-3)
      .map(entry => entry.at),
    [late, late, late],
  );
  const ended = end(advanced, { to: 'cancelled', at: late, detail: '' });
  const again = beginAgain(ended, acceptedRequest('r', early, 'asked anew'));
  assert.is(again.history.at(-1)?.at, late);
});

advancing.run();

const ending = suite('end');

ending('tells the steps that nobody saw, so that every history is legal', () => {
  for (const from of ['starting', 'online', 'busy'] as const) {
    const done = end(inState(from), { to: 'completed', at, detail: 'done' });
    const states = done.history.slice(someRequest().history.length).map(entry => entry.state);
    const legal = [from, ...states].every(
      (state, index, all) => index === 0 || transitions[all[index - 1] ?? 'completed'].includes(state),
    );
    assert.ok(legal, `${from} ${states.join(' ')}`);
    assert.is(done.state, 'completed');
    assert.is(done.endedAt, at);
  }
});

ending.run();

const again = suite('beginAgain');

again('is the next generation, whose attempts go on counting so that no name repeats', () => {
  const ended = { ...inState('completed'), generation: 2, attempt: 5, firstAttempt: 4 };
  const next = beginAgain(ended, inState('accepted'));
  assert.is(next.generation, 3);
  assert.is(next.attempt, 5);
  assert.is(next.firstAttempt, 6);
  assert.not.ok(isEnded(next.state));
  assert.is(next.history.length, ended.history.length + 1);
});

again.run();
