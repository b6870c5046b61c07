import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { shownRequestSchema } from '../../../shared/answers/request.js';
import { remedyFor } from '../../../shared/domain/failure-guide.js';
import { agents, type Ran, type Running, startAgents } from '../../support/agents-command.js';
import { FakeApp, fakeAppKey } from '../../support/fake-app.js';
import { waitFor } from '../../support/wait-for.js';

let app: FakeApp;
const requests = suite('npm run agents -- request, status, list, cancel');

requests.before.each(async () => {
  app = new FakeApp();
  await app.start();
});
requests.after.each(async () => app.stop());

const env = () => ({ AGENTS_URL: app.url, AGENTS_KEY: fakeAppKey });
const run = async (...args: readonly string[]): Promise<Ran> => agents(args, env());
const start = (...args: readonly string[]): Running => startAgents(args, env());
const readLines = (stdout: string) =>
  stdout.split('\n').map(line => shownRequestSchema.parse(JSON.parse(line)));

/** Up to starting; each step when the one before has been told, and the next is waited for. */
async function play(running: Running, id: string): Promise<void> {
  await running.printed(/accepted|http/);
  await isWaitedFor();
  app.change(id, 'provisioning', 'The task is being made.', { attempt: 1 });
  await running.printed(/[" ]provisioning[" ]/);
  await isWaitedFor();
  app.change(id, 'starting', 'Waiting for a node, 2 ahead.');
  await running.printed(/[" ]starting[" ]/);
  await isWaitedFor();
}

const isWaitedFor = async (): Promise<unknown> => waitFor('a change to be waited for', () => app.waiting > 0);

requests('asks for an agent with all that was said, and tells id and link', async () => {
  const ran = await run(
    'request',
    '--profile=ubuntu',
    '--id=nightly-42',
    '--capability=AGENT_FOR=47=11',
    '--capability=B=',
    '--tag=team=payments',
    '--timeout=2.5',
    '--attempt=1.2',
  );
  assert.is(ran.exitCode, 0, ran.stderr);
  assert.is(ran.stdout, `nightly-42\n${app.url}/api/agents/nightly-42`);
  assert.match(ran.stderr, 'status nightly-42 --watch');
  assert.equal(app.bodies, [
    {
      profile: 'ubuntu',
      requestId: 'nightly-42',
      capabilities: { AGENT_FOR: '47=11', B: '' },
      tags: { team: 'payments' },
      timeoutMinutes: 2.5,
      attempt: '1.2',
    },
  ]);
  const again = await run('request', '--id', 'nightly-42', '--json');
  assert.is(again.exitCode, 0);
  assert.match(again.stderr, 'nothing new was started');
  assert.is(shownRequestSchema.parse(JSON.parse(again.stdout)).requestId, 'nightly-42');
});

requests('tells everything that is wrong with what was asked for, one a line, by its option', async () => {
  const ran = await run('request', '--profile', 'nope', '--capability', 'PATH=/tmp');
  assert.is(ran.exitCode, 2);
  assert.is(ran.stdout, '');
  assert.equal(ran.stderr.split('\n'), [
    '--profile must be one of ubuntu',
    '--capability PATH is a reserved name',
  ]);
});

requests(
  'waits until the agent is online, or until the end, and says by its exit code how it went',
  async () => {
    const online = start('request', '--id', 'a', '--wait');
    await play(online, 'a');
    app.change('a', 'online', 'The agent is online.', { onlineAt: new Date().toISOString() });
    assert.is((await online.end).exitCode, 0);

    const end = start('request', '--id', 'b', '--wait', 'end', '--json');
    await waitFor('b to be asked for', () => app.requests.has('b'));
    await isWaitedFor();
    app.change('b', 'cancelled', 'Cancelled.');
    const ran = await end.end;
    assert.is(ran.exitCode, 4, ran.stderr);
    assert.is(shownRequestSchema.parse(JSON.parse(ran.stdout)).state, 'cancelled', 'one object, the last');
  },
);

requests('follows a request in a pipe with one plain line a change, and explains its failure', async () => {
  app.add('a');
  const watching = start('status', 'a', '--watch');
  await play(watching, 'a');
  const failure = {
    code: 'PoolMissing',
    stage: 'nodeAllocation',
    message: `Batch pool p is missing.\u001b[2J ${remedyFor('PoolMissing')}`,
    retryable: false,
  } as const;
  app.change('a', 'deadLettered', 'PoolMissing: Batch pool p is missing.', {
    failure,
    links: { self: 's', pipeline: null, help: `${app.url}/api/help/PoolMissing` },
  });
  const ran = await watching.end;
  assert.is(ran.exitCode, 4);
  assert.is(ran.stderr, '');
  const lines = ran.stdout.split('\n');
  assert.equal(
    lines.slice(0, 4).map(line => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}(\w+) +/, '$1 ')),
    [
      'accepted attempt 0  Asked for over HTTP.',
      'provisioning attempt 1  The task is being made.',
      'starting attempt 1  Waiting for a node, 2 ahead.',
      'deadLettered attempt 1  PoolMissing: Batch pool p is missing.',
    ],
  );
  assert.match(
    ran.stdout,
    /PoolMissing \(nodeAllocation\)[^]*Cause:[^]*Remedy, by the platform team:[^]*More: .*\/help\/PoolMissing/,
  );
  assert.is(ran.stdout.split(remedyFor('PoolMissing')).length, 2, 'what to do is told once');
  // oxlint-disable-next-line no-control-regex -- what could move the cursor begins with one
  assert.not.match(ran.stdout, /\u001b/);

  app.add('b', { failure });
  app.change('b', 'cancelled', 'Cancelled by request.');
  assert.not.match(
    (await run('status', 'b', '--watch')).stdout,
    'Remedy',
    'it has not ended because of that',
  );

  const shown = await run('status', 'a');
  assert.is(shown.exitCode, 0);
  assert.not.match(shown.stdout, '\u001b');
  assert.match(shown.stdout, /^a is deadLettered\n[^]*profile +ubuntu[^]*Waiting for a node[^]*Remedy, by/);
});

