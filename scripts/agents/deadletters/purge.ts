import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { CommandError, exitCodes } from '../command-error.js';
import { addExamples } from '../options.js';
import { count, print, printJson, remark } from '../output.js';
import { openSession } from '../session.js';
import { type Choice, checkChoice, chosenIds } from './choose.js';
import { settle } from './settle.js';

interface Options extends Choice {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const fine = new Set(['purged', 'ended']);

export function addPurge(parent: Command): void {
  const command = parent
    .command('purge [requestIds...]')
    .description(
      'Is done with dead letters: they leave the list and the queue. The requests stay to be read.',
    )
    .option('--all', 'every dead letter')
    .option('--code <code>', 'with --all: only those that failed with this code')
    .option('--profile <name>', 'with --all: only those of this profile')
    .option('--dry-run', 'say what would be purged, and do nothing')
    .option('--yes', 'do not ask; needed where there is no terminal to ask on');
  addExamples(command, [
    '$0 deadletters purge nightly-42',
    '$0 deadletters purge --all --code PoolMissing --dry-run',
    '$0 deadletters purge --all --yes',
  ]);
  command.action(async (requestIds: readonly string[], options: Options) => {
    checkChoice(requestIds, options);
    const { client, json } = await openSession(command);
    const ids = await chosenIds(client, requestIds, options);
    if (options.dryRun) {
      if (json) return printJson({ requestIds: ids });
      for (const id of ids) print(`${id}  would be purged`);
      return print(`${count(ids.length, 'request')}.`);
    }
    if (ids.length > 0 && !options.yes) await confirm(ids.length);
    process.exitCode = await settle(ids, { json, fine }, async some => client.purge(some));
  });
}

/** @throws CommandError unless a person says yes. */
async function confirm(number: number): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CommandError(
      exitCodes.usage,
      `This would purge ${count(number, 'dead letter')}, and there is no terminal to ask on: say --yes.`,
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D close it, and a question that nobody answers would be waited for without end.
  const gone = new AbortController();
  terminal.once('close', () => gone.abort());
  const question = `Purge ${count(number, 'dead letter')}? They can not be redriven afterwards. [y/N] `;
  const answer = await terminal.question(question, { signal: gone.signal }).catch(() => '');
  terminal.close();
  if (/^y(es)?$/i.test(answer.trim())) return;
  remark('Nothing was purged.');
  throw new CommandError(exitCodes.failed, '');
}
