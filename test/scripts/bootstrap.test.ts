import { cp, mkdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../scripts/root.js';
import { makeTempFolder, type TempFolder } from '../support/temp-folder.js';

/**
 * bootstrap.mjs in a project of its own, where npm and tsc are small scripts: the one "installs" what
 * package-lock.json lists, the other "compiles" a program that tells its arguments.
 */
const npm = `
import { appendFileSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
console.log('added 3 packages');
if (existsSync('npm-fails')) { console.error('npm error network'); process.exit(1); }
rmSync('node_modules', { recursive: true, force: true });
mkdirSync('node_modules/typescript/bin', { recursive: true });
copyFileSync('tsc.cjs', 'node_modules/typescript/bin/tsc');
await new Promise(resolve => setTimeout(resolve, 150));
copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
`;
const tsc = `
const { appendFileSync, existsSync, mkdirSync, writeFileSync } = require('node:fs');
appendFileSync('tsc-calls', '.');
if (!existsSync('dist/.tsbuildinfo')) {
  mkdirSync('dist/scripts', { recursive: true });
  const program = 'console.log(JSON.stringify(process.argv.slice(1))); process.exitCode = 3;';
  for (const name of ['test', 'check']) writeFileSync('dist/scripts/' + name + '.js', program);
  writeFileSync('dist/.tsbuildinfo', '');
}
if (existsSync('does-not-compile')) { console.log('error TS2322: no'); process.exit(2); }
`;

const lockFile = (version: string): string =>
  JSON.stringify({
    packages: {
      '': { name: 'x' },
      'node_modules/typescript': { version, integrity: `sha512-${version}` },
      'node_modules/only-on-windows': { version: '1.0.0', optional: true },
    },
  });

interface Context {
  folder: TempFolder;
}

const bootstrap = suite<Context>('bootstrap');

bootstrap.before.each(async context => {
  context.folder = await makeTempFolder();
  const { path } = context.folder;
  await mkdir(join(path, 'scripts'));
  await cp(join(root, 'scripts', 'bootstrap.mjs'), join(path, 'scripts', 'bootstrap.mjs'));
  await cp(join(root, 'scripts', 'bootstrap'), join(path, 'scripts', 'bootstrap'), { recursive: true });
  await mkdir(join(path, 'fake'));
  await writeFile(join(path, 'fake', 'npm-cli.js'), npm);
  await writeFile(join(path, 'tsc.cjs'), tsc);
  await writeFile(join(path, 'package.json'), '{"type":"module"}');
  await writeFile(join(path, 'package-lock.json'), lockFile('7.0.0'));
});
bootstrap.after.each(({ folder }) => folder.remove());

async function run({ folder }: Context, args: readonly string[], nodeArgs: readonly string[] = []) {
  const script = join(folder.path, 'scripts', 'bootstrap.mjs');
  const { exitCode, stdout, stderr } = await execa('node', [...nodeArgs, script, ...args], {
    cwd: folder.path,
    env: { npm_execpath: join(folder.path, 'fake', 'npm-cli.js') },
    reject: false,
  });
  return { exitCode, stdout, stderr };
}

const calls = ({ folder }: Context, of: 'npm' | 'tsc'): Promise<string> =>
  readFile(join(folder.path, `${of}-calls`), 'utf8').catch(() => '');

bootstrap('installs on a fresh clone, compiles and becomes the program', async context => {
  const { exitCode, stdout, stderr } = await run(context, ['test', '--jobs', '3']);
  assert.is(exitCode, 3, stderr);
  assert.equal(JSON.parse(stdout), [join(context.folder.path, 'dist', 'scripts', 'test.js'), '--jobs', '3']);
  assert.is(stderr, 'Installing packages (there are none yet) …');
  assert.match(await calls(context, 'npm'), /^ci --no-audit --no-fund --include=dev --include=optional\n$/);
});

bootstrap('installs nothing and says nothing when all is there', async context => {
  await run(context, ['test']);
  const { exitCode, stderr } = await run(context, ['test']);
  assert.is(exitCode, 3);
  assert.is(stderr, '');
  assert.is((await calls(context, 'npm')).split('\n').length - 1, 1);
  assert.is(await calls(context, 'tsc'), '..');
});

bootstrap('installs again when package-lock.json asks for another version', async context => {
  await run(context, ['test']);
  await writeFile(join(context.folder.path, 'package-lock.json'), lockFile('7.1.0'));
  const { stderr } = await run(context, ['test']);
  assert.match(stderr, 'Installing packages (typescript is not 7.1.0)');
});

bootstrap('installs again after an install that was cut short', async context => {
  await run(context, ['test']);
  await rm(join(context.folder.path, 'node_modules', '.package-lock.json'));
  await run(context, ['test']);
  assert.is((await calls(context, 'npm')).split('\n').length - 1, 2);
});

bootstrap('shows why an install failed, and runs nothing', async context => {
  await writeFile(join(context.folder.path, 'npm-fails'), '');
  const { exitCode, stdout, stderr } = await run(context, ['test']);
  assert.is(exitCode, 1);
  assert.is(stdout, '');
  assert.match(stderr, 'npm error network');
});

bootstrap('shows compile errors, and runs nothing but the check', async context => {
  await writeFile(join(context.folder.path, 'does-not-compile'), '');
  const test = await run(context, ['test']);
  assert.is(test.exitCode, 1);
  assert.is(test.stdout, '');
  assert.match(test.stderr, 'error TS2322');
  assert.is((await run(context, ['check'])).exitCode, 3);
});

bootstrap('compiles from nothing when compiled files were removed', async context => {
  await run(context, ['test']);
  await rm(join(context.folder.path, 'dist', 'scripts'), { recursive: true });
  assert.is((await run(context, ['test'])).exitCode, 3);
});

bootstrap('makes the page of operators when it is not there or older than its sources', async context => {
  const { path } = context.folder;
  const sources = join(path, 'shared', 'dashboard', 'page');
  await mkdir(sources, { recursive: true });
  await writeFile(join(sources, 'app.tsx'), '');
  await mkdir(join(path, 'dist', 'scripts'), { recursive: true });
  const built = join(path, 'dist', 'shared', 'dashboard', 'built-page.js');
  await mkdir(dirname(built), { recursive: true });
  await writeFile(
    join(path, 'dist', 'scripts', 'build-page.js'),
    `import { appendFileSync, writeFileSync } from 'node:fs';
     appendFileSync('page-builds', '.');
     writeFileSync(${JSON.stringify(built)}, '');`,
  );
  const builds = async (): Promise<number> => (await readFile(join(path, 'page-builds'), 'utf8')).length;
  await run(context, ['test']);
  await run(context, ['test']);
  assert.is(await builds(), 1);
  const later = new Date(Date.now() + 5_000);
  await utimes(join(sources, 'app.tsx'), later, later);
  await run(context, ['test']);
  assert.is(await builds(), 2);
});

bootstrap('many at the same moment install once and all run', async context => {
  const ends = await Promise.all([1, 2, 3, 4].map(() => run(context, ['test'])));
  assert.equal(
    ends.map(({ exitCode }) => exitCode),
    [3, 3, 3, 3],
    ends.map(({ stderr }) => stderr).join('\n'),
  );
  assert.is((await calls(context, 'npm')).split('\n').length - 1, 1);
});

bootstrap('the lock of a process that is gone does not hold anybody up', async context => {
  const lock = join(context.folder.path, 'dist', '.bootstrap.lock');
  await mkdir(dirname(lock));
  await writeFile(lock, String(2 ** 22 + 1));
  assert.is((await run(context, ['test'])).exitCode, 3);
});

bootstrap('refuses an old Node.js in one sentence', async context => {
  const old = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.18.3'})";
  const { exitCode, stderr } = await run(context, ['test'], ['--import', old]);
  assert.is(exitCode, 1);
  assert.is(stderr, 'Node.js 20.19 or newer is needed, and this is 20.18.3.');
  assert.is(await calls(context, 'npm'), '');
});

bootstrap('never empties a node_modules that belongs to another work tree', async context => {
  const other = join(context.folder.path, 'other');
  await mkdir(join(other, 'kept'), { recursive: true });
  await symlink(other, join(context.folder.path, 'node_modules'));
  const { exitCode, stderr } = await run(context, ['test']);
  assert.is(exitCode, 1);
  assert.match(stderr, /node_modules is a link to .*other/);
  assert.is(await calls(context, 'npm'), '');
});

bootstrap('names the programs there are when asked for another', async context => {
  const { exitCode, stderr } = await run(context, ['tset']);
  assert.is(exitCode, 1);
  assert.match(stderr, /NAME is one of: start, .*test/);
});

bootstrap.run();
