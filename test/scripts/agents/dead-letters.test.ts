import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import getPort from 'get-port';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { findRunningApp, noteRunningApp, readFunctionKey } from '../../../scripts/running-app.js';
import { agents } from '../../support/agents-command.js';
import { makeTempFolder, type TempFolder } from '../../support/temp-folder.js';

const AGENTS_KEY = 'the-key-that-opens-everything';

interface Call {
  readonly method: string;
  readonly url: string;
  readonly key: string | undefined;
  readonly body: string;
}

interface Context {
  folder: TempFolder;
  server: Server;
  url: string;
  calls: Call[];
  answer: (call: Call) => readonly [status: number, body: unknown];
}

const at = '2026-01-31T10:00:00.000Z';
const shown = (requestId: string) => ({
  requestId,
  profile: 'ubuntu',
  state: 'deadLettered',
  attempt: 1,
  agentName: null,
  devOpsPool: 'Private Ubuntu',
  batch: null,
  createdAt: at,
  updatedAt: at,
  onlineAt: null,
  endedAt: at,
  timings: { queuedMs: null, provisioningMs: null, startingMs: null, toOnlineMs: null },
  failure: {
    code: 'PoolMissing',
    stage: 'nodeAllocation',
    message: 'Batch pool p is missing.',
    retryable: false,
  },
  history: [{ state: 'deadLettered', at, attempt: 1, detail: 'PoolMissing: …' }],
  tags: {},
  links: { self: 'http://x/api/agents/r', pipeline: null, help: null },
  // A newer app may tell more.
  newer: true,
});

const cli = suite<Context>('npm run agents -- deadletters');

cli.before.each(async context => {
  context.folder = await makeTempFolder();
  context.calls = [];
  context.answer = () => [200, { deadLetters: [], continuation: null }];
  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method = '', url = '', headers } = request;
    const call = { method, url, key: String(headers['x-functions-key']), body };
    context.calls.push(call);
    const [status, answer] = context.answer(call);
    const location = status === 302 ? { location: `${context.url}/elsewhere` } : {};
    response.writeHead(status, location).end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  };
  context.server = createServer((request, response) => void reply(request, response));
  const port = await getPort();
  await new Promise<void>(resolve => context.server.listen(port, '127.0.0.1', resolve));
  context.url = `http://127.0.0.1:${port}`;
});
cli.after.each(async ({ folder, server }) => {
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
  await folder.remove();
});

const run = async ({ url }: Context, ...args: readonly string[]) =>
  agents(args, { AGENTS_URL: url, AGENTS_KEY });

cli(
  'lists all pages up to the limit, as a table or as JSON, without colours where NO_COLOR is set',
  async context => {
    context.answer = ({ url }) =>
      url.includes('continuation=next')
        ? [200, { deadLetters: [shown('r-3')], continuation: null }]
        : [200, { deadLetters: [shown('r-1'), shown('r-2')], continuation: 'next' }];
    const all = await run(context, 'deadletters', 'list', '--code', 'PoolMissing', '--profile', 'ubuntu');
    assert.is(all.exitCode, 0, all.stderr);
    for (const text of ['r-1', 'r-2', 'r-3', 'PoolMissing', '2026-01-31 10:00:00'])
      assert.match(all.stdout, text);
    // oxlint-disable-next-line no-control-regex -- colours begin with one
    assert.not.match(all.stdout, /\u001b/);
    assert.is(all.stderr, '');
    assert.match(
      context.calls[1]?.url ?? '',
      /^\/api\/deadletters\?.*code=PoolMissing.*profile=ubuntu.*continuation=next/,
    );
    assert.is(context.calls[0]?.key, AGENTS_KEY);

    const two = await run(context, 'deadletters', 'list', '--limit', '2', '--json');
    const page = z.object({ deadLetters: z.array(z.unknown()), more: z.boolean() });
    const { deadLetters, more } = page.parse(JSON.parse(two.stdout));
    assert.is(deadLetters.length, 2);
    assert.is(more, true);
  },
);

