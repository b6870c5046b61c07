import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../scripts/root.js';
import { makeTempFolder } from '../support/temp-folder.js';

const help = suite('--help');

/** The source of each program that npm scripts name. */
async function programs(): Promise<readonly string[]> {
  const bootstrap = await readFile(join(root, 'scripts', 'bootstrap.mjs'), 'utf8');
  const [, table = ''] = /const programs = \{([^}]+)\}/.exec(bootstrap) ?? [];
  const files = [...table.matchAll(/: '([^']+)\.js'/g)].map(([, name]) =>
    join(root, 'scripts', `${name}.ts`),
  );
  return files.filter(path => existsSync(path));
}

help(
  'is understood by every program: one that does not look at its arguments would set to work',
  async () => {
    const paths = await programs();
    assert.ok(paths.length > 15, `only ${paths.length} were seen`);
    const deaf: string[] = [];
    for (const path of paths) {
      if (!/new Command\(|createProgram\(/.test(await readFile(path, 'utf8'))) deaf.push(path);
    }
    assert.equal(deaf, []);
  },
);

help('is all that those do that take no other option, and a misspelt one is refused', async () => {
  const folder = await makeTempFolder();
  try {
    const cwd = join(folder.path, 'empty');
    await mkdir(cwd);
    for (const name of ['demo', 'docs', 'screenshots', 'start-func']) {
      const program = join(root, 'dist', 'scripts', `${name}.js`);
      const { stdout, exitCode } = await execa(process.execPath, [program, '--help'], {
        cwd,
        timeout: 20_000,
      });
      assert.is(exitCode, 0);
      assert.match(stdout, /^Usage: npm run [\w:]+ -- /);
    }
    const { exitCode, stderr } = await execa(
      process.execPath,
      [join(root, 'dist', 'scripts', 'demo.js'), '--hepl'],
      { cwd, timeout: 20_000, reject: false },
    );
    assert.is(exitCode, 1);
    assert.match(stderr, "unknown option '--hepl'");
    assert.equal(await readdir(cwd), []);
  } finally {
    await folder.remove();
  }
});

help.run();
