import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import getPort from 'get-port';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { examine } from '../../../scripts/agents/doctor/examine.js';
import { noteRunningApp } from '../../../scripts/running-app.js';
import { checkAreas, diagnosisSchema } from '../../../shared/answers/diagnosis.js';
import { placeholderResultsSchema, placeholdersSchema } from '../../../shared/answers/placeholders.js';
import { poolsSchema } from '../../../shared/answers/pools.js';
import { eventSchema } from '../../../shared/answers/request.js';
import { agents, type Ran, type Running, startAgents } from '../../support/agents-command.js';
import { FakeApp, fakeAppKey } from '../../support/fake-app.js';
import { makeTempFolder } from '../../support/temp-folder.js';
import { waitFor } from '../../support/wait-for.js';

let app: FakeApp;
const operator = suite('npm run agents -- pools, placeholders, doctor, tail');

operator.before.each(async () => {
  app = new FakeApp();
  await app.start();
});
operator.after.each(async () => app.stop());

const env = () => ({ AGENTS_URL: app.url, AGENTS_KEY: fakeAppKey });
const run = async (...args: readonly string[]): Promise<Ran> => agents(args, env());
const start = (...args: readonly string[]): Running => startAgents(args, env());

operator('shows each pool, and why its requests wait', async () => {
  app.pools = {
    at: '2026-01-31T10:10:00.000Z',
    pools: [
      {
        devOpsPool: 'Private Ubuntu',
        batchPool: 'linux',
        profiles: ['ubuntu'],
        os: 'linux',
        waiting: 1,
        starting: 3,
        online: 0,
        busy: 7,
        oldestWaitingSince: '2026-01-31T10:00:00.000Z',
        waits: [
          { reason: 'node', count: 3, oldestSince: '2026-01-31T10:08:00.000Z', detail: 'No node is free.' },
        ],
        nodes: { current: 7, target: 10, idle: 0, running: 7, starting: 0, unusable: 0 },
        problem: { code: 'QuotaReached', message: 'The cores of the account are used up.' },
        lastWatchAt: null,
      },
      {
        devOpsPool: 'Private Windows',
        batchPool: 'windows',
        profiles: ['windows'],
        os: 'windows',
        waiting: 0,
        starting: 0,
        online: 0,
        busy: 0,
        oldestWaitingSince: null,
        waits: [],
        nodes: null,
        problem: null,
        lastWatchAt: null,
      },
    ],
  };
  const ran = await run('pools');
  assert.is(ran.exitCode, 0, ran.stderr);
  assert.match(ran.stdout, /Private Ubuntu +1 +3 +0 +7 +7\/10 +10 min 0 s +linux/);
  assert.match(ran.stdout, 'QuotaReached: The cores of the account are used up.');
  assert.match(ran.stdout, '3 wait for a free node, for up to 2 min 0 s: No node is free.');
  assert.match(ran.stdout, 'Batch does not tell now which nodes windows has.');
  assert.equal(poolsSchema.parse(JSON.parse((await run('pools', '--json')).stdout)), app.pools);
});

operator('lists, makes and removes placeholders', async () => {
  assert.match((await run('placeholders', 'list')).stdout, /Private Ubuntu +yes +yes +azdo-batch-agents-/);
  placeholdersSchema.parse(JSON.parse((await run('placeholders', 'list', '--json')).stdout));
  const ensured = await run('placeholders', 'ensure');
  assert.is(ensured.exitCode, 0, ensured.stderr);
  assert.is(ensured.stdout, 'Private Ubuntu  present: So it is.');
  const removed = await run('placeholders', 'remove', 'Old Ubuntu', 'Nowhere', '--json');
  assert.is(removed.exitCode, 1);
  const { results } = placeholderResultsSchema.parse(JSON.parse(removed.stdout));
  assert.equal(
    results.map(({ devOpsPool, outcome }) => `${devOpsPool} ${outcome}`),
    ['Old Ubuntu removed', 'Nowhere poolMissing'],
  );
});

const Report = diagnosisSchema.extend({
  version: z.string().nullable(),
  ok: z.boolean(),
  checks: z.array(
    diagnosisSchema.shape.checks.element.extend({ area: z.enum(['commandLine', ...checkAreas]) }),
  ),
});
const failedIn = (ran: Ran) => {
  const { checks } = Report.parse(JSON.parse(ran.stdout));
  return checks.filter(({ status }) => status === 'failed');
};

