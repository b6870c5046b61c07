import { type Command, Option } from 'commander';
import { requestStates } from '../../../shared/domain/request.js';
import type { RequestFilter, ShownRequest } from '../client.js';
import { addExamples, tag, wholeNumber } from '../options.js';
import { printJson, printStyled, remark, time } from '../output.js';
import { openSession } from '../session.js';

interface Options extends RequestFilter {
  readonly limit: number;
}

export function addList(parent: Command): void {
  const command = parent
    .command('list')
    .description('Lists requests, the newest first.')
    .addOption(new Option('--state <state>', 'only those in this state').choices(requestStates))
    .option('--profile <name>', 'only those of this profile')
    .option('--tag <name=value>', 'only those with this tag', tag)
    .option('--limit <number>', 'at most so many', wholeNumber, 50);
  addExamples(command, [
    '$0 list',
    '$0 list --state starting --profile ubuntu',
    '$0 list --tag team=payments --limit 10 --json',
  ]);
  command.action(async ({ limit, ...filter }: Options) => {
    const { client, json } = await openSession(command);
    const { found, more } = await take(client.requests(filter), limit);
    if (json) return printJson({ requests: found, more });
    if (found.length === 0) return remark('There are no such requests.');
    const { table } = await import('../table.js');
    printStyled(
      await table(
        ['request', 'state', 'profile', 'asked for (UTC)', 'last'],
        found.map(({ requestId, state, profile, createdAt, history }) => [
          requestId,
          state,
          profile,
          time(createdAt),
          history.at(-1)?.detail ?? '',
        ]),
      ),
    );
    if (more) remark(`There are more than ${limit}: see them with --limit.`);
  });
}

/** @returns the first of them, and whether there are more. */
export async function take(
  requests: AsyncIterable<ShownRequest>,
  limit: number,
): Promise<{ readonly found: readonly ShownRequest[]; readonly more: boolean }> {
  const found: ShownRequest[] = [];
  for await (const request of requests) {
    if (found.length === limit) return { found, more: true };
    found.push(request);
  }
  return { found, more: false };
}
