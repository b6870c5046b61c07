import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { collectFiles } from '../../scripts/pipeline/collect-files.js';
import { root } from '../../scripts/root.js';
import { type AgentsApi, agentsApi } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { misbehave } from './support/stand-ins.js';
import { openWorld } from './support/world.js';

const folder = 'infra/pipelines/examples';

/** What each example is to show: how many jobs run on agents, and whether each demands its own. */
const examples: Readonly<Record<string, { readonly agents: number; readonly demandsItsAgent: boolean }>> = {
  'article.yml': { agents: 1, demandsItsAgent: false },
  'fire-and-forget.yml': { agents: 1, demandsItsAgent: false },
  'linux.yml': { agents: 1, demandsItsAgent: true },
  'matrix.yml': { agents: 4, demandsItsAgent: true },
  'service-bus.yml': { agents: 1, demandsItsAgent: false },
  'windows.yml': { agents: 1, demandsItsAgent: true },
};

const Run = z.looseObject({
  runId: z.string(),
  buildId: z.number(),
  planId: z.string(),
  state: z.string(),
  result: z.string().nullable(),
  jobs: z.array(
    z.looseObject({
      name: z.string(),
      kind: z.string(),
      dependsOn: z.array(z.string()),
      result: z.string().nullable(),
      agentName: z.string().nullable(),
      requestId: z.string().nullable(),
    }),
  ),
  log: z.array(z.string()).optional(),
});
type Run = z.infer<typeof Run>;

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;

const example = suite('the example pipelines');
example.before(async () => {
  ({ stack, end } = await openWorld());
  api = agentsApi(stack);
});
example.after(async () => end());

async function play(file: string): Promise<Run> {
  const response = await fetch(`${stack.url('devops')}/_local/pipelines`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...(await collectFiles(join(folder, file), root)),
      groups: {
        'azdo-batch-agents': {
          agentsAppUrl: stack.url('host'),
          agentsFunctionKey: { value: stack.functionKey, isSecret: true },
        },
      },
    }),
  });
  const body: unknown = await response.json();
  assert.is(response.status, 201, JSON.stringify(body, undefined, 1));
  return Run.parse(body);
}

async function ended({ runId }: Run): Promise<Run> {
  const response = await fetch(`${stack.url('devops')}/_local/runs/${runId}?wait=60`);
  return Run.parse(await response.json());
}

/** The jobs of a run that ran on agents, each with the agent that its own request was given. */
async function pairs(file: string, run: Run): Promise<ReadonlyArray<readonly [ran: string, asked: string]>> {
  const log = run.log?.join('\n') ?? '';
  assert.is(run.result, 'succeeded', `${file}:\n${log}`);
  assert.not.match(log, stack.functionKey);
  const ran = run.jobs.filter(({ kind }) => kind === 'agent');
  assert.is(ran.length, examples[file]?.agents, file);
  return Promise.all(
    ran.map(async job => {
      if (examples[file]?.demandsItsAgent) {
        assert.match(log, `AGENT_FOR -equals ${run.buildId}-${run.planId}-${job.name},`);
      }
      const request = run.jobs.find(({ name }) => job.dependsOn.includes(name));
      // Nothing answers a message: its author has named the request.
      const requestId = request?.requestId ?? `build-${run.buildId}-1`;
      const { agentName, state } = await api.end(requestId, 30_000);
      assert.is(state, 'completed', `${file}: ${requestId}`);
      return [job.agentName ?? 'none', agentName ?? 'none'] as const;
    }),
  );
}

/** Two runs of each, all at the same time. */
async function playTwice(files: readonly string[]) {
  const twice = [...files, ...files];
  const runs = await Promise.all(twice.map(play));
  return Promise.all(runs.map(async (run, index) => pairs(twice[index] ?? '', await ended(run))));
}

const those = (demandsItsAgent: boolean): string[] =>
  Object.keys(examples).filter(file => examples[file]?.demandsItsAgent === demandsItsAgent);

example('are all played here', async () => {
  assert.equal((await readdir(join(root, folder))).toSorted(), Object.keys(examples));
});

example('that demand their agent run on exactly the one they asked for, whoever else asks', async () => {
  // Late to be told, the first agents are online together with others: any job that could run there would be given one.
  await misbehave(stack, 'devops', { call: 'POST *events', when: 'none', delayMs: 1_500, count: 4 });
  const runs = await playTwice(those(true));
  await misbehave(stack, 'devops');
  for (const [ran, asked] of runs.flat()) assert.is(ran, asked);
  assert.is(new Set(runs.flat().map(([ran]) => ran)).size, runs.flat().length);
});

example('that demand nothing each run on a fresh agent of those that were asked for', async () => {
  const runs = (await playTwice(those(false))).flat();
  assert.equal(runs.map(([ran]) => ran).toSorted(), runs.map(([, asked]) => asked).toSorted());
  await nothingLeft(stack);
});

example.run();
