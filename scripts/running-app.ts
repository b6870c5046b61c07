import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

/** The note by which a command finds the app that `npm start` runs from a data folder. */
export interface RunningApp {
  /** Without `/api` and without a slash at the end. */
  readonly url: string;
  /** Of the `npm start`. */
  readonly pid: number;
  /** The stand-in for Azure DevOps, where one runs; the same form. */
  readonly devopsUrl?: string | undefined;
}

const Note = z.object({ url: z.url(), pid: z.number().int().min(1), devopsUrl: z.url().optional() });
const KeysFile = z.looseObject({ functionKeys: z.looseObject({ default: z.string().min(1) }) });

const noteIn = (dataDir: string): string => join(dataDir, 'app.json');

/** @returns what takes the note away again. */
export async function noteRunningApp(dataDir: string, app: RunningApp): Promise<() => Promise<void>> {
  const path = noteIn(dataDir);
  // A note of an earlier start would keep its own mode.
  await rm(path, { force: true });
  await writeFile(path, JSON.stringify(app), { mode: 0o600 });
  return () => rm(path, { force: true });
}

/** @returns undefined if no app runs from the folder; a note that was left behind by a killed start is none. */
export async function findRunningApp(dataDir: string): Promise<RunningApp | undefined> {
  const note = Note.safeParse(await readJson(noteIn(dataDir)));
  return note.success && isAlive(note.data.pid) ? note.data : undefined;
}

/** @returns what is wrong with the note in the folder; undefined: nothing, or there is none. */
export async function noteProblem(dataDir: string): Promise<string | undefined> {
  const path = noteIn(dataDir);
  if (!existsSync(path) || Note.safeParse(await readJson(path)).success) return undefined;
  return `${path}, in which \`npm start\` notes where the app is, can not be understood`;
}

/** The key that opens every function of the app of a data folder. */
export async function readFunctionKey(dataDir: string): Promise<string | undefined> {
  return KeysFile.safeParse(await readJson(join(dataDir, 'host', 'keys.json'))).data?.functionKeys.default;
}

async function readJson(path: string): Promise<unknown> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return value;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
