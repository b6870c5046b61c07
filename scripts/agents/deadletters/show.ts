import type { Command } from 'commander';
import { addExamples, requestId as asRequestId } from '../options.js';
import { print, printJson, printStyled } from '../output.js';
import { openSession } from '../session.js';

export function addShow(parent: Command): void {
  const command = parent
    .command('show')
    .description('Shows one dead letter: why it failed, its history, and the message that it came as.')
    .argument('<requestId>', 'the id of the request', asRequestId);
  addExamples(command, ['$0 deadletters show nightly-42', '$0 deadletters show nightly-42 --json']);
  command.action(async (requestId: string) => {
    const { client, json } = await openSession(command);
    const letter = await client.deadLetter(requestId);
    if (json) return printJson(letter);
    const { describe } = await import('../requests/describe.js');
    printStyled(await describe(letter));
    if (letter.message !== undefined) print(`\nIts message:\n${letter.message}`);
    if (letter.messageBase64 !== undefined) print(`\nIts message, in base64:\n${letter.messageBase64}`);
  });
}
