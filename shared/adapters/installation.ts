import { createHash } from 'node:crypto';
import { isLoopbackHost } from '../domain/plan-url.js';
import { openTable } from './open-table.js';
import type { StorageAccount } from './storage-account.js';

/**
 * A short name of this installation, the same on all its hosts: it is where its table of requests is. Not secret.
 *
 * @returns undefined if the storage is an emulator: it has the same address everywhere, and two
 *   developers that share a Batch account must not take each other's tasks for their own.
 */
export function installationIdOf(account: StorageAccount, tableName = 'AgentRequests'): string | undefined {
  const table = openTable(account, tableName);
  const { protocol, hostname, host, pathname } = new URL(table.url);
  if (protocol !== 'https:' || isLoopbackHost(hostname)) return undefined;
  const place = `${host}${pathname}`.replace(/\/+$/, '').toLowerCase();
  return createHash('sha256').update(`${place}/${tableName.toLowerCase()}`).digest('hex').slice(0, 12);
}
