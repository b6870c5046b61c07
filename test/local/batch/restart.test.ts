import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { BatchServiceClient } from '@azure/batch';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { programs } from '../../../scripts/local/stack/programs.js';
import {
  clientOf,
  images,
  pool,
  processLives,
  Scratch,
  scriptTask,
  startBatch,
  taskIn,
  textOf,
  until,
} from './support.js';

/** The server as a process of its own: killed, ended and started again on the same folder. */

const scratch = new Scratch();
const key = Buffer.from('the same key for each start').toString('base64');
const children = new Set<ChildProcess>();

writeFileSync(scratch.file('images.json'), JSON.stringify(images));
writeFileSync(scratch.file('pools.json'), JSON.stringify([pool({ id: 'batchLinux' })]));

const restart = suite('a restarted server');
restart.after.each(async () => {
  for (const child of children) {
    child.kill('SIGTERM');
    await ended(child);
  }
  children.clear();
});
restart.after(() => scratch.remove());

interface Started {
  readonly child: ChildProcess;
  readonly client: BatchServiceClient;
  readonly url: string;
}

const Ready = z.object({ type: z.literal('ready'), url: z.string() });

function start(data: string, port = 0): Promise<Started> {
  const child = fork(
    programs.batch,
    [
      ['--port', String(port)],
      ['--data', scratch.file(data)],
      ['--pools', scratch.file('pools.json')],
      ['--images', scratch.file('images.json')],
      ['--runner', 'process'],
    ].flat(),
    { env: { ...process.env, LOCAL_BATCH_KEY: key }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  children.add(child);
  return new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the server ended with ${code}`)));
    child.once('message', message => {
      const { url } = Ready.parse(message);
      resolve({ child, url, client: clientOf({ account: 'localbatch', key, url }) });
    });
  });
}

const ended = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise(resolve => child.once('exit', () => resolve()));

async function kill({ child }: Started): Promise<void> {
  child.kill('SIGKILL');
  await ended(child);
  children.delete(child);
}

/** Runs until a file appears, then ends with a code. */
const waiting = (name: string, code: number): string =>
  scratch.script(
    name,
    `import { existsSync } from 'node:fs';
     console.log(process.pid);
     setInterval(() => existsSync(${JSON.stringify(scratch.file(`${name}.go`))}) && process.exit(${code}), 10);`,
  );
const letGo = (name: string): void => writeFileSync(scratch.file(`${name}.go`), '');

const pidOf = async (client: BatchServiceClient, task: string): Promise<number> =>
  Number(
    await until(
      () => client.file.getFromTask('job', task, 'stdout.txt').then(textOf, () => ''),
      text => text.endsWith('\n'),
    ),
  );

restart(
  'after a kill -9, tells the true exit code of a task that ended meanwhile and of one that goes on',
  async () => {
    const first = await start('kill');
    await first.client.job.add({ id: 'job', poolInfo: { poolId: 'batchLinux' } });
    await first.client.task.add('job', scriptTask('ends', waiting('ends', 5)));
    await first.client.task.add('job', scriptTask('goes-on', waiting('goes-on', 6)));
    await first.client.task.add('job', scriptTask('over', scratch.script('over', 'process.exit(7)')));
    await taskIn(first.client, 'job', 'ends', 'running');
    const before = await taskIn(first.client, 'job', 'goes-on', 'running');
    await taskIn(first.client, 'job', 'over', 'completed');
    const endsPid = await pidOf(first.client, 'ends');
    const pid = await pidOf(first.client, 'goes-on');

    await kill(first);
    assert.ok(processLives(pid), 'the task must outlive the server');
    letGo('ends');
    await until(
      () => processLives(endsPid),
      lives => !lives,
    );

    const second = await start('kill', Number(new URL(first.url).port));
    assert.is(second.url, first.url);
    const after = await second.client.task.get('job', 'goes-on');
    assert.is(after.state, 'running');
    assert.is(after.nodeInfo?.nodeId, before.nodeInfo?.nodeId);
    assert.equal(after.executionInfo?.startTime, before.executionInfo?.startTime);
    const ends = await taskIn(second.client, 'job', 'ends', 'completed');
    assert.is(ends.executionInfo?.exitCode, 5);
    letGo('goes-on');
    const gone = await taskIn(second.client, 'job', 'goes-on', 'completed');
    assert.is(gone.executionInfo?.exitCode, 6);
    assert.is((await second.client.task.get('job', 'over')).executionInfo?.exitCode, 7);
  },
);

restart('after a kill -9, ends a task that it adopted, and keeps its wall clock', async () => {
  const first = await start('adopt');
  await first.client.job.add({ id: 'job', poolInfo: { poolId: 'batchLinux' } });
  await first.client.task.add('job', scriptTask('deleted', waiting('deleted', 0)));
  await first.client.task.add(
    'job',
    scriptTask('clock', waiting('clock', 0), { constraints: { maxWallClockTime: 'PT1S' } }),
  );
  const pid = await pidOf(first.client, 'deleted');
  await taskIn(first.client, 'job', 'clock', 'running');
  await kill(first);
  const second = await start('adopt');
  await second.client.task.deleteMethod('job', 'deleted');
  await until(
    () => processLives(pid),
    lives => !lives,
  );
  const clock = await taskIn(second.client, 'job', 'clock', 'completed');
  assert.is(clock.executionInfo?.failureInfo?.code, 'TaskEnded');
});

restart('ended gracefully, leaves no process; its tasks run again at the next start, uncounted', async () => {
  const first = await start('end');
  await first.client.job.add({ id: 'job', poolInfo: { poolId: 'batchLinux' } });
  await first.client.task.add('job', scriptTask('t', waiting('never', 0)));
  const pid = await pidOf(first.client, 't');
  first.child.kill('SIGTERM');
  await ended(first.child);
  assert.not(processLives(pid));
  const second = await start('end');
  const again = await taskIn(second.client, 'job', 't', 'running');
  assert.is(again.executionInfo?.retryCount, 0);
  assert.is(again.executionInfo?.requeueCount, 0);
  assert.is.not(await pidOf(second.client, 't'), pid);
});

restart('whose supervisor is gone ends itself and its tasks', async () => {
  const first = await start('orphan');
  await first.client.job.add({ id: 'job', poolInfo: { poolId: 'batchLinux' } });
  await first.client.task.add('job', scriptTask('t', waiting('orphan', 0)));
  const pid = await pidOf(first.client, 't');
  first.child.disconnect();
  await ended(first.child);
  assert.not(processLives(pid));
});

restart('does not share its folder with a second one', async () => {
  const first = await startBatch(scratch.file('shared'));
  try {
    await startBatch(scratch.file('shared'));
    assert.unreachable('two servers on one folder');
  } catch (error) {
    assert.match(String(error), /in use by process/);
  } finally {
    await first.close();
  }
  // Given back, it can be used again.
  await (await startBatch(scratch.file('shared'))).close();
});

restart.run();
