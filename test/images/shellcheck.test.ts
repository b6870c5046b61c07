import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { glob } from 'tinyglobby';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../scripts/root.js';

const test = suite('shell scripts');

/** Every shell script of the project, by extension or by its first line. */
async function shellScripts(): Promise<readonly string[]> {
  const files = await glob(['**/*.{sh,bash,bats}', '.ci/*'], {
    cwd: root,
    dot: true,
    ignore: ['**/node_modules/**', 'dist/**', '.local/**', '.git/**', 'coverage/**'],
  });
  const texts = await Promise.all(files.map(file => readFile(join(root, file), 'utf8')));
  return files.filter((file, index) => /\.\w+$/.test(file) || /^#!.*sh\b/.test(texts[index] ?? ''));
}

const { failed, code } = await execa('shellcheck', ['--version'], { reject: false });
const missing = failed && code === 'ENOENT';
const named = 'have nothing that ShellCheck would object to';

if (missing) test.skip(`${named} — there is no ShellCheck: apt-get install shellcheck`);
else
  test(named, async () => {
    const files = await shellScripts();
    for (const known of ['.ci/run', 'infra/images/linux/start.sh', 'test/images/ends.bats'])
      assert.ok(files.includes(known), known);
    const { stdout, exitCode } = await execa('shellcheck', ['--format=gcc', ...files], {
      cwd: root,
      reject: false,
    });
    assert.is(stdout, '');
    assert.is(exitCode, 0);
  });

test.run();
