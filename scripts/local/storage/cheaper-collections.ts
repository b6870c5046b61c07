import type { Collection, Database } from './write-through.js';

/** Takes needless work off the collections of a database, those that it has and those that it makes later. */
export function cheapen(database: Database): void {
  const addCollection = database.addCollection.bind(database);
  database.addCollection = (...args: readonly unknown[]): Collection => {
    const collection = addCollection(...args);
    cheapenCollection(collection);
    return collection;
  };
  database.collections.forEach(cheapenCollection);
}

function cheapenCollection(collection: Collection): void {
  skipEmptyRemovals(collection);
  lookUpByRowKey(collection);
}

/**
 * Azurite takes the expired messages off a queue with every call about a message, and nearly always there are none. To
 * LokiJS the removal of nothing is a batch like any other: it sorts every index of the collection anew, and marks the
 * database as changed. So each call would cost as much as a backlog is long.
 */
function skipEmptyRemovals(collection: Collection): void {
  const remove = collection.remove.bind(collection);
  collection.remove = (documents: unknown): unknown =>
    Array.isArray(documents) && documents.length === 0 ? undefined : remove(documents);
}

/**
 * Azurite looks for an entity by its partition key first, and LokiJS uses an index for the first condition alone: each
 * access to one row would cost as much as its partition has rows. Few rows have the same row key.
 */
function lookUpByRowKey(collection: Collection): void {
  if (!collection.binaryIndices?.['RowKey']) return;
  const findOne = collection.findOne.bind(collection);
  collection.findOne = (query: unknown): unknown =>
    typeof query === 'object' && query !== null && 'RowKey' in query
      ? findOne(Object.fromEntries([['RowKey', query.RowKey], ...Object.entries(query)]))
      : findOne(query);
}
