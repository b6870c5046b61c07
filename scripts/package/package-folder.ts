import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/**
 * Gives a package that looks for its own files beside itself a folder beside the bundle to look in.
 *
 * @param name the package, and the folder.
 * @param file the one of it that looks, e.g. `lib/index.js`.
 */
export function packageFolder(name: string, file: string): Plugin {
  const virtual = `folder of ${name}`;
  return {
    name: 'package-folder',
    setup(build) {
      build.onLoad({ filter: /\.js$/ }, async ({ path }) => {
        if (!path.replaceAll('\\', '/').endsWith(`/node_modules/${name}/${file}`)) return undefined;
        // In the first line, so that the source map stays right.
        const declared = `const { folder: __dirname } = require(${JSON.stringify(virtual)}); `;
        return { contents: declared + (await readFile(path, 'utf8')) };
      });
      build.onResolve({ filter: /^folder of / }, ({ path }) =>
        path === virtual ? { path, namespace: 'package-folder' } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: 'package-folder' }, () => ({
        contents:
          "import { join } from 'node:path'; " +
          `export const folder = join(import.meta.dirname, ${JSON.stringify(name)});`,
      }));
    },
  };
}

/** Replaces what only a file of its own can have, so that what is left of it can be found. */
export const ownPlace = { __dirname: 'FOLDER_OF_A_PACKAGE', __filename: 'FILE_OF_A_PACKAGE' } as const;
