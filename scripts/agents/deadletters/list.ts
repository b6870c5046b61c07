import { type Command, InvalidArgumentError } from 'commander';
import type { DeadLetterFilter, ShownRequest } from '../client.js';
import { print, printJson, remark, shorten, table, time } from '../output.js';
import { openSession } from '../session.js';

interface Options extends DeadLetterFilter {
  readonly limit: number;
}

export function addList(parent: Command): void {
  parent
    .command('list')
    .description('Lists the dead letters, the newest first.')
    .option('--code <code>', 'only those that failed with this code, e.g. PoolMissing')
    .option('--profile <name>', 'only those of this profile')
    .option('--limit <number>', 'at most so many', wholeNumber, 50)
    .action(async ({ limit, ...filter }: Options, command: Command) => {
      const { client, json } = await openSession(command);
      const found: ShownRequest[] = [];
      let more = false;
      for await (const request of client.deadLetters(filter)) {
        more = found.length === limit;
        if (more) break;
        found.push(request);
      }
      if (json) return printJson({ deadLetters: found, more });
      if (found.length === 0) return remark('There are no such dead letters.');
      print(
        table(
          ['request', 'profile', 'code', 'ended (UTC)', 'reason'],
          found.map(({ requestId, profile, failure, endedAt }) => [
            requestId,
            profile || '–',
            failure?.code ?? '–',
            time(endedAt),
            shorten(failure?.message ?? '', 80),
          ]),
        ),
      );
      if (more) remark(`There are more than ${limit}: see them with --limit.`);
    });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}