requests('follows as JSON, one request a line, until it is completed', async () => {
  app.add('a');
  const watching = start('status', 'a', '--watch', '--json');
  await play(watching, 'a');
  const calls = app.calls.length;
  app.timeUp();
  await waitFor('it to ask again', () => app.calls.length > calls && app.waiting > 0);
  app.change('a', 'completed', 'The job is over.');
  const ran = await watching.end;
  assert.is(ran.exitCode, 0);
  // What is as it was is not told again.
  assert.equal(
    readLines(ran.stdout).map(({ state }) => state),
    ['accepted', 'provisioning', 'starting', 'completed'],
  );
});

requests('outlives a restart of the app while it follows, and says so on stderr', async () => {
  app.add('a');
  const watching = start('status', 'a', '--watch');
  await watching.printed('accepted');
  await app.stop();
  await watching.printed(
    /(can not be reached|is not available) \(.*\): .* Trying again for 300 s\.$/m,
    'stderr',
  );
  await app.start();
  await watching.printed('The app answers again.', 'stderr');
  await isWaitedFor();
  app.change('a', 'completed', 'The job is over.');
  const ran = await watching.end;
  assert.is(ran.exitCode, 0, ran.stderr);
  assert.is(ran.stderr.split('\n').length, 2, ran.stderr);
  assert.match(ran.stdout, 'The job is over.');
});

requests('gives up on an app that stays away, and does not wait for one that was never there', async () => {
  app.add('a');
  const watching = start('status', 'a', '--watch', '--patience', '1');
  await watching.printed('accepted');
  await app.stop();
  const ran = await watching.end;
  assert.is(ran.exitCode, 3);
  assert.match(ran.stderr.split('\n').at(-1) ?? '', /can not be reached \(ECONNREFUSED\): check the URL/);
  const never = await run('status', 'a', '--watch');
  assert.is(never.exitCode, 3);
  assert.is(never.stderr.split('\n').length, 1, never.stderr);
});

requests('ends with 130 and no word when it is interrupted while it follows', async () => {
  app.add('a');
  const watching = start('status', 'a', '--watch');
  await watching.printed('accepted');
  watching.interrupt();
  const ran = await watching.end;
  assert.is(ran.exitCode, 130);
  assert.is(ran.stderr, '');
});

requests('lists what is asked for, and says that there is more', async () => {
  app.add('a', { tags: { team: 'payments' } });
  app.add('b');
  app.add('c', { profile: 'windows' });
  const all = await run('list');
  assert.is(all.exitCode, 0, all.stderr);
  assert.equal(
    all.stdout
      .split('\n')
      .slice(1)
      .map(line => line[0]),
    ['c', 'b', 'a'],
  );
  const Page = z.strictObject({ requests: z.array(shownRequestSchema), more: z.boolean() });
  const some = Page.parse(JSON.parse((await run('list', '--limit', '2', '--json')).stdout));
  assert.is(some.requests.length, 2);
  assert.is(some.more, true);
  const filtered = await run('list', '--tag', 'team=payments', '--state', 'accepted', '--profile', 'ubuntu');
  assert.match(filtered.stdout, /^request .*\na /);
  assert.match(app.calls.at(-1) ?? '', 'state=accepted&profile=ubuntu&tag=team%3Dpayments');
  const none = await run('list', '--state', 'busy');
  assert.is(none.exitCode, 0);
  assert.is(none.stdout, '');
});

requests('cancels several, and tells what became of each', async () => {
  app.add('a');
  app.add('b', { state: 'completed' });
  const ran = await run('cancel', 'a', 'b', 'nobody', 'a');
  assert.is(ran.exitCode, 1);
  assert.match(ran.stdout, /^a {2}cancelling: .*\nb {2}ended: .*completed already\.\nnobody {2}notFound: /);
  assert.is(ran.stdout.split('\n').length, 3, 'a is cancelled once');
  assert.is((await run('cancel', 'a')).exitCode, 0);
});

requests('says of an id that is not there, or can not be one, where to find some', async () => {
  const unknown = await run('status', 'nobody');
  assert.is(unknown.exitCode, 1);
  assert.is(
    unknown.stderr,
    'No agent request has the id "nobody". See which there are with `npm run agents -- list`.',
  );
  const calls = app.calls.length;
  for (const id of ['..', 'A B', '']) {
    const ran = await run('status', id);
    assert.is(ran.exitCode, 2);
    assert.match(ran.stderr, 'No request has such an id');
  }
  assert.is(app.calls.length, calls, 'it was never sent');
});

requests('refuses what contradicts itself or makes no sense before it calls anybody', async () => {
  for (const args of [
    ['list', '--url', 'https://a.example', '--data', '.local'],
    ['request', '--tag', 'a=1', '--tag', 'a=2'],
    ['request', '--tag', 'nothing'],
    ['request', '--wait', 'forever'],
    ['request', '--timeout', 'long'],
    ['list', '--state', 'happy'],
    ['list', '--limit', '1.5'],
    ['status', 'a', 'b'],
    ['cancel'],
  ]) {
    const ran = await run(...args);
    assert.is(ran.exitCode, 2, `${args.join(' ')}: ${ran.stderr}`);
    assert.match(ran.stderr, /^error: /);
    assert.is(ran.stderr.split('\n').length, 1, ran.stderr);
  }
  assert.equal(app.calls, []);
});

requests.run();
