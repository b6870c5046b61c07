import { basename } from 'node:path';
import { CommanderError } from 'commander';
import { CommandError, exitCodes } from './agents/command-error.js';
import { remark } from './agents/output.js';
import { createProgram } from './agents/program.js';

/**
 * `npm run agents -- …`, or `azdo-batch-agents …`: the operator's command line. It talks to the app over HTTP, like
 * everybody else.
 */
const bin = 'azdo-batch-agents';
const startedAs = basename(process.argv[1] ?? '');

// Whoever reads us may have read enough.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(exitCodes.ok));

function end(error: unknown): void {
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
process.on('uncaughtException', error => {
  end(error);
  process.exit();
});

try {
  await createProgram(startedAs.startsWith(bin) ? bin : 'npm run agents --').parseAsync();
} catch (error) {
  end(error);
}
