import { setTimeout as sleep } from 'node:timers/promises';
import { TableClient } from '@azure/data-tables';
import { findLeftovers } from '../../demo/leftovers.js';
import type { Stack } from '../../local/stack/stack.js';
import { patienceMs } from './play.js';

const lookEveryMs = 500;
/** A message that was delivered twice comes back once more. */
const messagePatienceMs = 15_000;

/** Waits until our app has no live request any more; @returns how many are left when nothing has ended for minutes. */
export async function untilEnded(stack: Stack, signal: AbortSignal): Promise<number> {
  const table = TableClient.fromConnectionString(
    stack.settings['AzureWebJobsStorage'] ?? '',
    'AgentRequests',
    { allowInsecureConnection: true },
  );
  let fewest = Number.POSITIVE_INFINITY;
  let lastEnd = Date.now();
  for (;;) {
    const rows = table.listEntities({
      queryOptions: { filter: "RowKey ge 'live~' and RowKey lt 'live~~'", select: ['rowKey'] },
    });
    let left = 0;
    for await (const _ of rows) left += 1;
    if (left === 0) return 0;
    if (left < fewest) lastEnd = Date.now();
    fewest = Math.min(fewest, left);
    if (Date.now() - lastEnd > patienceMs) return left;
    await sleep(lookEveryMs, undefined, { signal });
  }
}

/** @returns a sentence for everything that requests made and that is still there. */
export async function findLeft(stack: Stack, signal: AbortSignal): Promise<readonly string[]> {
  const until = Date.now() + messagePatienceMs;
  for (;;) {
    const left = await findLeftovers(stack);
    const onlyMessages = left.every(each => each.startsWith('Queue agent-requests still'));
    if (left.length === 0 || !onlyMessages || Date.now() > until) return left;
    await sleep(lookEveryMs, undefined, { signal });
  }
}
