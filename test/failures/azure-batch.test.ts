import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Answer,
  batchRefusal,
  type CallCounts,
  type CallName,
  endOf,
  type Fault,
  mustShowNoSecret,
  playRequest,
  startServices,
} from './play-request.js';

/**
 * "Meaning of errors" of Azure Batch, row by row: what becomes of a request whose call is answered so. Each row says
 * what everybody can see: the end of the request, its failure, and how often Batch was called.
 */
const services = await startServices();

interface Row {
  readonly faults: readonly Fault[];
  readonly ends: string;
  readonly calls?: CallCounts;
  /** Least seconds between two tries of the step. */
  readonly pauses?: number;
  /** What a person is told to do. */
  readonly says?: RegExp;
}

const fault = (on: CallName, answer: Answer, times?: number, commits = false): Fault => ({
  on,
  answer,
  commits,
  ...(times === undefined ? {} : { times }),
});
const once = (on: CallName, answer: Answer): readonly Fault[] => [fault(on, answer, 1)];
const completed = 'completed';

const rows: Record<string, Row> = {
  'JobNotFound just after its creation is waited for': {
    faults: [fault('POST tasks', batchRefusal(404, 'JobNotFound'), 3)],
    ends: completed,
    calls: { 'POST tasks': 4, 'DELETE task': 1 },
  },
  'JobNotFound that stays is no agent, and no request that waits for ever': {
    faults: [fault('POST tasks', batchRefusal(404, 'JobNotFound'))],
    ends: 'deadLettered BatchUnavailable createTask',
  },
  'JobExists is the job of the day': {
    faults: once('POST jobs', batchRefusal(409, 'JobExists')),
    ends: completed,
    calls: { 'POST jobs': 1, 'POST tasks': 1 },
  },
  'TaskExists is our task': {
    faults: once('POST tasks', batchRefusal(409, 'TaskExists')),
    ends: completed,
    calls: { 'POST tasks': 1 },
  },
  ...each(['JobBeingTerminated', 'JobBeingDeleted', 'JobCompleted'], code => [
    `${code} sends the task to the next job`,
    {
      faults: once('POST tasks', batchRefusal(409, code)),
      ends: completed,
      calls: { 'POST jobs': 2, 'POST tasks': 2, 'DELETE task': 1 },
    },
  ]),
  ...each(['JobDisabled', 'JobNotActive'], code => [
    `${code} waits for an operator`,
    {
      faults: [fault('POST tasks', batchRefusal(409, code), 2)],
      ends: completed,
      calls: { 'POST tasks': 3 },
      pauses: 60,
    },
  ]),
  ...each(['JobDisabled', 'JobNotActive'], code => [
    `${code} that no operator mends`,
    {
      faults: [fault('POST tasks', batchRefusal(409, code))],
      ends: 'deadLettered JobDisabled createTask',
      says: /Enable the Batch job again/,
    },
  ]),
  'ActiveJobAndScheduleQuotaReached passes': {
    faults: [fault('POST jobs', batchRefusal(409, 'ActiveJobAndScheduleQuotaReached'), 2)],
    ends: completed,
    calls: { 'POST jobs': 3, 'POST tasks': 1 },
    pauses: 60,
  },
  'ActiveJobAndScheduleQuotaReached for good': {
    faults: [fault('POST jobs', batchRefusal(409, 'ActiveJobAndScheduleQuotaReached'))],
    ends: 'deadLettered QuotaReached createTask',
    calls: { 'POST tasks': 0 },
    says: /Have the quota .* raised, .* or end jobs/,
  },
  'PoolNotFound: no task goes to a job that would never run it': {
    faults: [fault('GET pool', batchRefusal(404, 'PoolNotFound'))],
    ends: 'deadLettered PoolMissing nodeAllocation',
    calls: { 'GET pool': 1, 'POST jobs': 0, 'POST tasks': 0 },
    says: /Create the Batch pool, or correct the profile's batchPool/,
  },
  'PoolNotFound to the task itself': {
    faults: [fault('POST tasks', batchRefusal(404, 'PoolNotFound'))],
    ends: 'deadLettered PoolMissing createTask',
    calls: { 'POST tasks': 1 },
  },
  'PoolBeingResized passes': {
    faults: [fault('POST tasks', batchRefusal(409, 'PoolBeingResized'), 2)],
    ends: completed,
    calls: { 'POST tasks': 3 },
  },
  ...each(
    ['InvalidPropertyValue', 'MissingRequiredProperty', 'InvalidRequestBody', 'UnsupportedRequestVersion'],
    code => [
      `${code} is not tried again`,
      {
        faults: [fault('POST tasks', batchRefusal(400, code))],
        ends: 'deadLettered BatchRequestInvalid createTask',
        calls: { 'POST tasks': 1 },
        says: /Correct the profile's/,
      },
    ],
  ),
  'AuthenticationFailed is not tried again': {
    faults: [fault('POST tasks', batchRefusal(403, 'AuthenticationFailed'))],
    ends: 'deadLettered BatchAuthenticationFailed createTask',
    calls: { 'POST tasks': 1 },
    says: /Check BatchAccountName and BatchAccountKey, or the role/,
  },
  'AccountIsDisabled is not tried again': {
    faults: [fault('GET pool', batchRefusal(403, 'AccountIsDisabled'))],
    ends: 'deadLettered BatchAccountDisabled createTask',
    calls: { 'GET pool': 1, 'POST tasks': 0 },
    says: /Enable the Batch account again/,
  },
  'TaskNotFound on deletion is a deletion': {
    faults: [fault('DELETE task', batchRefusal(404, 'TaskNotFound'))],
    ends: completed,
    calls: { 'DELETE task': 1 },
  },
  'TaskCompleted on termination: tasks are deleted, and never terminated': {
    faults: [],
    ends: completed,
    calls: { 'DELETE task': 1, 'POST terminate': 0 },
  },
};

