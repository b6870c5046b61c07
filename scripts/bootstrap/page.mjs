import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where a page comes from besides its own sources: what it shares with the app, and the packages in it. */
const others = ['shared/domain', 'scripts/dashboard', 'package-lock.json'];

/**
 * Whether the operators' page has to be made: it is not there, or older than one of its sources. By their times, as
 * this is asked before every program.
 *
 * @param root folder of the project
 */
export function pageIsStale(root) {
  const sources = join(root, 'shared', 'dashboard', 'page');
  if (!existsSync(sources)) return false;
  const built = join(root, 'dist', 'shared', 'dashboard', 'built-page.js');
  if (!existsSync(built)) return true;
  const { mtimeMs } = statSync(built);
  return [sources, ...others.map(path => join(root, path))].some(path => newest(path) > mtimeMs);
}

/** A folder is as new as the newest in it, or as the last change to which files it has. */
function newest(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found?.mtimeMs ?? 0;
  return Math.max(found.mtimeMs, ...readdirSync(path).map(name => newest(join(path, name))));
}
