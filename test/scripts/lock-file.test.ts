import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { root } from '../../scripts/root.js';

const Names = z.record(z.string(), z.string()).default({});
const LockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({ dependencies: Names, optionalDependencies: Names, devDependencies: Names }),
  ),
});

/** Where Node.js, started in `path`, looks for a package: its own node_modules, then those of the folders above. */
function placesOf(path: string, name: string): string[] {
  const places: string[] = [];
  for (let folder = path; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    places.push(`${folder ? `${folder}/` : ''}node_modules/${name}`);
    if (folder === '') return places;
  }
}

const lockFile = suite('package-lock.json');

// npm ci, and with it every command on a fresh clone, refuses a lock file that leaves out the builds of a tool for
// other platforms; and npm install does leave them out where the registry does not have them.
lockFile('names every package that another asks for, those for other platforms included', async () => {
  const { packages } = LockFile.parse(JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')));
  const missing = Object.entries(packages).flatMap(
    ([path, { dependencies, optionalDependencies, devDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies, ...(path === '' ? devDependencies : {}) })
        .filter(name => !placesOf(path, name).some(place => Object.hasOwn(packages, place)))
        .map(name => `${name}, for ${path}`),
  );
  assert.equal(missing, []);
});

lockFile('names no registry', async () => {
  assert.not.match(await readFile(join(root, 'package-lock.json'), 'utf8'), '"resolved"');
});

lockFile.run();