const outages: Readonly<Record<string, Answer>> = {
  '408': { status: 408 },
  '429': batchRefusal(429, 'TooManyRequests'),
  '429 with Retry-After': batchRefusal(429, 'TooManyRequests', { 'retry-after': '30' }),
  '500': batchRefusal(500, 'InternalError'),
  '502': { status: 502, body: '<html>bad gateway</html>' },
  '503 ServerBusy': batchRefusal(503, 'ServerBusy'),
  '504': { status: 504 },
  'a lost connection': 'reset',
};
for (const [name, answer] of Object.entries(outages)) {
  for (const on of ['GET pool', 'POST jobs', 'POST tasks', 'DELETE task'] as const) {
    rows[`${name} to ${on} passes`] = {
      faults: [fault(on, answer, 2)],
      ends: completed,
      calls: { [on]: 3 },
      ...(name.includes('Retry-After') ? { pauses: 30 } : {}),
    };
  }
  rows[`${name} to a task that was created all the same makes no second one`] = {
    faults: [fault('POST tasks', answer, 1, true)],
    ends: completed,
    calls: { 'POST tasks': 2, 'DELETE task': 1 },
  };
  rows[`${name} to a job that was created all the same makes no second one`] = {
    faults: [fault('POST jobs', answer, 1, true)],
    ends: completed,
    calls: { 'POST jobs': 2, 'POST tasks': 1, 'DELETE task': 1 },
  };
  rows[`${name} that stays is given up in the end`] = {
    faults: [fault('POST tasks', answer)],
    ends: `deadLettered ${name.startsWith('429') ? 'BatchThrottled' : 'BatchUnavailable'} createTask`,
  };
}

function each(codes: readonly string[], row: (code: string) => readonly [string, Row]): Record<string, Row> {
  return Object.fromEntries(codes.map(row));
}

const table = suite('what an error of Azure Batch does to a request');

for (const [name, { faults, ends, calls = {}, pauses = 0, says }] of Object.entries(rows)) {
  table(`${name}: ${ends}`, async () => {
    const played = await playRequest(services, { faults });
    const { request } = played;
    const { failure } = request;
    assert.is(endOf(played), ends, failure?.message ?? '');
    assert.equal(played.counts, { ...played.counts, ...calls });
    const step = faults[0]?.on === 'DELETE task' ? 'finishRequest' : 'provisionAgent';
    const tried = played.run.calls.filter(call => call.name === step).map(({ at }) => at);
    for (const [index, at] of tried.entries()) {
      if (index > 0) assert.ok(at - (tried[index - 1] ?? 0) >= pauses, `tried at ${tried.join(', ')} s`);
    }
    if (pauses > 0) assert.ok(tried.length > 1);
    if (request.state === 'deadLettered') {
      assert.is(played.deadLetters.length, 1);
      // Given up at once, or only after it had been tried for a while.
      const tries = played.run.calls.filter(call => call.name === 'provisionAgent').length;
      assert.ok(failure?.retryable ? tries > 3 : tries === 1, `${tries} tries`);
      assert.match(failure?.message ?? '', says ?? /r-1-\d/);
    } else {
      assert.equal(played.deadLetters, []);
      assert.is(request.attempt, 1, 'one agent was enough');
    }
    // The pipeline is told once, and the truth.
    assert.is(played.counts['POST event'], 1);
    assert.is(request.callback?.result, request.state === 'completed' ? 'succeeded' : 'failed');
    assert.is(request.callback?.sealedToken, undefined);
    assert.is(played.run.openTimers, 0);
    mustShowNoSecret(played);
  });
}

table.after(() => services.close());
table.run();
