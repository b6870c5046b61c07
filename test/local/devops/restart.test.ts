import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TaskAgentStatus } from 'azure-devops-node-api/interfaces/TaskAgentInterfaces.js';
import getPort from 'get-port';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { Journal } from '../../../scripts/local/devops/journal.js';
import {
  agent,
  closeAll,
  completeTask,
  control,
  filesWith,
  folder,
  logText,
  type Process,
  pipelineOf,
  play,
  run,
  show,
  testFunction,
  until,
  webApi,
} from './stack.js';

const restart = suite('killed with kill -9 and started again');
const journal = suite('the journal');
for (const each of [restart, journal]) each.after.each(closeAll);

const pat = 'restart-test-pat';
const AgentRecords = z.array(
  z.object({
    name: z.string(),
    removedAt: z.string(),
    sessions: z.array(z.object({ openedAt: z.string(), endedAt: z.string() })),
  }),
);

interface Spawned {
  readonly url: string;
  readonly collectionUrl: string;
  readonly pat: string;
  readonly dataDir: string;
  kill(): Promise<void>;
  startAgain(): Promise<void>;
}

async function spawnDevOps(): Promise<Spawned> {
  const port = await getPort();
  const dataDir = await folder();
  const launch = async (): Promise<Process> => {
    const args = ['--port', String(port), '--data', dataDir, '--pools', 'linux', '--offline-after', '1'];
    const started = run('devops', args, { AZDO_LOCAL_PAT: pat });
    await started.printed('is ready at');
    return started;
  };
  let current = await launch();
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    collectionUrl: `${url}/local`,
    pat,
    dataDir,
    kill: async () => {
      current.child.kill('SIGKILL');
      await current.exit;
    },
    startAgain: async () => {
      current = await launch();
    },
  };
}

restart('a run that waits goes on: its callback counts, its job runs', async () => {
  const devops = await spawnDevOps();
  const call = await testFunction();
  const started = await play(devops, {
    request: { function: call.url, key: 'k' },
    job: { pool: 'linux', steps: [{ script: 'echo it-ran' }] },
    authToken: 'canary-2c9d',
  });
  const pipeline = pipelineOf(await call.first());
  await until('it waits', async () =>
    (await show(devops, started.runId)).state === 'waiting' ? true : undefined,
  );
  await devops.kill();
  await devops.startAgain();

  const { status, body } = await control(devops, 'POST', `/runs/${started.runId}/redeliver`);
  assert.is(status, 409);
  assert.match(JSON.stringify(body), 'token is kept in memory only');

  await agent(devops);
  await until('the agent is online', async () => {
    const [found] = await (await webApi(devops).getTaskAgentApi()).getAgents(1, 'eph-1');
    return found?.status === TaskAgentStatus.Online ? true : undefined;
  });
  assert.is(await completeTask(pipeline), 204);
  const view = await show(devops, started.runId, 10);
  assert.is(view.result, 'succeeded');
  assert.match(logText(view), 'it-ran');
  assert.equal(await filesWith(devops.dataDir, ['canary-2c9d', pat]), []);
});

restart('a job that runs meanwhile is not disturbed, and its agent never seems offline', async () => {
  const devops = await spawnDevOps();
  const call = await testFunction();
  const hold = path.join(await folder(), 'go');
  const worker = await agent(devops);
  await worker.printed('registered');
  const started = await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    job: {
      pool: 'linux',
      steps: [{ script: `echo before; while [ ! -e ${hold} ]; do sleep 0.05; done; echo after` }],
    },
  });
  await until('the step runs', async () =>
    logText(await show(devops, started.runId)).includes('Z before') ? true : undefined,
  );
  await devops.kill();
  await devops.startAgain();
  const [found] = await (await webApi(devops).getTaskAgentApi()).getAgents(1, 'eph-1');
  assert.is(found?.status, TaskAgentStatus.Online);
  // Not before: an agent whose job is over closes its session, and rightly is offline until it has unregistered.
  await writeFile(hold, '');
  const view = await show(devops, started.runId, 15);
  assert.is(view.result, 'succeeded');
  assert.is(logText(view).match(/Z before/g)?.length, 1);
  assert.is(logText(view).match(/Z after/g)?.length, 1);
  assert.is(await worker.exit, 0);
  assert.equal(await (await webApi(devops).getTaskAgentApi()).getAgents(1), []);

  // What became of it can be read although its registration is gone, and the stand-in was killed meanwhile.
  const [record, ...others] = AgentRecords.parse((await control(devops, 'GET', '/agents')).body);
  assert.is(others.length, 0);
  assert.is(record?.name, 'eph-1');
  assert.is(record?.sessions.length, 1);
  const ended = record?.sessions[0]?.endedAt ?? '';
  assert.ok(ended !== '' && ended <= (record?.removedAt ?? ''), JSON.stringify(record));
});

