import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findTests } from '../../../scripts/testing/find-tests.js';

const finding = suite<{ root: string }>('which test files run');

finding.before.each(async context => {
  context.root = await mkdtemp(join(tmpdir(), 'find-tests-'));
  const files = [
    'test/domain/names.test.ts',
    'test/local/batch/tasks.test.ts',
    'test/support/wait-for.ts',
    'dist/test/domain/names.test.js',
    'dist/test/local/batch/tasks.test.js',
    'dist/test/local/batch/deleted.test.js',
  ];
  for (const file of files) {
    await mkdir(dirname(join(context.root, file)), { recursive: true });
    await writeFile(join(context.root, file), '');
  }
});
finding.after.each(({ root }) => rm(root, { recursive: true, force: true }));

const namesOf = async (root: string, patterns: string[]): Promise<string[]> =>
  (await findTests(root, patterns)).map(file => file.name);

const refusal = (root: string, patterns: string[]): Promise<string> =>
  findTests(root, patterns).then(
    () => 'it found something',
    (error: unknown) => String(error),
  );

finding(
  'all sources without a pattern; a compiled file whose source was deleted does not run',
  async ({ root }) => {
    assert.equal(await namesOf(root, []), ['test/local/batch/tasks.test.ts', 'test/domain/names.test.ts']);
  },
);

finding('what takes long begins first, so that nothing long is left for the end', async ({ root }) => {
  const [first = ''] = await namesOf(root, []);
  assert.match(first, /^test\/local\//);
});

finding('those that one of the patterns is in', async ({ root }) => {
  assert.equal(await namesOf(root, ['batch']), ['test/local/batch/tasks.test.ts']);
  assert.is((await namesOf(root, ['batch', 'names'])).length, 2);
});

finding('a pattern that matches no file is an error, even beside one that does', async ({ root }) => {
  assert.match(await refusal(root, ['batch', 'bacth']), 'No test file has "bacth" in its path.');
});

finding('no test files at all is an error', async ({ root }) => {
  await rm(join(root, 'test', 'domain'), { recursive: true });
  await rm(join(root, 'test', 'local'), { recursive: true });
  assert.match(await refusal(root, []), 'There are no test files.');
});

finding('a source that was not compiled is an error', async ({ root }) => {
  await rm(join(root, 'dist', 'test', 'domain'), { recursive: true });
  assert.match(await refusal(root, []), 'test/domain/names.test.ts has not been compiled');
});

finding.run();
