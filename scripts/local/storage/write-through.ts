import { stat } from 'node:fs/promises';
import type { Server, ServerResponse } from 'node:http';
import { wrapListener } from './request-listener.js';

/** What we use of a LokiJS database: all of it is in memory, and a save writes all of it to its file. */
export interface Database {
  readonly filename: string;
  autosaveDirty(): boolean;
  autosaveDisable(): void;
  saveDatabase(callback: (error?: Error | null) => void): void;
}

/** Bytes up to which each write waits for its save: up to some 4 ms on a small machine. */
const smallBytes = 1024 * 1024;
/** Share of the time that saving may take beyond that. */
const busyShare = 0.1;

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
 * it; writes that arrive during a save share the next one.
 *
 * As a save writes the whole database, that is only done while it is small, which one of a demo or a test is. A bigger
 * one is saved in the background, as often as a tenth of the time allows: then a kill can take back the last moments.
 *
 * @param always wait for the save however big the database is.
 */
export function writeThrough(server: Server, databases: readonly Database[], always = false): void {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let lastMs = 0;
  let bytes = 0;
  let background: NodeJS.Timeout | undefined;

  const saveAll = async (): Promise<void> => {
    const started = performance.now();
    // A save by its own clock would count as done here while it is still being written.
    for (const database of databases) database.autosaveDisable();
    await Promise.all(databases.filter(database => database.autosaveDirty()).map(save));
    lastMs = performance.now() - started;
    const sizes = await Promise.all(
      databases.map(({ filename }) => stat(filename).catch(() => ({ size: 0 }))),
    );
    bytes = sizes.reduce((sum, { size }) => sum + size, 0);
  };
  const begin = (): Promise<void> => {
    const saving = saveAll().finally(() => {
      if (running === saving) running = undefined;
    });
    running = saving;
    return saving;
  };
  const saved = (): Promise<void> => {
    if (!running) return begin();
    // The one under way may have read memory before this write was in it.
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return begin();
      });
    return next;
  };

  const report = (error: unknown): void => console.error(`Storage could not be saved: ${String(error)}`);
  const afterWrite = async (): Promise<void> => {
    if (always || bytes <= smallBytes) return saved().catch(report);
    background ??= setTimeout(() => {
      background = undefined;
      saved().catch(report);
    }, lastMs / busyShare);
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
