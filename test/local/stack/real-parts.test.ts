import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { partNames } from '../../../scripts/local/stack/plan.js';
import { programsIn } from '../../../scripts/local/stack/programs.js';
import { root } from '../../../scripts/root.js';
import { openStack, withStack } from '../../support/stack.js';
import { waitFor } from '../../support/wait-for.js';

const realParts = suite('the stack of the real parts');

/** Not bundled, as other tests start it: so does whoever uses it. */
const asCompiled = { app: root, programs: programsIn(join(root, 'dist')) };

realParts('the app answers again after each part was killed and started anew', () =>
  withStack({ ...asCompiled, storageFaults: true, seed: 1 }, async stack => {
    const health = async (): Promise<boolean> => (await fetch(`${stack.url('host')}/api/health`)).ok;
    await waitFor('the app to be healthy', health);
    for (const part of partNames) {
      const before = { url: stack.url(part), pid: stack.pid(part) };
      await stack.restart(part);
      assert.is(stack.url(part), before.url);
      assert.is.not(stack.pid(part), before.pid);
      await waitFor(`the app to be healthy after the ${part} was killed`, health);
    }
  }),
);

realParts('a test that throws leaves no stack behind', async () => {
  let dataDir = '';
  let url = '';
  try {
    await withStack({ parts: ['storage'] }, async stack => {
      dataDir = stack.dataDir;
      url = stack.url('storage');
      throw new Error('thrown by the test');
    });
    assert.unreachable('it did not throw');
  } catch (error) {
    assert.match(String(error), 'thrown by the test');
  }
  assert.not.ok(existsSync(dataDir));
  assert.is(
    await fetch(url).then(
      () => 'answers',
      () => 'gone',
    ),
    'gone',
  );
});

realParts('a stack that does not start leaves no folder behind', async () => {
  try {
    await openStack({ parts: ['storage'], programs: { storage: '/no/such/program.js' } });
    assert.unreachable('it started');
  } catch (error) {
    assert.match(String(error), 'storage ended with exit code 1 before it was ready');
  }
});

realParts.run();
