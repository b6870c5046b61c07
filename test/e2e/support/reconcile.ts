import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TableClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import * as z from 'zod';
import type { Stack } from '../../../scripts/local/stack/stack.js';
import { waitFor } from '../../support/wait-for.js';
import { rowsOf } from './storage.js';

const connection = (stack: Stack): string => stack.settings['AzureWebJobsStorage'] ?? '';
const insecure = { allowInsecureConnection: true };
const Keys = z.looseObject({ masterKey: z.string() });

/** Lets a timer run now, as an operator may, and waits for the end of its round. */
export async function runNow(stack: Stack, timer: 'reconcile' | 'drainPoison'): Promise<void> {
  const { masterKey } = Keys.parse(
    JSON.parse(await readFile(join(stack.dataDir, 'host', 'keys.json'), 'utf8')),
  );
  const ranAt = (): string =>
    stack
      .output('host')
      .split('\n')
      .findLast(line => line.includes(`'Functions.${timer}' (`)) ?? '';
  // Lines begin with their time. A round that was going on when we asked may end first, and then ours is the next.
  const before = new Date().toISOString();
  const response = await fetch(`${stack.url('host')}/admin/functions/${timer}`, {
    method: 'POST',
    headers: { 'x-functions-key': masterKey, 'content-type': 'application/json' },
    body: '{}',
  });
  if (response.status !== 202) throw new Error(`The host answered ${response.status}.`);
  await waitFor(`a round of ${timer}`, () => ranAt() > before);
}

/** Nobody can wait for minutes in a test: every live row is as if nothing had happened to it for so long. */
export async function letTimePass(stack: Stack, minutes = 2): Promise<void> {
  const table = TableClient.fromConnectionString(connection(stack), 'AgentRequests', insecure);
  const earlier = (value: unknown): string =>
    typeof value === 'string' && value !== ''
      ? new Date(Date.parse(value) - minutes * 60_000).toISOString()
      : '';
  for (const row of await rowsOf(stack, 'AgentRequests')) {
    if (!row.rowKey.startsWith('live~')) continue;
    await table.updateEntity(
      {
        partitionKey: 'requests',
        rowKey: row.rowKey,
        updatedAt: earlier(row['updatedAt']),
        startClaimedAt: earlier(row['startClaimedAt']),
      },
      'Merge',
    );
  }
}

export async function clearQueue(stack: Stack, queue: string): Promise<void> {
  await new QueueClient(connection(stack), queue).clearMessages();
}
