import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../root.js';

const tests = join(root, 'dist', 'test');
const folder = join(tests, 'node_modules', 'uvu');

/** Whether what a file imports as uvu is the watched one without any hook. */
export const findsWatched = (file: string): boolean => file.startsWith(tests + sep);

/**
 * Puts the watched uvu where compiled tests find it before the real one. A hook that gives it to them would do as well,
 * but lives in a thread of its own, and every import of every test would ask it first: a third of what a small file costs.
 * A test that found the real one all the same would fail, as one without tests.
 */
export async function placeWatched(): Promise<void> {
  const real = pathToFileURL(join(root, 'node_modules', 'uvu', 'assert', 'index.mjs')).href;
  const watched = new URL('./uvu-watched.js', import.meta.url).href;
  const exportAll = (url: string): string => `export * from ${JSON.stringify(url)};\n`;
  const exports = { '.': './index.js', './assert': './assert.js' };
  const files = {
    'package.json': JSON.stringify({ name: 'uvu', private: true, type: 'module', exports }),
    'index.js': exportAll(watched),
    'assert.js': exportAll(real),
  };
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await replace(join(folder, name), text);
}

/** Nobody may find the half of it: the tests of another run import it at any moment. */
async function replace(file: string, text: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => undefined)) === text) return;
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text);
  await rename(draft, file);
}
