import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { type PartName, partNames } from '../../../scripts/local/stack/plan.js';
import { defaultApp } from '../../../scripts/local/stack/programs.js';
import { type Stack, type StackOptions, startStack } from '../../../scripts/local/stack/stack.js';
import type { StackEvent } from '../../../scripts/local/stack/supervisor.js';
import { root } from '../../../scripts/root.js';
import { makeTempFolder, type TempFolder } from '../../support/temp-folder.js';
import { waitFor } from '../../support/wait-for.js';

const fake = join(root, 'dist', 'test', 'support', 'fake-part.js');
const programs = { storage: fake, devops: fake, batch: fake, host: fake };

const Answer = z.object({
  pid: z.int(),
  args: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  starts: z.int(),
});

const ask = async (stack: Stack, part: PartName): Promise<z.infer<typeof Answer>> => {
  const response = await fetch(`${stack.url(part)}/`, { headers: { connection: 'close' } });
  return Answer.parse(await response.json());
};

const isAlive = (pid: number | undefined): boolean => {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
};

interface Context {
  folder: TempFolder;
  stacks: Stack[];
  events: StackEvent[];
}

const supervision = suite<Context>('the stack');

supervision.before.each(async context => {
  context.folder = await makeTempFolder();
  context.stacks = [];
  context.events = [];
});
supervision.after.each(async ({ folder, stacks }) => {
  await Promise.allSettled(stacks.map(stack => stack.stop()));
  await folder.remove();
});

async function start(context: Context, options: Partial<StackOptions> = {}): Promise<Stack> {
  const stack = await startStack({
    dataDir: context.folder.path,
    programs,
    onEvent: event => context.events.push(event),
    ...options,
  });
  context.stacks.push(stack);
  return stack;
}

