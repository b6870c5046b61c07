import { Command, CommanderError } from 'commander';
import { CommandError, exitCodes } from './agents/command-error.js';
import { addDeadLetters } from './agents/deadletters/index.js';
import { remark } from './agents/output.js';

/** `npm run agents -- …`: the operator's command line. It talks to the app over HTTP, like everybody else. */
const program = new Command('npm run agents --')
  .description("The operator's command line of azdo-batch-agents.")
  .option('--url <url>', 'the app, e.g. https://my-app.azurewebsites.net (default: AGENTS_URL)')
  .option('--data <folder>', 'without a URL: the app that `npm start` runs from this folder', '.local')
  .option('--json', 'print results as JSON')
  .configureHelp({ showGlobalOptions: true })
  // Before the commands are added: they inherit it.
  .exitOverride()
  .addHelpText(
    'after',
    `
The function key of an app that is named by its URL is read from the environment variable AGENTS_KEY, never from an
argument. Results go to stdout, everything else to stderr. Use \`npm run -s agents -- …\` to pipe results.

Exit codes:
  0  done
  1  something was not found, or some of it could not be done
  2  the command was not understood
  3  the app can not be reached, or does not accept the key

Examples:
  npm run agents -- deadletters list
  npm run agents -- deadletters show nightly-42
  npm run agents -- deadletters redrive --all --code PoolMissing --dry-run
  AGENTS_KEY=… npm run agents -- deadletters list --url https://my-app.azurewebsites.net`,
  );
addDeadLetters(program);

// Whoever reads us may have read enough.
process.stdout.on('error', () => process.exit(exitCodes.ok));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  } else if (error instanceof CommandError) {
    if (error.message !== '') remark(error.message);
    process.exitCode = error.exitCode;
  } else {
    remark(`This should not have happened: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = exitCodes.failed;
  }
}
