import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import * as z from 'zod';
import { root } from '../root.js';
import { builtPage } from './built-page.js';
import { ownPlace, packageFolder } from './package-folder.js';
import { putOff } from './put-off.js';

export interface BundledFile {
  /** Within the folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
}

export interface Bundle {
  /** The code, without the source maps that lie beside it. */
  readonly files: readonly BundledFile[];
}

/** What Durable Functions requires while it loads, and only uses once it is called. */
const putOffPackages = ['@opentelemetry/api', 'axios', 'lodash/cloneDeep', 'moment', 'validator'] as const;
const putOffUser = 'durable-functions';
/** In one folder with all the rest: whichever file of the bundle requires it finds it. */
const putOffFile = (name: string): string => `./${name.replaceAll('/', '-')}.cjs`;

/** The process that hosts the app answers for this one. */
const host = '@azure/functions-core';
/** Tried by node-fetch for texts in other encodings, and not there without the bundle either. */
const optional = 'encoding';
const foundAtRunTime = new Set<string>([host, optional, ...putOffPackages.map(putOffFile)]);

/** Tells services its version, which it reads from its package.json. */
const namesItself = 'azure-devops-node-api';

const PackageJson = z.object({
  name: z.string(),
  version: z.string(),
  engines: z.object({ node: z.string() }),
});

/** The app is for one platform, and its names stay whole: stack traces are read more often than the bundle. */
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  minifySyntax: true,
  minifyWhitespace: true,
  // The lines of the sources without the sources themselves.
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'external',
  define: ownPlace,
  metafile: true,
  logLevel: 'silent',
  absWorkingDir: root,
} as const satisfies BuildOptions;

/**
 * Makes a Functions app of this product that needs no node_modules: what it loads at start in one file, what it
 * imports later in files of their own.
 *
 * @param folder an empty one.
 * @throws when the sources can't be bundled, or something in them would be looked for outside the bundle.
 */
export async function bundleApp(folder: string): Promise<Bundle> {
  const app = await build({
    ...common,
    entryPoints: { index: 'functions/index.ts' },
    outdir: folder,
    format: 'esm',
    splitting: true,
    external: [host],
    plugins: [
      putOff(putOffUser, Object.fromEntries(putOffPackages.map(name => [name, putOffFile(name)]))),
      packageFolder(namesItself, 'WebApi.js'),
      builtPage,
    ],
    // Packages in CommonJS require Node.js's own modules, and the host's.
    banner: {
      js: "import{createRequire as requireOf}from'node:module';const require=requireOf(import.meta.url);",
    },
  });
  const later = await Promise.all(putOffPackages.map(async name => bundleLater(folder, name)));
  await writeFile(join(folder, 'package.json'), await describe());
  await copyFile(join(root, 'host.json'), join(folder, 'host.json'));
  await mkdir(join(folder, namesItself));
  await copyFile(
    join(root, 'node_modules', namesItself, 'package.json'),
    join(folder, namesItself, 'package.json'),
  );
  const built = [app, ...later];
  const files = built.flatMap(({ metafile }) => filesOf(folder, metafile));
  const problems = [
    ...built.flatMap(({ metafile, warnings }) => [...warnings.map(({ text }) => text), ...missing(metafile)]),
    ...(await Promise.all(files.map(async ({ path }) => misplaced(folder, path)))).flat(),
  ];
  if (problems.length > 0) throw new Error(`The bundle would not run by itself:\n${problems.join('\n')}`);
  return { files };
}

/** What the bundle would look for in a node_modules that it does not have. */
const missing = ({ outputs }: Metafile): string[] =>
  Object.values(outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external, path }) => external && !isBuiltin(path) && !foundAtRunTime.has(path))
    .map(({ path }) => `${path} is not in it.`);

/** Code of packages that looks for files beside it, where they are not any more. */
async function misplaced(folder: string, path: string): Promise<string[]> {
  const code = await readFile(join(folder, path), 'utf8');
  return Object.entries(ownPlace)
    .filter(([, mark]) => code.includes(mark))
    .map(([name]) => `${path} uses ${name}.`);
}

const bundleLater = async (folder: string, name: string) =>
  build({
    ...common,
    stdin: {
      contents: `module.exports = require(${JSON.stringify(name)});`,
      resolveDir: join(root, 'node_modules', putOffUser),
    },
    outfile: join(folder, putOffFile(name)),
    format: 'cjs',
  });

/** The package.json of the app: a host asks it for its entry, Node.js for the kind of its files. */
async function describe(): Promise<string> {
  const { name, version, engines } = PackageJson.parse(
    JSON.parse(await readFile(join(root, 'package.json'), 'utf8')),
  );
  return `${JSON.stringify({ name, version, private: true, type: 'module', main: 'index.js', engines }, undefined, 2)}\n`;
}

const filesOf = (folder: string, { outputs }: Metafile): BundledFile[] =>
  Object.entries(outputs)
    .filter(([path]) => /\.c?js$/.test(path))
    .map(([path, { bytes }]) => ({
      path: relative(folder, join(root, path)).replaceAll('\\', '/'),
      bytes,
    }));
