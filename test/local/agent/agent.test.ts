import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TaskAgentStatus } from 'azure-devops-node-api/interfaces/TaskAgentInterfaces.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemCapabilities } from '../../../scripts/local/agent/capabilities.js';
import { readSettings } from '../../../scripts/local/agent/settings.js';
import {
  agent,
  closeAll,
  filesWith,
  folder,
  logText,
  play,
  run,
  show,
  start,
  testFunction,
  until,
  webApi,
} from '../devops/stack.js';

const settings = suite('settings of the agent');
const capabilities = suite('capabilities of the agent');
const ends = suite('how the agent ends');
const life = suite('the agent process');
for (const each of [ends, life]) each.after.each(closeAll);

settings('every problem has a line of its own', () => {
  const { problems } = readSettings(
    {
      AZDO_URL: 'ftp://x',
      AZDO_EXPIRES_AT: 'soon',
      AZDO_TOKEN_FILE: '/nowhere/t',
    },
    '.',
  );
  assert.is(problems?.length, 5);
  for (const name of ['AZDO_URL', 'AZDO_POOL', 'AZDO_AGENT', 'AZDO_TOKEN_FILE', 'AZDO_EXPIRES_AT']) {
    assert.is(problems?.filter(line => line.startsWith(`${name} `)).length, 1, name);
  }
});

settings('the token may come from a file', async () => {
  const file = path.join(await folder(), 'token');
  await writeFile(file, 'from-file\n');
  const env = { AZDO_URL: 'http://127.0.0.1:1/x/', AZDO_POOL: 'p', AZDO_AGENT: 'a', AZDO_TOKEN_FILE: file };
  const { settings: read } = readSettings(env, '.');
  assert.is(read?.token, 'from-file');
  assert.is(read?.url, 'http://127.0.0.1:1/x');
  assert.is(read?.dispose, false);
});
settings.after.each(closeAll);

capabilities(
  'are the environment, less long values, what the agent was configured by, and what is to be ignored',
  () => {
    const told = systemCapabilities(
      {
        JAVA_HOME: '/opt/java',
        VSTS_AGENT_INPUT_TOKEN: 'secret',
        LONG: 'x'.repeat(1024),
        NEARLY: 'x'.repeat(1023),
        Hidden: '1',
        ALSO: '2',
        VSO_AGENT_IGNORE: 'ALSO, HIDDEN',
      },
      'eph-1',
      'linux',
    );
    assert.equal(Object.keys(told).toSorted(), [
      'Agent.Name',
      'Agent.OS',
      'Agent.Version',
      'JAVA_HOME',
      'NEARLY',
    ]);
    assert.is(told['Agent.Name'], 'eph-1');
    assert.is(systemCapabilities({}, 'x', 'win32')['Agent.OS'], 'Windows_NT');
  },
);

ends('with 1 and a line for each missing variable', async () => {
  const process = run('agent', [], {});
  assert.is(await process.exit, 1);
  assert.equal(
    process
      .output()
      .trim()
      .split('\n')
      .map(line => line.split(' ')[0]),
    ['AZDO_URL', 'AZDO_POOL', 'AZDO_AGENT'],
  );
});

ends('with a code of its own, and one line, for each thing that is wrong', async () => {
  const devops = await start();
  const first = await agent(devops, { AZDO_AGENT_DISPOSE: 'false' });
  await first.printed('registered');
  const table: ReadonlyArray<readonly [env: Record<string, string>, code: number, line: RegExp]> = [
    [{ AZDO_TOKEN: 'wrong' }, 10, /refused the token/],
    [{ AZDO_TOKEN: '', AZDO_IDENTITY_ENDPOINT: `${devops.url}/_local/identity/token` }, 10, /no AZDO_TOKEN/],
    [{ AZDO_POOL: 'nowhere' }, 11, /no agent pool "nowhere"/],
    [{ AZDO_AGENT: 'EPH-1' }, 12, /"EPH-1" is in use/],
    [{ AZDO_EXPIRES_AT: '2020-01-01T00:00:00Z' }, 13, /before 2020-01-01T00:00:00.000Z/],
  ];
  for (const [env, code, line] of table) {
    const process = await agent(devops, env);
    assert.is(await process.exit, code, process.output());
    assert.match(process.output(), line);
    assert.is(process.output().trim().split('\n').length, 1, process.output());
    assert.not.match(process.output(), 'wrong');
  }
  const api = await webApi(devops).getTaskAgentApi();
  assert.is((await api.getAgents(1)).length, 1);
});

ends('with 1 when its registration is removed while it waits', async () => {
  const devops = await start();
  const process = await agent(devops);
  await process.printed('registered');
  const api = await webApi(devops).getTaskAgentApi();
  const [registered] = await api.getAgents(1);
  await api.deleteAgent(1, registered?.id ?? 0);
  assert.is(await process.exit, 1);
  assert.match(process.output(), 'registration of this agent was removed');
});

