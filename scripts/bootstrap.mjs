/**
 * The door every npm script goes through: a fresh clone has no packages and no compiled code, so this file is
 * plain JavaScript on Node.js built-ins. It installs what package-lock.json asks for if that is not what is
 * there, compiles, and then becomes the program that was named: same process, so there is no wrapper that
 * could outlive it, swallow its exit code or pass a Ctrl-C on twice.
 *
 *     node scripts/bootstrap.mjs NAME [arguments of the program …]
 *
 * Everything it says itself goes to stderr: stdout belongs to the program.
 */
import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './bootstrap/lock.mjs';
import { describeMismatch } from './bootstrap/packages.mjs';
import { pageIsStale } from './bootstrap/page.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oldestNode = [20, 19];

/** The program behind each name, as its compiled file under dist/scripts. */
const programs = {
  start: 'start.js',
  'start:func': 'start-func.js',
  demo: 'demo.js',
  test: 'test.js',
  check: 'check.js',
  agents: 'agents.js',
  pipeline: 'pipeline.js',
  bench: 'bench.js',
  chaos: 'chaos.js',
  docs: 'docs.js',
  openapi: 'openapi.js',
  package: 'package.js',
  deploy: 'deploy.js',
  images: 'images.js',
  simulate: 'simulate.js',
  'infra:check': 'infra-check.js',
  recording: 'recording.js',
  screenshots: 'screenshots.js',
  'bench:page': 'bench-page.js',
  host: 'local/host/main.js',
  'local:batch': 'local/batch/main.js',
  'local:devops': 'local/devops/main.js',
  'local:storage': 'local/storage/main.js',
};

/** Programs that tell what is wrong with the sources, and so run even when those do not compile. */
const runsBroken = new Set(['check.js']);

class Problem extends Error {}

/** Runs a tool to its end and gives what it printed. A signal to us ends the tool too, and then us. */
function run(args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    let output = '';
    child.stdout.on('data', data => (output += data));
    child.stderr.on('data', data => (output += data));
    const stop = signal => {
      child.kill(signal);
      child.once('close', () => process.exit(signal === 'SIGINT' ? 130 : 143));
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    child.once('error', reject);
    child.once('close', code => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      resolve({ ok: code === 0, output });
    });
  });
}

/** The npm that runs this script, else the one that came with this Node.js. */
function npmCli() {
  const candidates = [
    process.env.npm_execpath,
    join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    ...(process.env.PATH ?? '').split(process.platform === 'win32' ? ';' : ':').map(folder => {
      try {
        return realpathSync(join(folder, 'npm'));
      } catch {
        return undefined;
      }
    }),
  ];
  const found = candidates.find(file => file?.endsWith('npm-cli.js') && existsSync(file));
  if (!found)
    throw new Problem('npm was not found: install Node.js with npm, or run this through `npm run`.');
  return found;
}

async function install() {
  const mismatch = describeMismatch(root);
  if (!mismatch) return;
  const folder = join(root, 'node_modules');
  if (existsSync(folder) && lstatSync(folder).isSymbolicLink()) {
    // npm ci empties the folder behind the link, which belongs to another work tree.
    throw new Problem(
      `node_modules is a link to ${realpathSync(folder)}, and ${mismatch}: run \`npm ci\` over there.`,
    );
  }
  console.error(`Installing packages (${mismatch}) …`);
  // NODE_ENV=production would leave out the compiler.
  const npm = [npmCli(), 'ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional'];
  const { ok, output } = await run(npm);
  if (!ok) throw new Problem(`${output}\nnpm ci failed: see above.`);
  const still = describeMismatch(root);
  if (still) throw new Problem(`npm ci ended well, yet ${still}. Remove node_modules and try again.`);
}

async function compile(program) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const buildInfo = join(root, 'dist', '.tsbuildinfo');
  const entry = join(root, 'dist', 'scripts', program);
  for (const attempt of ['incremental', 'from nothing']) {
    const { ok, output } = await run([tsc, '--pretty', String(Boolean(process.stderr.isTTY))]);
    if (!ok && !runsBroken.has(program))
      throw new Problem(`${output}\nThe sources do not compile: see above.`);
    if (existsSync(entry)) {
      await buildPage(program);
      return entry;
    }
    // Somebody removed compiled files: the compiler trusts its notes and writes only what changed since.
    if (attempt === 'incremental') rmSync(buildInfo, { force: true });
  }
  throw new Problem(
    `There is no source for ${entry}: has scripts/${program.replace(/js$/, 'ts')} been removed?`,
  );
}

/** The operators' page is made for browsers, so not by the compiler. */
async function buildPage(program) {
  if (!pageIsStale(root)) return;
  const { ok, output } = await run([join(root, 'dist', 'scripts', 'build-page.js')]);
  if (!ok && !runsBroken.has(program))
    throw new Problem(`${output}\nThe operators' page can't be built: see above.`);
}

/**
 * Ends the program when the npm that started it is gone: a killed npm can pass nothing on. That npm's signals reach
 * us while it lives is the doing of the `exec` in package.json: the shell in between would keep them to itself.
 */
function endWithNpm() {
  if (!process.env.npm_lifecycle_event) return;
  const npm = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
}

async function main() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    throw new Problem(
      `Node.js ${oldestNode.join('.')} or newer is needed, and this is ${process.versions.node}.`,
    );
  }
  const [name, ...args] = process.argv.slice(2);
  const program = Object.hasOwn(programs, name ?? '') ? programs[name] : undefined;
  if (!program) {
    throw new Problem(
      `Usage: node scripts/bootstrap.mjs NAME [arguments]\nNAME is one of: ${Object.keys(programs).join(', ')}`,
    );
  }
  mkdirSync(join(root, 'dist'), { recursive: true });
  const entry = await withLock(join(root, 'dist', '.bootstrap.lock'), async () => {
    await install();
    return compile(program);
  });
  process.argv.splice(1, process.argv.length - 1, entry, ...args);
  process.setSourceMapsEnabled(true);
  endWithNpm();
  return entry;
}

let entry;
try {
  entry = await main();
} catch (error) {
  console.error(error instanceof Problem ? error.message : error);
  process.exit(1);
}
await import(pathToFileURL(entry).href);
