import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import * as z from 'zod';
import { inputsOf } from '../dashboard/build-page.js';
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
  /** The files whose code is in it, from the root, e.g. `node_modules/zod/index.js`; each once, sorted. */
  readonly inputs: readonly string[];
  /** Those whose code is in the operators' page. */
  readonly pageInputs: readonly string[];
}

/** What Durable Functions requires while it loads, and only uses once it is called. */
const putOffPackages = ['@opentelemetry/api', 'axios', 'lodash/cloneDeep', 'moment', 'validator'] as const;
const putOffUser = 'durable-functions';
/** In one folder with all the rest: whichever file of the bundle requires it finds it. */
const putOffFile = (name: string): string => `./${name.replaceAll('/', '-')}.cjs`;

/** The process that hosts the app answers for this one. */
const host = '@azure/functions-core';
/**
 * What packages try to require and do without: `encoding` is for texts that nobody sends us, `supports-color` for
 * terminals. Named here, because otherwise whatever else has installed one of them decides whether it is in the app.
 */
const optional = ['encoding', 'supports-color'];
const foundAtRunTime = new Set<string>([host, ...optional, ...putOffPackages.map(putOffFile)]);

/** Where the bundle would lie in this repository. Names and source maps depend on it, so it is always the same. */
const outdir = join(root, 'app');

/** Tells services its version, which it reads from its package.json. */
const namesItself = 'azure-devops-node-api';

const PackageJson = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  engines: z.object({ node: z.string() }),
});

/**
 * Their entries for Node.js have swallowed other packages, whose versions and licences nobody would learn; beside them
 * lie the modules that they were made of.
 */
const asModules = {
  '@azure/batch': '@azure/batch/dist-esm/src/index.js',
  '@azure/ms-rest-azure-js': '@azure/ms-rest-azure-js/es/lib/msRestAzure.js',
  '@azure/ms-rest-js': '@azure/ms-rest-js/es/lib/msRest.js',
};

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
  alias: asModules,
  metafile: true,
  write: false,
  external: [host, ...optional],
  // A folder of packages that is a link is the same folder, and where it leads to is nobody's business.
  preserveSymlinks: true,
  logLevel: 'silent',
  absWorkingDir: root,
} as const satisfies BuildOptions;

/**
 * Makes a Functions app of this product that needs no node_modules: what it loads at start in one file, what it
 * imports later in files of their own. The same sources give the same bytes, whatever the folders are called.
 *
 * @param folder an empty one.
 * @param commit of the sources, if it shall tell.
 * @throws when the sources can't be bundled, or something in them would be looked for outside the bundle.
 */
export async function bundleApp(folder: string, commit?: string): Promise<Bundle> {
  let pageInputs: readonly string[] = [];
  const app = await build({
    ...common,
    entryPoints: { index: 'functions/index.ts' },
    outdir,
    format: 'esm',
    splitting: true,
    plugins: [
      putOff(putOffUser, Object.fromEntries(putOffPackages.map(name => [name, putOffFile(name)]))),
      packageFolder(namesItself, 'WebApi.js'),
      builtPage(inputs => {
        pageInputs = inputs;
      }),
    ],
    // Packages in CommonJS require Node.js's own modules, and the host's.
    banner: {
      js: "import{createRequire as requireOf}from'node:module';const require=requireOf(import.meta.url);",
    },
  });
  const built = [app, ...(await Promise.all(putOffPackages.map(bundleLater)))];
  const written = built.flatMap(({ outputFiles }) => outputFiles);
  const files = written.map(({ path, contents, text }) => ({ path: inFolder(path), contents, text }));
  const code = files.filter(({ path }) => /\.c?js$/.test(path));
  const problems = [
    ...built.flatMap(({ metafile, warnings }) => [...warnings.map(({ text }) => text), ...missing(metafile)]),
    ...code.flatMap(misplaced),
  ];
  if (problems.length > 0) throw new Error(`The bundle would not run by itself:\n${problems.join('\n')}`);
  const own = { 'package.json': await describe(commit), [`${namesItself}/package.json`]: await nameItself() };
  for (const [path, contents] of [
    ...files.map(file => [file.path, file.contents] as const),
    ...Object.entries(own),
  ]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), contents);
  }
  await copyFile(join(root, 'host.json'), join(folder, 'host.json'));
  return {
    files: code.map(({ path, contents }) => ({ path, bytes: contents.length })),
    inputs: unique([...built.flatMap(({ metafile }) => inputsOf(metafile)), ownPackageJson]),
    pageInputs: unique(pageInputs),
  };
}

const inFolder = (path: string): string => path.slice(outdir.length + 1).replaceAll('\\', '/');

/** By code units: a locale would order them in its own way. */
const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)].toSorted();

/** What the bundle would look for in a node_modules that it does not have. */
const missing = ({ outputs }: Metafile): string[] =>
  Object.values(outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external, path }) => external && !isBuiltin(path) && !foundAtRunTime.has(path))
    .map(({ path }) => `${path} is not in it.`);

/** Code of packages that looks for files beside it, where they are not any more. */
const misplaced = ({ path, text }: { readonly path: string; readonly text: string }): string[] =>
  Object.entries(ownPlace)
    .filter(([, mark]) => text.includes(mark))
    .map(([name]) => `${path} uses ${name}.`);

const bundleLater = async (name: string) =>
  build({
    ...common,
    stdin: {
      contents: `module.exports = require(${JSON.stringify(name)});`,
      resolveDir: join(root, 'node_modules', putOffUser),
    },
    outfile: join(outdir, putOffFile(name)),
    format: 'cjs',
  });

const readJson = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(join(root, path), 'utf8'));
const toJson = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** The package.json of the app: a host asks it for its entry, Node.js for the kind of its files. */
async function describe(commit: string | undefined): Promise<string> {
  const { name, version, license, engines } = PackageJson.parse(await readJson('package.json'));
  const app = { name, version, private: true, license, type: 'module', main: 'index.js', engines };
  // The name that npm gives it in what it publishes.
  return toJson({ ...app, gitHead: commit });
}

const ownPackageJson = `node_modules/${namesItself}/package.json`;

/** What of a package.json says who it is; a scanner would look for all that its scripts and dependencies name. */
async function nameItself(): Promise<string> {
  const Named = z.object({ name: z.string(), version: z.string(), license: z.string() });
  return toJson(Named.parse(await readJson(ownPackageJson)));
}
