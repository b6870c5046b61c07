import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Answer,
  type CallCounts,
  type CallName,
  devOpsRefusal,
  endOf,
  type Fault,
  mustShowNoSecret,
  type PlayOptions,
  playRequest,
  startServices,
} from './play-request.js';

/**
 * What Azure DevOps answers, row by row: to the callback of a pipeline that waits and to what is asked about agents.
 * Each row says what everybody can see: the end of the request, what its row tells of the pipeline, and the calls.
 */
const services = await startServices();

interface Row extends PlayOptions {
  readonly ends: string;
  readonly calls?: CallCounts;
  /** Default: acknowledged. */
  readonly pipeline?: 'acknowledged' | 'refused' | 'none';
  readonly says?: RegExp;
  readonly slept?: number;
}

const fault = (on: CallName, answer: Answer, times?: number): Fault => ({
  on,
  answer,
  ...(times === undefined ? {} : { times }),
});
const signInPage: Answer = {
  status: 203,
  body: '<html><title>Azure DevOps Services | Sign In</title></html>',
};
const completedPlan: Answer = { status: 200, body: { planId: 'plan', state: 'completed' } };

const terminal = [
  'OrchestrationSessionNotFoundException',
  'TaskOrchestrationPlanNotFoundException',
  'TaskOrchestrationPlanSecurityException',
  'TaskOrchestrationPlanTerminatedException',
];

const rows: Record<string, Row> = {};

for (const typeKey of terminal) {
  for (const status of [400, 403, 404, 409, 500]) {
    // The client throws no 404 and shows no body of it: then it is the plan that tells.
    const plan =
      status === 404 || !/PlanNotFound|PlanTerminated/.test(typeKey)
        ? [fault('GET plan', completedPlan)]
        : [];
    rows[`${status} ${typeKey} of a plan that is over takes the agent back`] = {
      faults: [fault('POST event', devOpsRefusal(status, typeKey)), ...plan],
      ends: 'cancelled',
      pipeline: 'refused',
      calls: { 'POST event': 1, 'DELETE task': 1 },
    };
  }
}
for (const typeKey of ['OrchestrationSessionNotFoundException', 'TaskOrchestrationPlanSecurityException']) {
  rows[`500 ${typeKey} of a plan that goes on is recorded and changes nothing`] = {
    faults: [fault('POST event', devOpsRefusal(500, typeKey))],
    ends: 'completed',
    pipeline: 'refused',
    calls: { 'POST event': 1, 'GET plan': 1 },
  };
}
for (const status of [400, 401, 403, 404, 409]) {
  rows[`${status} to the callback of a plan that goes on is recorded and changes nothing`] = {
    faults: [fault('POST event', devOpsRefusal(status, 'SomeException'))],
    ends: 'completed',
    pipeline: 'refused',
    calls: { 'POST event': 1 },
  };
}
Object.assign(rows, {
  '203 with the sign-in page is not taken for a success': {
    faults: [fault('POST event', signInPage)],
    ends: 'completed',
    pipeline: 'refused',
    calls: { 'POST event': 1 },
  },
  '302 is not followed': {
    faults: [fault('POST event', { status: 302, headers: { location: 'http://127.0.0.1:9/' } })],
    ends: 'completed',
    pipeline: 'refused',
    calls: { 'POST event': 1 },
  },
  '404 to the callback of a plan that is gone takes the agent back': {
    faults: [fault('POST event', { status: 404 }), fault('GET plan', { status: 404 })],
    ends: 'cancelled',
    pipeline: 'refused',
    calls: { 'POST event': 1, 'GET plan': 1, 'DELETE task': 1 },
  },
} satisfies Record<string, Row>);

const passing: Readonly<Record<string, Answer>> = {
  '408': { status: 408 },
  '429': { status: 429 },
  '429 with Retry-After': { status: 429, headers: { 'retry-after': '2' } },
  '500 with a typeKey that is not terminal': devOpsRefusal(500, 'VssServiceException'),
  '502': { status: 502, body: '<html>' },
  '503': { status: 503, body: '<html>' },
  'a lost connection': 'reset',
};
for (const [name, answer] of Object.entries(passing)) {
  rows[`${name} to the callback passes; the pipeline is told once it does`] = {
    faults: [fault('POST event', answer, 2)],
    ends: 'completed',
    calls: { 'POST event': 3 },
  };
  for (const on of ['GET agent pools', 'GET agents'] as const) {
    rows[`${name} to ${on} passes`] = {
      faults: [fault(on, answer, 2)],
      ends: 'completed',
      calls: { 'POST tasks': 1 },
    };
  }
  rows[`${name} to lines, variables and logs is not worth a failure`] = {
    faults: (['POST feed', 'POST logs', 'PATCH records'] as const).map(on => fault(on, answer)),
    ends: 'completed',
    calls: { 'POST event': 1 },
  };
}

