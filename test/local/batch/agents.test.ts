import { existsSync, statSync } from 'node:fs';
import type { BatchServiceClient, BatchServiceModels } from '@azure/batch';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { whyNoStartScript } from '../../../scripts/local/batch/agent-image.js';
import { defaultImages } from '../../../scripts/local/batch/images.js';
import type { LocalBatch } from '../../../scripts/local/batch/server.js';
import type { RunningDevOps } from '../../../scripts/local/devops/server.js';
import { findSurvivors } from '../../../scripts/processes.js';
import { waitFor } from '../../support/wait-for.js';
import { closeAll, play, type RunView, show, start, testFunction, webApi } from '../devops/stack.js';
import { clientOf, images, pool, Scratch, startBatch, taskIn, textOf, until } from './support.js';

const LoggedTasks = z.array(
  z.object({
    task: z.string(),
    starts: z.number(),
    addedAt: z.string(),
    startedAt: z.string().optional(),
    endedAt: z.string().optional(),
    removedAt: z.string().optional(),
  }),
);

/** The product must not be able to tell an agent that is a process from one that shares the server's. */
for (const runner of ['process', 'inline'] as const) {
  const agents = suite(`agents, ${runner}`);
  const scratch = new Scratch();
  let devops: RunningDevOps;
  let batch: LocalBatch;
  let client: BatchServiceClient;
  let made = 0;

  agents.before(async () => {
    devops = await start({ lockMs: 600 });
    batch = await startBatch(scratch.file('data'), {
      runner,
      // To take its leave, a loaded machine may need longer than a second.
      killGraceMs: 10_000,
      pools: [pool({ id: 'linux', taskSlotsPerNode: 20 })],
      images: [...defaultImages, ...images],
    });
    client = clientOf(batch);
    await client.job.add({ id: 'agents', poolInfo: { poolId: 'linux' } });
  });
  agents.after(async () => {
    await batch.close();
    await closeAll();
    scratch.remove();
  });

  /** Adds the task of an agent; @returns its name. */
  const add = async (env: Readonly<Record<string, string>> = {}): Promise<string> => {
    made += 1;
    const name = `${runner}-${made}-1`;
    const environment = {
      AZDO_URL: devops.collectionUrl,
      AZDO_POOL: 'linux',
      AZDO_AGENT: name,
      AZDO_AGENT_DISPOSE: 'true',
      AZDO_TOKEN: devops.pat,
      MINE: name,
      ...env,
    };
    await client.task.add('agents', {
      id: name,
      commandLine: '',
      containerSettings: { imageName: 'registry.test/azdo-agent:1' },
      environmentSettings: Object.entries(environment).map(([key, value]) => ({ name: key, value })),
    });
    return name;
  };
  const registered = async (name: string): Promise<boolean> =>
    (await (await webApi(devops).getTaskAgentApi()).getAgents(1, name)).length > 0;
  const listening = async (name: string): Promise<void> => {
    // There is no file before it runs.
    const stdout = (): Promise<string> =>
      client.file
        .getFromTask('agents', name, 'stdout.txt')
        .then(textOf)
        .catch(() => '');
    await until(stdout, text => text.includes('Listening for Jobs'));
  };
  const gone = (name: string): Promise<boolean> =>
    until(
      () => registered(name),
      there => !there,
    );
  const job = async (name: string, script: string): Promise<RunView> => {
    const call = await testFunction();
    return play(devops, {
      request: { function: call.url, key: 'k', waitForCompletion: false },
      job: { pool: 'linux', demands: [`MINE -equals ${name}`], steps: [{ script }] },
    });
  };
  const tasks = async (): Promise<string[]> =>
    (await client.task.list('agents')).map(({ id }: BatchServiceModels.CloudTask) => id ?? '');

  agents('run their one job and end', async () => {
    const name = await add();
    await listening(name);
    const live = await taskIn(client, 'agents', name, 'running');
    assert.ok(live.executionInfo?.startTime);
    const { runId } = await job(name, 'echo "$MINE in $(basename "$PWD")"');
    const run = await show(devops, runId, 10);
    assert.is(run.result, 'succeeded', run.log?.join('\n'));
    assert.is(run.job?.agentName, name);
    assert.match(run.log?.join('\n') ?? '', `${name} in s`);
    const { executionInfo } = await taskIn(client, 'agents', name, 'completed');
    assert.is(executionInfo?.exitCode, 0);
    assert.is(executionInfo?.result, 'success');
    assert.ok((executionInfo?.endTime ?? 0) >= (executionInfo?.startTime ?? 1));
    assert.is(await registered(name), false);

    await client.task.deleteMethod('agents', name);
    const logged = LoggedTasks.parse(await (await fetch(`${batch.url}/_local/tasks`)).json());
    const [mine, ...more] = logged.filter(({ task }) => task === name);
    assert.is(mine?.starts, 1);
    assert.is(more.length, 0);
    const { addedAt = '', startedAt = '', endedAt = '', removedAt = '' } = mine ?? {};
    const times = [addedAt, startedAt, endedAt, removedAt];
    assert.equal(times, times.filter(Boolean).toSorted(), 'what became of it is told after it is gone');
  });

  agents('deleted while they wait for a job take their leave', async () => {
    const name = await add();
    await listening(name);
    await client.task.deleteMethod('agents', name);
    assert.not.ok((await tasks()).includes(name));
    await gone(name);
  });

  agents(
    'terminated while they wait for a job take their leave, and their task says why it ended',
    async () => {
      const name = await add();
      await listening(name);
      await client.task.terminate('agents', name);
      const { executionInfo } = await taskIn(client, 'agents', name, 'completed');
      assert.is(executionInfo?.failureInfo?.code, 'TaskEnded');
      assert.is(executionInfo?.exitCode, 0);
      assert.is(await registered(name), false);
    },
  );

  agents('deleted in the middle of a job stop it', async () => {
    const name = await add();
    await listening(name);
    const mark = scratch.file(`${name}.mark`);
    const { runId } = await job(name, `touch "${mark}"; sleep 60`);
    await until(() => existsSync(mark), Boolean);
    await client.task.deleteMethod('agents', name);
    const run = await show(devops, runId, 10);
    assert.is(run.result, 'failed');
    assert.match(run.log?.join('\n') ?? '', 'shutdown signal');
    await gone(name);
  });

  agents('killed in the middle of a job are not heard of any more, and no other dies with them', async () => {
    const other = await add();
    const name = await add({ AZDO_LOCAL_FAULT: JSON.stringify({ does: 'dieInJob', afterMs: 1_500 }) });
    await Promise.all([listening(name), listening(other)]);
    const mark = scratch.file(`${name}.mark`);
    const { runId } = await job(name, `touch "${mark}"; sleep 3; touch "${mark}.after"`);
    const { executionInfo } = await taskIn(client, 'agents', name, 'completed');
    assert.is(executionInfo?.exitCode, 137);
    assert.is(executionInfo?.failureInfo?.code, 'FailureExitCode');
    assert.ok(existsSync(mark), 'the job had begun');
    const wouldEndAt = statSync(mark).mtimeMs + 3_500;
    const run = await show(devops, runId, 10);
    assert.match(run.log?.join('\n') ?? '', 'stopped hearing from agent');
    assert.is(await registered(name), true);
    assert.is((await client.task.get('agents', other)).state, 'running');
    await client.task.deleteMethod('agents', other);
    await gone(other);
    await waitFor('the time at which its step would have ended', () => Date.now() > wouldEndAt);
    assert.not.ok(existsSync(`${mark}.after`), 'its step died with it');
  });

  agents('that must not start say so on stderr, with a code of their own', async () => {
    const name = await add({ AZDO_EXPIRES_AT: '2020-01-01T00:00:00Z' });
    const { executionInfo } = await taskIn(client, 'agents', name, 'completed');
    assert.is(executionInfo?.exitCode, 13);
    const stderr = await textOf(await client.file.getFromTask('agents', name, 'stderr.txt'));
    assert.match(stderr, 'Nobody waits for it any more.');
  });

  if (runner === 'process' && whyNoStartScript() === undefined) {
    agents(
      'are started by the start script of their image; when it is killed, nothing of them lives on',
      async () => {
        const name = await add({ AZDO_AGENT_DISPOSE: 'false' });
        await listening(name);
        const mark = scratch.file(`${name}.mark`);
        // A child that no parent leads to, in a session of its own.
        await job(name, `setsid sh -c 'touch "${mark}"; sleep 61' & sleep 62`);
        await until(() => existsSync(mark), Boolean);
        const processes = await findSurvivors({ group: -1, folder: scratch.path });
        const of = (text: string) => processes.filter(({ command }) => command.includes(text));
        assert.ok(of('run.sh').length > 0 && of('sleep 61').length > 0, JSON.stringify(processes));
        for (const { pid } of of('start.sh')) process.kill(pid, 'SIGKILL');
        const { executionInfo } = await taskIn(client, 'agents', name, 'completed');
        assert.is(executionInfo?.exitCode, 137);
        await until(
          async () =>
            (await findSurvivors({ group: -1, folder: scratch.path })).map(({ command }) => command),
          left => left.length === 0,
        );
        assert.is(await registered(name), true, 'nobody was left to take its leave');
      },
    );
  }

  agents('have no part in what other images run', async () => {
    const pid = scratch.script('pid', 'console.log(process.pid)');
    await client.task.add('agents', {
      id: 'other-image',
      commandLine: pid,
      containerSettings: { imageName: 'registry.test/node:20' },
    });
    await taskIn(client, 'agents', 'other-image', 'completed');
    const printed = await textOf(await client.file.getFromTask('agents', 'other-image', 'stdout.txt'));
    assert.is.not(Number(printed), process.pid);
    assert.ok(Number(printed) > 0);
  });

  agents.run();
}
