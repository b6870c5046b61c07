import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import * as z from 'zod';
import { collectFiles } from './pipeline/collect-files.js';
import { followRun } from './pipeline/follow-run.js';
import { findRunningApp, readFunctionKey } from './running-app.js';

/** `npm run pipeline -- FILE`: plays a pipeline's YAML on the local Azure DevOps that `npm start` runs. */
interface Options {
  readonly data: string;
  readonly parameter: Readonly<Record<string, string>>;
  readonly variable: Readonly<Record<string, string>>;
  readonly secret: readonly string[];
}

const exitCodes = { failed: 1, refused: 2, noApp: 3 } as const;

const pair = (text: string, before: Readonly<Record<string, string>>): Record<string, string> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
};

const program = new Command('npm run pipeline --')
  .description(
    "Plays a pipeline's YAML on the local Azure DevOps that `npm start` runs, and shows its log as it grows.",
  )
  .argument('<file>', 'the pipeline, e.g. infra/pipelines/examples/linux.yml')
  .option('--data <folder>', 'the folder of the `npm start`', '.local')
  .option('--parameter <name=value>', 'a parameter of the run; may be repeated', pair, {})
  .option('--variable <name=value>', 'a variable of the run; may be repeated', pair, {})
  .option(
    '--secret <name>',
    'a secret variable, read from the environment variable of that name; may be repeated',
    (name: string, before: readonly string[]) => [...before, name],
    [],
  )
  .addHelpText(
    'after',
    `
The variable group azdo-batch-agents is there: agentsAppUrl and, as a secret, agentsFunctionKey, of the app that runs.
What the player does not know of a pipeline it refuses by name, with file, line and column.

Exit codes:
  0  the run succeeded
  1  the run failed, or was cancelled with Ctrl-C
  2  the pipeline was refused, or the command was not understood
  3  nothing runs that could play it`,
  )
  .exitOverride(error => process.exit(error.exitCode === 0 ? 0 : exitCodes.refused))
  .parse();
const options = program.opts<Options>();

const Answer = z.looseObject({ runId: z.string().optional(), error: z.string().optional() });

async function main(file: string): Promise<number> {
  const app = await findRunningApp(options.data);
  const key = app && (await readFunctionKey(options.data));
  if (!app?.devopsUrl || key === undefined) {
    console.error(
      `No local Azure DevOps runs from the folder ${options.data}: start the product with \`npm start\`, in another terminal.`,
    );
    return exitCodes.noApp;
  }
  const secrets = options.secret.map((name): [string, object] => {
    const value = process.env[name];
    if (value === undefined) throw new Error(`The environment variable ${name} is not set.`);
    return [name, { value, isSecret: true }];
  });
  const response = await fetch(`${app.devopsUrl}/_local/pipelines`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...(await collectFiles(file, process.cwd())),
      parameters: options.parameter,
      variables: { ...options.variable, ...Object.fromEntries(secrets) },
      groups: {
        'azdo-batch-agents': { agentsAppUrl: app.url, agentsFunctionKey: { value: key, isSecret: true } },
      },
    }),
  });
  const { runId, error } = Answer.parse(await response.json());
  if (runId === undefined) {
    console.error(`The pipeline is refused:\n${error ?? response.statusText}`);
    return exitCodes.refused;
  }
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
  const result = await followRun(
    app.devopsUrl,
    runId,
    (line, isIssue) => console.log(paint(line, isIssue)),
    interrupted.signal,
  );
  return result === 'succeeded' ? 0 : exitCodes.failed;
}

/** As the web page of a run shows its commands. */
function paint(line: string, isIssue: boolean): string {
  if (isIssue || line.includes('##[error]')) return pc.red(line);
  return line.includes('##[section]') ? pc.green(line) : line;
}

try {
  process.exitCode = await main(program.args[0] ?? '');
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = exitCodes.refused;
}