operator('examines the way to the app and what the app says of itself, and says how to mend it', async () => {
  app.diagnosis = {
    at: '2026-01-31T10:00:00.000Z',
    version: '9.9.9',
    checks: [
      { area: 'batch', name: 'Batch pool "linux" exists', status: 'ok', detail: '3 nodes', remedy: null },
      { area: 'devops', name: 'Agents can be removed', status: 'warning', detail: 'w', remedy: 'Grant it.' },
    ],
  };
  const fine = await run('doctor');
  assert.is(fine.exitCode, 0, fine.stderr);
  assert.match(fine.stdout, /Command line\n {2}ok[^]*The key is accepted[^]*Azure Batch\n {2}ok +Batch pool/);
  assert.match(fine.stdout, /warning +App and command line are of one version[^]*→ Use the command line/);
  assert.match(fine.stdout, /warning +Agents can be removed\n +w\n +→ Grant it\./);
  assert.match(fine.stdout, /checks: 6 ok, 2 warning\. The app is version 9\.9\.9\./);

  assert.equal(
    app.calls.filter(call => !call.endsWith('/health')),
    ['POST /api/diagnosis'],
    'nothing that needs storage, which may be what is away',
  );

  const [first] = app.diagnosis.checks;
  assert.ok(first);
  app.diagnosis = {
    ...app.diagnosis,
    checks: [{ ...first, status: 'failed', remedy: 'Make the pool.' }],
  };
  const failed = await run('doctor', '--json');
  assert.is(failed.exitCode, 5);
  assert.equal(
    failedIn(failed).map(({ remedy }) => remedy),
    ['Make the pool.'],
  );
});

operator('examines as far as it gets, and names what is in the way', async () => {
  const html = createServer((_request, response) => response.end('<html>'));
  const port = await getPort();
  await new Promise<void>(resolve => html.listen(port, '127.0.0.1', resolve));
  const folder = await makeTempFolder();
  const cases: readonly (readonly [Record<string, string>, readonly string[], RegExp])[] = [
    [{ AGENTS_URL: app.url }, [], /There is a key.*AGENTS_KEY/],
    [{ AGENTS_URL: app.url, AGENTS_KEY: 'another' }, [], /The key is accepted.*\(401\).*Check AGENTS_KEY/],
    [{ ...env(), AGENTS_URL: 'http://a.example' }, [], /The app is named.*in the clear\..*Use https/],
    [{ ...env(), AGENTS_URL: `http://127.0.0.1:${port}` }, [], /The app answers.*in a way.*Check the URL/],
    [
      { ...env(), AGENTS_URL: `http://127.0.0.1:${await getPort()}` },
      [],
      /The app answers.*ECONNREFUSED.*Check the URL/,
    ],
    [{}, ['--data', folder.path], /The app is named.*No app runs from the folder.*Start it/],
  ];
  try {
    for (const [environment, args, said] of cases) {
      const ran = await agents(['doctor', '--json', ...args], environment);
      assert.is(ran.exitCode, 5, ran.stderr);
      const [failed, ...others] = failedIn(ran);
      // What needs what is in the way is not tried: its failure would tell nothing.
      assert.is(others.length, args.length === 0 ? 0 : 1, ran.stdout);
      assert.match(JSON.stringify(failed), said);
      assert.is(ran.stderr, '');
      const shown = await agents(['doctor', ...args], environment);
      assert.is(shown.exitCode, 5);
      assert.match(shown.stdout, /failed +\w[^]*→ /);
      assert.not.match(shown.stdout, /the-key|another/);
    }
  } finally {
    html.closeAllConnections();
    await new Promise(resolve => html.close(resolve));
    await folder.remove();
  }
});

operator(
  'says which file to mend when the one with the settings is broken, and quotes none of it',
  async () => {
    const folder = await makeTempFolder();
    try {
      await writeFile(join(folder.path, 'local.settings.json'), '{ "Values": { "AzDOToken": "s3cret" ');
      const named = { url: undefined, data: folder.path, from: '--url' } as const;
      const { checks } = await examine(named, {}, folder.path);
      const settings = checks.find(({ detail }) => detail.includes('local.settings.json'));
      assert.is(settings?.status, 'failed');
      assert.match(settings?.detail ?? '', 'is not a settings file: it must be JSON');
      assert.is.not(settings?.remedy, null);
      assert.not.match(JSON.stringify(checks), 's3cret');
    } finally {
      await folder.remove();
    }
  },
);

