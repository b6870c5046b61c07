import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { advance, end, note } from '../../shared/domain/lifecycle.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import { toldChanges, waitThatEnded } from '../../shared/telemetry/changes.js';
import { createFakeRequestStore } from '../fakes/request-store.js';
import { someRequest } from '../fakes/requests.js';
import { createFakeTelemetry } from '../fakes/telemetry.js';

const at = (second: number): string => `2026-01-31T10:00:${String(second).padStart(2, '0')}.000Z`;
const failure = { code: 'NodePreempted', stage: 'online', message: 'x', retryable: true } as const;

/** A request that has come so far, a second for each state. */
function reached(state: 'provisioning' | 'starting' | 'online' | 'busy'): AgentRequest {
  const states = ['provisioning', 'starting', 'online', 'busy'] as const;
  return states
    .slice(0, states.indexOf(state) + 1)
    .reduce<AgentRequest>(
      (request, to, index) => advance(request, { to, at: at(index + 1), attempt: 1, detail: to }),
      someRequest(),
    );
}

const waits = suite('waitThatEnded');

waits('is none when a request that had not to wait for a place begins', () => {
  assert.is(waitThatEnded(someRequest(), reached('provisioning')), undefined);
});

waits('tells since when a request waited for a place', () => {
  const before = someRequest({ deferredAt: at(1) });
  const after = advance(before, { to: 'provisioning', at: at(9), attempt: 1, detail: 'x' });
  const wait = waitThatEnded(before, after);
  assert.is(wait?.name, 'waiting for a place');
  assert.equal([wait?.from, wait?.to, wait?.attempt], [at(1), at(9), 1]);
});

waits('begins with the state, not with a later note', () => {
  const before = note(reached('starting'), at(5), 'PoolResizeFailed: x');
  const wait = waitThatEnded(before, advance(before, { to: 'online', at: at(7), detail: 'x' }));
  assert.is(wait?.name, 'waiting for the agent');
  assert.equal([wait?.from, wait?.to], [at(2), at(7)]);
  assert.is(wait?.fields['outcome'], 'online');
  assert.is(wait?.fields['toOnlineSeconds'], 7);
  assert.is(wait?.fields['code'], undefined);
});

waits('of a failed attempt has its number and the code of its failure', () => {
  const before = reached('starting');
  const after = advance(before, { to: 'provisioning', at: at(8), attempt: 2, failure, detail: 'x' });
  const wait = waitThatEnded(before, after);
  assert.is(wait?.attempt, 1);
  assert.is(wait?.fields['code'], 'NodePreempted');
});

waits('tells how long the agent was at work', () => {
  const before = reached('busy');
  const wait = waitThatEnded(before, end(before, { to: 'completed', at: at(30), detail: 'x' }));
  assert.equal([wait?.name, wait?.from, wait?.to], ['agent at work', at(4), at(30)]);
});

waits.run();

const told = suite('toldChanges');
const message = new Uint8Array();

told('counts a request once, whoever repeats it', async () => {
  const telemetry = createFakeTelemetry();
  const store = toldChanges(createFakeRequestStore(), telemetry);
  await store.insert(someRequest(), message);
  await store.insert(someRequest(), message);
  assert.equal(telemetry.counted, ['agents.requests.accepted {"profile":"ubuntu"} 1']);
});

told('tells only of changes that were written', async () => {
  const telemetry = createFakeTelemetry();
  const store = toldChanges(createFakeRequestStore(), telemetry);
  const request = reached('starting');
  await store.insert(request, message);
  const stored = await store.get(request.requestId);
  if (!stored) throw new Error('It was not stored.');
  const online = advance(request, { to: 'online', at: at(7), detail: 'x' });
  assert.not.equal(await store.replace(stored, online), 'changed');
  assert.is(await store.replace(stored, online), 'changed');
  assert.equal(telemetry.pasts, ['waiting for the agent']);
  assert.equal(telemetry.recorded, ['agents.time_to_online {"profile":"ubuntu"} 7']);
});

told('tells of an end with its code, and of a dead letter', async () => {
  const telemetry = createFakeTelemetry();
  const store = toldChanges(createFakeRequestStore(), telemetry);
  const ended = end(reached('provisioning'), { to: 'deadLettered', at: at(9), failure, detail: 'x' });
  await store.insert(ended, message);
  assert.equal(telemetry.counted.slice(1), [
    'agents.requests.ended {"profile":"ubuntu","state":"deadLettered","code":"NodePreempted"} 1',
    'agents.dead_letters {"profile":"ubuntu","code":"NodePreempted"} 1',
  ]);
});

told('leaves everything else to the store', async () => {
  const inner = createFakeRequestStore();
  const store = toldChanges(inner, createFakeTelemetry());
  await store.insert(someRequest({ traceparent: 'x' }), message);
  assert.is(store.remembered('r-1')?.request.traceparent, 'x');
  assert.is((await store.live()).length, 1);
});

told.run();