ends('with 0 on SIGTERM, unregistered, and with its step killed to the last process', async () => {
  const devops = await start();
  const call = await testFunction();
  const process = await agent(devops);
  await process.printed('registered');
  const pidFile = path.join(await folder(), 'pid');
  const started = await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    job: {
      pool: 'linux',
      steps: [{ script: `sleep 77 & echo $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; wait` }],
    },
  });
  const pid = await until('the step runs', async () => {
    try {
      return Number(await readFile(pidFile, 'utf8'));
    } catch {
      return undefined;
    }
  });
  process.child.kill('SIGTERM');
  assert.is(await process.exit, 0);
  await until('the background process is gone', () => (isAlive(pid) ? undefined : true));
  const view = await show(devops, started.runId, 10);
  assert.is(view.result, 'failed');
  assert.match(logText(view), 'shutdown signal');
  assert.equal(await (await webApi(devops).getTaskAgentApi()).getAgents(1), []);
  // A task whose node is taken away is run again.
  const rerun = await agent(devops);
  assert.is(await rerun.exit, 12);
  assert.match(rerun.output(), /"eph-1" was used: .* has taken a job/);
});

ends('offline when it is killed: its registration stays, and no other agent takes its name', async () => {
  const devops = await start();
  const process = await agent(devops);
  await process.printed('registered');
  const api = await webApi(devops).getTaskAgentApi();
  const [online] = await api.getAgents(1);
  assert.is(online?.status, TaskAgentStatus.Online);
  process.child.kill('SIGKILL');
  await until('it is offline', async () =>
    (await api.getAgents(1))[0]?.status === TaskAgentStatus.Offline ? true : undefined,
  );
  const next = await agent(devops);
  assert.is(await next.exit, 12);
  assert.match(next.output(), /"eph-1" is in use: .* online or not/);
  const agents = await api.getAgents(1);
  assert.is(agents.length, 1);
  assert.is(agents[0]?.id, online?.id);
  assert.is(agents[0]?.status, TaskAgentStatus.Offline);
});

life('registers with a managed identity where there is no token', async () => {
  const devops = await start({ allowIdentity: true });
  const process = await agent(devops, {
    AZDO_TOKEN: '',
    AZDO_IDENTITY_ENDPOINT: `${devops.url}/_local/identity/token`,
  });
  await process.printed('registered as eph-1 in pool linux');
});

life('its token is in no capability, no argument, no output and no job', async () => {
  const dataDir = await folder();
  const devops = await start({ dataDir, pat: 'agent-canary-93' });
  const call = await testFunction();
  const process = await agent(devops, { Visible: 'yes', Hidden: '1', AZDO_ENV_IGNORE: 'HIDDEN, other' });
  await process.printed('registered');
  const [registered] = await (await webApi(devops).getTaskAgentApi()).getAgents(1, 'eph-1', true);
  assert.is(registered?.systemCapabilities?.['Visible'], 'yes');
  assert.is(registered?.systemCapabilities?.['Hidden'], undefined);
  assert.not.match(JSON.stringify(registered), 'agent-canary');
  const started = await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    job: { pool: 'linux', demands: ['Visible -equals yes'], steps: [{ script: 'env' }] },
  });
  const view = await show(devops, started.runId, 10);
  assert.match(logText(view), `BUILD_BUILDID=${view.buildId}`);
  assert.match(logText(view), 'AZDO_POOL=linux');
  assert.not.match(logText(view), 'agent-canary');
  await process.exit;
  assert.not.match(process.output(), 'agent-canary');
  assert.equal(await filesWith(dataDir, ['agent-canary']), []);
});

life('a long output arrives whole and in order', async () => {
  const devops = await start();
  const call = await testFunction();
  const process = await agent(devops);
  await process.printed('registered');
  const started = await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    job: {
      pool: 'linux',
      steps: [{ script: 'i=1; while [ $i -le 1000 ]; do echo "n=$i"; i=$((i+1)); done' }],
    },
  });
  const lines = (await show(devops, started.runId, 15)).log ?? [];
  const numbers = lines.flatMap(line => / n=(\d+)$/.exec(line)?.[1] ?? []).map(Number);
  assert.equal(
    numbers,
    Array.from({ length: 1000 }, (_, index) => index + 1),
  );
});

life('answers of the service that fail now and then do not fail a job', async () => {
  const devops = await start();
  await fetch(`${devops.url}/_local/faults`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify([
      { call: 'PATCH *', count: 2, status: 503 },
      { call: 'POST *feed', count: 2, status: 0, when: 'commit' },
      { call: 'GET *messages', count: 1, status: 500 },
    ]),
  });
  const call = await testFunction();
  const process = await agent(devops);
  await process.printed('registered');
  const started = await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    job: { pool: 'linux', steps: [{ script: 'echo once' }] },
  });
  const view = await show(devops, started.runId, 15);
  assert.is(view.result, 'succeeded');
  assert.is(logText(view).match(/Z once/g)?.length, 1);
  assert.is(await process.exit, 0);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

settings.run();
capabilities.run();
ends.run();
life.run();
