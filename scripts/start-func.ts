import { Command } from 'commander';
import { execa } from 'execa';
import { readAppSettings } from './app-settings.js';
import { neededParts } from './local/stack/plan.js';
import { startStack } from './local/stack/stack.js';
import { root } from './root.js';

/** `npm run start:func`: the same app and stand-ins, under Azure Functions Core Tools in place of the small host. */
const { args } = new Command('npm run start:func --')
  .description('Runs the app under Azure Functions Core Tools (`func`), with the stand-ins of `npm start`.')
  .argument('[arguments...]', 'for `func start`, which has a --help of its own: func start --help')
  .allowUnknownOption()
  .parse();

const end = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end.abort());

async function main(): Promise<number> {
  const { failed } = await execa('func', ['--version'], { reject: false });
  if (failed) {
    console.error(
      'Azure Functions Core Tools (`func`) was not found: install it with `npm install -g azure-functions-core-tools@4`, ' +
        'or use `npm start`, which needs nothing else.',
    );
    return 1;
  }
  const settings = await readAppSettings(root, process.env);
  const stack = await startStack({
    dataDir: '.local',
    settings,
    parts: neededParts(settings).filter(part => part !== 'host'),
    signal: end.signal,
  });
  try {
    const { exitCode } = await execa('func', ['start', ...args], {
      cwd: root,
      env: stack.settings,
      stdio: 'inherit',
      reject: false,
      cancelSignal: end.signal,
    });
    return end.signal.aborted ? 0 : (exitCode ?? 1);
  } finally {
    await stack.stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!end.signal.aborted) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
