import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TransientError } from '../../shared/domain/failure.js';
import { agentLifecycle } from '../../shared/workflow/agent-lifecycle.js';
import { decodeInput, type Outcome } from '../../shared/workflow/contract.js';
import { type Replayed, replay, type World } from './replay.js';

const input = {
  requestId: 'r1',
  generation: 1,
  firstAttempt: 1,
  attempt: 1,
  attempts: 3,
  timeoutMs: 600_000,
  idleMs: 300_000,
  callback: true,
};

const happy: World['activities'] = {
  provisionAgent: () => ({ kind: 'created', phase: 'starting' }),
  lookAtAgent: () => ({ task: 'running' }),
  releasePipeline: () => ({ kind: 'released' }),
  recordBusy: () => ({ kind: 'recorded' }),
  settleEnd: () => ({ kind: 'ranJob' }),
  retireAttempt: () => ({ delayMs: 4_000 }),
  finishRequest: () => ({ kind: 'ended' }),
};

const situation = (at: number, kind: string, more: object = {}): NonNullable<World['events']>[number] => ({
  at,
  name: 'situation',
  data: { kind, attempt: 1, ...more },
});
const ended = { exitCode: 0, ranJob: false };
const names = (calls: readonly { readonly name: string }[]): string => calls.map(call => call.name).join(' ');
const outcomeOf = ({ calls }: Replayed): Outcome => {
  const call = calls.findLast(({ name }) => name === 'finishRequest');
  return decodeInput.finishRequest(call?.input).outcome;
};

const life = suite('agentLifecycle');

life('provisions, releases the pipeline, follows the job and cleans up', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: happy,
    events: [situation(30, 'agentOnline'), situation(40, 'agentBusy'), situation(100, 'taskEnded', ended)],
  });
  assert.is(names(run.calls), 'provisionAgent releasePipeline recordBusy finishRequest');
  assert.is(run.error, undefined);
  assert.is(outcomeOf(run).state, 'completed');
  assert.is(run.openTimers, 0, 'a timer that is left would keep the orchestration running');
});

life('has a history that is no longer after ten minutes than after ten seconds', async () => {
  const events = (online: number): World['events'] => [
    situation(online, 'agentOnline'),
    situation(online + 1, 'agentBusy'),
    situation(online + 2, 'taskEnded', ended),
  ];
  const short = await replay(agentLifecycle, { input, activities: happy, events: events(10) });
  const long = await replay(agentLifecycle, { input, activities: happy, events: events(590) });
  assert.is(long.history.length, short.history.length);
  assert.is(long.episodes, short.episodes);
  assert.ok(
    short.episodes + short.calls.length <= 16,
    `${short.episodes} episodes, ${short.calls.length} activities`,
  );
});

life('takes a job that began before we looked for both online and busy', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: happy,
    events: [situation(30, 'agentBusy'), situation(60, 'taskEnded', ended)],
  });
  assert.is(names(run.calls), 'provisionAgent releasePipeline recordBusy finishRequest');
});

life('loses no event that comes while a step runs', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: happy,
    events: [situation(30, 'agentOnline'), situation(30, 'agentBusy'), situation(30, 'taskEnded', ended)],
  });
  assert.is(names(run.calls), 'provisionAgent releasePipeline recordBusy finishRequest');
});

life(
  'looks itself before a deadline counts as missed, so that a lost event fails no good agent',
  async () => {
    const run = await replay(agentLifecycle, {
      input,
      activities: {
        ...happy,
        lookAtAgent: (_, call) => (call === 1 ? { situation: { kind: 'agentOnline', attempt: 1 } } : {}),
      },
      events: [situation(700, 'agentBusy'), situation(800, 'taskEnded', ended)],
    });
    assert.is(names(run.calls), 'provisionAgent lookAtAgent releasePipeline recordBusy finishRequest');
  },
);

const fullFor = (times: number): World['activities'] => ({
  ...happy,
  provisionAgent: (_, call) =>
    call <= times ? { kind: 'deferred' } : { kind: 'created', phase: 'starting' },
});

life('waits without a timer for a free place, and has its whole time from then on', async () => {
  const hours = 30 * 3_600;
  const run = await replay(agentLifecycle, {
    input,
    activities: fullFor(2),
    events: [
      situation(5, 'admitted', { attempt: 0 }),
      situation(hours, 'admitted', { attempt: 0 }),
      // Later than the timeout after it was asked for, and within it after it was let begin.
      situation(hours + 590, 'agentOnline'),
      situation(hours + 591, 'agentBusy'),
      situation(hours + 595, 'taskEnded', ended),
    ],
  });
  assert.is(
    names(run.calls),
    'provisionAgent provisionAgent provisionAgent releasePipeline recordBusy finishRequest',
  );
  assert.is(run.calls[2]?.at, hours);
  assert.is(outcomeOf(run).state, 'completed');
  assert.is(run.openTimers, 0);
});

