import { stat } from 'node:fs/promises';
import type { Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { wrapListener } from './request-listener.js';

/** What we use of a LokiJS database: all of it is in memory, and a save writes all of it to its file. */
export interface Database {
  readonly filename: string;
  readonly collections: readonly Collection[];
  addCollection(...args: readonly unknown[]): Collection;
  autosaveDirty(): boolean;
  autosaveDisable(): void;
  saveDatabase(callback: (error?: Error | null) => void): void;
}

/** A kind of documents in it. */
export interface Collection {
  /** Properties that have an index. */
  readonly binaryIndices?: Readonly<Record<string, unknown>>;
  /** @param query values by property; an index is used for the first */
  findOne(query: unknown): unknown;
  /** @param documents one, or an array */
  remove(documents: unknown): unknown;
}

/** Bytes up to which each write waits for its save: up to some 4 ms on a small machine. */
const smallBytes = 1024 * 1024;
/** Share of the time that saving may take beyond that. */
const busyShare = 0.1;
/** More that wait for one save are a crowd: it can wait a moment longer for fewer saves, where one caller should not. */
const fewWriters = 4;
/** How often files are asked for their size. */
const sizeEveryMs = 100;

const save = (database: Database): Promise<void> =>
  new Promise((resolve, reject) => {
    database.saveDatabase(error => {
      if (error) reject(error);
      else resolve();
    });
  });

/**
 * Makes an answer mean what it means in the cloud: that the write will survive. Azurite saves its databases every
 * five seconds, so a kill takes back what it has acknowledged. Here a write is answered after the save that holds
 * it; writes that arrive during a save share the next one. Where many do, saving rests as long as it has worked.
 *
 * As a save writes the whole database, that is only done while it is small, which one of a demo or a test is. A bigger
 * one is saved in the background, as often as a tenth of the time allows: then a kill can take back the last moments.
 *
 * @param always wait for the save however big the database is.
 */
export function writeThrough(server: Server, databases: readonly Database[], always = false): void {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<void> | undefined;
  /** Writes that wait for `next`. */
  let waiting = 0;
  /** Of the last save. */
  let last = { ms: 0, endedAt: 0, crowded: false };
  let bytes = 0;
  let sizedAt = Number.NEGATIVE_INFINITY;
  let background: NodeJS.Timeout | undefined;

  const saveAll = async (): Promise<void> => {
    const started = performance.now();
    const crowded = waiting > fewWriters;
    next = undefined;
    waiting = 0;
    // A save by its own clock would count as done here while it is still being written.
    for (const database of databases) database.autosaveDisable();
    await Promise.all(databases.filter(database => database.autosaveDirty()).map(save));
    const endedAt = performance.now();
    last = { ms: endedAt - started, endedAt, crowded };
    if (endedAt - sizedAt < sizeEveryMs) return;
    sizedAt = endedAt;
    const sizes = await Promise.all(
      databases.map(({ filename }) => stat(filename).catch(() => ({ size: 0 }))),
    );
    bytes = sizes.reduce((sum, { size }) => sum + size, 0);
  };
  /** @param before the save under way, which may have read memory before this write was in it */
  const saveAfter = async (before: Promise<unknown>): Promise<void> => {
    await before;
    const restMs = last.crowded ? last.endedAt + last.ms - performance.now() : 0;
    if (restMs > 1) await sleep(restMs);
    await saveAll();
  };
  const saved = (): Promise<void> => {
    waiting += 1;
    if (next) return next;
    next = saveAfter(running);
    running = next.catch(() => undefined);
    return next;
  };

  const report = (error: unknown): void => console.error(`Storage could not be saved: ${String(error)}`);
  const afterWrite = async (): Promise<void> => {
    if (always || bytes <= smallBytes) return saved().catch(report);
    background ??= setTimeout(() => {
      background = undefined;
      saved().catch(report);
    }, last.ms / busyShare);
  };

  wrapListener(server, (request, response, listener) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') holdBack(response, afterWrite);
    listener(request, response);
  });
}

/** Keeps all of an answer, headers included, until `release` is through. */
function holdBack(response: ServerResponse, release: () => Promise<void>): void {
  const end: (...args: never) => ServerResponse = response.end.bind(response);
  response.cork();
  response.end = (...args: unknown[]): ServerResponse => {
    void release().then(() => void Reflect.apply(end, response, args));
    return response;
  };
}
