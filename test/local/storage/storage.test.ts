import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { TableClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { programs } from '../../../scripts/local/stack/programs.js';
import { makeTempFolder, type TempFolder } from '../../support/temp-folder.js';

const Ready = z.object({
  type: z.literal('ready'),
  url: z.string(),
  details: z.object({ connectionString: z.string() }),
});
const Counts = z.record(z.string(), z.number());

interface Context {
  folder: TempFolder;
  running: Set<ChildProcess>;
}

interface Started {
  readonly child: ChildProcess;
  readonly connectionString: string;
}

const storage = suite<Context>('local storage');

storage.before.each(async context => {
  context.folder = await makeTempFolder();
  context.running = new Set();
});
storage.after.each(async ({ folder, running }) => {
  await Promise.all([...running].map(child => end(child, 'SIGKILL')));
  await folder.remove();
});

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill(signal);
  await once(child, 'exit');
  return child.exitCode;
}

async function start({ folder, running }: Context, args: string[] = []): Promise<Started> {
  const child = fork(programs.storage, ['--data', folder.path, ...args], { silent: true, execArgv: [] });
  running.add(child);
  const message = await new Promise<unknown>(resolve => child.once('message', resolve));
  return { child, connectionString: Ready.parse(message).details.connectionString };
}

const queueOf = (connectionString: string): QueueClient => new QueueClient(connectionString, 'requests');
const tableOf = (connectionString: string, userAgentPrefix = 'test'): TableClient =>
  TableClient.fromConnectionString(connectionString, 'Requests', {
    allowInsecureConnection: true,
    userAgentOptions: { userAgentPrefix },
  });

const portsOf = (connectionString: string): string[] =>
  ['blob', 'queue', 'table'].flatMap(kind => {
    const [, port = ''] =
      new RegExp(`${kind}Endpoint=http://127\\.0\\.0\\.1:(\\d+)/`, 'i').exec(connectionString) ?? [];
    return [`--${kind}-port`, port];
  });

storage('what was acknowledged is there after kill -9 and a start on the same ports', async context => {
  const first = await start(context);
  await queueOf(first.connectionString).create();
  await tableOf(first.connectionString).createTable();
  for (let number = 0; number < 20; number += 1) {
    await queueOf(first.connectionString).sendMessage(`message ${number}`);
    await tableOf(first.connectionString).createEntity({ partitionKey: 'p', rowKey: `r${number}`, number });
  }
  await end(first.child, 'SIGKILL');

  const second = await start(context, portsOf(first.connectionString));
  assert.is(second.connectionString, first.connectionString);
  const { receivedMessageItems } = await queueOf(second.connectionString).receiveMessages({
    numberOfMessages: 32,
  });
  assert.is(receivedMessageItems.length, 20);
  assert.is(receivedMessageItems.at(-1)?.messageText, 'message 19');
  const last = await tableOf(second.connectionString).getEntity<{ number: number }>('p', 'r19');
  assert.is(last.number, 19);
});

storage('keeps what was acknowledged when much is stored already, if it is told to', async context => {
  const saving = ['--save-every-write'];
  const first = await start(context, saving);
  const table = tableOf(first.connectionString);
  await table.createTable();
  // More than what is saved with every write without being asked.
  for (let number = 0; number < 40; number += 1) {
    await table.createEntity({ partitionKey: 'p', rowKey: `r${number}`, text: 'x'.repeat(30_000) });
  }
  await end(first.child, 'SIGKILL');
  const second = await start(context, [...saving, ...portsOf(first.connectionString)]);
  const last = await tableOf(second.connectionString).getEntity<{ text: string }>('p', 'r39');
  assert.is(last.text.length, 30_000);
});

storage('counts its calls on each port, and what is done inside of transactions', async context => {
  const { connectionString } = await start(context);
  const [, blobPort = '', , queuePort = ''] = portsOf(connectionString);
  const ask = async (path: string, port = blobPort): Promise<Record<string, number>> =>
    Counts.parse(await (await fetch(`http://127.0.0.1:${port}/_local/${path}`)).json());
  const table = tableOf(connectionString, 'ours');
  await table.createTable();
  await fetch(`http://127.0.0.1:${blobPort}/_local/calls`, { method: 'DELETE' });
  const entity = (rowKey: string) => ({ partitionKey: 'p', rowKey, text: 'POST http://x/y/Other HTTP/1.1' });
  await table.submitTransaction([
    ['create', entity('1')],
    ['upsert', { ...entity('2'), text: 'x'.repeat(30_000) }, 'Replace'],
    ['create', entity('3')],
  ]);
  await table.submitTransaction([['update', entity('1'), 'Merge']]);
  await tableOf(connectionString, 'theirs').getEntity('p', '2');
  const transactions = { 'POST table/$batch(Requests)': 2 };
  assert.equal(await ask('calls'), { 'GET table/Requests(:key)': 1, ...transactions });
  assert.equal(await ask('calls?client=ours', queuePort), transactions);
  assert.equal(await ask('operations'), {
    'PATCH table/Requests(:key)': 1,
    'POST table/Requests': 2,
    'PUT table/Requests(:key)': 1,
  });
  await fetch(`http://127.0.0.1:${queuePort}/_local/calls`, { method: 'DELETE' });
  assert.equal([await ask('calls'), await ask('operations')], [{}, {}]);
});

storage('ends with 0 within moments of SIGTERM, and keeps its data', async context => {
  const first = await start(context);
  await tableOf(first.connectionString).createTable();
  assert.is(await end(first.child, 'SIGTERM'), 0);
  const second = await start(context);
  await tableOf(second.connectionString).createEntity({ partitionKey: 'p', rowKey: 'r' });
});

storage('ends when its supervisor is gone', async context => {
  const { child } = await start(context);
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
  assert.is(child.exitCode, 0);
});

storage('says in a sentence that a port is taken', async context => {
  const first = await start(context);
  const other = await makeTempFolder();
  try {
    const child = fork(programs.storage, ['--data', other.path, ...portsOf(first.connectionString)], {
      silent: true,
      execArgv: [],
    });
    context.running.add(child);
    let said = '';
    child.stderr?.on('data', data => (said += String(data)));
    await once(child, 'close');
    assert.is(child.exitCode, 1);
    assert.match(said, /Storage could not start: .*in use/);
  } finally {
    await other.remove();
  }
});

storage.run();
