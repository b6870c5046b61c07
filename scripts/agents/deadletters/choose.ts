import type { AgentsClient } from '../client.js';
import { CommandError, exitCodes } from '../command-error.js';

/** Which dead letters a command is about. */
export interface Choice {
  readonly all?: boolean;
  readonly code?: string;
  readonly profile?: string;
}

/** @throws CommandError unless either ids or `--all` are given. */
export function checkChoice(requestIds: readonly string[], { all, code, profile }: Choice): void {
  const filtered = code !== undefined || profile !== undefined;
  if (all ? requestIds.length === 0 : requestIds.length > 0 && !filtered) return;
  throw new CommandError(
    exitCodes.usage,
    'Name the requests by their ids, or all with --all, which --code and --profile narrow down.',
  );
}

/** All ids are read before anything is done: what is done moves entries out of the pages. */
export async function chosenIds(
  client: AgentsClient,
  requestIds: readonly string[],
  { all, code, profile }: Choice,
): Promise<readonly string[]> {
  if (!all) return [...new Set(requestIds)];
  const ids: string[] = [];
  for await (const { requestId } of client.deadLetters({ code, profile })) ids.push(requestId);
  return ids;
}