cli('ends with an exit code and one line that says what to do', async context => {
  const problem = (code: string, detail: string) => ({ code, detail, title: 'x', status: 1 });
  const cases: readonly (readonly [readonly [number, unknown], number, RegExp])[] = [
    [
      [404, problem('DeadLetterNotFound', 'No agent request has the id "r-1".')],
      1,
      /^No agent request has the id "r-1"\.$/,
    ],
    [[400, problem('InvalidRequest', 'One thing is wrong.')], 2, /^One thing is wrong\.$/],
    [
      [503, problem('StorageUnavailable', 'Storage can not be reached.')],
      3,
      /^Storage can not be reached\.$/,
    ],
    [[401, ''], 3, /does not accept the key \(401\): check AGENTS_KEY/],
    [[404, '<html>'], 3, /answered 404 in a way that this app does not/],
    [[200, '<html>'], 3, /answered 200 in a way that this app does not/],
    [[302, ''], 3, /can not be reached/],
  ];
  for (const [answer, exitCode, said] of cases) {
    context.answer = () => answer;
    const ran = await run(context, 'deadletters', 'show', 'r-1');
    assert.is(ran.exitCode, exitCode, ran.stderr);
    assert.match(ran.stderr, said);
    assert.is(ran.stderr.trim().split('\n').length, 1, ran.stderr);
    assert.is(ran.stdout, '');
    assert.not.match(ran.stderr, AGENTS_KEY);
  }
  assert.not.ok(
    context.calls.some(({ url }) => url.includes('elsewhere')),
    'the key went elsewhere',
  );
});

cli('takes a key from the environment only, and never over a clear line to another machine', async () => {
  const cases: readonly (readonly [readonly string[], Record<string, string>, number, RegExp])[] = [
    [['--url', 'https://a.example'], {}, 2, /AGENTS_KEY/],
    [['--url', 'https://a.example'], { AGENTS_KEY: 'a\nb' }, 2, /AGENTS_KEY/],
    [['--url', 'http://a.example'], { AGENTS_KEY }, 2, /use https for a\.example/],
    [['--url', 'https://a.example/api?code=s3cret'], { AGENTS_KEY }, 2, /without a key/],
    [['--url', 'ftp://a.example'], { AGENTS_KEY }, 2, /must be like https/],
    [['--url', `http://127.0.0.1:${await getPort()}`], { AGENTS_KEY }, 3, /ECONNREFUSED/],
  ];
  for (const [args, env, exitCode, said] of cases) {
    const ran = await agents(['deadletters', 'list', ...args], env);
    assert.is(ran.exitCode, exitCode, ran.stderr);
    assert.match(ran.stderr, said);
    assert.not.match(ran.stderr, /s3cret|the-key|a\nb/);
  }
});

cli('finds what npm start runs from a folder, and is not misled by what a killed one left', async context => {
  const { path: data } = context.folder;
  const none = await agents(['deadletters', 'list', '--data', data]);
  assert.is(none.exitCode, 3);
  assert.match(none.stderr, /No app runs from the folder .*npm start/);

  await mkdir(join(data, 'host'));
  await writeFile(
    join(data, 'host', 'keys.json'),
    JSON.stringify({ functionKeys: { default: 'local-key' } }),
  );
  const forget = await noteRunningApp(data, { url: context.url, pid: process.pid });
  const found = await agents(['deadletters', 'list', '--data', data], { AGENTS_KEY });
  assert.is(found.exitCode, 0, found.stderr);
  assert.is(context.calls[0]?.key, 'local-key');
  await forget();
  assert.is(await findRunningApp(data), undefined);

  await noteRunningApp(data, { url: context.url, pid: 2 ** 30 });
  assert.is((await agents(['deadletters', 'list', '--data', data])).exitCode, 3);
  await writeFile(join(data, 'app.json'), '{"url":');
  assert.is(await findRunningApp(data), undefined);
  await writeFile(join(data, 'host', 'keys.json'), '{}');
  assert.is(await readFunctionKey(data), undefined);
});

/** Answers redrive and purge; ids that begin with x are refused. */
function settling(context: Context, listed: readonly string[]): void {
  context.answer = ({ method, body }) => {
    if (method === 'GET') return [200, { deadLetters: listed.map(shown), continuation: null }];
    const asked: unknown = JSON.parse(body);
    const { requestIds } = Object.fromEntries(Object.entries(asked ?? {}));
    const ids: readonly unknown[] = Array.isArray(requestIds) ? requestIds : [];
    const outcomeOf = (id: string): string =>
      id.startsWith('x') ? 'refused' : body.includes('"dryRun":false') ? 'redriven' : 'redrivable';
    const results = ids
      .map(String)
      .map(id => ({ requestId: id, outcome: outcomeOf(id), detail: 'So it is.' }));
    return [200, { results }];
  };
}

