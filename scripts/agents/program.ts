import { Command, Option } from 'commander';
import { product } from '../../shared/adapters/product.js';
import { addComplete, addCompletion } from './completion.js';
import { addDeadLetters } from './deadletters/index.js';
import { addDoctor } from './doctor/index.js';
import { addExamples } from './options.js';
import { addPlaceholders } from './placeholders.js';
import { addPools } from './pools.js';
import { addRequests } from './requests/index.js';
import { addTail } from './tail.js';

/** @param name what the person typed to get here; examples begin with it. */
export function createProgram(name: string): Command {
  const program = describable(name);
  addComplete(program, () => describable(name));
  return program;
}

/**
 * The operator's command line, ready to parse. What a command needs is loaded when it runs: help and completion are
 * asked for often, and are to come at once.
 */
function describable(name: string): Command {
  const program = new Command(name)
    .description("The operator's command line of azdo-batch-agents.")
    .addOption(
      new Option(
        '--url <url>',
        'the app, e.g. https://my-app.azurewebsites.net (default: AGENTS_URL)',
      ).conflicts('data'),
    )
    .option('--data <folder>', 'without a URL: the app that `npm start` runs from this folder', '.local')
    .option('--json', 'print results as JSON')
    .version(product.productVersion, '--version', 'print the version of the command line')
    .configureHelp({ showGlobalOptions: true })
    // Before the commands are added: they inherit it.
    .exitOverride();
  addExamples(
    program,
    [
      '$0 doctor',
      '$0 request --profile ubuntu --wait',
      '$0 status nightly-42 --watch',
      '$0 list --state deadLettered',
      '$0 deadletters redrive --all --code PoolMissing --dry-run',
      'AGENTS_KEY=… $0 pools --url https://my-app.azurewebsites.net',
    ],
    `The function key of an app that is named by its URL is read from the
environment variable AGENTS_KEY, never from an argument. Results go to stdout,
everything else to stderr. Colours are left out where NO_COLOR is set. Use
\`npm run -s agents -- …\` to pipe results.

Exit codes:
  0    done
  1    something was not found, or some of it could not be done
  2    the command was not understood
  3    the app can not be reached, or does not accept the key
  4    the request that was waited for ended otherwise
  5    a check of the doctor failed
  130  stopped by Ctrl-C`,
  );
  for (const add of [
    addRequests,
    addPools,
    addPlaceholders,
    addDeadLetters,
    addDoctor,
    addTail,
    addCompletion,
  ]) {
    add(program);
  }
  return program;
}
