import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findInFiles, findInText } from '../../scripts/chaos/scan.js';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { type AgentsApi, agentsApi } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { type Pipelines, pipelinesOf } from './support/pipelines.js';
import { misbehave } from './support/stand-ins.js';
import { changeBatchPool, openWorld } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;
let pipelines: Pipelines;
let output = '';

const canaries = suite("a pipeline's job token");

canaries.before(async () => {
  ({ stack, end } = await openWorld({
    startScript: true,
    onEvent: event => {
      if (event.type === 'line') output += `${event.part}: ${event.line}\n`;
    },
  }));
  api = agentsApi(stack);
  pipelines = pipelinesOf(stack);
});
canaries.after(async () => end());
canaries.after.each(async () => misbehave(stack, 'devops'));

/** What is searched for has nothing that an encoding would escape, so it is found in escaped tokens as well. */
const newCanary = (): string => `canary${randomBytes(24).toString('hex')}`;
const tokenWith = (canary: string): string => `a/+=&%.${canary}.z`;

async function mustBeNowhere(canary: string, moment: string): Promise<void> {
  const found = [
    ...(await findInFiles(stack.dataDir, canary)),
    ...findInText('what the parts printed', output, canary),
  ];
  assert.equal(found, [], `${moment}: the token is found`);
}

canaries('is found nowhere, at no moment of a request', async () => {
  const canary = newCanary();
  const marker = newCanary();
  await changeBatchPool(stack, 'batchLinux', { maxNodes: 0 });
  const { runId } = await pipelines.start({
    authToken: tokenWith(canary),
    script: 'sleep 2',
    body: { capabilities: { TEST_BUILD: '$(Build.BuildId)' }, tags: { marker } },
  });
  const requestId = await pipelines.requestId(runId);
  await mustBeNowhere(canary, 'accepted');
  await api.until(requestId, 'starting');
  await mustBeNowhere(canary, 'starting');
  // What is no secret is found, in the shapes that the table and the journal give it: so the search searches.
  const found = (await findInFiles(stack.dataDir, marker)).join('\n');
  assert.match(found, /^storage.*plain/m);
  assert.match(found, /^storage.*base64/m);
  assert.match(found, /^devops.*plain/m);

  await stack.kill('host');
  await mustBeNowhere(canary, 'after kill -9');
  await stack.start('host');
  await changeBatchPool(stack, 'batchLinux', { maxNodes: 2 });
  await api.until(requestId, ['online', 'busy']);
  await mustBeNowhere(canary, 'online');
  assert.is((await api.end(requestId)).state, 'completed');
  await pipelines.end(runId);
  await mustBeNowhere(canary, 'after the end');
  await nothingLeft(stack);
});

canaries('is found nowhere when Azure DevOps sends it back to us in its errors', async () => {
  const canary = newCanary();
  const echo = { message: `Refused: Bearer ${tokenWith(canary)}`, typeKey: 'SomethingException' };
  await misbehave(
    stack,
    'devops',
    { call: 'POST *feed', status: 500, body: echo },
    { call: 'PATCH *records', status: 403, body: echo, count: 3 },
    { call: 'POST */events', status: 500, body: echo, count: 1 },
    { call: 'POST */events', status: 400, body: echo, count: 1 },
  );
  const { runId } = await pipelines.start({ authToken: tokenWith(canary) });
  const requestId = await pipelines.requestId(runId);
  await api.until(requestId, ['online', 'busy']);
  await mustBeNowhere(canary, 'online');
  // The completion was refused for no reason that we know: that is written down, and changes nothing.
  const refused = await api.get(requestId);
  assert.is(refused.state, 'online');
  await api.cancel(requestId);
  await api.end(requestId);
  await pipelines.cancel(runId);
  await mustBeNowhere(canary, 'after the end');
});

canaries.run();
