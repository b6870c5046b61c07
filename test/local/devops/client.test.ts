import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TaskAgentStatus, TaskResult } from 'azure-devops-node-api/interfaces/TaskAgentInterfaces.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  agent,
  closeAll,
  control,
  folder,
  jobApi,
  pipelineOf,
  play,
  refusal,
  show,
  start,
  testFunction,
  until,
  webApi,
} from './stack.js';

const pools = suite('pools, through azure-devops-node-api');
const agents = suite('agents, through azure-devops-node-api');
const tokens = suite('tokens, through azure-devops-node-api');
for (const each of [pools, agents, tokens]) each.after.each(closeAll);

pools('are found by exact name, by wildcard, or all of them', async () => {
  const devops = await start({ pools: ['linux', 'linux-large', 'windows'] });
  const api = await webApi(devops).getTaskAgentApi();
  const names = async (filter?: string): Promise<unknown[]> =>
    (await api.getAgentPools(filter)).map(pool => pool.name);
  assert.equal(await names(), ['linux', 'linux-large', 'windows']);
  assert.equal(await names('linux'), ['linux']);
  assert.equal(await names('LINUX'), ['linux']);
  assert.equal(await names('linux*'), ['linux', 'linux-large']);
  assert.equal(await names('lin'), []);
  const [pool] = await api.getAgentPools('windows');
  assert.is((await api.getAgentPool(pool?.id ?? 0)).name, 'windows');
  assert.is(pool?.isHosted, false);
});

pools('a new one appears once; a second of the same name is refused', async () => {
  const api = await webApi(await start()).getTaskAgentApi();
  assert.is((await api.addAgentPool({ name: 'mac' })).name, 'mac');
  const error = await refusal(api.addAgentPool({ name: 'MAC' }));
  assert.is(error.statusCode, 409);
  assert.is(error.result?.typeKey, 'TaskAgentPoolExistsException');
});

pools('one that is not there is null: the typed client never throws for a 404', async () => {
  const api = await webApi(await start()).getTaskAgentApi();
  assert.is(await api.getAgentPool(99), null);
  assert.is(await api.getAgents(99), null);
});

pools('the address may end in a slash', async () => {
  const devops = await start();
  const api = await webApi({ ...devops, collectionUrl: `${devops.collectionUrl}/` }).getTaskAgentApi();
  assert.is((await api.getAgentPools('linux')).length, 1);
});

const placeholder = {
  name: 'placeholder',
  version: '99.999.9',
  osDescription: 'Linux',
  enabled: true,
  status: TaskAgentStatus.Online,
  provisioningState: 'Provisioned',
  systemCapabilities: { 'Agent.Name': 'placeholder', Special: 'yes' },
};

agents('a placeholder is registered, and offline whatever it says of itself', async () => {
  const api = await webApi(await start()).getTaskAgentApi();
  const added = await api.addAgent(placeholder, 1);
  assert.is(added.status, TaskAgentStatus.Offline);
  assert.instance(added.createdOn, Date);
  const [listed] = await api.getAgents(1, 'PLACEHOLDER', true, true, true);
  assert.is(listed?.id, added.id);
  assert.equal(listed?.systemCapabilities, placeholder.systemCapabilities);
  const [bare] = await api.getAgents(1);
  assert.is(bare?.systemCapabilities, undefined);
});

agents('a name is taken once in a pool, and free in another', async () => {
  const api = await webApi(await start({ pools: ['linux', 'windows'] })).getTaskAgentApi();
  await api.addAgent(placeholder, 1);
  const error = await refusal(api.addAgent({ ...placeholder, name: 'Placeholder' }, 1));
  assert.is(error.statusCode, 409);
  assert.is(error.result?.typeKey, 'TaskAgentExistsException');
  assert.is((await api.addAgent(placeholder, 2)).name, 'placeholder');
});

agents('are filtered by demands', async () => {
  const api = await webApi(await start()).getTaskAgentApi();
  await api.addAgent(placeholder, 1);
  const found = async (demand: string): Promise<number> =>
    (await api.getAgents(1, undefined, false, false, false, undefined, [demand])).length;
  assert.is(await found('Special -equals YES'), 1);
  assert.is(await found('Special -equals no'), 0);
  assert.is((await refusal(found('Special -like x'))).statusCode, 400);
});

agents('one is replaced in place, and removed; removing it again is no error', async () => {
  const api = await webApi(await start()).getTaskAgentApi();
  const { id = 0 } = await api.addAgent(placeholder, 1);
  const replaced = await api.replaceAgent({ ...placeholder, version: '4.1.0' }, 1, id);
  assert.is(replaced.id, id);
  assert.is((await api.getAgent(1, id)).version, '4.1.0');
  await api.deleteAgent(1, id);
  await api.deleteAgent(1, id);
  assert.is(await api.getAgent(1, id), null);
});

agents('a malformed one is refused with the name of the field', async () => {
  const api = await webApi(await start()).getTaskAgentApi();
  const error = await refusal(api.addAgent({ ...placeholder, name: 'a/b' }, 1));
  assert.is(error.statusCode, 400);
  assert.match(error.message, 'name');
});