const notAccepted: Readonly<Record<string, Answer>> = {
  '203 with the sign-in page': signInPage,
  '302 to the sign-in page': { status: 302, headers: { location: '/_signin' } },
  '401': { status: 401 },
  '403': devOpsRefusal(403, 'AccessCheckException'),
  'a success without a body': { status: 200 },
};
for (const [name, answer] of Object.entries(notAccepted)) {
  rows[`${name} to a list of pools is a sign-in that failed, never "no such pool"`] = {
    faults: [fault('GET agent pools', answer)],
    ends: 'deadLettered AzDOAuthenticationFailed registration',
    calls: { 'POST tasks': 0 },
    says: /Check that AzDOToken is valid, or that this app's identity is a member/,
  };
  rows[`${name} to a list of agents for a while is never "no agent"`] = {
    faults: [fault('GET agents', answer, 3)],
    ends: 'completed',
    calls: { 'POST tasks': 1, 'DELETE task': 1 },
  };
}

const agent = (view: object): Answer => ({
  status: 200,
  body: { count: 1, value: [{ id: 3, name: 'r-1-1', status: 'offline', ...view }] },
});
Object.assign(rows, {
  'a pool that is not in the list is missing for good': {
    faults: [fault('GET agent pools', { status: 200, body: { count: 0, value: [] } })],
    ends: 'deadLettered AgentPoolMissing registration',
    calls: { 'POST tasks': 0 },
    says: /Create the agent pool .*, or correct the profile's devOpsPool/,
  },
  '200 with Retry-After is obeyed before the next call': {
    faults: [
      fault('GET agent pools', {
        status: 200,
        headers: { 'retry-after': '7' },
        body: { count: 1, value: [{ id: 7, name: 'Private Linux' }] },
      }),
    ],
    // A later call of the same service comes long after in this life, so it is the placeholder's that shows it.
    waits: false,
    pipeline: 'none',
    ends: 'completed',
    slept: 7_000,
  },
  '404 to the deletion of an agent is a deletion': {
    faults: [
      fault('GET agents', agent({})),
      fault('DELETE agent', devOpsRefusal(404, 'TaskAgentNotFoundException')),
    ],
    ends: 'completed',
    calls: { 'DELETE task': 1 },
  },
  'DELETE of an agent while its job runs is tried until the job is over': {
    faults: [
      fault('GET agents', agent({ status: 'online' })),
      fault('DELETE agent', devOpsRefusal(400, 'TaskAgentJobStillRunningException'), 3),
    ],
    ends: 'completed',
    calls: { 'DELETE agent': 4, 'DELETE task': 1 },
  },
  '409 to a placeholder says that it is there': {
    faults: [fault('POST agent', devOpsRefusal(409, 'TaskAgentExistsException'))],
    waits: false,
    pipeline: 'none',
    ends: 'completed',
    calls: { 'POST agent': 1 },
  },
  'a failure that its pipeline does not want to hear any more is kept all the same': {
    faults: [
      fault('GET agent pools', { status: 200, body: { count: 0, value: [] } }),
      fault('POST event', devOpsRefusal(500, 'TaskOrchestrationPlanTerminatedException')),
    ],
    ends: 'deadLettered AgentPoolMissing registration',
    pipeline: 'refused',
    calls: { 'POST event': 1 },
  },
} satisfies Record<string, Row>);

const table = suite('what an answer of Azure DevOps does to a request');

for (const [name, { ends, calls = {}, pipeline = 'acknowledged', says, slept, ...options }] of Object.entries(
  rows,
)) {
  table(`${name}: ${ends}`, async () => {
    const played = await playRequest(services, options);
    const { request } = played;
    assert.is(endOf(played), ends, request.failure?.message ?? '');
    assert.equal(played.counts, { ...played.counts, ...calls });
    const { callback } = request;
    assert.is(callback?.acknowledgedAt !== undefined, pipeline === 'acknowledged');
    assert.is(callback?.refusedWith !== undefined, pipeline === 'refused');
    assert.is(callback?.sealedToken, undefined, 'the sealed token is erased at the end');
    if (says) assert.match(request.failure?.message ?? '', says);
    if (slept !== undefined)
      assert.ok(played.world.clock.sleeps.includes(slept), String(played.world.clock.sleeps));
    assert.is(played.deadLetters.length, request.state === 'deadLettered' ? 1 : 0);
    assert.ok((played.counts['DELETE task'] ?? 0) >= (played.counts['POST tasks'] ?? 0), 'no task is left');
    assert.is(played.run.openTimers, 0);
    mustShowNoSecret(played);
  });
}

table.after(() => services.close());
table.run();
