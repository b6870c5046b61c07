import type { Command } from 'commander';
import { exitCodes } from './command-error.js';
import { addExamples } from './options.js';
import { print, printJson, printStyled, remark } from './output.js';
import { openSession } from './session.js';

export function addPlaceholders(program: Command): void {
  const group = program
    .command('placeholders')
    .description('Offline agents that let jobs be queued before their agents exist.');
  addExamples(group, [
    '$0 placeholders list',
    '$0 placeholders ensure',
    '$0 placeholders remove "Old Ubuntu"',
  ]);
  addPlaceholderList(group);
  addChange(group, 'ensure', 'Makes the placeholders that are missing.', [
    '$0 placeholders ensure',
    '$0 placeholders ensure "Private Ubuntu"',
  ]);
  addChange(
    group,
    'remove',
    'Removes placeholders, e.g. of a pool that no profile names any more. Those that are kept stay.',
    ['$0 placeholders remove "Old Ubuntu"', '$0 placeholders remove --json'],
  );
}

function addPlaceholderList(parent: Command): void {
  const command = parent.command('list').description('Lists the pools, and whether they have a placeholder.');
  addExamples(command, ['$0 placeholders list', '$0 placeholders list --json']);
  command.action(async () => {
    const { client, json } = await openSession(command);
    const answer = await client.placeholders();
    if (json) return printJson(answer);
    if (answer.placeholders.length === 0) return remark('There are no pools: no profile is configured.');
    const { table } = await import('./table.js');
    printStyled(
      await table(
        ['pool', 'there', 'kept', 'placeholder'],
        answer.placeholders.map(({ devOpsPool, agentName, present, kept }) => [
          devOpsPool,
          present ? 'yes' : 'no',
          kept ? 'yes' : 'no',
          agentName,
        ]),
      ),
    );
  });
}

const wrong = new Set(['refused', 'poolMissing']);

function addChange(
  parent: Command,
  action: 'ensure' | 'remove',
  description: string,
  examples: readonly string[],
): void {
  const command = parent
    .command(action)
    .description(description)
    .argument('[pools...]', 'agent pools of Azure DevOps (default: all that profiles name)');
  addExamples(command, examples);
  command.action(async (pools: readonly string[]) => {
    const { client, json } = await openSession(command);
    const { results } = await client.changePlaceholders(action, pools);
    if (json) printJson({ results });
    for (const { devOpsPool, outcome, detail } of json ? [] : results) {
      print(`${devOpsPool}  ${outcome}: ${detail}`);
    }
    if (results.some(({ outcome }) => wrong.has(outcome))) process.exitCode = exitCodes.failed;
  });
}
