import { randomUUID } from 'node:crypto';
import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import * as z from 'zod';
import { errorMessage, type Log } from '../log.js';
import { isTableMissing, isTransient, sleep, storageStatus } from '../storage.js';
import { EventType, FailureDetails, HistoryEvent } from './events.js';
import { GroupWriter, transactionLimit } from './group-writer.js';
import { keyAt, ownPlace, type Place, Places, placeOfRow, prefixOf } from './places.js';
import { overflowKey, type Packed, packText, type Row, unpackText } from './rows.js';

export const RuntimeStatus = z.enum(['Pending', 'Running', 'Suspended', 'Completed', 'Failed', 'Terminated']);
export type RuntimeStatus = z.output<typeof RuntimeStatus>;

export const hasEnded = (status: RuntimeStatus): boolean =>
  status === 'Completed' || status === 'Failed' || status === 'Terminated';

/** The parent's execution and the number there of the task that this instance is. */
export const ParentLink = z.object({ instanceId: z.string(), executionId: z.string(), taskId: z.number() });
export type ParentLink = z.output<typeof ParentLink>;

export interface InstanceRecord {
  readonly instanceId: string;
  readonly name: string;
  readonly version: string | undefined;
  readonly parent: ParentLink | undefined;
  /** New for each start of the id, kept through continueAsNew: messages belong to one life. */
  readonly life: string;
  /** New with each continueAsNew as well. */
  readonly executionId: string;
  /** Counts starts and restarts of the id; rows of an older one are waste. */
  readonly generation: number;
  readonly runtimeStatus: RuntimeStatus;
  readonly createdTime: string;
  readonly lastUpdatedTime: string;
  /** JSON texts. */
  readonly input: string | null;
  readonly output: string | null;
  readonly customStatus: string | null;
  readonly failureDetails: FailureDetails | undefined;
}

export const messageKinds = ['raise', 'terminate', 'suspend', 'resume'] as const;
/** Something sent to an instance, kept until an episode has taken it in. */
export interface Message {
  readonly key: string;
  readonly kind: (typeof messageKinds)[number];
  readonly name: string;
  /** JSON text: an event's data, or the reason. */
  readonly data: string | null;
}

export interface StoredInstance {
  readonly record: InstanceRecord;
  readonly events: readonly HistoryEvent[];
  /** Number of the last episode. */
  readonly episode: number;
  readonly messages: readonly Message[];
  /** Keys of the rows that hold the current history. */
  readonly historyKeys: readonly string[];
  /** Keys of rows that nothing refers to any more. */
  readonly waste: readonly string[];
}

export interface Commit {
  readonly before: InstanceRecord;
  /** What of the record changes. */
  readonly change: Partial<InstanceRecord>;
  readonly episode?: { readonly number: number; readonly events: readonly HistoryEvent[] };
  /** Messages that are taken in. */
  readonly consumed: readonly Message[];
  /** Messages to write again: events that continueAsNew carries over. */
  readonly carried?: readonly Message[];
  /** Keys of rows to delete with it, as far as they fit; the rest is deleted afterwards. */
  readonly drop?: readonly string[];
}

const statusKey = '0status';
/** Not the key of any instance: see toPartitionKey. */
export const lockPartition = '~lock';
const carriedPerCommit = 15;

const StatusRow = z.looseObject({
  instanceId: z.string(),
  name: z.string(),
  version: z.string().optional(),
  parent: z.string().optional(),
  life: z.string(),
  executionId: z.string(),
  generation: z.number(),
  runtimeStatus: RuntimeStatus,
  createdTime: z.string(),
  lastUpdatedTime: z.string(),
  failureDetails: z.string().optional(),
});
const HistoryRow = z.looseObject({ generation: z.number(), episode: z.number() });
const MessageRow = z.looseObject({ life: z.string(), kind: z.enum(messageKinds), name: z.string() });
const Events = z.array(HistoryEvent);

const TableKeys = z.looseObject({ partitionKey: z.string(), rowKey: z.string() });
type TableRow = { rowKey: string; partitionKey: string } & Readonly<Record<string, unknown>>;

/**
 * The journal of all instances, in one table: what must change together lies in one partition, so that one
 * transaction changes it. An instance has there (places.ts) its status row, one row per episode with the events the
 * episode added, and one row per message not yet taken in. Texts that a row can't hold lie in overflow rows,
 * written before the row that refers to them, so a kill in between leaves waste and no half value.
 *
 * Keys of rows are without the instance's prefix everywhere but in the table.
 */
