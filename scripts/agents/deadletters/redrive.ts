import type { Command } from 'commander';
import { addExamples } from '../options.js';
import { openSession } from '../session.js';
import { type Choice, checkChoice, chosenIds } from './choose.js';
import { settle } from './settle.js';

interface Options extends Choice {
  readonly dryRun?: boolean;
}

/** What lives or has ended well was redriven before, or never needed it: asking twice is no failure. */
const fine = new Set(['redriven', 'redrivable', 'alive', 'ended']);

export function addRedrive(parent: Command): void {
  const command = parent
    .command('redrive [requestIds...]')
    .description('Begins dead letters again, each as the next generation of its request.')
    .option('--all', 'every dead letter')
    .option('--code <code>', 'with --all: only those that failed with this code')
    .option('--profile <name>', 'with --all: only those of this profile')
    .option('--dry-run', 'say what would be redriven, and do nothing');
  addExamples(
    command,
    ['$0 deadletters redrive nightly-42', '$0 deadletters redrive --all --code PoolMissing --dry-run'],
    `A pipeline that was told "failed" is not called again. A message that still can
not be understood stays a dead letter.`,
  );
  command.action(async (requestIds: readonly string[], options: Options) => {
    checkChoice(requestIds, options);
    const { client, json } = await openSession(command);
    const ids = await chosenIds(client, requestIds, options);
    process.exitCode = await settle(ids, { json, fine }, async some =>
      client.redrive(some, options.dryRun ?? false),
    );
  });
}
