import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { execa } from 'execa';
import pc from 'picocolors';
import { root } from './root.js';
import { bundlePrograms } from './testing/bundled/bundle-programs.js';
import { findTests, startsPrograms } from './testing/find-tests.js';
import { type FileResult, runTests } from './testing/run-tests.js';
import { placeWatched } from './testing/watched-package.js';

/**
 * `npm test`: runs the suites, shows what failing ones printed, and ends with a line for machines:
 * `N passed, N failed` and, if there are any, `, N skipped`.
 */
interface Options {
  readonly jobs: number;
  readonly timeLimit: number;
  readonly coverage: boolean;
  readonly bundle: boolean;
}

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
};

const program = new Command('npm test --')
  .description('Runs the tests.')
  .argument('[patterns...]', 'only files with one of these in their path, e.g. "batch"')
  // Two for a core, as half of a test is waiting; not many, for each has a whole stack to itself.
  .option('--jobs <n>', 'files at the same moment', positive, Math.min(4, 2 * availableParallelism()))
  .option('--time-limit <seconds>', 'for each file', positive, 120)
  .option('--coverage', 'measure coverage with c8 (coverage/index.html)', false)
  .option('--no-bundle', 'start the programs as they were compiled, which takes longer')
  .parse();
const options = program.opts<Options>();
const patterns = program.args;
const coverageData = join(root, 'coverage', 'tmp');

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`.padStart(7);

function show(result: FileResult): void {
  const { file, passed, failed, skipped, durationMs, output } = result;
  const counts = [`${passed} passed`, failed && `${failed} failed`, skipped && `${skipped} skipped`];
  const mark = failed ? pc.red('✘') : pc.green('✔');
  console.log(`${mark} ${seconds(durationMs)}  ${file.name}  ${pc.dim(counts.filter(Boolean).join(', '))}`);
  if (failed && output.trim()) console.log(output.trimEnd().replace(/^/gm, '    '));
}

/** Has the tests start bundled programs. */
async function startQuickly(): Promise<void> {
  try {
    process.env['LOCAL_PROGRAMS'] = await bundlePrograms();
  } catch (error) {
    console.warn(pc.yellow(`The programs can't be bundled, so the tests will take longer. ${String(error)}`));
  }
}

async function main(): Promise<number> {
  const files = await findTests(root, patterns);
  await placeWatched();
  // Coverage is told by module.
  if (options.bundle && !options.coverage && files.some(startsPrograms)) await startQuickly();
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort());
  if (options.coverage) {
    await rm(coverageData, { recursive: true, force: true });
    process.env['NODE_V8_COVERAGE'] = coverageData;
  }

  const results = await runTests(files, {
    jobs: options.jobs,
    timeLimitMs: options.timeLimit * 1000,
    allowOnly: patterns.length > 0,
    onResult: show,
    signal: interrupt.signal,
  });

  if (options.coverage) {
    const reporters = ['--reporter=text', '--reporter=html'];
    await execa(
      'c8',
      [
        'report',
        `--temp-directory=${coverageData}`,
        '--exclude=test/**',
        '--exclude-after-remap',
        ...reporters,
      ],
      { cwd: root, preferLocal: true, stdio: 'inherit', env: { NODE_V8_COVERAGE: '' } },
    );
  }

  const problems = results.flatMap(result =>
    result.problems.map(problem => `${result.file.name}: ${problem}`),
  );
  if (problems.length > 0) console.log(`\nFailed:\n${problems.map(line => `  ${line}`).join('\n')}`);
  const skips = results.flatMap(result => result.skips.map(skip => `${result.file.name}: ${skip}`));
  // Nothing is left out in silence: a run that tested less than it could looks like one that did.
  if (skips.length > 0)
    console.log(`\n${pc.yellow('NOT TESTED:')}\n${skips.map(line => `  ${line}`).join('\n')}`);
  const sum = (key: 'passed' | 'failed' | 'skipped'): number =>
    results.reduce((total, result) => total + result[key], 0);
  const skipped = sum('skipped');
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed${skipped ? `, ${skipped} skipped` : ''}`);
  if (interrupt.signal.aborted) return 130;
  return sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('\n0 passed, 1 failed');
  process.exitCode = 1;
}