operator('says which file to mend when the one with the keys is broken', async () => {
  const folder = await makeTempFolder();
  try {
    const data = folder.path;
    await noteRunningApp(data, { url: app.url, pid: process.pid });
    await mkdir(join(data, 'host'));
    for (const text of ['{"functionKeys":', '{}', '[]', '{"functionKeys":{"default":"s3cret\\nkey"}}']) {
      await writeFile(join(data, 'host', 'keys.json'), text);
      const ran = await agents(['pools', '--data', data]);
      assert.is(ran.exitCode, 3);
      assert.match(
        ran.stderr,
        /^.*host\/keys\.json .*functionKeys\.default: remove it and run `npm start` anew/,
      );
      assert.is(ran.stderr.split('\n').length, 1);
      assert.not.match(ran.stderr, 's3cret');
    }
    await writeFile(join(data, 'host', 'keys.json'), '{"functionKeys":{"default":"an-old-key"}}');
    assert.match((await agents(['pools', '--data', data])).stderr, /\(401\): check .*host\/keys\.json, or/);
    await writeFile(
      join(data, 'host', 'keys.json'),
      JSON.stringify({ functionKeys: { default: fakeAppKey } }),
    );
    // Whoever names a folder means it, whatever their shell has set.
    const named = await agents(['pools', '--data', data, '--json'], { AGENTS_URL: 'https://a.example' });
    assert.is(named.exitCode, 0, named.stderr);

    await writeFile(join(data, 'app.json'), '{"url":');
    const broken = await agents(['pools', '--data', data]);
    assert.is(broken.exitCode, 3);
    assert.match(broken.stderr, /app\.json, .* can not be understood: end `npm start`/);
  } finally {
    await folder.remove();
  }
});

operator('takes an address as it is copied: with a slash, or one of the routes at its end', async () => {
  for (const path of [
    '/',
    '/api',
    '/api/',
    '/api/agents',
    '/api/agents/a',
    '/api/dashboard/',
    '/api/help/X#y',
  ]) {
    const ran = await agents(['pools', '--json'], { ...env(), AGENTS_URL: `${app.url}${path}` });
    assert.is(ran.exitCode, 0, `${path}: ${ran.stderr}`);
  }
  assert.equal([...new Set(app.calls)], ['GET /api/pools']);
  // With the key in it, it should not be kept in a variable that is shown.
  const withKey = await agents(['pools'], { ...env(), AGENTS_URL: `${app.url}/api/dashboard?code=x` });
  assert.is(withKey.exitCode, 2);
});

operator('follows events, filtered, through a restart, and ends with 130 at Ctrl-C', async () => {
  app.add('before');
  const all = start('tail');
  const some = start('tail', '--tag', 'team=payments', '--profile', 'ubuntu', '--json');
  await waitFor('both to follow', () => app.calls.filter(call => call.includes('after=1')).length === 2);
  app.add('ours', { tags: { team: 'payments' } });
  app.add('theirs');
  app.add('windows', { tags: { team: 'payments' }, profile: 'windows' });
  await all.printed(/ windows {2}windows {2}accepted {2}attempt 0 {2}Asked for over HTTP\.$/m);
  await app.stop();
  await all.printed('Trying again', 'stderr');
  await some.printed('Trying again', 'stderr');
  await app.start();
  app.change('ours', 'provisioning', 'The task\nis being made.');
  await all.printed('provisioning  attempt 0  The task is being made.\n');
  await some.printed('provisioning');
  for (const each of [all, some]) each.interrupt();
  const [allRan, someRan] = await Promise.all([all.end, some.end]);
  assert.is(allRan.exitCode, 130);
  assert.is(someRan.exitCode, 130);
  assert.not.match(allRan.stdout, 'before', 'it begins now');
  assert.is(allRan.stdout.split('\n').length, 4, allRan.stdout);
  const events = someRan.stdout.split('\n').map(line => eventSchema.parse(JSON.parse(line)));
  assert.equal(
    events.map(({ requestId, state }) => `${requestId} ${state}`),
    ['ours accepted', 'ours provisioning'],
  );
  assert.is(allRan.stderr.split('\n').length, 2, allRan.stderr);
});

operator('does not wait for an app that was never there to follow', async () => {
  const url = `http://127.0.0.1:${await getPort()}`;
  const ran = await agents(['tail'], { ...env(), AGENTS_URL: url });
  assert.is(ran.exitCode, 3);
  assert.match(ran.stderr, /can not be reached \(ECONNREFUSED\): check the URL, and that the app runs\.$/);
  assert.is(ran.stderr.split('\n').length, 1);
});

operator('ends well when whoever reads it has read enough', async () => {
  for (let number = 0; number < 300; number++) app.add(`request-${number}`);
  const { execa } = await import('execa');
  const { root } = await import('../../../scripts/root.js');
  const command = '"$0" dist/scripts/agents.js list --limit 300 | head -1; echo "${PIPESTATUS[0]}"';
  const ran = await execa('bash', ['-c', command, process.execPath], {
    cwd: root,
    env: env(),
    reject: false,
  });
  assert.match(ran.stdout, /^request .*\n0$/);
  assert.is(ran.stderr, '');
});

operator.run();
