import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../scripts/root.js';

const npmTest = async (
  ...args: string[]
): Promise<{ exitCode: number | undefined; lastLine: string | undefined; all: string }> => {
  const { exitCode, stdout, all } = await execa('node', [join(root, 'dist', 'scripts', 'test.js'), ...args], {
    reject: false,
    all: true,
  });
  return { exitCode, lastLine: stdout.split('\n').at(-1), all };
};

const command = suite('npm test');

command('ends with the line that machines read', async () => {
  const { exitCode, lastLine, all } = await npmTest('find-tests');
  assert.is(lastLine, '6 passed, 0 failed', all);
  assert.is(exitCode, 0);
});

command('fails for a pattern that matches no file', async () => {
  const { exitCode, lastLine, all } = await npmTest('no-such-file');
  assert.is(lastLine, '0 passed, 1 failed', all);
  assert.is(exitCode, 1);
  assert.match(all, 'No test file has "no-such-file" in its path.');
});

command('fails for an option that it does not know', async () => {
  const { exitCode } = await npmTest('--parallel', '3');
  assert.is(exitCode, 1);
});

command.run();
