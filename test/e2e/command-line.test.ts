import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { noteRunningApp } from '../../scripts/running-app.js';
import { placeholdersSchema } from '../../shared/answers/placeholders.js';
import { poolsSchema } from '../../shared/answers/pools.js';
import { eventSchema, shownRequestSchema } from '../../shared/answers/request.js';
import { agents, type Ran, startAgents } from '../support/agents-command.js';
import { openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;

const operator = suite('an operator on the command line');

operator.before(async () => {
  ({ stack, end } = await openWorld());
  await noteRunningApp(stack.dataDir, { url: stack.url('host'), pid: process.pid });
});
operator.after(async () => end());

const here = (...args: readonly string[]): readonly string[] => [...args, '--data', stack.dataDir];
const run = async (...args: readonly string[]): Promise<Ran> => agents(here(...args));

operator('asks for an agent, waits for it, finds it, and has it taken back', async () => {
  const asked = await run('request', '--profile', 'ubuntu', '--id', 'by-hand', '--tag', 'who=me', '--wait');
  assert.is(asked.exitCode, 0, asked.stderr);
  assert.match(asked.stdout, /^by-hand\nhttp.*\/api\/agents\/by-hand\n[^]*starting[^]* online /);

  const shown = await run('status', 'by-hand');
  assert.match(shown.stdout, /^by-hand is online\n[^]*agent pool +AzDOUbuntu[^]*to online +\d/);
  const Page = z.object({ requests: z.array(shownRequestSchema) });
  const listed = Page.parse(JSON.parse((await run('list', '--state', 'online', '--json')).stdout));
  assert.equal(
    listed.requests.map(({ requestId, tags }) => [requestId, tags]),
    [['by-hand', { who: 'me' }]],
  );

  const cancelled = await run('cancel', 'by-hand');
  assert.is(cancelled.exitCode, 0, cancelled.stderr);
  const watched = await run('status', 'by-hand', '--watch');
  assert.is(watched.exitCode, 4, watched.stderr);
  assert.match(watched.stdout, / cancelled /);
  assert.is((await run('cancel', 'by-hand')).exitCode, 1);

  const refused = await run('request', '--profile', 'nope', '--capability', 'PATH=x', '--timeout', '500');
  assert.is(refused.exitCode, 2);
  for (const option of ['--profile "nope" is not', '--capability PATH is', '--timeout ']) {
    assert.match(refused.stderr, option);
  }
});

operator('follows what happens to everybody, and sees the pools while it does', async () => {
  const tail = startAgents(here('tail', '--tag', 'who=tailed', '--json'));
  const other = startAgents(here('request', '--id', 'other', '--tag', 'who=else', '--wait'));
  await other.printed(/ online /);
  // Whatever it sees first, it must have begun before the request whose whole life it is to see.
  assert.is((await other.end).exitCode, 0);
  const asked = await run('request', '--id', 'tailed', '--tag', 'who=tailed', '--wait');
  assert.is(asked.exitCode, 0, asked.stderr);

  const { pools: seen } = poolsSchema.parse(JSON.parse((await run('pools', '--json')).stdout));
  const ubuntu = seen.find(({ devOpsPool }) => devOpsPool === pools.ubuntu);
  assert.is(ubuntu?.online, 2);
  assert.match((await run('pools')).stdout, /AzDOUbuntu +0 +0 +2 +0 +\d+\/\d+ +– +batchLinux/);

  assert.is((await run('cancel', 'tailed', 'other')).exitCode, 0);
  await tail.printed('"state":"cancelled"');
  tail.interrupt();
  const ran = await tail.end;
  assert.is(ran.exitCode, 130);
  const events = ran.stdout.split('\n').map(line => eventSchema.parse(JSON.parse(line)));
  assert.equal([...new Set(events.map(({ requestId }) => requestId))], ['tailed']);
  assert.equal(
    [...new Set(events.map(({ state }) => state))],
    ['accepted', 'provisioning', 'starting', 'online', 'cancelled'],
  );
});

operator('makes and lists placeholders, and is told why one is not removed', async () => {
  const present = async (): Promise<boolean | undefined> => {
    const { stdout } = await run('placeholders', 'list', '--json');
    const { placeholders } = placeholdersSchema.parse(JSON.parse(stdout));
    return placeholders.find(({ devOpsPool }) => devOpsPool === pools.ubuntu)?.present;
  };
  assert.is((await run('placeholders', 'ensure')).exitCode, 0);
  assert.is(await present(), true);
  const removed = await run('placeholders', 'remove', pools.ubuntu);
  assert.is(removed.exitCode, 1, removed.stdout);
  assert.match(removed.stdout, /^AzDOUbuntu {2}refused: .*KeepPlaceholders/, 'it would come again');
  const nowhere = await run('placeholders', 'ensure', 'Nowhere');
  assert.is(nowhere.exitCode, 1);
  assert.match(nowhere.stdout, /^Nowhere {2}refused: /);
});

operator('has the app examined', async () => {
  const ran = await run('doctor');
  assert.is(ran.exitCode, 0, ran.stdout);
  for (const area of [
    'Command line',
    'Settings',
    'Storage',
    'Azure Batch',
    'Azure DevOps',
    'Orchestrations',
  ]) {
    assert.match(ran.stdout, new RegExp(`^${area}$`, 'm'));
  }
});

operator.run();
