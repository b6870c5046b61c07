import { readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';

/** These find one another beside themselves, so each bundled one starts the others bundled. */
const besideOneAnother = `scripts${sep}local${sep}`;

/**
 * Has our own compiled modules run in bundles of CommonJS: an entry that awaits at its top does so in a function, what
 * is imported by a name that only a run tells is left to that run, and a module still knows its place.
 *
 * @param dist the folder of what was compiled.
 * @param folder the folder of the bundles, laid out as `dist` is.
 * @param entries the entries' paths.
 */
export function ownModules(dist: string, folder: string, entries: ReadonlySet<string>): Plugin {
  return {
    name: 'own-modules',
    setup(build) {
      build.onLoad({ filter: /\.js$/ }, async ({ path }) => {
        const place = relative(dist, path);
        if (place.startsWith('..')) return undefined;
        const url = pathToFileURL(join(place.startsWith(besideOneAnother) ? folder : dist, place)).href;
        const code = (await readFile(path, 'utf8'))
          // A bundle has a `require` of its own, whose packages are bundled as well.
          .replace('const require = createRequire(import.meta.url);', '')
          .replaceAll('import.meta.url', JSON.stringify(url))
          .replaceAll(/\bimport\((?=[a-z])/g, 'importAtRunTime(');
        return { contents: entries.has(path) ? asFunction(code) : code };
      });
    },
  };
}

/** The imports of what TypeScript has compiled come first. */
function asFunction(code: string): string {
  const lines = code.split('\n');
  const first = lines.findLastIndex(line => /^import .*;$|^} from .*;$/.test(line)) + 1;
  const body = lines.slice(first);
  const wrapped = body.some(line => line.startsWith('export '))
    ? body
    : ['void (async () => {', ...body, '})();'];
  return [...lines.slice(0, first), 'modulesLoaded();', ...wrapped].join('\n');
}
