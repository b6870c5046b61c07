import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDevOpsAgentRegistry } from '../../shared/adapters/devops-agent-registry.js';
import { createDevOpsPipelineCallback } from '../../shared/adapters/devops-pipeline-callback.js';
import { TransientError } from '../../shared/domain/failure.js';
import type { AgentRegistry } from '../../shared/ports.js';
import {
  agent,
  closeAll,
  control,
  folder,
  logText,
  type Process,
  pipelineOf,
  play,
  show,
  start,
  testFunction,
  until,
} from '../local/devops/stack.js';
import { agentRegistryContract } from './agent-registry.js';
import { fail } from './fail.js';
import { pipelineCallbackContract } from './pipeline-callback.js';

const devops = await start({ pools: ['linux'] });
const call = await testFunction();
const registryWith = (personalAccessToken: string): AgentRegistry =>
  createDevOpsAgentRegistry({ organizationUrl: devops.collectionUrl, auth: { personalAccessToken } });
const registry = registryWith(devops.pat);

/** A pool that no other test uses. */
async function newPool(): Promise<string> {
  made += 1;
  const name = `pool ${made}`;
  const answer = await fetch(`${devops.collectionUrl}/_apis/distributedtask/pools`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`:${devops.pat}`)}` },
    body: JSON.stringify({ name }),
  });
  if (!answer.ok) fail(`no pool: ${answer.status}`);
  return name;
}
let made = 0;

agentRegistryContract('local Azure DevOps', async () => {
  const pool = await newPool();
  const agents = new Map<string, Process>();
  const doneFile = path.join(await folder(), 'done');
  const see = (agentName: string, wanted: 'online' | 'busy') =>
    until(`${agentName} is ${wanted}`, async () => {
      const seen = await registry.getAgent(pool, agentName);
      return seen?.[wanted] ? seen : undefined;
    });
  return {
    registry: registryWith(devops.pat),
    pool,
    connect: async agentName => {
      // One that stays after its job: it is killed before it can unregister.
      const env = { AZDO_POOL: pool, AZDO_AGENT: agentName, AZDO_AGENT_DISPOSE: 'false' };
      agents.set(agentName, await agent(devops, env));
      await see(agentName, 'online');
    },
    startJob: async agentName => {
      const waitForFile = `until [ -f '${doneFile}' ]; do sleep 0.02; done`;
      const run = await play(devops, {
        request: { function: call.url, key: 'k', waitForCompletion: false },
        job: { pool, demands: [`Agent.Name -equals ${agentName}`], steps: [{ script: waitForFile }] },
      });
      await see(agentName, 'busy');
      // Assigned is not yet received: until then the job can still go to another agent.
      await until(
        'the job runs',
        async () => (await show(devops, run.runId)).job?.state === 'running' || undefined,
      );
    },
    finishJob: async agentName => {
      await writeFile(doneFile, '');
      await until('the job is over', async () =>
        (await registry.getAgent(pool, agentName))?.busy ? undefined : true,
      );
      agents.get(agentName)?.child.kill('SIGKILL');
      await until('the agent is offline', async () =>
        (await registry.getAgent(pool, agentName))?.online ? undefined : true,
      );
    },
  };
});

pipelineCallbackContract('local Azure DevOps', async () => {
  const pool = await newPool();
  // Its job waits for an agent, so that the run goes on once the server task is done.
  await registry.ensurePlaceholder(pool, 'linux');
  const before = call.received.length;
  const run = await play(devops, {
    request: { function: call.url, key: 'k' },
    job: { pool, steps: [{ script: 'true' }] },
  });
  const received = await until('the function is called', () => call.received[before]);
  const { url, project, hub, plan, timeline, job, task, token } = pipelineOf(received);
  return {
    callback: createDevOpsPipelineCallback(),
    pipeline: {
      planUrl: url,
      projectId: project,
      hubName: hub,
      planId: plan,
      jobId: job,
      timelineId: timeline,
      taskInstanceId: task,
    },
    token,
    cancel: async () => {
      await control(devops, 'POST', `/runs/${run.runId}/cancel`);
    },
    seen: async () => {
      const view = await show(devops, run.runId);
      return {
        log: logText(view),
        variables: view.variables,
        errors: view.issues.filter(({ type }) => type === 'error').map(({ message }) => message),
        results: view.request.completions.filter(({ accepted }) => accepted).map(({ result }) => result),
      };
    },
  };
});

const test = suite('agent registry: what only a service can do');

test('a token that is not accepted is never taken for a pool without agents', async () => {
  for (const wrong of [registryWith('wrong'), registryWith('')]) {
    for (const look of [wrong.poolExists('linux'), wrong.listAgents('linux'), wrong.ping()]) {
      const seen: unknown = await look.then(
        value => value,
        (error: unknown) => error,
      );
      assert.ok(seen instanceof TransientError, String(seen));
      assert.is(seen.failure.code, 'AzDOAuthenticationFailed');
    }
  }
});

test('a placeholder whose creation took effect and was answered with an error is found the second time', async () => {
  for (const fault of [{ status: 500 }, { status: 429 }, { status: 0 }]) {
    const pool = await newPool();
    const rule = { call: 'POST */pools/:poolId/agents', when: 'commit', count: 1, ...fault };
    await fetch(`${devops.url}/_local/faults`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify([rule]),
    });
    const failed: unknown = await registry.ensurePlaceholder(pool, 'linux').catch((error: unknown) => error);
    assert.ok(failed instanceof TransientError, String(failed));
    await registry.ensurePlaceholder(pool, 'linux');
    assert.is((await registry.listAgents(pool)).length, 1);
  }
});

test.after(closeAll);
test.run();
