import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import pc from 'picocolors';
import { findLeftovers } from './demo/leftovers.js';
import { demoAgentPools, demoSettings, pipelines } from './demo/pipelines.js';
import { type PlayedRun, playRun } from './demo/play-run.js';
import { requestsTable } from './demo/tables.js';
import { type Stack, startStack } from './local/stack/stack.js';

/**
 * `npm run demo`: the whole product on free ports in a folder of its own, three pipelines at once, and then a look at
 * everything that could have been left behind.
 */
new Command('npm run demo --')
  .description(
    'Starts the whole product on free ports, plays three pipelines that ask for an agent each, and looks for whatever ' +
      'could have been left behind. Nothing of it stays.',
  )
  .parse();

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort(new Error('Stopped before the end.')));
}

const say = (line = ''): void => console.log(line);
const title = (text: string): void => say(`\n${pc.bold(text)}`);

async function demo(dataDir: string): Promise<readonly string[]> {
  title('Starting storage, Azure DevOps, Batch and the Functions app on this machine …');
  const stack = await startStack({
    dataDir,
    settings: demoSettings,
    args: { devops: ['--pools', demoAgentPools.join(',')] },
    signal: interrupted.signal,
  });
  const problems: string[] = [];
  try {
    for (const part of stack.parts) say(`  ${part.padEnd(8)} ${stack.url(part)}`);
    await ensurePlaceholders(stack);

    title('Three pipelines ask for an agent each, at the same moment.');
    const started = Date.now();
    const runs = await Promise.all(
      pipelines.map(async pipeline =>
        playRun(stack, pipeline, interrupted.signal, (name, line) => {
          const seconds = ((Date.now() - started) / 1_000).toFixed(1).padStart(6);
          say(`${pc.dim(`${seconds} s`)}  ${pc.cyan(name.padEnd(16))} ${line}`);
        }),
      ),
    );
    for (const run of runs) {
      title(`The log of ${run.name}, as its author reads it:`);
      for (const line of run.log) say(`  ${line}`);
    }
    problems.push(...judge(runs));
    problems.push(...(await findLeftovers(stack)));

    title('What it took:');
    say(await requestsTable(stack, runs));
  } finally {
    await stack.stop();
  }
  return problems;
}

/** The job of a pipeline that does not wait fails at once where the app has not yet looked after its pool's placeholder. */
async function ensurePlaceholders(stack: Stack): Promise<void> {
  const response = await fetch(`${stack.url('host')}/api/placeholders/ensure`, {
    method: 'POST',
    headers: { 'x-functions-key': stack.functionKey, 'content-type': 'application/json' },
    body: '{}',
    signal: interrupted.signal,
  });
  if (!response.ok) throw new Error(`The placeholders could not be made: ${await response.text()}`);
}

/** Three jobs must have run, on three agents. */
function judge(runs: readonly PlayedRun[]): readonly string[] {
  const problems = runs.flatMap(run => [
    ...(run.result === 'succeeded' ? [] : [`The run of ${run.name} ended as ${run.result}.`]),
    ...(run.jobResult === 'succeeded' ? [] : [`The job of ${run.name} ended as ${run.jobResult}.`]),
    ...(run.request.state === 'completed'
      ? []
      : [`Request ${run.request.requestId} ended as ${run.request.state}.`]),
  ]);
  const agents = new Set(runs.map(run => run.jobAgent));
  if (agents.size !== runs.length) problems.push(`The ${runs.length} jobs ran on ${agents.size} agents.`);
  return problems;
}

const dataDir = await mkdtemp(join(tmpdir(), 'azdo-batch-agents-demo-'));
try {
  const problems = await demo(dataDir);
  if (problems.length === 0) {
    title(pc.green('Three jobs ran on three fresh agents, and nothing is left of them.'));
  } else {
    title(pc.red('This should not be:'));
    for (const problem of problems) say(`  ${problem}`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(
    `\nThe demo did not come to its end: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exitCode = 1;
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