export class Store {
  readonly #stop = new AbortController();
  readonly #places = new Places();
  readonly #writer: GroupWriter;

  /** @param missing told when a call finds that the table is gone; the call itself fails */
  constructor(
    private readonly table: TableClient,
    private readonly log: Log,
    private readonly missing: () => void,
  ) {
    this.#writer = new GroupWriter(table);
  }

  async open(): Promise<void> {
    await this.#call('open the task hub', async () => {
      await this.table.createTable();
    });
  }

  /** Calls that wait for storage to come back give up. */
  stop(): void {
    this.#stop.abort();
  }

  /** All instances: whole when they are alive, else only their record. */
  async scan(): Promise<StoredInstance[]> {
    return await this.#call('read the task hub', async () => {
      const found: StoredInstance[] = [];
      let rows: TableRow[] = [];
      let ended = false;
      let here: Place | undefined;
      const close = (): void => {
        const instance = assemble(rows);
        if (instance && here) {
          this.#places.learn(instance.record.instanceId, here);
          found.push(ended ? { ...instance, waste: [] } : instance);
        }
        rows = [];
        ended = false;
      };
      for await (const row of this.table.listEntities()) {
        const entity = toTableRow(row);
        if (entity.partitionKey === lockPartition) continue;
        const place = placeOfRow(entity);
        if (place.partitionKey !== here?.partitionKey || place.prefix !== here.prefix) close();
        here = place;
        const rowKey = entity.rowKey.slice(place.prefix.length);
        // The status row comes first, so the history of what has ended is never held.
        if (rowKey === statusKey) ended = hasEnded(RuntimeStatus.parse(entity['runtimeStatus']));
        else if (ended && !rowKey.startsWith('x|')) continue;
        rows.push({ ...entity, rowKey });
      }
      close();
      return found;
    });
  }

  async read(instanceId: string): Promise<StoredInstance | undefined> {
    return await this.#call(`read ${instanceId}`, async () => assemble(await this.#rowsOf(instanceId)));
  }

  async readRecord(instanceId: string): Promise<InstanceRecord | undefined> {
    const row = await this.#call(`read ${instanceId}`, () =>
      this.#get(this.#places.of(instanceId), statusKey),
    );
    if (!row) return undefined;
    const needed = [...overflowOf(row, 'input'), ...overflowOf(row, 'output')];
    if (needed.length === 0) return toRecord(row, () => undefined);
    const stored = await this.read(instanceId);
    return stored?.record;
  }

  /** Writes a new instance, or a new life of an ended one. */
  async start(record: InstanceRecord): Promise<void> {
    const place = this.#places.settle(record.instanceId);
    const row = this.#statusRow(place, record, record);
    await this.#writeOverflow(record.instanceId, row.overflow);
    await this.#call(`start ${record.instanceId}`, () =>
      this.#writer.write(place.partitionKey, [['upsert', row.entity, 'Replace']]),
    );
  }

  /** @returns keys of the history rows written */
  async commit(commit: Commit): Promise<string[]> {
    const { before, change, episode } = commit;
    const after: InstanceRecord = { ...before, ...change };
    const place = this.#places.of(before.instanceId);
    const commitId = randomUUID();
    const actions: TransactionAction[] = [];
    const written: string[] = [];
    let proof: string = statusKey;

    if (Object.keys(change).length > 0) {
      const { entity, overflow } = this.#statusRow(place, after, change);
      await this.#writeOverflow(before.instanceId, overflow);
      // Only of an instance that is there: one that was deleted with the hub must not come back as a half.
      actions.push(['update', { ...entity, commitId }, 'Merge']);
    }
    if (episode) {
      const rowKey = historyKey(after.generation, episode.number);
      const packed = packText('events', JSON.stringify(episode.events.map(withoutBodies)), rowKey);
      await this.#writeOverflow(before.instanceId, packed.overflow);
      const entity: Row = {
        ...keyAt(place, rowKey),
        commitId,
        generation: after.generation,
        episode: episode.number,
        ...packed.properties,
      };
      actions.push(['upsert', entity, 'Replace']);
      proof = rowKey;
      written.push(rowKey, ...packed.overflow.map(row => row.rowKey));
    }
    const carried = commit.carried ?? [];
    // What doesn't fit may be written ahead: until the commit, the history still says that it was taken in.
    for (const message of carried.slice(carriedPerCommit)) await this.addMessage(after, message);
    for (const message of carried.slice(0, carriedPerCommit)) {
      const packed = this.#messageRow(after, message);
      await this.#writeOverflow(before.instanceId, packed.overflow);
      actions.push(['upsert', packed.entity, 'Replace']);
    }
    const drop = [...commit.consumed.flatMap(messageRowKeys), ...(commit.drop ?? [])];
    const room = transactionLimit - actions.length;
    for (const rowKey of drop.slice(0, room)) actions.push(['delete', keyAt(place, rowKey)]);

    await this.#submit(
      `store ${before.instanceId}`,
      async () => {
        if (actions.length > 0) await this.#writer.write(place.partitionKey, actions);
      },
      async () => (await this.#get(place, proof))?.['commitId'] === commitId,
    );
    if (drop.length > room) await this.deleteRows(before.instanceId, drop.slice(room));
    return written;
  }

  async addMessage(record: InstanceRecord, message: Message): Promise<void> {
    const packed = this.#messageRow(record, message);
    await this.#writeOverflow(record.instanceId, packed.overflow);
    await this.#call(`send to ${record.instanceId}`, () =>
      this.#writer.write(packed.entity.partitionKey, [['upsert', packed.entity, 'Replace']]),
    );
  }

  /** Removes an instance. Its status row goes first: without one, what is left of a killed purge counts as waste. */
  async purge(instanceId: string): Promise<void> {
    await this.deleteRows(instanceId, [statusKey]);
    const rows = await this.#call(`read ${instanceId}`, () =>
      this.#rowsOf(instanceId, ['RowKey', 'PartitionKey']),
    );
    await this.deleteRows(
      instanceId,
      rows.map(({ rowKey }) => rowKey),
    );
    this.#places.forget(instanceId);
  }

  /** Deletes rows, absent ones included. */
  async deleteRows(instanceId: string, rowKeys: readonly string[]): Promise<void> {
    const place = this.#places.of(instanceId);
    for (let at = 0; at < rowKeys.length; at += transactionLimit) {
      const part = rowKeys.slice(at, at + transactionLimit).map(rowKey => keyAt(place, rowKey));
      await this.#call(`clean up ${instanceId}`, async () => {
        try {
          await this.table.submitTransaction(part.map(key => ['delete', key]));
        } catch (error) {
          if (storageStatus(error) !== 404 || isTableMissing(error)) throw error;
          for (const { partitionKey, rowKey } of part) await this.#deleteOne(partitionKey, rowKey);
        }
      });
    }
  }

  async #deleteOne(partitionKey: string, rowKey: string): Promise<void> {
    try {
      await this.table.deleteEntity(partitionKey, rowKey);
    } catch (error) {
      if (storageStatus(error) !== 404 || isTableMissing(error)) throw error;
    }
  }

  /** The rows of one instance, their keys without its prefix. */
  async #rowsOf(instanceId: string, select?: string[]): Promise<TableRow[]> {
    const { partitionKey, prefix } = this.#places.has(instanceId)
      ? this.#places.of(instanceId)
      : await this.#find(instanceId);
    const filter =
      prefix === ''
        ? odata`PartitionKey eq ${partitionKey}`
        : odata`PartitionKey eq ${partitionKey} and RowKey ge ${prefix} and RowKey lt ${endOf(prefix)}`;
    const rows: TableRow[] = [];
    const queryOptions = { filter, ...(select && { select }) };
    for await (const row of this.table.listEntities({ queryOptions })) {
      const entity = toTableRow(row);
      rows.push({ ...entity, rowKey: entity.rowKey.slice(prefix.length) });
    }
    return rows;
  }

  /** The place of an instance that neither a scan nor a start has told of: somebody else has started it. */
  async #find(instanceId: string): Promise<Place> {
    const filter = odata`RowKey eq ${prefixOf(instanceId) + statusKey}`;
    for await (const row of this.table.listEntities({ queryOptions: { filter } })) {
      return placeOfRow(toTableRow(row));
    }
    return ownPlace(instanceId);
  }

  async #get(place: Place, key: string): Promise<TableRow | undefined> {
    const { partitionKey, rowKey } = keyAt(place, key);
    try {
      return toTableRow(await this.table.getEntity(partitionKey, rowKey));
    } catch (error) {
      if (storageStatus(error) === 404 && !isTableMissing(error)) return undefined;
      throw error;
    }
  }

  async #writeOverflow(instanceId: string, overflow: Packed['overflow']): Promise<void> {
    const place = this.#places.of(instanceId);
    for (const { rowKey, properties } of overflow) {
      await this.#call(`store ${instanceId}`, async () => {
        await this.table.upsertEntity({ ...keyAt(place, rowKey), ...properties }, 'Replace');
      });
    }
  }

  /** Repeats a call that may be done twice until it succeeds, as long as its failure may pass. */
  async #call<T>(what: string, call: () => Promise<T>): Promise<T> {
    for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
      try {
        return await call();
      } catch (error) {
        if (isTableMissing(error)) this.missing();
        if (!isTransient(error) || this.#stop.signal.aborted) throw error;
        this.log.write('warning', 'Host.Durable', `Could not ${what} yet: ${errorMessage(error)}`);
        await sleep(wait, this.#stop.signal);
      }
    }
  }

  /** As #call for a write that must not be done twice: one that failed without an answer may have taken effect all the same. */
  async #submit(what: string, write: () => Promise<void>, applied: () => Promise<boolean>): Promise<void> {
    let uncertain = false;
    await this.#call(what, async () => {
      if (uncertain && (await applied())) return;
      try {
        await write();
      } catch (error) {
        uncertain = true;
        throw error;
      }
    });
  }

  #statusRow(
    place: Place,
    record: InstanceRecord,
    change: Partial<InstanceRecord>,
  ): { readonly entity: Row; readonly overflow: Packed['overflow'] } {
    const entity: Row = {
      ...keyAt(place, statusKey),
      instanceId: record.instanceId,
      name: record.name,
      life: record.life,
      executionId: record.executionId,
      generation: record.generation,
      runtimeStatus: record.runtimeStatus,
      createdTime: record.createdTime,
      lastUpdatedTime: record.lastUpdatedTime,
      ...(record.version !== undefined && { version: record.version }),
      ...(record.parent && { parent: JSON.stringify(record.parent) }),
      // Empty and not absent: a merge would keep the failure of before a rewind.
      failureDetails: record.failureDetails ? JSON.stringify(record.failureDetails) : '',
    };
    const overflow: Packed['overflow'][number][] = [];
    for (const field of ['input', 'output', 'customStatus'] as const) {
      const text = change[field];
      if (text === undefined) continue;
      const packed = packText(field, text, String(record.generation));
      Object.assign(entity, packed.properties);
      overflow.push(...packed.overflow);
    }
    return { entity, overflow };
  }

  #messageRow(
    record: InstanceRecord,
    message: Message,
  ): { readonly entity: Row; readonly overflow: Packed['overflow'] } {
    const { key, kind, name, data } = message;
    const packed = packText('data', data, key);
    const at = keyAt(this.#places.of(record.instanceId), key);
    const entity: Row = { ...at, life: record.life, kind, name, ...packed.properties };
    return { entity, overflow: packed.overflow };
  }
}

