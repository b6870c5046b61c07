import type { Command } from 'commander';
import type { AgentsClient, Result } from '../client.js';
import { exitCodes, Refused } from '../command-error.js';
import { addExamples, requestIds as asRequestIds } from '../options.js';
import { print, printJson } from '../output.js';
import { openSession } from '../session.js';

export function addCancel(parent: Command): void {
  const command = parent
    .command('cancel')
    .description('Cancels requests; their agents are taken back, and jobs that run on them end.')
    .argument('<requestIds...>', 'the ids of the requests', asRequestIds);
  addExamples(
    command,
    ['$0 cancel nightly-42', '$0 cancel nightly-42 nightly-43 --json'],
    `The exit code is 1 when one was not found, or had ended already.`,
  );
  command.action(async (requestIds: readonly string[]) => {
    const { client, json } = await openSession(command);
    const results: Result[] = [];
    for (const requestId of new Set(requestIds)) {
      const result = await cancel(client, requestId);
      results.push(result);
      if (!json) print(`${requestId}  ${result.outcome}: ${result.detail}`);
    }
    if (json) printJson({ results });
    if (!results.every(({ outcome }) => outcome === 'cancelling')) process.exitCode = exitCodes.failed;
  });
}

async function cancel(client: AgentsClient, requestId: string): Promise<Result> {
  try {
    const { state } = await client.cancel(requestId);
    return {
      requestId,
      outcome: 'cancelling',
      detail: `It was ${state}; what was made for it is taken back.`,
    };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === 'RequestEnded') return { requestId, outcome: 'ended', detail: error.message };
    if (error.code === 'RequestNotFound') return { requestId, outcome: 'notFound', detail: error.message };
    throw error;
  }
}
