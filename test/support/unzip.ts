import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';

/** What is in a zip, by path. */
export const readZip = async (zip: string): Promise<ReadonlyMap<string, Uint8Array>> =>
  new Map(Object.entries(unzipSync(await readFile(zip))));

/** Unpacks a zip into a folder, as a host does. */
export async function unzip(zip: string, folder: string): Promise<void> {
  for (const [path, contents] of await readZip(zip)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), contents);
  }
}
