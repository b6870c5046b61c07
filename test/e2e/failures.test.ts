import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { defaultImages } from '../../scripts/local/batch/images.js';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { helpEntrySchema, helpSchema } from '../../shared/answers/help.js';
import { failureGuides, guideTo } from '../../shared/domain/failure-guide.js';
import { escapeHtml } from '../../shared/help/markup.js';
import { makeTempFolder, type TempFolder } from '../support/temp-folder.js';
import { type AgentsApi, agentsApi, statesOf } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { accepted, type Pipelines, pipelinesOf } from './support/pipelines.js';
import { agentsIn, callsOf, countOf, misbehave, resetCalls } from './support/stand-ins.js';
import { take } from './support/storage.js';
import { openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let folder: TempFolder;
let api: AgentsApi;
let pipelines: Pipelines;

const profile = (more: object): object => ({
  devOpsPool: pools.hasty,
  batchPool: 'batchLinux',
  image: 'azdo-agent:ubuntu-24.04-azdo',
  ...more,
});

const failures = suite('a request that can not be fulfilled');

failures.before(async () => {
  folder = await makeTempFolder('images-');
  const images = join(folder.path, 'images.json');
  const dying = [
    process.execPath,
    '-e',
    'console.error("The certificate of the proxy is missing."); process.exit(3)',
  ];
  await writeFile(images, JSON.stringify([{ image: '*dying-agent:*', command: dying }, ...defaultImages]));
  ({ stack, end } = await openWorld({
    profiles: {
      dying: profile({ image: 'dying-agent:1', attempts: 2 }),
      nopool: profile({ batchPool: 'noSuchPool' }),
      noagentpool: profile({ devOpsPool: 'No Such Pool' }),
      noimage: profile({ image: 'no-such-image:1', attempts: 1 }),
    },
    args: { batch: ['--images', images, '--runner', 'process'] },
  }));
  api = agentsApi(stack);
  pipelines = pipelinesOf(stack);
});
failures.after(async () => {
  await end();
  await folder.remove();
});
failures.after.each(async () => {
  await misbehave(stack, 'batch');
  await resetCalls(stack);
});

const DeadLetter = z.looseObject({
  version: z.literal(1),
  requestId: z.string(),
  profile: z.string(),
  failure: z.looseObject({ code: z.string(), stage: z.string(), message: z.string() }),
  message: z.string(),
});

async function deadLetter(): Promise<z.infer<typeof DeadLetter>> {
  const letters = await take(stack, 'agent-requests-deadletter');
  assert.is(letters.length, 1);
  return DeadLetter.parse(JSON.parse(letters[0] ?? ''));
}

failures('is tried again and then dead-lettered, and its pipeline is told why', async () => {
  const { runId } = await pipelines.start({
    body: { profile: 'dying', tags: { team: 'α' }, capabilities: { TEST_BUILD: '$(Build.BuildId)' } },
  });
  const requestId = await pipelines.requestId(runId);
  const ended = await api.end(requestId);
  const run = await pipelines.end(runId);
  assert.is(ended.state, 'deadLettered');
  assert.is(ended.attempt, 2);
  assert.equal(statesOf(ended), [
    'accepted',
    'provisioning',
    'starting',
    'provisioning',
    'starting',
    'deadLettered',
  ]);
  assert.is(ended.failure?.code, 'AgentStartFailed');
  assert.is(ended.failure?.stage, 'container');
  assert.match(ended.failure?.message ?? '', /exit code 3 .*The certificate of the proxy is missing\./);
  assert.is(countOf(await callsOf(stack, 'batch'), 'POST', '/tasks'), 2);

  assert.is(run.result, 'failed');
  assert.equal(accepted(run), ['failed']);
  const cause = "No agent: the agent's container ended with exit code 3 before its agent had run a job.";
  const sentence = run.log.find(line => line.includes(cause)) ?? '';
  assert.match(
    sentence,
    /The certificate of the proxy is missing \(AgentStartFailed\)\. Ask the platform team to mend /,
  );
  assert.ok(
    sentence.includes(` Request ${requestId}: ${stack.url('host')}/api/agents/${requestId}, help: `),
    sentence,
  );
  assert.ok(run.issues.some(({ type, message }) => type === 'error' && sentence.endsWith(message)));
  assert.match(run.log.join('\n'), /Attempt 1 of 2 failed: .*\(AgentStartFailed\)\. Trying again in \d/);

  const help = /help: (http\S+)$/.exec(sentence)?.[1] ?? '';
  assert.is(help, ended.links.help);
  const page = await fetch(help);
  assert.is(page.status, 200);
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
  const { cause: why, remedy } = guideTo('AgentStartFailed');
  const html = await page.text();
  for (const text of [why, remedy]) assert.ok(html.includes(escapeHtml(text)), html);

  const letter = await deadLetter();
  assert.is(letter.requestId, requestId);
  assert.is(letter.failure.code, 'AgentStartFailed');
  const original = z.looseObject({ tags: z.unknown() }).parse(JSON.parse(letter.message));
  assert.equal(original.tags, { team: 'α' });
  await nothingLeft(stack);
});

for (const { name, code, stage, what } of [
  { name: 'nopool', code: 'PoolMissing', stage: 'nodeAllocation', what: /noSuchPool/ },
  { name: 'noagentpool', code: 'AgentPoolMissing', stage: 'registration', what: /No Such Pool/ },
]) {
  failures(`is dead-lettered at once as ${code}`, async () => {
    const { runId } = await pipelines.start({ body: { profile: name } });
    const requestId = await pipelines.requestId(runId);
    const ended = await api.end(requestId);
    const run = await pipelines.end(runId);
    assert.is(ended.state, 'deadLettered');
    assert.is(ended.attempt, 1);
    assert.is(ended.failure?.code, code);
    assert.is(ended.failure?.stage, stage);
    assert.is(ended.failure?.retryable, false);
    assert.match(ended.failure?.message ?? '', what);
    assert.is(run.result, 'failed');
    assert.ok(run.issues.some(({ message }) => what.test(message)));
    assert.is((await deadLetter()).failure.code, code);
    await nothingLeft(stack);
  });
}

failures('is dead-lettered as ImagePullFailed when its image is not there', async () => {
  const { runId } = await pipelines.start({ body: { profile: 'noimage' } });
  const requestId = await pipelines.requestId(runId);
  const ended = await api.end(requestId);
  assert.is(ended.state, 'deadLettered');
  assert.is(ended.failure?.code, 'ImagePullFailed');
  assert.is((await deadLetter()).requestId, requestId);
  const run = await pipelines.end(runId);
  const issue = run.issues.find(({ type }) => type === 'error')?.message ?? '';
  assert.match(
    issue,
    /^No agent: the agent's image could not be pulled: .*no-such-image:1.* \(ImagePullFailed\)\. /,
  );
  assert.match(issue, /Ask the platform team to check the image's name and tag, /);
  await nothingLeft(stack);
});

failures(
  'is explained to whoever asks by its code, without a key; other codes and methods are told so',
  async () => {
    const help = `${stack.url('host')}/api/help`;
    const json = { headers: { accept: 'application/json' } };
    assert.equal(helpSchema.parse(await (await fetch(help, json)).json()).failures, failureGuides());
    const unknown = await fetch(`${help}/%3Cb%3ENoSuchCode`, json);
    assert.is(unknown.status, 404);
    assert.is(helpEntrySchema.parse(await unknown.json()).code, '<b>NoSuchCode');
    assert.not.match(await (await fetch(`${help}/%3Cb%3ENoSuchCode`)).text(), /<b>/);
    const posted = await fetch(`${help}/PoolMissing`, { method: 'POST' });
    assert.equal([posted.status, posted.headers.get('allow')], [405, 'GET']);
  },
);

failures('for a moment only is fulfilled after all, with one agent', async () => {
  // Batch makes the task, and says that it failed; then it is too busy for a while.
  await misbehave(
    stack,
    'batch',
    { call: 'POST */tasks', when: 'commit', status: 500, count: 1 },
    { call: 'POST */tasks', status: 503, count: 1 },
  );
  const { runId } = await pipelines.start();
  const requestId = await pipelines.requestId(runId);
  const ended = await api.end(requestId);
  const run = await pipelines.end(runId);
  assert.is(ended.state, 'completed');
  assert.is(ended.attempt, 1);
  assert.is(run.job?.agentName, `${requestId}-1`);
  await nothingLeft(stack);
});

failures('leaves no agent in the pool that it was meant for', async () => {
  const names = (await agentsIn(stack, pools.hasty)).map(({ name }) => name);
  assert.equal(
    names.filter(name => !name.includes('placeholder')),
    [],
  );
});

failures.run();
