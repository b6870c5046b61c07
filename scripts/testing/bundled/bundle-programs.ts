import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { root } from '../../root.js';
import { ownModules } from './own-modules.js';

/** The programs that tests start again and again, as modules of dist/. */
const programs = [
  'functions/index',
  'scripts/agents',
  'scripts/local/agent/main',
  'scripts/local/batch/main',
  'scripts/local/batch/task-wrapper',
  'scripts/local/devops/main',
  'scripts/local/host/main',
  'scripts/local/storage/main',
] as const;

const dist = join(root, 'dist');
const folder = join(dist, 'bundled');
const stamp = 'made-of.txt';

/**
 * Bundles the programs that tests start, each into one file which loads in a third of the time that its hundreds of
 * modules take: the tests start hundreds of them. Makes them only when something has been compiled since.
 *
 * @returns their folder, laid out as dist/ is, and an app for a host as the repository is one.
 */
export async function bundlePrograms(): Promise<string> {
  const madeOf = await fingerprint();
  if ((await readFile(join(folder, stamp), 'utf8').catch(() => '')) === madeOf) return folder;
  // Two runs may do this at once, and neither may see the half of it.
  const draft = join(dist, `bundled-${process.pid}`);
  try {
    await bundleInto(draft);
    await writeFile(join(draft, stamp), madeOf);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

async function bundleInto(draft: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(programs.map(name => [name, join(dist, `${name}.js`)])),
    outdir: draft,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    // run-cached.ts says why.
    format: 'cjs',
    charset: 'ascii',
    // As small as is quickly read; names stay, and lines short, for whoever reads the stack of a test that failed.
    minifyWhitespace: true,
    lineLimit: 160,
    legalComments: 'none',
    // node-fetch knows an AbortSignal by the name of its class, and would not take one that was renamed.
    keepNames: true,
    // Its other form finds its files in a way that no bundler follows.
    alias: { 'jsonc-parser': join(root, 'node_modules', 'jsonc-parser', 'lib', 'esm', 'main.js') },
    // What V8 has compiled before can't import by itself: it would ask a callback that it does not keep.
    supported: { 'dynamic-import': false },
    external: ['@azure/functions-core', 'encoding'],
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    plugins: [ownModules(dist, folder, new Set(programs.map(name => join(dist, `${name}.js`)))), noTelemetry],
    logLevel: 'silent',
  });
  for (const name of programs) {
    const code = await readFile(join(draft, `${name}.cjs`), 'utf8');
    await writeFile(join(draft, `${name}.cjs`), inAscii(code));
    const up = posix.relative(posix.dirname(`bundled/${name}`), 'scripts/testing/bundled/run-cached.js');
    await writeFile(
      join(draft, `${name}.js`),
      `import { runCached } from ${JSON.stringify(up)};\n` +
        `runCached(${JSON.stringify(join(folder, `${name}.cjs`))});\n`,
    );
  }
  await writeFile(
    join(draft, 'package.json'),
    JSON.stringify({ type: 'module', main: 'functions/index.js' }),
  );
  await writeFile(join(draft, 'host.json'), await readFile(join(root, 'host.json')));
}

/** What esbuild leaves: characters of regular expressions and templates, where an escape means the same. */
const inAscii = (code: string): string =>
  // oxlint-disable-next-line no-control-regex -- they are what is kept
  code.replaceAll(/[^\x00-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A third of Azurite, which the storage never lets it load (scripts/local/storage/azurite.ts). */
const noTelemetry: Plugin = {
  name: 'no-telemetry',
  setup(building) {
    building.onResolve({ filter: /^applicationinsights$/ }, ({ path }) => ({ path, namespace: 'nothing' }));
    building.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** What the bundles depend on: everything that was compiled, the packages, and the Node.js that compiles them further. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256').update(process.version).update(process.arch);
  hash.update(await readFile(join(root, 'package-lock.json')));
  hash.update(await readFile(join(root, 'host.json')));
  for (const part of ['functions', 'scripts', 'shared']) {
    const entries = await readdir(join(dist, part), { recursive: true, withFileTypes: true });
    const files = entries.filter(entry => entry.isFile() && entry.name.endsWith('.js'));
    const paths = files.map(file => join(file.parentPath, file.name)).toSorted();
    const stats = await Promise.all(paths.map(path => stat(path)));
    paths.forEach((path, index) => hash.update(`${path} ${stats[index]?.mtimeMs} ${stats[index]?.size}\n`));
  }
  return hash.digest('hex');
}
