import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { TestFile } from './run-tests.js';

/**
 * Folders whose files take long, the longest first: one of them that began last would run on alone, with all else done.
 */
const slowFolders = ['chaos', 'e2e', 'bench', 'api', 'dispatch', 'scripts', 'local', 'adapters'];

function placeOf(name: string): number {
  const place = slowFolders.indexOf(name.split('/')[1] ?? '');
  return place === -1 ? slowFolders.length : place;
}

const programStarters = new Set(['chaos', 'e2e', 'bench', 'scripts', 'local']);

/** Whether a file is one of those that start the product's programs. */
export const startsPrograms = ({ name }: TestFile): boolean => programStarters.has(name.split('/')[1] ?? '');

/**
 * The test files whose path holds one of the patterns (all without patterns), by their sources: a compiled file
 * whose source was deleted is not a test any more. In the order to run them in.
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
  const inOrder = chosen.toSorted((one, other) => placeOf(one) - placeOf(other));
  return inOrder.map(name => {
    const path = join(root, 'dist', name.replace(/ts$/, 'js'));
    if (!existsSync(path)) throw new Error(`${name} has not been compiled: run \`npm run build\`.`);
    return { name, path };
  });
}
