import type { Command } from 'commander';
import { exitCodes } from '../command-error.js';
import { addExamples, addPatience, requestId as asRequestId } from '../options.js';
import { printJson, printStyled } from '../output.js';
import { openSession } from '../session.js';
import { withAdvice } from './not-found.js';

interface Options {
  readonly watch?: boolean;
  readonly patience: number;
}

export function addStatus(parent: Command): void {
  const command = parent
    .command('status')
    .description('Shows one request: its history, its timings, and why it failed.')
    .argument('<requestId>', 'the id of the request', asRequestId)
    .option('--watch', 'follow it until its end');
  addPatience(command);
  addExamples(
    command,
    ['$0 status nightly-42', '$0 status nightly-42 --watch', '$0 status nightly-42 --json'],
    `With --watch the exit code is 4 when the request ends other than completed.`,
  );
  command.action(async (requestId: string, { watch: follow, patience }: Options) => {
    const { client, json } = await openSession(command);
    const request = await client.request(requestId).catch(withAdvice(command));
    if (!follow) {
      if (json) return printJson(request);
      const { describe } = await import('./describe.js');
      return printStyled(await describe(request));
    }
    const { watch } = await import('./watch.js');
    const last = await watch(client, request, { json, patience, until: 'end' });
    process.exitCode = last.state === 'completed' ? exitCodes.ok : exitCodes.endedOtherwise;
  });
}