const posted = ({ calls }: Context): readonly Call[] => calls.filter(({ method }) => method === 'POST');

cli('redrives batch by batch what was there when it began, and tells each', async context => {
  settling(
    context,
    Array.from({ length: 120 }, (_, index) => `r-${index}`),
  );
  const ran = await run(context, 'deadletters', 'redrive', '--all', '--code', 'PoolMissing');
  assert.is(ran.exitCode, 0, ran.stderr);
  assert.is(posted(context).length, 3);
  assert.match(ran.stdout, /^r-0 {2}redriven: So it is\.$/m);
  assert.match(ran.stdout, /^120 requests: 120 redriven\.$/m);
  assert.match(context.calls[0]?.url ?? '', /code=PoolMissing/);

  const some = await run(context, 'deadletters', 'redrive', 'r-1', 'x-1', '--json');
  assert.is(some.exitCode, 1);
  assert.match(some.stdout, /"outcome": "refused"/);
});

cli('stopped by Ctrl-C between batches has told what is done, and ends without a stack', async context => {
  settling(
    context,
    Array.from({ length: 120 }, (_, index) => `r-${index}`),
  );
  const { answer } = context;
  const stop = new AbortController();
  context.answer = call => {
    // The second batch arrives, and its answer never leaves: the app carries out what it has begun.
    if (posted(context).length === 2) stop.abort();
    return answer(call);
  };
  const ran = await agents(
    ['deadletters', 'redrive', '--all'],
    { AGENTS_URL: context.url, AGENTS_KEY },
    { interrupt: stop.signal },
  );
  assert.is(ran.signal, 'SIGINT');
  assert.match(ran.stdout, /^r-49 {2}redriven: So it is\.$/m);
  assert.not.match(ran.stdout, /^r-100/m);
  assert.is(ran.stderr, '');
});

cli('asks the app for a dry run, and for nothing else', async context => {
  settling(context, ['r-1']);
  const ran = await run(context, 'deadletters', 'redrive', '--all', '--code', 'X', '--dry-run');
  assert.is(ran.exitCode, 0);
  assert.match(ran.stdout, /r-1 {2}redrivable/);
  assert.equal(
    posted(context).map(({ body }) => body),
    ['{"requestIds":["r-1"],"dryRun":true}'],
  );
});

cli('purges only what was confirmed', async context => {
  settling(context, ['r-1', 'r-2']);
  const dry = await run(context, 'deadletters', 'purge', '--all', '--dry-run');
  assert.match(dry.stdout, /r-2 {2}would be purged/);
  const unasked = await run(context, 'deadletters', 'purge', '--all');
  assert.is(unasked.exitCode, 2);
  assert.match(unasked.stderr, /would purge 2 dead letters.*say --yes/);
  assert.equal(posted(context), []);
  await run(context, 'deadletters', 'purge', '--all', '--yes');
  assert.equal(
    posted(context).map(({ url, body }) => `${url} ${body}`),
    ['/api/deadletters/purge {"requestIds":["r-1","r-2"]}'],
  );
});

cli('refuses what it does not understand before it calls anybody', async context => {
  for (const args of [
    ['redrive'],
    ['redrive', '--code', 'X'],
    ['redrive', 'r-1', '--all'],
    ['redrive', 'r-1', '--code', 'X'],
    ['purge', '--yes'],
    ['list', '--limit', '0'],
    ['list', '--nonsense'],
    ['show'],
    ['burn'],
  ]) {
    const ran = await run(context, 'deadletters', ...args);
    assert.is(ran.exitCode, 2, `${args.join(' ')}: ${ran.stderr}`);
    assert.is.not(ran.stderr, '');
  }
  assert.equal(context.calls, []);
  const help = await agents(['--help']);
  assert.is(help.exitCode, 0);
  assert.match(help.stdout, /Exit codes:[^]*deadletters redrive --all --code PoolMissing --dry-run/);
});

cli.run();