life('gives up as ever once it was let begin', async () => {
  const run = await replay(agentLifecycle, {
    input: { ...input, attempts: 1 },
    activities: fullFor(1),
    events: [situation(7_200, 'admitted', { attempt: 0 })],
  });
  assert.is(outcomeOf(run).failure?.code, 'RegistrationTimeout');
  assert.is(Math.round(run.seconds), 7_200 + 600);
});

life('ends when it is cancelled while it waits for a free place', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: fullFor(1),
    events: [situation(7_200, 'cancel', { attempt: 0 })],
  });
  assert.is(names(run.calls), 'provisionAgent finishRequest');
  assert.is(outcomeOf(run).state, 'cancelled');
});

life('ends when its run is over while it waits for a free place', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: fullFor(1),
    events: [situation(7_200, 'runOver', { attempt: 0, reason: 'The plan has ended.' })],
  });
  assert.is(names(run.calls), 'provisionAgent finishRequest');
  assert.is(outcomeOf(run).planOver, 'The plan has ended.');
});

life('is not confused by being told of its place twice', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: fullFor(1),
    events: [
      situation(5, 'admitted', { attempt: 0 }),
      situation(6, 'admitted', { attempt: 0 }),
      situation(30, 'agentBusy'),
      situation(31, 'admitted', { attempt: 1 }),
      situation(60, 'taskEnded', ended),
    ],
  });
  assert.is(names(run.calls), 'provisionAgent provisionAgent releasePipeline recordBusy finishRequest');
  assert.is(outcomeOf(run).state, 'completed');
});

life('hears an event that arrives during a step after a wait was lost to its deadline', async () => {
  // Online only by our own look at 600 s; the idle deadline passes at 900 s, when a job turns up at the last moment,
  // and the end comes while that is being written down.
  const run = await replay(agentLifecycle, {
    input,
    activities: {
      ...happy,
      lookAtAgent: (_, call) => ({
        situation: { kind: call === 1 ? 'agentOnline' : 'agentBusy', attempt: 1 },
      }),
    },
    events: [situation(900.0025, 'taskEnded', ended)],
  });
  assert.is(
    names(run.calls),
    'provisionAgent lookAtAgent releasePipeline lookAtAgent recordBusy finishRequest',
  );
});

life('gives up after its time and dead-letters with what a person should check', async () => {
  const run = await replay(agentLifecycle, { input, activities: happy });
  assert.is(names(run.calls), 'provisionAgent lookAtAgent finishRequest');
  const outcome = outcomeOf(run);
  assert.is(outcome.state, 'deadLettered');
  assert.is(outcome.failure?.code, 'RegistrationTimeout');
  assert.ok(run.seconds >= 600 && run.seconds < 610);
});

life('tells a pool without nodes from an agent that does not register', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: { ...happy, lookAtAgent: () => ({ task: 'active' }) },
  });
  const outcome = outcomeOf(run);
  assert.is(outcome.failure?.code, 'NodeAllocationTimeout');
});

life(
  'tries again with another agent when one is lost before its job, up to the attempts of the profile',
  async () => {
    const failure = { code: 'AgentStartFailed', stage: 'container', message: 'exit 3', retryable: true };
    const run = await replay(agentLifecycle, {
      input,
      activities: { ...happy, settleEnd: () => ({ kind: 'lost', failure }) },
      events: [1, 2, 3].map(attempt => ({
        ...situation(attempt * 20, 'taskEnded'),
        data: { kind: 'taskEnded', attempt, exitCode: 3, ranJob: false },
      })),
    });
    assert.is(
      names(run.calls),
      'provisionAgent settleEnd retireAttempt provisionAgent settleEnd retireAttempt provisionAgent settleEnd finishRequest',
    );
    assert.equal(
      run.calls
        .filter(call => call.name === 'provisionAgent')
        .map(call => decodeInput.provisionAgent(call.input).attempt),
      [1, 2, 3],
    );
  },
);

life('ends at once on a permanent refusal', async () => {
  const failure = { code: 'PoolMissing', stage: 'createTask', message: 'no pool', retryable: false };
  const run = await replay(agentLifecycle, {
    input,
    activities: { ...happy, provisionAgent: () => ({ kind: 'rejected', failure }) },
  });
  assert.is(names(run.calls), 'provisionAgent finishRequest');
  assert.ok(run.seconds < 1);
});

