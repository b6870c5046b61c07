import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type Zippable, zipSync } from 'fflate';

/** The first day that a zip can tell, as a local time: it keeps local times, and so the same in every time zone. */
const someDay = new Date(1980, 0, 1);
const unix = 3;
/** A plain file that all may read and its owner may write, whatever the umask of who made it. */
const mode = 0o100644;

export interface ZippedFile {
  /** Within the folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
}

/** The files of a folder, in the order of their code units. */
export async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .toSorted();
}

/** Zips a folder: the same names and contents give the same bytes, anywhere and at any time. */
export async function zipFolder(folder: string): Promise<Uint8Array> {
  const zippable: Zippable = {};
  for (const path of await filesOf(folder)) {
    zippable[path] = await readFile(join(folder, path));
  }
  return zipSync(zippable, { level: 9, mtime: someDay, os: unix, attrs: mode << 16 });
}
