import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { suite } from 'uvu';
import { root } from '../../scripts/root.js';
import { startStubService, stubToken } from './stub-service.js';
import { readTap, type TapTest } from './tap.js';

/** The bats files here, which run start.sh itself: each of their tests is told and counted as one of ours. */
const folder = join(root, 'test', 'images');
const service = await startStubService();

async function runBats(file: string): Promise<readonly TapTest[]> {
  const { stdout, stderr, exitCode } = await execa(
    fileURLToPath(import.meta.resolve('bats/bin/bats')),
    ['--formatter', 'tap', join(folder, file)],
    {
      reject: false,
      stdin: 'ignore',
      env: { BATS_TEST_TIMEOUT: '20', STUB_URL: service.url, STUB_TOKEN: stubToken },
    },
  );
  const tests = readTap(stdout);
  if (tests === undefined) throw new Error(`${file}: bats ended with ${exitCode}:\n${stdout}\n${stderr}`);
  return tests;
}

const files = readdirSync(folder).filter(name => name.endsWith('.bats'));
const results = await Promise.all(files.map(async file => ({ file, tests: await runBats(file) })));
service.close();

for (const { file, tests } of results) {
  const test = suite(`start.sh, ${file}`);
  for (const { name, ok, skipped, details } of tests) {
    if (skipped !== undefined) test.skip(`${name} — ${skipped}`);
    else
      test(name, () => {
        if (!ok) throw new Error(details);
      });
  }
  test.run();
}
