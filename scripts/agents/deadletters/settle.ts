import type { Result } from '../client.js';
import { exitCodes } from '../command-error.js';
import { count, print, printJson } from '../output.js';

/** Few enough that a person sees it go on, and that an interrupted call has not far to go. */
const idsAtOnce = 50;

/**
 * Has the app do something with dead letters, batch by batch, and tells each result as it comes. Ctrl-C in between is
 * safe: what was told is done, the rest is as it was, and the same command goes on with it.
 *
 * @param fine outcomes that are no failure.
 * @returns the exit code.
 */
export async function settle(
  requestIds: readonly string[],
  { json, fine }: { readonly json: boolean; readonly fine: ReadonlySet<string> },
  action: (requestIds: readonly string[]) => Promise<readonly Result[]>,
): Promise<number> {
  const results: Result[] = [];
  for (let from = 0; from < requestIds.length; from += idsAtOnce) {
    for (const result of await action(requestIds.slice(from, from + idsAtOnce))) {
      results.push(result);
      if (!json) print(`${result.requestId}  ${result.outcome}: ${result.detail}`);
    }
  }
  if (json) printJson({ results });
  else print(summary(results));
  return results.every(({ outcome }) => fine.has(outcome)) ? exitCodes.ok : exitCodes.failed;
}

function summary(results: readonly Result[]): string {
  const outcomes = new Map<string, number>();
  for (const { outcome } of results) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const parts = [...outcomes].map(([outcome, times]) => `${times} ${outcome}`);
  return `${count(results.length, 'request')}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}.`;
}
