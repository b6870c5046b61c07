import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { audit, rules } from '../../scripts/chaos/audit/audit.js';
import type { Evidence } from '../../scripts/chaos/evidence.js';
import { agent, asked, at, evidence, givenUp, row, run } from './evidence.js';

const all = (given: Evidence): readonly string[] => [...audit(given).values()].flat();

const sound = suite('the audit of chaos');

sound('has nothing to say where all is well', () => {
  assert.equal(all(evidence()), []);
  assert.equal(all(givenUp()), []);
});

sound('lets a repeated word pass where the first may have been lost', () => {
  const completions = [
    { result: 'succeeded', at: at(3.5), accepted: true },
    { result: 'succeeded', at: at(6), accepted: false },
  ];
  const given = evidence({ runs: [run({ completions })] });
  assert.is(all(given).length, 1);
  const kill = { part: 'host', at: at(3.6), backAt: at(5) } as const;
  assert.equal(all({ ...given, kills: [kill] }), []);
  const bite = { part: 'devops', call: 'POST /plans/:planId/events', at: at(3.5), rule: 'resetAfterCommit' };
  assert.equal(all({ ...given, bites: [bite] }), []);
  assert.is(all({ ...given, kills: [{ ...kill, part: 'batch' }] }).length, 1, 'a kill that explains nothing');
  assert.is(all({ ...given, kills: [{ ...kill, at: at(20), backAt: at(22) }] }).length, 1, 'a later kill');
  assert.is(all({ ...given, bites: [{ ...bite, call: 'GET /pools' }] }).length, 1, 'a bite of another call');
  assert.equal(all({ ...given, forgotten: [at(3.6)] }), [], 'the loss of all orchestrations');
  assert.is(all({ ...given, forgotten: [at(7)] }).length, 1, 'a later loss');
  const atOnce = completions.map((each, index) => ({ ...each, at: at(3.5 + index / 10) }));
  assert.is(
    all({ ...given, runs: [run({ completions: atOnce })], bites: [bite] }).length,
    1,
    'sooner than anybody tries again',
  );
});

sound('lets a dead letter come twice where the answer to the first was lost', () => {
  const [first] = givenUp().deadLetters;
  assert.ok(first);
  const twice = givenUp({ deadLetters: [first, first] });
  assert.is(all(twice).length, 1);
  const bite = {
    part: 'storage',
    call: 'POST queue/agent-requests-deadletter/messages',
    at: at(2.1),
    rule: 'reset',
  };
  assert.equal(all({ ...twice, bites: [bite] }), []);
  assert.is(all({ ...twice, bites: [{ ...bite, at: at(30) }] }).length, 1, 'a bite much later');
});

sound('lets a run that its author cancelled end without a result', () => {
  const cancelled = run({
    result: 'canceled',
    completions: [],
    jobAgent: undefined,
    jobStartedAt: undefined,
  });
  assert.equal([...(rules['pipelines']?.(evidence({ runs: [cancelled] })) ?? [])], []);
});

sound('lets two requests be made of what was sent twice, and of nothing else', () => {
  const two = [row({ tag: '1-1' }), row({ requestId: 'r2', tag: '1-1' })];
  const one = asked('httpWithoutId', { sent: 1, answers: [{ status: 202, requestId: 'r1' }] });
  const said = (given: Evidence) => rules['lost or doubled']?.(given) ?? [];
  assert.is(said(evidence({ asked: [one], rows: two, runs: [] })).length, 1);
  assert.equal(said(evidence({ asked: [{ ...one, sent: 2 }], rows: two, runs: [] })), []);
});

sound.run();

const line = (state: string, seconds: number, attempt: number) => ({
  state,
  at: at(seconds),
  attempt,
  detail: '',
});
const { history } = row();
const without = (state: string) => history.filter(each => each.state !== state);
const twoAgents = [agent(), agent({ id: 2, name: 'r1-2' })];
const letter = givenUp().deadLetters[0] ?? {
  requestId: '',
  generation: 0,
  at: '',
  failureCode: '',
  message: '',
};