const refusal = async (starting: Promise<Stack>): Promise<string> => {
  try {
    await starting;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'it started';
};

supervision(
  'starts each part as a process of its own and gives the host the addresses of all',
  async context => {
    const stack = await start(context);
    const pids = await Promise.all(partNames.map(async part => (await ask(stack, part)).pid));
    assert.is(new Set([...pids, process.pid]).size, 5);
    const { env, args } = await ask(stack, 'host');
    assert.is(env['AzDOUrl'], `${stack.url('devops')}/local/`);
    assert.is(env['AzDOToken'], stack.pat);
    assert.is(env['BatchAccountUrl'], stack.url('batch'));
    assert.is(env['BatchAccountKey'], readFileSync(join(stack.dataDir, 'batch', 'account-key'), 'utf8'));
    assert.match(env['AzureWebJobsStorage'] ?? '', stack.url('storage'));
    assert.is(env['FUNCTIONS_WORKER_RUNTIME'], 'node');
    assert.is(Buffer.from(env['CallbackTokenKey'] ?? '', 'base64').length, 32);
    assert.is(args[args.indexOf('--app') + 1], defaultApp);
  },
);

supervision('no secret is an argument, and secrets are files that only their owner reads', async context => {
  const stack = await start(context);
  const secrets = [
    stack.pat,
    stack.functionKey,
    stack.settings['BatchAccountKey'],
    stack.settings['CallbackTokenKey'],
  ];
  for (const part of partNames) {
    const { args } = await ask(stack, part);
    for (const secret of secrets) assert.not.ok(args.some(arg => arg.includes(secret ?? '')));
  }
  for (const file of ['batch/account-key', 'devops/pat', 'host/keys.json', 'host/callback-token.key']) {
    assert.is(statSync(join(stack.dataDir, file)).mode & 0o777, 0o600, file);
  }
});

supervision('settings of a shell do not reach the parts', async context => {
  process.env['AzDOUrl'] = 'https://dev.azure.com/somebody';
  try {
    const stack = await start(context);
    assert.is((await ask(stack, 'batch')).env['AzDOUrl'], undefined);
    assert.is((await ask(stack, 'host')).env['AzDOUrl'], `${stack.url('devops')}/local/`);
  } finally {
    delete process.env['AzDOUrl'];
  }
});

supervision('a real service is used as its settings say, and has no stand-in', async context => {
  const settings = { AzDOUrl: 'https://dev.azure.com/x', AzDOToken: 'real-token', AzDOUbuntuPool: 'Real' };
  const stack = await start(context, { settings });
  assert.equal(stack.parts, ['storage', 'batch', 'host']);
  assert.throws(() => stack.url('devops'), 'no part of this stack');
  const { env } = await ask(stack, 'host');
  assert.is(env['AzDOUrl'], 'https://dev.azure.com/x');
  assert.is(env['AzDOToken'], 'real-token');
  assert.is(env['AzDOUbuntuPool'], 'Real');
});

supervision('a part that was killed can be started again, on the same port and data', async context => {
  const stack = await start(context);
  const before = { url: stack.url('batch'), pid: stack.pid('batch') };
  await stack.kill('batch');
  assert.is(stack.pid('batch'), undefined);
  assert.not.ok(isAlive(before.pid));
  assert.is((await ask(stack, 'host')).starts, 1, 'the others live on');
  await stack.start('batch');
  assert.is(stack.url('batch'), before.url);
  assert.is((await ask(stack, 'batch')).starts, 2);
  assert.not.ok(context.events.some(({ type }) => type === 'died' || type === 'lost'));
});

supervision(
  'a part that dies by itself is started again, until that has been in vain too often',
  async context => {
    const stack = await start(context, { restarts: 2 });
    const die = (): Promise<unknown> => fetch(`${stack.url('devops')}/die`).catch(() => undefined);
    for (const starts of [2, 3]) {
      await die();
      await waitFor('the part to be back', async () => (await ask(stack, 'devops')).starts === starts);
    }
    await die();
    const lost = await waitFor('the part to be given up', () =>
      context.events.find(({ type }) => type === 'lost'),
    );
    assert.match(JSON.stringify(lost), /devops ended with exit code 7.*last words.*ready at/);
    assert.is(context.events.filter(({ type }) => type === 'died').length, 2);
  },
);

supervision('a start that fails says which part and why, and leaves nothing behind', async context => {
  await mkdir(join(context.folder.path, 'batch'), { recursive: true });
  await writeFile(join(context.folder.path, 'batch', 'fail'), '');
  const message = await refusal(start(context));
  assert.match(message, /^batch ended with exit code 1 before it was ready\. Its last words:/);
  assert.match(message, 'The fake part was told to fail.');
  const urls = context.events.flatMap(event => (event.type === 'ready' ? [event.url] : []));
  assert.is(urls.length, 2);
  for (const url of urls)
    assert.is(
      await fetch(url).then(
        () => 'answers',
        () => 'gone',
      ),
      'gone',
    );
  assert.not.ok(existsSync(join(context.folder.path, 'stack.pid')));
});

supervision('a start can be called off', async context => {
  const controller = new AbortController();
  const message = await refusal(
    start(context, {
      signal: controller.signal,
      onEvent: event => event.type === 'ready' && controller.abort(),
    }),
  );
  assert.match(message, /abort|called off/);
});

supervision('stop ends all parts, keeps the data and can be called twice', async context => {
  const stack = await start(context);
  const pids = partNames.map(part => stack.pid(part));
  await Promise.all([stack.stop(), stack.stop()]);
  assert.equal(pids.map(isAlive), [false, false, false, false]);
  assert.equal((await readdir(stack.dataDir)).toSorted(), ['batch', 'devops', 'host', 'storage']);
  const again = await start(context);
  assert.is((await ask(again, 'host')).starts, 2);
  assert.is(again.functionKey, stack.functionKey);
  assert.is(again.settings['CallbackTokenKey'], stack.settings['CallbackTokenKey']);
});

supervision('two stacks never share a data folder', async context => {
  const stack = await start(context);
  assert.match(await refusal(start(context)), `${context.folder.path} is in use by process ${process.pid}`);
  assert.is((await ask(stack, 'host')).starts, 1);
});

supervision('the lock of a stack that was killed is taken over', async context => {
  const deadPid = 2 ** 22 + 1;
  await writeFile(join(context.folder.path, 'stack.pid'), String(deadPid));
  await start(context);
  assert.is(await readFile(join(context.folder.path, 'stack.pid'), 'utf8'), String(process.pid));
});

supervision.run();
