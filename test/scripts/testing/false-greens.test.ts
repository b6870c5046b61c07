import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../../scripts/root.js';
import { type FileResult, runTests } from '../../../scripts/testing/run-tests.js';

/**
 * Each fixture is a test file that plain uvu, or plain Node.js, would let end with exit code 0 or would wait for;
 * run here as `npm test` runs one.
 */
interface Expected {
  readonly passed: number;
  readonly failed: number;
  readonly skipped?: number;
  /** Each must be found in the problem at its place. */
  readonly problems?: readonly RegExp[];
}

const expected: Record<string, Expected> = {
  healthy: { passed: 1, failed: 0, skipped: 1 },
  'pauses-between-suites': { passed: 2, failed: 0 },
  'failing-test': { passed: 1, failed: 1, problems: [/^numbers: add up: two and two make five$/] },
  'throwing-before': {
    passed: 0,
    failed: 2,
    problems: [/before threw: no server/, /add up: it did not run/],
  },
  'throwing-before-each': { passed: 0, failed: 2, problems: [/before\.each threw: no server/, /add up/] },
  'throwing-after': {
    passed: 1,
    failed: 2,
    problems: [/after threw: no end/, /before its suites were through/],
  },
  'throwing-after-each': {
    passed: 0,
    failed: 2,
    problems: [/add up: after\.each threw: no cleanup/, /subtract: it did not run/],
  },
  'forgotten-run': { passed: 1, failed: 1, problems: [/^words never ran: \.run\(\) is missing$/] },
  'forgotten-run-of-nameless': { passed: 0, failed: 1, problems: [/nameless suite never ran/] },
  'declared-after-run': { passed: 1, failed: 1, problems: [/tests declared after its \.run\(\)/] },
  'no-tests': { passed: 0, failed: 1, problems: [/it has no tests/] },
  'empty-suite': { passed: 0, failed: 1, problems: [/numbers has no tests/] },
  'left-early': {
    passed: 0,
    failed: 3,
    problems: [/add up: it did not come to its end/, /subtract: it did not run/, /it left \(exit code \d\)/],
  },
  'left-before-declaring': { passed: 0, failed: 1, problems: [/left \(exit code 0\)/] },
  'never-settles': { passed: 0, failed: 2, problems: [/add up: it did not come to its end/, /left/] },
  hangs: { passed: 0, failed: 2, problems: [/add up: it did not come to its end/, /killed after 5 s/] },
  'unhandled-rejection': { passed: 1, failed: 1, problems: [/exit code 1|before its suites/] },
  'leaves-a-process': { passed: 1, failed: 1, problems: [/left processes behind: \d+ .*setTimeout/] },
  'leaves-a-process-in-its-own-group': { passed: 1, failed: 1, problems: [/left processes behind: \d+ /] },
  'leaves-a-server': { passed: 1, failed: 1, problems: [/still open are .*TCPServer/] },
  'leaves-a-file': { passed: 1, failed: 1, problems: [/left files in its temporary folder: forgotten-/] },
  'leaves-only': { passed: 1, failed: 1, skipped: 1, problems: [/\.only leaves its other tests out/] },
  'syntax-error': { passed: 0, failed: 1, problems: [/exit code 1/] },
};

const falseGreens = suite('false greens');
const results = new Map<string, FileResult>();

falseGreens.before(async () => {
  const files = Object.keys(expected).map(name => ({
    name,
    path: join(root, 'test', 'fixtures', 'false-greens', `${name}.mjs`),
  }));
  // Most of them only wait.
  for (const result of await runTests(files, { jobs: 6, timeLimitMs: 5_000 })) {
    results.set(result.file.name, result);
  }
});

falseGreens('every fixture has its expectation', () => {
  const fixtures = readdirSync(join(root, 'test', 'fixtures', 'false-greens'));
  assert.equal(
    fixtures.toSorted(),
    Object.keys(expected)
      .map(name => `${name}.mjs`)
      .toSorted(),
  );
});

for (const [name, { passed, failed, skipped = 0, problems = [] }] of Object.entries(expected)) {
  falseGreens(failed ? `${name} fails` : `${name} passes`, () => {
    const result = results.get(name);
    assert.equal(
      { passed: result?.passed, failed: result?.failed, skipped: result?.skipped },
      { passed, failed, skipped },
      result?.problems.join('\n'),
    );
    assert.is(result?.problems.length, failed);
    problems.forEach((pattern, index) => assert.match(result?.problems[index] ?? '', pattern));
  });
}

falseGreens.run();
