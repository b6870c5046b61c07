import { relative } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import getPort from 'get-port';
import pc from 'picocolors';
import { readAppSettings } from './app-settings.js';
import { NotReady } from './local/stack/part.js';
import type { PartName, Settings } from './local/stack/plan.js';
import { type Stack, type StackOptions, startStack } from './local/stack/stack.js';
import type { StackEvent } from './local/stack/supervisor.js';
import { startTraces } from './local/traces/server.js';
import { root } from './root.js';
import { noteRunningApp } from './running-app.js';

/** `npm start`: the whole product on this machine, until Ctrl-C. */
interface Options {
  readonly port?: number;
  readonly data: string;
  readonly verbose: boolean;
  readonly traces: boolean;
}

/** Where Core Tools serves, too. */
const usualPort = 7071;
const restarts = 3;

const port = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535) {
    throw new InvalidArgumentError('It must be a port number.');
  }
  return value;
};

const options = new Command('npm start --')
  .description(
    'Runs the whole product on this machine, with a stand-in for each service that no setting names.',
  )
  .option(
    '--port <port>',
    `of the Functions app (default: ${usualPort}, or a free one when that is taken)`,
    port,
  )
  .option('--data <folder>', 'where everything is kept between starts', '.local')
  .option('--verbose', 'show what every part prints, not only the Functions app', false)
  .option('--traces', 'collect the traces and metrics of the app, and show them at a URL', false)
  .parse()
  .opts<Options>();

const titles: Readonly<Record<PartName, string>> = {
  host: 'Functions app',
  devops: 'Azure DevOps',
  batch: 'Azure Batch',
  storage: 'Storage',
};

const end = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end.abort());
let loss: string | undefined;

/** A line for each of some fifty functions would push what `npm start` says out of sight. */
const announcesFunction = / Host\.Startup \w+: (\[[A-Z,]+\] |\w+Trigger$)/;

/** Whether people see what a part prints, as it prints it: then its last words need not be told again. */
const isShown = (part: string): boolean => options.verbose || part === 'host';

function tell(event: StackEvent): void {
  if (event.type === 'line' && !options.verbose && announcesFunction.test(event.line)) return;
  const part = pc.dim(`${event.part.padEnd(7)} │`);
  if (event.type === 'line' && isShown(event.part)) console.log(`${part} ${event.line}`);
  if (event.type === 'died') {
    const words = isShown(event.part) ? '' : ` Its last words:\n${event.output}`;
    console.error(`The ${event.part} ${event.how} and is started again.${words}`);
  }
  if (event.type === 'lost') {
    loss = event.reason;
    end.abort();
  }
}

/** Without a port that was asked for, the Functions app takes the usual one itself, or one that is free. */
async function choosePort(): Promise<Pick<StackOptions, 'ports' | 'args'>> {
  const { port: wanted } = options;
  if (wanted === undefined) return { args: { host: ['--prefer-port', String(usualPort)] } };
  if ((await getPort({ port: wanted })) !== wanted) {
    throw new Error(`Port ${wanted} is taken: choose another with --port, or leave it out for a free one.`);
  }
  return { ports: { host: wanted } };
}

function introduce(stack: Stack, tracesUrl: string | undefined): void {
  const address = (part: PartName): string => {
    const url = stack.url(part);
    if (part === 'host') return `${url}/api`;
    return part === 'devops' ? `${url}/local` : url;
  };
  const folder = relative(process.cwd(), stack.dataDir) || '.';
  const agents = `${stack.url('host')}/api/agents`;
  console.log(`
${pc.bold('The product runs on this machine.')}

${stack.parts
  .toReversed()
  .map(
    part => `  ${titles[part].padEnd(14)} ${address(part)}${part === 'host' ? '' : pc.dim('  (stand-in)')}`,
  )
  .join('\n')}
  ${'Function key'.padEnd(14)} ${stack.functionKey}${pc.dim(`  (in ${folder}/host/keys.json)`)}${
    tracesUrl === undefined
      ? ''
      : `
  ${'Traces'.padEnd(14)} ${tracesUrl}${pc.dim('  (and /metrics)')}`
  }

Ask for an agent, and see what becomes of it:

  curl -X POST -H 'x-functions-key: ${stack.functionKey}' -H 'content-type: application/json' -d '{}' ${agents}
  curl -H 'x-functions-key: ${stack.functionKey}' ${agents}
  ${stack.url('host')}/api/dashboard?code=${stack.functionKey}${pc.dim('  (the page)')}${
    tracesUrl === undefined
      ? ''
      : `
  curl ${tracesUrl}/traces/REQUEST_ID`
  }
${
  stack.parts.includes('devops')
    ? `
Or play a pipeline that asks for one, in another terminal:

  npm run pipeline -- infra/pipelines/examples/linux.yml
`
    : ''
}
Ctrl-C ends everything. The data stays in ${folder} for the next start.
`);
}

/** Whoever looks at them wants to see them soon. */
const tracesTo = (url: string): Settings => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_METRIC_EXPORT_INTERVAL: '5000',
});

async function run(tracesUrl: string | undefined): Promise<number> {
  const stack = await startStack({
    dataDir: options.data,
    settings: {
      ...(await readAppSettings(root, process.env)),
      ...(tracesUrl === undefined ? {} : tracesTo(tracesUrl)),
    },
    ...(await choosePort()),
    restarts,
    onEvent: tell,
    signal: end.signal,
  });
  const forget = await noteRunningApp(stack.dataDir, {
    url: stack.url('host'),
    pid: process.pid,
    ...(stack.parts.includes('devops') && { devopsUrl: stack.url('devops') }),
  });
  introduce(stack, tracesUrl);
  await new Promise<void>(resolve => {
    if (end.signal.aborted) resolve();
    else end.signal.addEventListener('abort', () => resolve());
  });
  await forget();
  await stack.stop();
  if (loss === undefined) return 0;
  console.error(loss);
  return 1;
}

async function main(): Promise<number> {
  const traces = options.traces ? await startTraces() : undefined;
  try {
    return await run(traces?.url);
  } finally {
    await traces?.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!end.signal.aborted) {
    const shown = error instanceof NotReady && isShown(error.part);
    console.error(shown ? error.how : error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
