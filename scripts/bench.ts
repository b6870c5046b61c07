import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { Command, Option } from 'commander';
import pc from 'picocolors';
import * as z from 'zod';
import { figures } from './bench/figures.js';
import { machineLine } from './bench/machine.js';
import { writePlots } from './bench/plots.js';
import { insertIntoPage, toMarkdown } from './bench/report/markdown.js';
import { printResults } from './bench/report/print.js';
import { Results } from './bench/report/results.js';
import { chooseFigures, runFigures } from './bench/run.js';
import { scales } from './bench/scale.js';
import { root } from './root.js';

/**
 * `npm run bench`: everything that the project claims about its speed and cost, measured side by side in one run. Ends 0
 * when all was measured, whether or not the goals hold; 1 when something could not be.
 */
const Options = z.object({
  quick: z.boolean(),
  only: z.array(z.string()).optional(),
  json: z.boolean(),
  out: z.string(),
  plots: z.string().optional(),
  from: z.string().optional(),
  docs: z.boolean(),
  tiny: z.boolean(),
});

const command = new Command('npm run bench --')
  .description(
    'Measures what an agent costs and how that grows: this product, what a team would otherwise build, and the bare ' +
      'work on the same storage, side by side. Counts are exact; of times, only ratios within a run mean much.',
  )
  .option('--quick', 'less of everything, in two minutes; nothing to show to others', false)
  .option('--only <figures...>', `some of: ${figures.map(({ name }) => name).join(', ')}`)
  .option('--json', 'print the results as JSON and nothing else', false)
  .option('--out <folder>', 'where results and plots are kept', 'bench-results')
  .option('--plots <folder>', 'where to put the plots instead')
  .option('--from <file>', 'show earlier results instead of measuring')
  .option('--docs', 'put the results into .github/docs/measured.md, and the plots beside it', false)
  .addOption(new Option('--tiny', 'just enough to see that everything runs').default(false).hideHelp())
  .addHelpText(
    'after',
    `
Examples:
  npm run bench                                    everything, in less than 15 minutes
  npm run bench -- --quick --only intake           one figure, quickly
  npm run -s bench -- --json > results.json        for a script
  npm run bench -- --from bench-results/latest.json --docs`,
  )
  .parse();
const options = Options.parse(command.opts());

/** Longer than it takes, shorter than a patience: then it says what it has. The tiny one has no patience but its test's. */
const limitMinutes = { full: 15, quick: 2, tiny: 5 } as const;
const page = join('.github', 'docs', 'measured.md');
const pageImages = join('.github', 'images');

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort(new Error('Stopped before the end.')));
}

/** Results go to stdout; what is being done is for whoever waits. */
const say = (line: string): void => console.error(pc.dim(line));
const remark = (line: string): void => {
  if (options.json) console.error(line);
  else console.log(line);
};

async function measure(): Promise<Results> {
  const scale = scales[options.tiny ? 'tiny' : options.quick ? 'quick' : 'full'];
  const started = performance.now();
  return runFigures({
    figures: options.only ? chooseFigures(figures, options.only) : figures,
    scale,
    signal: interrupted.signal,
    limitMs: limitMinutes[scale.name] * 60_000,
    say: line => say(`${((performance.now() - started) / 1_000).toFixed(0).padStart(4)} s  ${line}`),
    onMachine: machine => {
      say(machineLine(machine));
      if (machine.busy)
        console.error(pc.yellow('The machine is busy: times will be worse than they could be.'));
    },
  });
}

async function readResults(file: string): Promise<Results> {
  const value: unknown = JSON.parse(await readFile(file, 'utf8'));
  const results = Results.safeParse(value);
  if (!results.success)
    throw new Error(`${file} has no results of this bench: ${z.prettifyError(results.error)}`);
  return results.data;
}

/** @returns where the plots should go */
async function keep(results: Results): Promise<string> {
  const name = results.startedAt.replaceAll(':', '-').replace(/\.\d+Z$/, 'Z');
  await mkdir(options.out, { recursive: true });
  const text = `${JSON.stringify(results, undefined, 2)}\n`;
  await writeFile(join(options.out, `${name}.json`), text);
  await writeFile(join(options.out, 'latest.json'), text);
  return join(options.out, name);
}

async function updatePage(results: Results): Promise<void> {
  if (results.scale !== 'full' || results.failures.length > 0 || results.figures.length < figures.length)
    throw new Error(`${page} shows all figures of a full run, and this is not one. It was left as it is.`);
  const file = join(root, page);
  const images = relative(dirname(page), pageImages).split(sep).join('/');
  await writeFile(file, insertIntoPage(await readFile(file, 'utf8'), toMarkdown(results, images)));
  await writePlots(results, join(root, pageImages));
  remark(`${page} has been written anew; what the README says of it is for you to look at.`);
}

try {
  const results = options.from ? await readResults(options.from) : await measure();
  const plots = options.from ? undefined : await keep(results);
  const folder = options.plots ?? plots;
  const drawn = folder ? await writePlots(results, folder) : [];
  if (options.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
  else console.log(`\n${printResults(results)}`);
  if (plots) remark(`\nKept in ${shown(`${plots}.json`)} and ${shown(join(options.out, 'latest.json'))}`);
  if (folder && drawn.length > 0) remark(`${drawn.length} plots are in ${shown(folder)}`);
  if (options.docs) await updatePage(results);
  if (results.failures.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(
    `\nThe bench did not come to its end: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exitCode = 1;
}
// Whatever a figure that had to be given up still holds must not keep this process.
if (process.exitCode === 1) process.exit();

function shown(path: string): string {
  return relative(process.cwd(), resolve(path)) || '.';
}
