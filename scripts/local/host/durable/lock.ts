import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { TableClient } from '@azure/data-tables';
import * as z from 'zod';
import { errorMessage, type Log } from '../log.js';
import { isTransient, sleep, storageStatus } from '../storage.js';
import { lockPartition } from './store.js';

/** Also how soon a deletion of the table is noticed while no instance has anything to store. */
const renewEveryMs = 3_000;
const expiresAfterMs = 30_000;
/** Storage that was started together with the host may need a moment. */
const storageWaitMs = 30_000;

const Owner = z.looseObject({
  token: z.string(),
  machine: z.string(),
  pid: z.number(),
  bornAt: z.string(),
  renewedAt: z.string(),
  etag: z.string(),
});
type Owner = z.output<typeof Owner>;

export interface HubLock {
  /**
   * Looks whether the hub is still there. One that was deleted is made again, empty; resolves when it can be used.
   */
  check(): Promise<void>;
  release(): Promise<void>;
}

export interface HubEvents {
  /** Another host has taken the hub all the same. */
  lost(): void;
  /** The table was deleted with every instance in it. Must let go of them before it resolves; then it is made again. */
  deleted(): Promise<void>;
}

/**
 * Makes this process the only one that runs the hub. An owner on this machine holds the lock as long as its process
 * lives, so a killed host is followed at once; one on another machine as long as it renews.
 *
 * @throws Error naming the owner when there is one
 */
export async function lockHub(table: TableClient, log: Log, events: HubEvents): Promise<HubLock> {
  const key = { partitionKey: lockPartition, rowKey: lockPartition };
  const token = randomUUID();
  const entity = () => ({
    ...key,
    token,
    machine: hostname(),
    pid: process.pid,
    bornAt: birthOf(process.pid) ?? '',
    renewedAt: new Date().toISOString(),
  });

  const take = async (): Promise<string> => {
    const started = Date.now();
    for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
      try {
        await createTable(table);
        const owner = await readOwner(table);
        if (owner && isHeld(owner)) {
          throw new Error(
            `Task hub table ${table.tableName} is being run by the process ${owner.pid} on ${owner.machine}. ` +
              'Stop it, or give this host another hubName in host.json.',
          );
        }
        const answer = owner
          ? await table.updateEntity(entity(), 'Replace', { etag: owner.etag })
          : await table.createEntity(entity());
        return answer.etag ?? '*';
      } catch (error) {
        // A table that was just deleted can't be made again for a while, which says 409 at first and then 404.
        const raced = [404, 409, 412].includes(storageStatus(error) ?? 0);
        const waiting = error instanceof Error && 'code' in error && isTransient(error);
        if (!raced && !waiting) throw error;
        if (Date.now() - started > storageWaitMs) {
          throw new Error(`Storage does not answer at ${table.url}: ${errorMessage(error)}`, {
            cause: error,
          });
        }
        if (wait === 200)
          log.write('warning', 'Host.Durable', `Storage does not answer yet at ${table.url}.`);
        await sleep(wait);
      }
    }
  };

  let etag = await take();
  let checking: Promise<void> | undefined;
  const check = async (): Promise<void> => {
    const owner = await readOwner(table);
    if (owner?.token === token) {
      etag = owner.etag;
      return;
    }
    if (!held) return;
    if (owner) {
      log.write('critical', 'Host.Durable', 'Another host has taken this task hub; this one ends.');
      events.lost();
      return;
    }
    await events.deleted();
    etag = await take();
  };
  /** Once for all that notice it, or what was started after a deletion would be let go of for it, too. */
  const checkOnce = (): Promise<void> => {
    checking ??= check().finally(() => {
      checking = undefined;
    });
    return checking;
  };

  let held = true;
  const renew = async (): Promise<void> => {
    if (checking) return;
    try {
      const answer = await table.updateEntity(entity(), 'Replace', { etag });
      etag = answer.etag ?? etag;
    } catch (error) {
      if (!held) return;
      const status = storageStatus(error);
      if (status !== 412 && status !== 404) throw error;
      await checkOnce();
    }
  };
  const timer = setInterval(() => {
    renew().catch((error: unknown) => {
      log.write(
        'warning',
        'Host.Durable',
        `The task hub's lock could not be renewed: ${errorMessage(error)}`,
      );
    });
  }, renewEveryMs);
  timer.unref();

  return {
    check: checkOnce,
    async release() {
      held = false;
      clearInterval(timer);
      try {
        await table.deleteEntity(key.partitionKey, key.rowKey, { etag });
      } catch (error) {
        log.write('debug', 'Host.Durable', `The task hub's lock is left behind: ${errorMessage(error)}`);
      }
    },
  };
}

async function createTable(table: TableClient): Promise<void> {
  try {
    await table.createTable();
  } catch (error) {
    if (storageStatus(error) !== 409) throw error;
  }
}

async function readOwner(table: TableClient): Promise<Owner | undefined> {
  try {
    return Owner.parse(await table.getEntity(lockPartition, lockPartition));
  } catch (error) {
    if (storageStatus(error) === 404) return undefined;
    throw error;
  }
}

function isHeld(owner: Owner): boolean {
  if (owner.machine !== hostname()) return Date.parse(owner.renewedAt) + expiresAfterMs > Date.now();
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  // The number may have gone to another process since.
  const bornAt = birthOf(owner.pid);
  return bornAt === undefined || owner.bornAt === '' || bornAt === owner.bornAt;
}

/** When a process was started, in a form only good for comparison; undefined where the system doesn't say. */
function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
