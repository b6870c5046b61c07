import type { Collection } from './write-through.js';

/**
 * Azurite takes the expired messages off a queue with every call about a message, and nearly always there are none. To
 * LokiJS the removal of nothing is a batch like any other: it sorts every index of the collection anew, and marks the
 * database as changed. So each call would cost as much as a backlog is long.
 */
export function skipEmptyRemovals(collection: Collection): void {
  const remove = collection.remove.bind(collection);
  collection.remove = (documents: unknown): unknown =>
    Array.isArray(documents) && documents.length === 0 ? undefined : remove(documents);
}