life('retries a step whose service is away, with growing pauses', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: {
      ...happy,
      provisionAgent: (_, call) => {
        if (call < 4) throw new Error('BatchUnavailable (createTask): Batch is away.');
        return { kind: 'created', phase: 'starting' };
      },
    },
    events: [situation(60, 'agentBusy'), situation(70, 'taskEnded', ended)],
  });
  const times = run.calls.filter(call => call.name === 'provisionAgent').map(call => call.at);
  const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  assert.is(times.length, 4);
  assert.ok(
    pauses.every((pause, index) => index === 0 || pause > (pauses[index - 1] ?? 0)),
    pauses.join(' '),
  );
});

const throttled = (ms: number): Error =>
  new TransientError('JobDisabled', 'createTask', 'Its Batch job is disabled.', ms);
const times = ({ calls }: Replayed, name: string): readonly number[] =>
  calls.filter(call => call.name === name).map(call => call.at);

life('comes back to a service when it asked for, and in ten minutes at the latest', async () => {
  for (const [asked, pause] of [
    [90_000, 90],
    [3_600_000, 600],
  ] as const) {
    const run = await replay(agentLifecycle, {
      input: { ...input, timeoutMs: 7_200_000 },
      activities: {
        ...happy,
        provisionAgent: (_, call) => {
          if (call === 1) throw throttled(asked);
          return { kind: 'created', phase: 'starting' };
        },
      },
      events: [situation(800, 'agentBusy'), situation(900, 'taskEnded', ended)],
    });
    const [first = 0, second = 0] = times(run, 'provisionAgent');
    assert.ok(second - first >= pause && second - first < pause * 1.2, `${second - first} s`);
    assert.is(outcomeOf(run).state, 'completed');
  }
});

life('waits for a person to enable a job, and tries a last time when its own time is up', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: {
      ...happy,
      provisionAgent: () => {
        throw throttled(60_000);
      },
    },
  });
  const tries = times(run, 'provisionAgent');
  assert.ok(tries.length >= 8 && tries.length <= 11, `${tries.length} tries`);
  assert.ok(Math.abs((tries.at(-1) ?? 0) - 600) < 0.1, `the last try was at ${tries.at(-1) ?? 0} s`);
  const { state, failure } = outcomeOf(run);
  assert.equal([state, failure?.code], ['deadLettered', 'JobDisabled']);
  assert.is(failure?.message, 'Its Batch job is disabled.', 'the pause is nothing for people to read');
  assert.not.ok(run.calls.some(({ name }) => name === 'retireAttempt'));
});

for (const [kind, more, detail] of [
  ['cancel', {}, 'Cancelled by request.'],
  ['runOver', { reason: 'PlanTerminated' }, /run is over.*PlanTerminated/],
] as const) {
  life(`${kind} is heard in the pause that a service asked for`, async () => {
    const run = await replay(agentLifecycle, {
      input,
      activities: {
        ...happy,
        provisionAgent: () => {
          throw throttled(300_000);
        },
      },
      events: [situation(20, kind, more)],
    });
    assert.is(names(run.calls), 'provisionAgent finishRequest');
    assert.is(outcomeOf(run).state, 'cancelled');
    assert.match(outcomeOf(run).detail, detail);
    assert.ok(run.seconds < 30);
    assert.is(run.openTimers, 0);
  });
}

life('loses no news that comes while a step waits to be tried again', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: {
      ...happy,
      provisionAgent: (_, call) => {
        if (call === 1) throw throttled(60_000);
        return { kind: 'created', phase: 'starting' };
      },
    },
    events: [situation(20, 'agentBusy'), situation(30, 'taskEnded', ended)],
  });
  assert.is(names(run.calls), 'provisionAgent provisionAgent releasePipeline recordBusy finishRequest');
  assert.ok(run.seconds < 70);
});

life(
  'takes the agent back when the run that waits is over, and leaves one that was released alone',
  async () => {
    const over = (at: number) => situation(at, 'runOver', { reason: 'PlanTerminated' });
    const waiting = await replay(agentLifecycle, { input, activities: happy, events: [over(20)] });
    assert.is(names(waiting.calls), 'provisionAgent finishRequest');
    assert.equal([outcomeOf(waiting).state, outcomeOf(waiting).planOver], ['cancelled', 'PlanTerminated']);
    assert.is(waiting.openTimers, 0);

    const released = await replay(agentLifecycle, {
      input,
      activities: happy,
      events: [
        situation(10, 'agentOnline'),
        over(20),
        situation(30, 'agentBusy'),
        over(40),
        situation(90, 'taskEnded', ended),
      ],
    });
    assert.is(outcomeOf(released).state, 'completed');
  },
);