/** What is planted, and what is to be said about it. */
const planted: readonly (readonly [string, Evidence, RegExp])[] = [
  ['an accepted request without a row', evidence({ rows: [] }), /r1 .* is lost/],
  [
    'a queue message of which nothing came',
    evidence({
      asked: [asked('messageWithoutId', { answers: [{ status: 201, requestId: null }] })],
      rows: [],
    }),
    /is lost: no request came of it/,
  ],
  ['two rows of one request', evidence({ rows: [row(), row()] }), /r1 has more than one row/],
  [
    'two requests of one call',
    evidence({ rows: [row(), row({ requestId: 'r2' })] }),
    /was sent 1 times and made 2/,
  ],
  [
    'a request of nobody',
    evidence({ rows: [row(), row({ requestId: 'r2', tag: '9-9' })] }),
    /r2 is there and nobody/,
  ],
  [
    'a request that still lives',
    evidence({ rows: [row({ state: 'online' })] }),
    /r1 has not ended: it is online/,
  ],

  [
    'a step that is missing',
    evidence({ rows: [row({ history: without('starting') })] }),
    /from provisioning to online/,
  ],
  [
    'an end that is written twice',
    evidence({ rows: [row({ history: [...history, line('completed', 10, 1)] })] }),
    /2 ends|from completed to completed/,
  ],
  [
    'a life after the end',
    evidence({ rows: [row({ history: [...history, line('expired', 10, 1)] })] }),
    /from completed to expired/,
  ],
  [
    'times that go back',
    evidence({ rows: [row({ history: [...history.slice(0, -1), line('completed', 1, 1)] })] }),
    /not in order/,
  ],
  [
    'a gap in the attempts',
    evidence({
      rows: [
        row({ attempt: 3, history: history.map(each => (each.attempt ? { ...each, attempt: 3 } : each)) }),
      ],
    }),
    /have a gap/,
  ],
  [
    'an attempt that the row knows nothing of',
    evidence({ rows: [row({ attempt: 2 })] }),
    /at attempt 2, its history at 1/,
  ],
  [
    'a generation without a beginning',
    evidence({ rows: [row({ generation: 2 })] }),
    /generation 2, but its history/,
  ],

  [
    'a completed request whose agent ran nothing',
    evidence({ runs: [] }),
    /completed 1 times, but its agents ran 0/,
  ],
  [
    'two jobs of one agent',
    evidence({ runs: [run(), run({ runId: 'run-2', name: '1-2', planId: 'plan2' })] }),
    /ran 2 jobs: run-1, run-2/,
  ],
  [
    'an agent that never was online',
    evidence({ agents: [agent({ sessions: [] })] }),
    /online, which it never was/,
  ],
  ['two agents at once', evidence({ agents: twoAgents }), /two agents online at once/],

  [
    'a cancellation of nobody',
    evidence({
      rows: [row({ state: 'cancelled', history: [...history.slice(0, 4), line('cancelled', 5, 1)] })],
      runs: [run({ finishedAt: at(60) })],
    }),
    /nobody had cancelled it/,
  ],

  [
    'a pipeline without a result',
    evidence({ runs: [run({ completions: [], abandoned: true, result: 'canceled' })] }),
    /never got a result/,
  ],
  [
    'a pipeline that waits for ever',
    evidence({ runs: [run({ completions: [], state: 'waiting', result: null })] }),
    /still waiting/,
  ],
  [
    'a callback that is sent twice',
    evidence({
      runs: [
        run({
          completions: [
            { result: 'succeeded', at: at(3.5), accepted: true },
            { result: 'succeeded', at: at(3.6), accepted: false },
          ],
        }),
      ],
    }),
    /was told "succeeded" .* although it had been told/,
  ],

  ['a failure without its dead letter', givenUp({ deadLetters: [] }), /there is no dead letter of it/],
  [
    'a dead letter of another failure',
    givenUp({ deadLetters: [{ ...letter, failureCode: 'Other' }] }),
    /its dead letter says Other/,
  ],
  [
    'a dead letter with another message',
    givenUp({ deadLetters: [{ ...letter, message: Buffer.from('{"version":1} ').toString('base64') }] }),
    /byte for byte/,
  ],
  [
    'a dead letter twice',
    givenUp({ deadLetters: [letter, { ...letter, at: at(3) }] }),
    /dead-lettered again/,
  ],
  [
    'a dead letter of a request that went well',
    evidence({ deadLetters: [letter] }),
    /r1, which was not given up/,
  ],
  [
    'a message that was changed on its way',
    evidence({ asked: [asked('message', { message: '{"version": 1}' })], rows: [row()] }),
    /does not keep its message byte for byte/,
  ],

  [
    'a sender who was not told',
    evidence({ rows: [row({ replyQueue: 'replies' })] }),
    /its sender was not told/,
  ],
  [
    'a sender who was told twice',
    evidence({
      rows: [row({ replyQueue: 'replies' })],
      replies: [
        { requestId: 'r1', state: 'completed' },
        { requestId: 'r1', state: 'completed' },
      ],
    }),
    /its sender was told 2 times/,
  ],
  [
    'something left over',
    evidence({ leftovers: ['Batch task x is still there.'] }),
    /Batch task x is still there/,
  ],
  [
    'a token left in a row',
    evidence({ rows: [row({ text: '{"callback":"{\\"sealedToken\\":\\"x\\"}"}' })] }),
    /still has a token/,
  ],
];

const plants = suite('the audit of chaos finds');
for (const [what, given, expected] of planted) {
  plants(what, () => {
    const found = all(given);
    assert.ok(
      found.some(sentence => expected.test(sentence)),
      `It said: ${found.join(' ') || 'nothing'}`,
    );
  });
}
plants.run();
