import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { TestFile } from './run-tests.js';

/**
 * The test files whose path holds one of the patterns (all without patterns), by their sources: a compiled file
 * whose source was deleted is not a test any more.
 *
 * @throws a sentence when a pattern matches no file, or a source was not compiled
 */
export async function findTests(root: string, patterns: readonly string[]): Promise<TestFile[]> {
  const entries = await readdir(join(root, 'test'), { recursive: true, withFileTypes: true });
  const names = entries
    .filter(entry => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map(entry => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .toSorted();
  for (const pattern of patterns) {
    if (!names.some(name => name.includes(pattern)))
      throw new Error(`No test file has "${pattern}" in its path.`);
  }
  const chosen = names.filter(
    name => patterns.length === 0 || patterns.some(pattern => name.includes(pattern)),
  );
  if (chosen.length === 0) throw new Error('There are no test files.');
  return chosen.map(name => {
    const path = join(root, 'dist', name.replace(/ts$/, 'js'));
    if (!existsSync(path)) throw new Error(`${name} has not been compiled: run \`npm run build\`.`);
    return { name, path };
  });
}
