import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { duration, flat, shorten, wrap } from '../../../scripts/agents/output.js';
import { readAnswer } from '../../../scripts/agents/read-answer.js';
import { newEntries } from '../../../scripts/agents/requests/plain-lines.js';
import { stepsOf } from '../../../scripts/agents/requests/steps.js';
import { table } from '../../../scripts/agents/table.js';
import { root } from '../../../scripts/root.js';
import { product } from '../../../shared/adapters/product.js';
import { agents } from '../../support/agents-command.js';
import { FakeApp, fakeAppKey } from '../../support/fake-app.js';
import { makeTempFolder } from '../../support/temp-folder.js';

const screen = suite('what the command line shows');

const head = ['request', 'code', 'reason'];
const id = 'a-request-with-forty-characters-in-its-i';
const rows = [
  [id, 'PoolMissing', 'Batch pool latePool is missing: make it, or name another in the profile.'],
  ['short', 'QuotaReached', 'All cores of the account are in use.\nAsk for more.'],
];

screen('fits a table into any width, and tears no id apart', async () => {
  for (const width of [120, 96, 80, 60, 50]) {
    const text = await table(head, rows, width);
    for (const line of text.split('\n')) assert.ok(line.length <= width, `${width}: ${line}`);
    for (const word of [id, 'PoolMissing', 'QuotaReached', 'latePool', 'Ask for more']) {
      assert.match(text.replaceAll(/\s+/g, ' '), word);
    }
  }
  // No terminal: one line a row, for those who search it.
  assert.is((await table(head, rows, undefined)).split('\n').length, 3);
});

// oxlint-disable-next-line no-control-regex -- what moves the cursor, hides or turns round what follows
const trickery = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const evil = 'a\u001b[8mhidden\u001b]0;title\u0007\u009b2J\u202eb\u001b[31mred\r';

screen(
  'takes out of the texts of others what would move the cursor, hide or turn round what follows',
  async () => {
    assert.is(flat(evil), 'ahiddenbred');
    assert.is(wrap(evil, 80), 'ahiddenbred');
    const app = new FakeApp();
    await app.start();
    try {
      const failure = { code: 'PoolMissing', stage: 'container', message: evil, retryable: false } as const;
      app.add('a', { tags: { [evil]: evil }, failure, batch: { poolId: evil, jobId: evil, taskId: evil } });
      app.change('a', 'deadLettered', evil);
      const env = { AGENTS_URL: app.url, AGENTS_KEY: fakeAppKey };
      for (const command of [['list'], ['status', 'a'], ['status', 'a', '--watch']]) {
        const { stdout } = await agents(command, env);
        assert.match(stdout, 'ahidden');
        assert.not.match(stdout, trickery, command.join(' '));
        const json = (await agents([...command, '--json'], env)).stdout;
        assert.not.match(json, trickery, `${command.join(' ')} --json`);
        assert.match(JSON.stringify(JSON.parse(json)), JSON.stringify(evil).slice(1, -1), 'the same text');
      }
    } finally {
      await app.stop();
    }
  },
);

screen('counts columns as terminals do, and cuts no emoji in two', async () => {
  assert.is(shorten('🦄🦄🦄🦄', 8), '🦄🦄🦄🦄');
  assert.is(shorten('🦄🦄🦄🦄', 7), '🦄🦄🦄…');
  assert.is(wrap('日本語 チーム', 8), '日本語\nチーム');
  const text = await table(['team', 'reason'], [['日本語チーム', 'It waits.']], 80);
  assert.match(text, '日本語チーム  It waits.');
});

const entry = (state: 'accepted' | 'starting' | 'online', at: number, attempt: number, detail: string) => ({
  state,
  at: new Date(at).toISOString(),
  attempt,
  detail,
});

