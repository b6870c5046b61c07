import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { countsTable, findingLines } from './chaos/report.js';
import { type Progress, runChaos } from './chaos/run.js';

/**
 * `npm run chaos`: the whole product on this machine under load, while its parts are killed and its services misbehave;
 * then an audit of what has become of every request. Ends 0 when there is nothing to complain of.
 */
interface Options {
  readonly requests: number;
  readonly seed: number;
  readonly kills: number;
  readonly forget: number;
  readonly load: number;
  readonly limit: number;
  readonly faults: boolean;
  readonly keep: boolean;
}

const whole =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`);
    return value;
  };

const options = new Command('npm run chaos --')
  .description(
    'Plays callers, faults and kill -9 on the whole product, and audits what became of every request. The seed ' +
      'decides what happens in which order; how far things have come when it happens is up to the machine.',
  )
  .option('--requests <n>', 'requests to make', whole(1), 60)
  .option('--seed <n>', 'what happens, in which order', whole(0), 1)
  .option('--kills <n>', 'kill -9 of the host or a stand-in', whole(0), 20)
  .option('--forget <n>', 'how often to delete the whole Durable state', whole(0), 0)
  .option('--load <n>', 'requests alive at the same moment, at most', whole(1), 14)
  .option('--limit <minutes>', 'give up after so long', whole(1), 30)
  .option('--no-faults', 'nothing but requests and kills')
  .option('--keep', 'keep the data folder; it is also kept when something was found', false)
  .parse()
  .opts<Options>();

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort(new Error('Stopped before the end.')));
}

const started = Date.now();
let toldAt = 0;
function tell({ what, steps, of, live, kills }: Progress): void {
  const states = [...live].map(([state, count]) => `${count} ${state}`).join(', ') || 'nothing alive';
  const line = `${((Date.now() - started) / 1_000).toFixed(0).padStart(4)} s  ${what}: step ${steps} of ${of}, ${kills} killed, ${states}`;
  if (process.stdout.isTTY)
    process.stdout.write(`\r\u001B[K${line.slice(0, (process.stdout.columns || 80) - 1)}`);
  else if (Date.now() - toldAt >= 10_000) {
    toldAt = Date.now();
    console.log(line);
  }
}

const { requests, seed, kills, forget, faults } = options;
const again = `npm run chaos -- --requests ${requests} --seed ${seed} --kills ${kills}${forget > 0 ? ` --forget ${forget}` : ''}${faults ? '' : ' --no-faults'}`;
const dataDir = await mkdtemp(join(tmpdir(), 'azdo-batch-agents-chaos-'));
let keep = options.keep;
try {
  console.log(`Seed ${seed}: ${requests} requests, ${kills} kills, ${faults ? 'with' : 'without'} faults.`);
  const result = await runChaos({
    requests,
    seed,
    kills,
    forgets: forget,
    faults,
    dataDir,
    load: options.load,
    limitMs: options.limit * 60_000,
    signal: interrupted.signal,
    onProgress: tell,
  });
  const lines = findingLines(result.findings);
  console.log(`\n${countsTable(result)}`);
  console.log(`It took ${((Date.now() - started) / 60_000).toFixed(1)} min. Again: ${again}`);
  if (lines.length === 0) {
    console.log(pc.green('Nothing was lost, nothing doubled, nothing is left over.'));
  } else {
    keep = true;
    await writeFile(join(dataDir, 'evidence.json'), JSON.stringify(result.evidence, undefined, 1));
    console.log(pc.red('This should not be:'));
    for (const line of lines) console.log(`  ${line}`);
    process.exitCode = 1;
  }
} catch (error) {
  keep = true;
  console.error(`\nIt did not come to its end: ${error instanceof Error ? error.message : String(error)}`);
  console.error(`Again: ${again}`);
  process.exitCode = 1;
} finally {
  if (keep) console.log(`Everything is kept in ${dataDir}`);
  else await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
