import { randomUUID } from 'node:crypto';
import { toPartitionKey } from './rows.js';

/** Where the rows of an instance lie. */
export interface Place {
  readonly partitionKey: string;
  /** What the keys of its rows begin with. */
  readonly prefix: string;
}

/** Begins the keys of shared partitions; no instance id does as a key, nor does the lock. */
const sharedMark = 'g|';
/** Storage looks for a row among all of its partition, so partitions stay small. */
const instancesPerPartition = 32;
/** A key holds at most 512 characters, and what comes after the prefix some hundred. */
const maxPrefix = 400;

/**
 * Places of instances. Those that are started one after the other share a partition, as they will often have something
 * to store at the same time, and then one transaction can do it for all. Instances of hosts before this one had a
 * partition each: they keep it.
 */
export class Places {
  readonly #known = new Map<string, Place>();
  #shared = { partitionKey: '', instances: instancesPerPartition };

  has(instanceId: string): boolean {
    return this.#known.has(instanceId);
  }

  of(instanceId: string): Place {
    return this.#known.get(instanceId) ?? ownPlace(instanceId);
  }

  /** The place of an instance that may be new. */
  settle(instanceId: string): Place {
    const known = this.#known.get(instanceId);
    if (known) return known;
    const place = this.#next(instanceId);
    this.#known.set(instanceId, place);
    return place;
  }

  learn(instanceId: string, place: Place): void {
    this.#known.set(instanceId, place);
  }

  forget(instanceId: string): void {
    this.#known.delete(instanceId);
  }

  #next(instanceId: string): Place {
    const prefix = prefixOf(instanceId);
    if (prefix.length > maxPrefix) return ownPlace(instanceId);
    if (this.#shared.instances >= instancesPerPartition) {
      const partitionKey = `${sharedMark}${String(Date.now()).padStart(15, '0')}|${randomUUID().slice(0, 8)}`;
      this.#shared = { partitionKey, instances: 0 };
    }
    this.#shared.instances += 1;
    return { partitionKey: this.#shared.partitionKey, prefix };
  }
}

export const prefixOf = (instanceId: string): string => `${toPartitionKey(instanceId)}|`;

export const ownPlace = (instanceId: string): Place => ({
  partitionKey: toPartitionKey(instanceId),
  prefix: '',
});

/** The place that a row lies in. */
export const placeOfRow = ({
  partitionKey,
  rowKey,
}: {
  readonly partitionKey: string;
  readonly rowKey: string;
}): Place => ({
  partitionKey,
  prefix: partitionKey.startsWith(sharedMark) ? rowKey.slice(0, rowKey.indexOf('|') + 1) : '',
});

/** The key of an instance's row as it lies in the table. */
export const keyAt = ({ partitionKey, prefix }: Place, key: string) => ({
  partitionKey,
  rowKey: prefix + key,
});
