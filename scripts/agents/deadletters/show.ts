import type { Command } from 'commander';
import { print, printJson, table, time } from '../output.js';
import { openSession } from '../session.js';

export function addShow(parent: Command): void {
  parent
    .command('show <requestId>')
    .description('Shows one dead letter: why it failed, its history, and the message that it came as.')
    .action(async (requestId: string, _options: object, command: Command) => {
      const { client, json } = await openSession(command);
      const letter = await client.deadLetter(requestId);
      if (json) return printJson(letter);
      const { failure } = letter;
      print(`Request ${letter.requestId}, profile ${letter.profile || '–'}, ended ${time(letter.endedAt)}`);
      if (failure) print(`${failure.code} (${failure.stage}): ${failure.message}`);
      print(
        table(
          ['at (UTC)', 'state', 'attempt', 'what happened'],
          letter.history.map(({ at, state, attempt, detail }) => [time(at), state, String(attempt), detail]),
        ),
      );
      if (letter.message !== undefined) print(`Its message:\n${letter.message}`);
      if (letter.messageBase64 !== undefined) print(`Its message, in base64:\n${letter.messageBase64}`);
    });
}
