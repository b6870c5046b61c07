import { readFile, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import * as z from 'zod';
import { printJson, printStyled, remark } from './agents/output.js';
import type { Formula } from './local/autoscale/formula.js';
import { parametersOf, readFormula, withParameters } from './simulate/formula-file.js';
import { type FileProblem, InputError } from './simulate/input-error.js';
import { addWorldOptions, readOptions } from './simulate/options.js';
import { asJson, type Contender, comparison, sketch } from './simulate/report.js';
import { simulate } from './simulate/simulation.js';
import { poolOfTrace, readTrace } from './simulate/trace/read-trace.js';
import { day, firstPart, type Trace } from './simulate/trace/trace.js';

/** `npm run simulate`: what a formula would have made of a day, before a pool gets it. */
const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

const command = addWorldOptions(
  new Command('npm run simulate --')
    .description(
      'Plays a trace of requests against a pool that an autoscale formula scales: how long agents are waited for, and what ' +
        'the nodes cost. Everything that is assumed of Azure is an option.',
    )
    .option('--trace <file>', 'requests: a recipe (.yaml), CSV, or `agents list --json` (.json)')
    .option('--formula <file...>', 'autoscale formulas, to be compared if several')
    .option('--set <name=number...>', 'another value for a parameter of the formulas that have it')
    .option('--seed <number>', 'another day of the same kind')
    .option('--days <number>', 'only the first days of the trace')
    .option('--json', 'print the figures as JSON and nothing else')
    .option('--plot <file>', 'also draw demand, nodes and waiting, as SVG')
    .option('--docs', 'write the figures and plots of .github/docs/autoscale.md instead'),
)
  .addHelpText(
    'after',
    `
Examples:
  npm run simulate -- --trace infra/autoscale/traces/office-day.yaml --formula infra/autoscale/agents.formula
  npm run simulate -- --trace infra/autoscale/traces/office-day.yaml --plot office-day.svg \\
    --formula infra/autoscale/agents.formula --formula infra/autoscale/article.formula
  npm run simulate -- --trace infra/autoscale/traces/office-day.yaml --formula infra/autoscale/agents.formula \\
    --slots 5 --set maxLowPriorityNodes=4 --set holdMinutes=20`,
  )
  .exitOverride();

const Given = z.object({
  trace: z.string().optional(),
  formula: z.array(z.string()).default([]),
  docs: z.boolean().default(false),
  json: z.boolean().default(false),
  plot: z.string().optional(),
});

async function main(): Promise<void> {
  command.parse();
  const given = Given.parse(command.opts());
  if (given.docs) return (await import('./simulate/docs/page.js')).writePage(remark);
  const {
    assumed: told,
    traceSeed,
    days,
    parameters: set,
    problems: wrongOptions,
  } = readOptions(command.opts());
  const problems: FileProblem[] = [...wrongOptions];
  const collect = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const { trace: traceFile, formula: formulaFiles } = given;
  if (traceFile === undefined) problems.push({ file: '--trace', cause: 'Say which file has the requests.' });
  if (formulaFiles.length === 0)
    problems.push({ file: '--formula', cause: 'Say which formula scales the pool.' });
  const traceText = traceFile === undefined ? undefined : await readText(traceFile, problems);
  const formulaTexts = await Promise.all(formulaFiles.map(file => readText(file, problems)));
  const known = new Set(formulaTexts.flatMap(text => parametersOf(text ?? '').map(({ name }) => name)));
  for (const name of set.keys()) {
    if (!known.has(name) && formulaTexts.length > 0 && formulaTexts.every(text => text !== undefined)) {
      problems.push({
        file: `--set ${name}`,
        cause: `No formula has such a parameter; there is ${[...known].join(', ') || 'none'}.`,
      });
    }
  }
  const pool = poolFor(traceFile, traceText);
  const assumed =
    pool && command.getOptionValue('slots') === undefined ? { ...told, slots: pool.slots } : told;
  const ofTrace = Object.entries(pool?.parameters ?? {}).filter(
    ([name]) => known.has(name) && !set.has(name),
  );
  const parameters = new Map([...ofTrace, ...set]);
  const formulas = formulaTexts.map((text, index): Formula | undefined =>
    text === undefined
      ? undefined
      : collect(() => readFormula(formulaFiles[index] ?? '', withParameters(text, parameters))),
  );
  const whole =
    traceFile === undefined || traceText === undefined
      ? undefined
      : collect(() => readTrace(traceFile, traceText, { slots: assumed.slots, seed: traceSeed }));
  if (problems.length > 0 || !whole) throw new InputError(problems);
  if (pool && !given.json) {
    const caps = ofTrace.map(([name, value]) => `, ${name} = ${value}`).join('');
    remark(
      `Nodes have ${assumed.slots} ${assumed.slots === 1 ? 'slot' : 'slots'}${caps}; --slots and --set say otherwise.`,
    );
  }
  const trace = days === undefined ? whole : firstPart(whole, days * day);
  const contenders = formulas.flatMap((formula, index): Contender[] =>
    formula ? [{ formula: formulaFiles[index] ?? '', outcome: simulate(trace, formula, assumed) }] : [],
  );
  await show(contenders, trace, given, assumed);
}

/** What is wrong with the trace is told by whoever reads all of it. */
function poolFor(file: string | undefined, text: string | undefined): ReturnType<typeof poolOfTrace> {
  if (file === undefined || text === undefined) return undefined;
  try {
    return poolOfTrace(file, text);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

async function show(
  contenders: readonly Contender[],
  trace: Trace,
  { json, plot: plotFile }: z.infer<typeof Given>,
  assumed: ReturnType<typeof readOptions>['assumed'],
): Promise<void> {
  for (const { formula, outcome } of contenders) {
    const { failedEvaluations, evaluations, problem } = outcome;
    if (!problem) continue;
    remark(
      `${formula}:${problem.line}:${problem.column}: ${problem.cause} ` +
        `(${failedEvaluations} of ${evaluations} evaluations failed; the pool stayed as it was)`,
    );
  }
  if (json) {
    printJson({ trace: trace.name, assumed, results: contenders.map(each => asJson(each, assumed)) });
  } else {
    printStyled(await comparison(contenders, assumed));
    for (const contender of contenders) printStyled(`\n${sketch(contender)}`);
  }
  if (plotFile === undefined) return;
  const { plot } = await import('./simulate/plot.js');
  await writeFile(plotFile, await plot(trace.name, contenders, trace));
  remark(`The plot is in ${plotFile}.`);
}

async function readText(file: string, problems: FileProblem[]): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    problems.push({
      file,
      cause: `It can't be read: ${error instanceof Error ? error.message : String(error)}`,
    });
    return undefined;
  }
}

// Whoever reads only the first lines has seen enough.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(exitCodes.ok));

try {
  await main();
} catch (error) {
  if (error instanceof InputError) {
    console.error(error.message);
    process.exitCode = exitCodes.usage;
  } else if (error instanceof Error && 'exitCode' in error) {
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  } else {
    console.error(error);
    process.exitCode = exitCodes.failed;
  }
}