const messageRowKeys = ({ key, data }: Message): string[] => [
  key,
  ...packText('data', data, key).overflow.map(row => row.rowKey),
];

const historyKey = (generation: number, episode: number): string =>
  `h|${String(generation).padStart(8, '0')}|${String(episode).padStart(8, '0')}`;

/** Key of a new message; keys sort in the order of their making. */
export function newMessageKey(): string {
  lastMessageTime = Math.max(Date.now(), lastMessageTime + 0.001);
  return `i|${lastMessageTime.toFixed(3).padStart(18, '0')}|${randomUUID().slice(0, 8)}`;
}
let lastMessageTime = 0;

/** The input lies in the status row already, and the output will; they are long, so the history does without. */
const withoutBodies = (event: HistoryEvent): HistoryEvent => {
  if (event.EventType === EventType.ExecutionStarted) return { ...event, Input: null };
  if (event.EventType === EventType.ExecutionCompleted) return { ...event, Result: null };
  return event;
};

const withBodies = (event: HistoryEvent, record: InstanceRecord): HistoryEvent => {
  if (event.EventType === EventType.ExecutionStarted) return { ...event, Input: record.input };
  if (event.EventType === EventType.ExecutionCompleted) return { ...event, Result: record.output };
  return event;
};

/** The first text that comes after all that begin with a prefix. */
const endOf = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);

