import type { Command } from 'commander';
import type { DeadLetterFilter } from '../client.js';
import { addExamples, wholeNumber } from '../options.js';
import { printJson, printStyled, remark, time } from '../output.js';
import { take } from '../requests/list.js';
import { openSession } from '../session.js';

interface Options extends DeadLetterFilter {
  readonly limit: number;
}

export function addList(parent: Command): void {
  const command = parent
    .command('list')
    .description('Lists the dead letters, the newest first.')
    .option('--code <code>', 'only those that failed with this code, e.g. PoolMissing')
    .option('--profile <name>', 'only those of this profile')
    .option('--limit <number>', 'at most so many', wholeNumber, 50);
  addExamples(command, ['$0 deadletters list', '$0 deadletters list --code PoolMissing --json']);
  command.action(async ({ limit, ...filter }: Options) => {
    const { client, json } = await openSession(command);
    const { found, more } = await take(client.deadLetters(filter), limit);
    if (json) return printJson({ deadLetters: found, more });
    if (found.length === 0) return remark('There are no such dead letters.');
    const { table } = await import('../table.js');
    printStyled(
      await table(
        ['request', 'profile', 'code', 'ended (UTC)', 'reason'],
        found.map(({ requestId, profile, failure, endedAt }) => [
          requestId,
          profile,
          failure?.code ?? '',
          time(endedAt),
          failure?.message ?? '',
        ]),
      ),
    );
    if (more) remark(`There are more than ${limit}: see them with --limit.`);
  });
}
