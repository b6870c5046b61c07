import type { TableClient, TransactionAction } from '@azure/data-tables';
import { isTableMissing, isTransient } from '../storage.js';

interface Member {
  readonly actions: readonly TransactionAction[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What storage takes in one transaction: so many changes, and no more than 4 MiB. */
export const transactionLimit = 100;
const groupBytes = 1_000_000;

/**
 * Writes to one table, those that meet in a partition in one transaction: while one is under way, the others wait for
 * it and then go together. Each caller's changes are done together or not at all, and each learns what became of its
 * own.
 */
export class GroupWriter {
  /** By partition: who waits for the transaction under way. */
  readonly #waiting = new Map<string, Member[]>();

  constructor(private readonly table: TableClient) {}

  /** @param actions 1 to 100, all in this partition, each on another row; updates and deletes whatever the rows hold */
  async write(partitionKey: string, actions: readonly TransactionAction[]): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const member: Member = { actions, bytes: bytesOf(actions), resolve, reject };
      const waiting = this.#waiting.get(partitionKey);
      if (waiting) {
        waiting.push(member);
        return;
      }
      this.#waiting.set(partitionKey, [member]);
      void this.#work(partitionKey);
    });
  }

  async #work(partitionKey: string): Promise<void> {
    // Whoever comes in the same turn goes along.
    await new Promise(resolve => {
      setImmediate(resolve);
    });
    const waiting = this.#waiting.get(partitionKey) ?? [];
    while (waiting.length > 0) await this.#together(takeGroup(waiting));
    this.#waiting.delete(partitionKey);
  }

  async #together(group: readonly Member[]): Promise<void> {
    try {
      await this.#submit(group.flatMap(({ actions }) => actions));
      for (const { resolve } of group) resolve();
    } catch (error) {
      // A refusal is about one of them, and nothing was done for the others on its account.
      if (group.length > 1 && !isTransient(error) && !isTableMissing(error)) {
        for (const member of group) await this.#together([member]);
      } else {
        for (const { reject } of group) reject(error);
      }
    }
  }

  async #submit(actions: TransactionAction[]): Promise<void> {
    const [only] = actions;
    if (actions.length > 1) await this.table.submitTransaction(actions);
    else if (only?.[0] === 'upsert') await this.table.upsertEntity(only[1], only[2]);
    else if (only?.[0] === 'update') await this.table.updateEntity(only[1], only[2], { etag: '*' });
    else if (only?.[0] === 'delete') await this.table.deleteEntity(only[1].partitionKey, only[1].rowKey);
    else if (only) await this.table.createEntity(only[1]);
  }
}

/** Takes from the front those that fit into one transaction, which no row may be in twice. */
function takeGroup(waiting: Member[]): Member[] {
  const keys = new Set<string>();
  let actions = 0;
  let bytes = 0;
  let count = 0;
  for (const member of waiting) {
    actions += member.actions.length;
    bytes += member.bytes;
    const fits = actions <= transactionLimit && bytes <= groupBytes;
    const rows = member.actions.map(([, { rowKey }]) => rowKey);
    if (count > 0 && (!fits || rows.some(key => keys.has(key)))) break;
    for (const key of rows) keys.add(key);
    count += 1;
  }
  return waiting.splice(0, count);
}

/** Roughly: texts are most of it. */
function bytesOf(actions: readonly TransactionAction[]): number {
  let bytes = 0;
  for (const [, entity] of actions) {
    for (const value of Object.values<unknown>(entity)) bytes += typeof value === 'string' ? value.length : 8;
  }
  return bytes;
}