function toTableRow(row: object): TableRow {
  const { partitionKey, rowKey, ...rest } = TableKeys.parse(row);
  return { ...rest, partitionKey, rowKey };
}

/** Keys of the overflow rows that a packed field refers to. */
function overflowOf(row: TableRow, field: string, owner = String(row['generation'])): string[] {
  const count = row[`${field}Rows`];
  return Array.from({ length: typeof count === 'number' ? count : 0 }, (_, index) =>
    overflowKey(owner, field, index),
  );
}

type FindRow = (rowKey: string) => TableRow | undefined;

function toRecord(row: TableRow, find: FindRow): InstanceRecord {
  const status = StatusRow.parse(row);
  const owner = String(status.generation);
  return {
    instanceId: status.instanceId,
    name: status.name,
    version: status.version,
    parent: status.parent === undefined ? undefined : ParentLink.parse(JSON.parse(status.parent)),
    life: status.life,
    executionId: status.executionId,
    generation: status.generation,
    runtimeStatus: status.runtimeStatus,
    createdTime: status.createdTime,
    lastUpdatedTime: status.lastUpdatedTime,
    input: unpackText(row, 'input', owner, find),
    output: unpackText(row, 'output', owner, find),
    customStatus: unpackText(row, 'customStatus', owner, find),
    failureDetails: !status.failureDetails
      ? undefined
      : FailureDetails.parse(JSON.parse(status.failureDetails)),
  };
}