agents(
  'one that runs a job shows it, can not be removed, and shows the job as its last one afterwards',
  async () => {
    const devops = await start();
    const call = await testFunction();
    const api = await webApi(devops).getTaskAgentApi();
    const process = await agent(devops, { AZDO_AGENT_DISPOSE: 'false' });
    await process.printed('registered');
    const hold = path.join(await folder(), 'go');
    const run = await play(devops, {
      request: { function: call.url, key: 'k', waitForCompletion: false },
      job: { pool: 'linux', demands: [], steps: [{ script: `while [ ! -e ${hold} ]; do sleep 0.05; done` }] },
    });
    await until('the job runs', async () =>
      (await show(devops, run.runId)).job?.state === 'running' ? true : undefined,
    );

    const [busy] = await api.getAgents(1, 'eph-1', false, true, true);
    assert.is(busy?.status, TaskAgentStatus.Online);
    assert.is(busy?.assignedRequest?.planId, run.planId);
    assert.is(busy?.lastCompletedRequest, undefined);
    const error = await refusal(api.deleteAgent(1, busy?.id ?? 0));
    assert.is(error.statusCode, 400);
    assert.is(error.result?.typeKey, 'TaskAgentJobStillRunningException');

    await writeFile(hold, '');
    assert.is((await show(devops, run.runId, 10)).result, 'succeeded');
    const idle = await api.getAgent(1, busy?.id ?? 0, false, true, true);
    assert.is(idle.assignedRequest, undefined);
    assert.is(idle.lastCompletedRequest?.result, TaskResult.Succeeded);
    assert.instance(idle.lastCompletedRequest?.finishTime, Date);
    const requests = await api.getAgentRequestsForAgent(1, idle.id ?? 0, 1);
    assert.is(requests[0]?.requestId, idle.lastCompletedRequest?.requestId);
  },
);

tokens(
  'a wrong token is answered with the sign-in page, which the typed client takes for nothing',
  async () => {
    const devops = await start();
    const api = await webApi({ ...devops, pat: 'wrong' }).getTaskAgentApi();
    assert.is(await api.getAgentPools('linux'), null);
    const response = await fetch(`${devops.collectionUrl}/_apis/distributedtask/pools`);
    assert.is(response.status, 203);
    assert.match(await response.text(), 'Sign In');
  },
);

tokens('a PAT opens only whole and as it is', async () => {
  const devops = await start();
  const list = async (password: string): Promise<number> => {
    const authorization = `Basic ${Buffer.from(`:${password}`).toString('base64')}`;
    return (
      await fetch(`${devops.collectionUrl}/_apis/distributedtask/pools`, { headers: { authorization } })
    ).status;
  };
  assert.is(await list(devops.pat), 200);
  const { pat } = devops;
  for (const other of [
    '',
    pat.slice(1),
    pat.slice(0, -1),
    `${pat}x`,
    `${pat} `,
    `${pat}:`,
    pat + pat,
    '漢字',
  ]) {
    assert.is(await list(other), 203, other);
  }
});

tokens('an unknown bearer token is refused', async () => {
  const devops = await start();
  const api = await jobApi(devops.collectionUrl, 'unknown').getTaskAgentApi();
  const error = await refusal(api.getAgentPools());
  assert.is(error.statusCode, 401);
  assert.is(error.result?.typeKey, 'UnauthorizedRequestException');
});

tokens("a job's token has no right to pools, nor to another run's plan", async () => {
  const devops = await start();
  const call = await testFunction();
  const definition = { request: { function: call.url, key: 'k' }, job: null };
  await play(devops, definition);
  const mine = pipelineOf(await call.first());
  const other = await play(devops, definition);

  const agentApi = await jobApi(mine.url, mine.token).getTaskAgentApi();
  const pool = await refusal(agentApi.getAgentPools());
  assert.is(pool.statusCode, 403);
  assert.is(pool.result?.typeKey, 'AccessDeniedException');
  const taskApi = await jobApi(mine.url, mine.token).getTaskApi();
  assert.is((await taskApi.getPlan(mine.project, 'build', mine.plan)).planId, mine.plan);
  const plan = await refusal(taskApi.getPlan(mine.project, 'build', other.planId));
  assert.is(plan.result?.typeKey, 'TaskOrchestrationPlanSecurityException');
});

tokens(
  'a managed identity gets one only where that is allowed, and only with the metadata header',
  async () => {
    const strict = await start();
    assert.is((await control(strict, 'GET', '/identity/token?resource=x')).status, 404);

    const devops = await start({ allowIdentity: true });
    const endpoint = `${devops.url}/_local/identity/token?resource=499b84ac-1321-427f-aa17-267ca6975798`;
    assert.is((await fetch(endpoint)).status, 400);
    const answer: unknown = await (await fetch(endpoint, { headers: { Metadata: 'true' } })).json();
    assert.ok(typeof answer === 'object' && answer !== null && 'access_token' in answer);
    const api = await jobApi(devops.collectionUrl, String(answer.access_token)).getTaskAgentApi();
    assert.is((await api.getAgentPools('linux')).length, 1);
  },
);

tokens('the one that is made at the first start is kept, for its owner alone', async () => {
  const dataDir = await folder();
  const first = await start({ dataDir });
  await first.close();
  const second = await start({ dataDir });
  assert.is(second.pat, first.pat);
  assert.is(second.pat.length, 52);
  for (const name of await readdir(dataDir)) {
    assert.is((await stat(path.join(dataDir, name))).mode & 0o777, 0o600, name);
  }
});

pools.run();
agents.run();
tokens.run();
