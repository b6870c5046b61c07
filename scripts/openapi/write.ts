import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiFiles, apiFolder } from './files.js';

/** @returns the paths of the files that were written. */
export async function writeApiFiles(root: string): Promise<readonly string[]> {
  await mkdir(join(root, apiFolder), { recursive: true });
  const written: string[] = [];
  for (const [name, text] of apiFiles()) {
    await writeFile(join(root, apiFolder, name), text);
    written.push(`${apiFolder}/${name}`);
  }
  return written;
}