/** Of the current generation nothing is waste: a commit may be writing it. */
function isOld(rowKey: string, generation: number): boolean {
  const owned = /^(?:x\|)?(?:h\|)?(\d+)\|/.exec(rowKey)?.[1];
  if (owned !== undefined) return Number(owned) < generation;
  return rowKey.startsWith('i|') || rowKey.startsWith('x|i|');
}

/** Puts the rows of one partition together; undefined when they hold no instance. */
function assemble(rows: readonly TableRow[]): StoredInstance | undefined {
  const byKey = new Map(rows.map(row => [row.rowKey, row]));
  const find: FindRow = rowKey => byKey.get(rowKey);
  const statusRow = find(statusKey);
  if (!statusRow) return undefined;
  const record = toRecord(statusRow, find);
  const kept = new Set([statusKey, ...overflowOf(statusRow, 'input'), ...overflowOf(statusRow, 'output')]);
  const historyKeys: string[] = [];
  const messages: Message[] = [];
  const events: HistoryEvent[] = [];
  let episode = 0;
  let lastUpdatedTime = record.lastUpdatedTime;
  for (const row of rows) {
    if (row.rowKey.startsWith('h|')) {
      const history = HistoryRow.parse(row);
      if (history.generation !== record.generation) continue;
      historyKeys.push(row.rowKey, ...overflowOf(row, 'events', row.rowKey));
      episode = Math.max(episode, history.episode);
      const added = Events.parse(JSON.parse(unpackText(row, 'events', row.rowKey, find) ?? '[]'));
      for (const event of added) events.push(withBodies(event, record));
      lastUpdatedTime = added.at(-1)?.Timestamp ?? lastUpdatedTime;
    } else if (row.rowKey.startsWith('i|')) {
      const message = MessageRow.parse(row);
      if (message.life !== record.life) continue;
      kept.add(row.rowKey);
      for (const key of overflowOf(row, 'data', row.rowKey)) kept.add(key);
      const data = unpackText(row, 'data', row.rowKey, find);
      messages.push({ key: row.rowKey, kind: message.kind, name: message.name, data });
    }
  }
  const running = record.runtimeStatus === 'Pending' && episode > 0;
  return {
    // The first episode doesn't touch the status row; that there is one says that the instance runs.
    record: { ...record, lastUpdatedTime, ...(running && { runtimeStatus: 'Running' }) },
    events,
    episode,
    messages,
    historyKeys,
    waste: [...byKey.keys()].filter(key => !kept.has(key) && isOld(key, record.generation)),
  };
}
