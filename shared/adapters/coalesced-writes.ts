import type { TransactionAction, UpdateTableEntityOptions } from '@azure/data-tables';
import { fewAtOnce } from './few-at-once.js';
import { factsOf } from './service-errors.js';

export interface CoalescedWrites {
  /**
   * Carries the actions out together, all of them or none.
   *
   * @returns the new version of each entity, in their order; undefined where the service tells none.
   * @throws what the table's client throws.
   */
  readonly write: (actions: readonly TransactionAction[]) => Promise<readonly (string | undefined)[]>;
}

type Entity = TransactionAction[1];

/** What it takes of the SDK's client of a table. */
interface WritableTable {
  updateEntity(
    entity: Entity,
    mode: 'Merge' | 'Replace' | undefined,
    options: UpdateTableEntityOptions,
  ): Promise<{ readonly etag?: string }>;
  submitTransaction(
    actions: TransactionAction[],
    options: { readonly abortSignal: AbortSignal },
  ): Promise<{ readonly subResponses: readonly { readonly etag?: string }[] }>;
}

export interface CoalescingOptions {
  /** So many calls are on their way before others wait for company. */
  readonly atOnce?: number;
  /** A call that has no answer after so long holds nobody up any more, in milliseconds. */
  readonly slowMs?: number;
}

interface Write {
  readonly actions: readonly TransactionAction[];
  readonly keys: readonly string[];
  readonly bytes: number;
  readonly resolve: (etags: readonly (string | undefined)[]) => void;
  readonly reject: (error: unknown) => void;
}

/** The service's limits, the second with room for what the estimate leaves out. */
const maxActions = 100;
const maxBytes = 3 * 1024 * 1024;
const bytesBesideEntity = 1_024;
const callTimeoutMs = 10_000;

/**
 * Lets writes to one partition that meet share a call. Nobody waits on purpose: a write that comes alone goes at once;
 * those that come while enough calls are on their way go together when one of them is back. So a burst makes its own
 * groups, the larger the longer a call takes.
 *
 * A batching library counts calls, while here a group ends with the number of its actions, with its size, or where it
 * would touch an entity twice, which the service forbids.
 */
export function coalesceWrites(
  table: WritableTable,
  { atOnce = 2, slowMs = 1_000 }: CoalescingOptions = {},
): CoalescedWrites {
  let waiting: Write[] = [];
  const begin = fewAtOnce({ atOnce, patienceMs: slowMs }, () => {
    if (waiting.length === 0) return undefined;
    const { group, left } = takeTogether(waiting);
    waiting = left;
    return settle(group);
  });

  /** Never rejects: each write hears of its own end. */
  async function settle(group: readonly Write[]): Promise<void> {
    try {
      const etags = await send(group.flatMap(({ actions }) => actions));
      let from = 0;
      for (const { actions, resolve } of group) {
        resolve(etags.slice(from, from + actions.length));
        from += actions.length;
      }
    } catch (error) {
      if (group.length > 1 && isAboutOne(error)) {
        // All of them were refused because of one. Halves find it in few calls, and the others get their way.
        const middle = Math.ceil(group.length / 2);
        await Promise.all([settle(group.slice(0, middle)), settle(group.slice(middle))]);
        return;
      }
      for (const { reject } of group) reject(error);
    }
  }

  async function send(actions: readonly TransactionAction[]): Promise<readonly (string | undefined)[]> {
    const abortSignal = AbortSignal.timeout(callTimeoutMs);
    const [first] = actions;
    if (first?.[0] === 'update' && actions.length === 1) {
      const [, entity, mode, options] = first;
      const { etag } = await table.updateEntity(entity, mode, { ...options, abortSignal });
      return [etag];
    }
    const { subResponses } = await table.submitTransaction([...actions], { abortSignal });
    return subResponses.map(({ etag }) => etag);
  }

  return {
    write: actions =>
      new Promise((resolve, reject) => {
        const keys = actions.map(([, { rowKey }]) => rowKey ?? '');
        waiting.push({ actions, keys, bytes: bytesOf(actions), resolve, reject });
        begin();
      }),
  };
}

/** As many as fit into one transaction, in their order, and what has to wait for the next. */
function takeTogether(waiting: readonly Write[]): {
  readonly group: readonly Write[];
  readonly left: Write[];
} {
  const group: Write[] = [];
  const left: Write[] = [];
  const met = new Set<string>();
  let actions = 0;
  let bytes = 0;
  for (const [index, write] of waiting.entries()) {
    if (actions >= maxActions) return { group, left: [...left, ...waiting.slice(index)] };
    const fits = actions + write.actions.length <= maxActions && bytes + write.bytes <= maxBytes;
    // Of what is left behind too: the writes of one entity keep their order.
    const isMet = write.keys.some(key => met.has(key));
    for (const key of write.keys) met.add(key);
    if (group.length === 0 || (fits && !isMet)) {
      group.push(write);
      actions += write.actions.length;
      bytes += write.bytes;
    } else {
      left.push(write);
    }
  }
  return { group, left };
}

/** What they take in the body of a call, roughly: bytes become base64 there. */
function bytesOf(actions: readonly TransactionAction[]): number {
  let bytes = 0;
  for (const [, entity] of actions) {
    bytes += bytesBesideEntity;
    for (const [name, value] of Object.entries(entity)) {
      bytes += name.length;
      if (value instanceof Uint8Array) bytes += Math.ceil(value.length / 3) * 4;
      else bytes += Buffer.byteLength(JSON.stringify(value) ?? '');
    }
  }
  return bytes;
}

/**
 * Whether an answer is about one of the actions and not about all: somebody else has changed its entity, or it can't be
 * stored as it is.
 */
function isAboutOne(error: unknown): boolean {
  const { status, code } = factsOf(error);
  return status !== undefined && code !== 'TableNotFound' && [400, 404, 409, 412, 413].includes(status);
}