restart(
  'a queued job and its placeholder are still there, and an idle agent comes back by itself',
  async () => {
    const devops = await spawnDevOps();
    const call = await testFunction();
    const api = await webApi(devops).getTaskAgentApi();
    await api.addAgent(
      { name: 'placeholder', version: '99.999.9', enabled: true, systemCapabilities: { Mine: 'yes' } },
      1,
    );
    const started = await play(devops, {
      request: { function: call.url, key: 'k', waitForCompletion: false },
      job: { pool: 'linux', demands: ['Mine'], steps: [{ script: 'true' }] },
    });
    await until('it is queued', async () =>
      (await show(devops, started.runId)).job?.state === 'queued' ? true : undefined,
    );
    const idle = await agent(devops, { AZDO_AGENT: 'idle' });
    await idle.printed('registered');
    await devops.kill();
    await devops.startAgain();
    assert.is((await show(devops, started.runId)).job?.state, 'queued');
    await agent(devops, { AZDO_AGENT: 'mine', Mine: 'yes' });
    assert.is((await show(devops, started.runId, 10)).job?.agentName, 'mine');

    const second = await play(devops, {
      request: { function: call.url, key: 'k', waitForCompletion: false },
      job: { pool: 'linux', steps: [{ script: 'true' }] },
    });
    assert.is((await show(devops, second.runId, 10)).job?.agentName, 'idle');
  },
);

restart('an agent that is asked to end while the service is away does not wait for it', async () => {
  const devops = await spawnDevOps();
  const call = await testFunction();
  const worker = await agent(devops);
  await worker.printed('registered');
  await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    job: { pool: 'linux', steps: [{ script: 'sleep 60' }] },
  });
  await worker.printed('Running job');
  await devops.kill();
  const asked = Date.now();
  worker.child.kill('SIGTERM');
  assert.is(await worker.exit, 2);
  assert.ok(Date.now() - asked < 8_000);
});

const Row = z.object({ n: z.int() });

journal('a write that a kill cut short is forgotten; what came before is not', async () => {
  const dir = await folder();
  const first = Journal.open(dir);
  const table = first.table('rows', Row);
  table.put('a', { n: 1 });
  table.put('b', { n: 2 });
  table.put('a', { n: 3 });
  table.remove('b');
  first.close();
  await appendFile(path.join(dir, 'journal.jsonl'), '{"table":"rows","key":"c","val');
  const second = Journal.open(dir);
  assert.equal(second.table('rows', Row).all(), [{ n: 3 }]);
  second.close();
});

journal('a damaged line, or rows of another version, are told by file and place', async () => {
  const dir = await folder();
  await writeFile(path.join(dir, 'journal.jsonl'), 'x\n{"table":"rows","key":"a","value":{"n":"one"}}\n');
  assert.throws(() => Journal.open(dir), /journal\.jsonl: line 1 is damaged/);
  await writeFile(path.join(dir, 'journal.jsonl'), '{"table":"rows","key":"a","value":{"n":"one"}}\n');
  const opened = Journal.open(dir);
  assert.throws(() => opened.table('rows', Row), /row a of rows can't be understood/);
  opened.close();
});

restart.run();
journal.run();