life('a run that is over while its request waits for a place ends it', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: { ...happy, provisionAgent: () => ({ kind: 'deferred' }) },
    events: [situation(3_000, 'runOver', { reason: 'PlanTerminated' })],
  });
  assert.is(names(run.calls), 'provisionAgent finishRequest');
  assert.equal([outcomeOf(run).state, outcomeOf(run).planOver], ['cancelled', 'PlanTerminated']);
});

life('a run that is over before anything was made ends its request', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: { ...happy, provisionAgent: () => ({ kind: 'runOver', reason: 'PlanTerminated' }) },
  });
  assert.is(names(run.calls), 'provisionAgent finishRequest');
  assert.is(outcomeOf(run).planOver, 'PlanTerminated');
});

life('a lost node is another attempt before the job, and the end during it', async () => {
  const failure = { code: 'NodePreempted', stage: 'online', message: 'Lost.', retryable: true };
  const lost = { ...happy, settleEnd: () => ({ kind: 'lost', failure }) };
  const before = await replay(agentLifecycle, {
    input,
    activities: lost,
    events: [
      situation(10, 'agentOnline'),
      situation(20, 'nodeLost', { ranJob: false }),
      { at: 60, name: 'situation', data: { kind: 'agentBusy', attempt: 2 } },
      { at: 70, name: 'situation', data: { kind: 'taskEnded', attempt: 2, ...ended } },
    ],
  });
  assert.is(
    names(before.calls),
    'provisionAgent releasePipeline settleEnd retireAttempt provisionAgent releasePipeline recordBusy finishRequest',
  );
  assert.is(outcomeOf(before).state, 'completed');
  assert.is(outcomeOf(before).failure, undefined);

  const during = await replay(agentLifecycle, {
    input,
    activities: lost,
    events: [situation(10, 'agentBusy'), situation(20, 'nodeLost', { ranJob: false })],
  });
  assert.is(names(during.calls), 'provisionAgent releasePipeline recordBusy settleEnd finishRequest');
  assert.equal([outcomeOf(during).state, outcomeOf(during).failure?.code], ['completed', 'NodePreempted']);
  assert.match(outcomeOf(during).detail, /NodePreempted/);

  const after = await replay(agentLifecycle, {
    input,
    activities: happy,
    events: [situation(10, 'agentBusy'), situation(20, 'nodeLost', { ranJob: false })],
  });
  assert.equal([outcomeOf(after).state, outcomeOf(after).failure], ['completed', undefined]);
});

life('ends at once when its Batch pool is gone', async () => {
  const failure = { code: 'PoolMissing', stage: 'nodeAllocation', message: 'Gone.', retryable: false };
  const run = await replay(agentLifecycle, {
    input,
    activities: happy,
    events: [situation(40, 'poolMissing', { failure })],
  });
  assert.is(names(run.calls), 'provisionAgent finishRequest');
  assert.equal([outcomeOf(run).state, outcomeOf(run).failure?.code], ['deadLettered', 'PoolMissing']);
  assert.ok(run.seconds < 50);
});

life('tells what kept the pool from running its agent when its time is up', async () => {
  const problem = {
    code: 'QuotaReached',
    stage: 'nodeAllocation',
    message: 'No more cores.',
    retryable: true,
  };
  const run = await replay(agentLifecycle, {
    input,
    activities: { ...happy, lookAtAgent: () => ({ task: 'active', problem }) },
  });
  const { failure } = outcomeOf(run);
  assert.is(failure?.code, 'QuotaReached');
  assert.is(failure?.message, "No node took the agent's task within 10 min. No more cores.");
});

life('follows an agent after all that got its job while it was being given up', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: { ...happy, finishRequest: (_, call) => ({ kind: call === 1 ? 'agentBusy' : 'ended' }) },
    events: [situation(700, 'taskEnded', ended)],
  });
  assert.is(
    names(run.calls),
    'provisionAgent lookAtAgent finishRequest releasePipeline recordBusy finishRequest',
  );
  assert.is(outcomeOf(run).state, 'completed');
});

