import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { areas } from './areas.js';
import type { Sources } from './import-rules.js';

const roots = ['functions', 'shared', 'scripts', 'test'];
const isSource = (name: string): boolean => /\.[cm]?[jt]sx?$/.test(name);

/** Reads every source of the house; fixtures are no part of it. */
export async function readSources(root: string): Promise<Sources> {
  const sources = new Map<string, string>();
  for (const folder of roots.filter(name => existsSync(join(root, name)))) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = relative(root, join(entry.parentPath, entry.name)).split(sep).join('/');
      if (!entry.isFile() || !isSource(entry.name) || path.startsWith('test/fixtures/')) continue;
      sources.set(path, await readFile(join(root, path), 'utf8'));
    }
  }
  return sources;
}

/**
 * Areas that are there and in which nothing was seen: a check that saw no files passes, and says nothing.
 *
 * @param seen files by area, as the check counted them
 */
export function unseenAreas(root: string, seen: ReadonlyMap<string, number>): string[] {
  return (
    areas
      .filter(({ path }) => existsSync(join(root, path)))
      .filter(({ name }) => !seen.get(name))
      // Everything in shared/ may well belong to one of its named parts.
      .filter(({ path }) => path !== 'shared/')
      .map(({ name, path }) => `no file of ${name} (${path}) was seen`)
  );
}
