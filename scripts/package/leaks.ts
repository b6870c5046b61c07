import { readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { root } from '../root.js';
import { filesOf } from './zip-folder.js';

/** Files that have no business in an app, whatever is in them. */
const secretFile = /(?:^|\/)(?:local\.settings\.json|\.env(?:\..*)?|\.npmrc|.*\.pem)$/i;

/** Looks for what would tell of the machine that made a folder, or of its owner. @returns what was found, a line each */
export async function leaksOf(folder: string): Promise<readonly string[]> {
  const modules = await realpath(join(root, 'node_modules')).catch(() => root);
  const homes = [homedir()].filter(home => home.length > 4);
  const places = new Set([root, await realpath(root), modules, folder, ...homes].flatMap(spellings));
  const found: string[] = [];
  for (const path of await filesOf(folder)) {
    if (secretFile.test(path)) found.push(`${path} may hold secrets.`);
    const text = await readFile(join(folder, path), 'utf8');
    for (const place of places) if (text.includes(place)) found.push(`${path} names ${place}.`);
  }
  return found;
}

/** On Windows a path is also written with `/`, and in JSON and JavaScript with two `\`. */
const spellings = (path: string): readonly string[] => [
  path,
  path.replaceAll('\\', '/'),
  path.replaceAll('\\', '\\\\'),
];