life('keeps the code of a failure that only retries brought to light', async () => {
  const run = await replay(agentLifecycle, {
    input: { ...input, attempts: 1 },
    activities: {
      ...happy,
      provisionAgent: () => {
        throw new Error('BatchUnavailable (createTask): Batch is away.');
      },
    },
  });
  const outcome = outcomeOf(run);
  assert.is(outcome.failure?.code, 'BatchUnavailable');
  assert.is(outcome.failure?.stage, 'createTask');
});

life('takes an agent back that gets no job', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: { ...happy, lookAtAgent: () => ({ task: 'running' }) },
    events: [situation(10, 'agentOnline')],
  });
  assert.is(names(run.calls), 'provisionAgent releasePipeline lookAtAgent finishRequest');
  const outcome = outcomeOf(run);
  assert.is(outcome.state, 'expired');
});

life('spares an agent whose job came at the very last moment', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: {
      ...happy,
      lookAtAgent: () => ({ task: 'running' }),
      finishRequest: (_, call) => ({ kind: call === 1 ? 'agentBusy' : 'ended' }),
    },
    events: [situation(10, 'agentOnline'), situation(400, 'taskEnded', ended)],
  });
  assert.is(
    names(run.calls),
    'provisionAgent releasePipeline lookAtAgent finishRequest recordBusy finishRequest',
  );
  assert.is(outcomeOf(run).state, 'completed');
});

for (const [when, at] of [
  ['before the agent is online', 5],
  ['while it is online', 15],
  ['while it is busy', 25],
] as const) {
  life(`is cancelled ${when}`, async () => {
    const run = await replay(agentLifecycle, {
      input,
      activities: happy,
      events: [
        situation(10, 'agentOnline'),
        situation(20, 'agentBusy'),
        situation(at, 'cancel', { attempt: 0 }),
      ],
    });
    const outcome = outcomeOf(run);
    assert.is(outcome.state, 'cancelled');
    assert.is(run.openTimers, 0);
  });
}

life('is cancelled in the pause before its next attempt', async () => {
  const failure = { code: 'AgentStartFailed', stage: 'container', message: 'exit 3', retryable: true };
  const run = await replay(agentLifecycle, {
    input,
    activities: {
      ...happy,
      settleEnd: () => ({ kind: 'lost', failure }),
      retireAttempt: () => ({ delayMs: 60_000 }),
    },
    events: [
      situation(20, 'taskEnded', { exitCode: 3, ranJob: false }),
      situation(30, 'cancel', { attempt: 2 }),
    ],
  });
  assert.is(names(run.calls), 'provisionAgent settleEnd retireAttempt finishRequest');
});

life('takes the agent back when the run is over before it came', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: { ...happy, releasePipeline: () => ({ kind: 'planOver', reason: 'canceled' }) },
    events: [situation(10, 'agentOnline')],
  });
  const outcome = outcomeOf(run);
  assert.is(outcome.state, 'cancelled');
});

life('does not take a job that another pipeline ran on its agent for its own', async () => {
  const run = await replay(agentLifecycle, {
    input: { ...input, attempts: 1 },
    activities: happy,
    events: [situation(10, 'taskEnded', { exitCode: 0, ranJob: true })],
  });
  const outcome = outcomeOf(run);
  assert.is(outcome.failure?.code, 'AgentTaken');
});

life('tells of an agent that died during its job', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: happy,
    events: [situation(10, 'agentBusy'), situation(20, 'taskEnded', { exitCode: 137, ranJob: false })],
  });
  const outcome = outcomeOf(run);
  assert.is(outcome.state, 'completed');
  assert.is(outcome.failure?.code, 'AgentLost');
});

life('goes on where it was when it is started anew for an agent that is online', async () => {
  const run = await replay(agentLifecycle, {
    input: { ...input, attempt: 2 },
    activities: { ...happy, provisionAgent: () => ({ kind: 'created', phase: 'online' }) },
    events: [
      { at: 5, name: 'situation', data: { kind: 'agentBusy', attempt: 2 } },
      { at: 9, name: 'situation', data: { kind: 'taskEnded', attempt: 2, ...ended } },
    ],
  });
  assert.is(names(run.calls), 'provisionAgent releasePipeline recordBusy finishRequest');
});

life('does nothing for a row that is not its own any more', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: { ...happy, provisionAgent: () => ({ kind: 'superseded' }) },
  });
  assert.is(names(run.calls), 'provisionAgent');
});

life('refuses what an activity never answers, instead of believing it', async () => {
  const run = await replay(agentLifecycle, {
    input,
    activities: { ...happy, provisionAgent: () => ({ kind: 'nonsense' }) },
  });
  assert.match(run.error ?? '', 'Expected a kind among');
});

life.run();
