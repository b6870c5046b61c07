import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import getPort from 'get-port';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findSurvivors } from '../../scripts/processes.js';
import { root } from '../../scripts/root.js';
import { agents } from '../support/agents-command.js';
import { makeTempFolder, type TempFolder } from '../support/temp-folder.js';
import { waitFor } from '../support/wait-for.js';

interface Context {
  folder: TempFolder;
}

const start = suite<Context>('npm start');

start.before.each(async context => {
  context.folder = await makeTempFolder();
});
start.after.each(({ folder }) => folder.remove());

/** The command as a process, and what it has said so far. */
function run(
  { folder }: Context,
  port: number,
  command: readonly [string, ...string[]] = ['node', join(root, 'dist', 'scripts', 'start.js')],
  env: Readonly<Record<string, string>> = {},
) {
  const [file, ...args] = command;
  const child = execa(file, [...args, '--port', String(port), '--data', folder.path], {
    cwd: root,
    // In CI colours are on without a terminal.
    env: { NO_COLOR: '1', ...env },
    reject: false,
    all: true,
    forceKillAfterDelay: false,
  });
  let said = '';
  child.all.on('data', data => (said += String(data)));
  return { child, said: () => said };
}

const ready = ({ said }: ReturnType<typeof run>): Promise<string> =>
  waitFor('npm start to be ready', () => (said().includes('Ctrl-C ends everything') ? said() : undefined), {
    timeoutMs: 30_000,
  });

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

const urlsIn = (text: string): string[] =>
  [...text.matchAll(/ (http:\/\/127\.0\.0\.1:\d+)/g)].map(match => match[1] ?? '');

start(
  'says where all is and how to ask; Ctrl-C, or a signal to npm alone, ends it all; the next start has the same key',
  async context => {
    const port = await getPort();
    const first = run(context, port, ['node', join(root, 'dist', 'scripts', 'start.js'), '--traces']);
    const said = await ready(first);
    assert.match(said, `Functions app  http://127.0.0.1:${port}/api`);
    const [, traces = ''] = /Traces +(http:\S+)/.exec(said) ?? [];
    assert.match(await (await fetch(traces)).text(), 'No trace');
    const [, key = ''] = /Function key\s+(\S+)/.exec(said) ?? [];
    const [, list = ''] = /curl -H 'x-functions-key: .*' (\S+)/.exec(said) ?? [];
    const status = (headers: Record<string, string>): Promise<number> =>
      fetch(list, { headers }).then(
        answer => answer.status,
        (error: Error) => {
          throw new Error(`${String(error.cause)}, after:\n${first.said()}`);
        },
      );
    assert.is(await status({ 'x-functions-key': key }), 200);
    assert.is(await status({}), 401);
    const [, page = ''] = /(http:\S+\/api\/dashboard\?code=\S+)/.exec(said) ?? [];
    assert.match(await (await fetch(page)).text(), /<title>/);
    assert.not.match(
      first.said(),
      'agentLifecycle: orchestrationTrigger',
      'nor buries it under names of functions',
    );

    const listDeadLetters = ['deadletters', 'list', '--data', context.folder.path];
    assert.is((await agents(listDeadLetters)).exitCode, 0, 'the command line finds it');

    first.child.kill('SIGINT');
    const { exitCode, durationMs } = await first.child;
    assert.is(exitCode, 0, first.said());
    assert.ok(durationMs < 40_000);
    const urls = urlsIn(said);
    assert.ok(urls.length >= 4);
    for (const url of urls) assert.not.ok(await answers(url), `${url} still answers`);
    assert.is((await agents(listDeadLetters)).exitCode, 3, 'and knows that it is gone');

    const second = run(context, port, ['npm', 'start', '--']);
    const saidAgain = await ready(second);
    assert.match(saidAgain, key);
    second.child.kill('SIGTERM');
    assert.is((await second.child).exitCode, 0, second.said());
    for (const url of urlsIn(saidAgain)) assert.not.ok(await answers(url), `${url} still answers`);
  },
);

start('says in one sentence that a port is taken', async context => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  try {
    const { child } = run(context, port);
    const { exitCode, stderr } = await child;
    assert.is(exitCode, 1);
    assert.is(stderr, `Port ${port} is taken: choose another with --port, or leave it out for a free one.`);
  } finally {
    server.close();
  }
});

start('tells a wrong setting once, a line each, and no stack', async context => {
  const { child, said } = run(context, await getPort(), undefined, {
    WatchSeconds: 'often',
    KeepPlaceholders: 'x',
  });
  assert.is((await child).exitCode, 1);
  for (const name of ['2 settings need attention', 'WatchSeconds: ', 'KeepPlaceholders: ']) {
    assert.is(said().split(name).length, 2, said());
  }
  assert.match(said(), /\nhost ended with exit code 1 before it was ready\.\s*$/);
  assert.not.match(said(), /^(host +│)? +at /m, said());
});

start('its parts end when it is killed', async context => {
  const running = run(context, await getPort());
  const urls = urlsIn(await ready(running));
  running.child.kill('SIGKILL');
  await running.child;
  for (const url of urls) await waitFor(`${url} to be gone`, async () => !(await answers(url)));
  // A part that no longer answers may still be settling what it had begun.
  const { path: folder } = context.folder;
  await waitFor(
    'the parts to be gone',
    async () => (await findSurvivors({ group: -1, folder })).length === 0,
    {
      timeoutMs: 20_000,
    },
  );
});

start.run();