screen('tells the lines of a history as steps, a new one for each attempt', () => {
  const history = [
    entry('accepted', 0, 0, 'Asked for.'),
    entry('starting', 1_000, 1, 'Made.'),
    entry('starting', 2_000, 1, 'Waiting for a node.'),
    entry('starting', 9_000, 2, 'Made.'),
  ];
  assert.equal(
    stepsOf(history).map(({ state, attempt, detail, from, to }) => [
      state,
      attempt,
      detail,
      to === undefined ? undefined : Date.parse(to) - Date.parse(from),
    ]),
    [
      ['accepted', 0, 'Asked for.', 1_000],
      ['starting', 1, 'Waiting for a node.', 8_000],
      ['starting', 2, 'Made.', undefined],
    ],
  );
  const [, , third, fourth] = history;
  assert.equal(newEntries(history.slice(0, 3), history.slice(1)), [fourth]);
  assert.equal(newEntries([], history.slice(2)), [third, fourth]);
});

screen('tells durations as people do', () => {
  assert.equal([null, 0, 999, 1_000, 59_999, 60_000, 3_599_999, 3_600_000, 90_000_000].map(duration), [
    '–',
    '0 ms',
    '999 ms',
    '1 s',
    '59 s',
    '1 min 0 s',
    '59 min 59 s',
    '1 h 0 min',
    '25 h 0 min',
  ]);
});

screen('reads the answers of a newer app, and nothing that is no answer', () => {
  const schema = z.strictObject({ a: z.strictObject({ b: z.array(z.strictObject({ c: z.number() })) }) });
  const read = { a: { b: [{ c: 1 }, { c: 2 }] } };
  assert.equal(readAnswer(schema, { a: { b: [{ c: 1 }, { c: 2, d: 3 }], e: 4 }, f: 5 }), read);
  for (const other of [{ a: { b: [{ d: 3 }] } }, {}, null, undefined, '<html>', []]) {
    assert.is(readAnswer(schema, other), undefined);
  }
});

screen('explains every command with an example, and as the program that was started', async () => {
  const commands = [
    [],
    ...['request', 'status', 'list', 'cancel', 'pools', 'doctor', 'tail', 'completion'].map(name => [name]),
    ...['list', 'ensure', 'remove'].map(name => ['placeholders', name]),
    ...['list', 'show', 'redrive', 'purge'].map(name => ['deadletters', name]),
  ];
  for (const command of commands) {
    const { exitCode, stdout } = await agents([...command, '--help']);
    assert.is(exitCode, 0);
    assert.match(stdout, /\n {2}--json/);
    assert.match(stdout, /\nExamples:\n {2}.+/);
  }
});

screen('runs as a program of its own, and completes its words in bash', async () => {
  const folder = await makeTempFolder();
  try {
    const bin = join(folder.path, 'bin');
    await mkdir(bin);
    await symlink(join(root, 'scripts', 'azdo-batch-agents.mjs'), join(bin, 'azdo-batch-agents'));
    const script = `
source <(azdo-batch-agents completion bash)
complete -p azdo-batch-agents
words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _azdo_batch_agents; echo "\${COMPREPLY[*]}"; }
words azdo-batch-agents st
words azdo-batch-agents c
words azdo-batch-agents list --state de
words azdo-batch-agents deadletters r
words azdo-batch-agents completion ''
words azdo-batch-agents pools --j
words azdo-batch-agents list '$(touch made)' --pro
azdo-batch-agents --help | head -1
azdo-batch-agents --version`;
    const ran = await execa('bash', ['-c', script], {
      cwd: folder.path,
      env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    });
    assert.equal(ran.stdout.split('\n'), [
      'complete -F _azdo_batch_agents azdo-batch-agents',
      'status',
      'cancel completion',
      'deadLettered',
      'redrive',
      'bash zsh',
      '--json',
      '--profile',
      'Usage: azdo-batch-agents [options] [command]',
      product.productVersion,
    ]);
    assert.is(ran.stderr, '');
    const files = await execa('ls', [folder.path]);
    assert.is(files.stdout, 'bin', 'what was typed was run');
    const zsh = await agents(['completion', 'zsh']);
    assert.match(zsh.stdout, /^#compdef azdo-batch-agents\n/);
  } finally {
    await folder.remove();
  }
});

screen.run();
