import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { whyNoStartScript } from '../../../scripts/local/batch/agent-image.js';
import { commandFor } from '../../../scripts/local/batch/images.js';
import { makeTempFolder } from '../../support/temp-folder.js';

const imageTable = suite('images');
imageTable('the first pattern that matches the whole name wins', () => {
  const images = [
    { image: '*azdo-agent:*', command: ['agent'] },
    { image: 'exact.io/a:1', command: ['exact'] },
  ];
  assert.equal(commandFor(images, 'myacr.azurecr.io/azdo-agent:ubuntu-22.04'), ['agent']);
  assert.equal(commandFor(images, 'EXACT.io/a:1'), ['exact']);
  assert.is(commandFor(images, 'exactXio/a:1'), undefined);
  assert.is(commandFor(images, 'exact.io/a:12'), undefined);
});

const startScript = suite('the start script of the agent image');
startScript('runs on Linux, where what it needs is there', async () => {
  const folder = await makeTempFolder();
  try {
    const path = `/nowhere:${folder.path}`;
    assert.is(whyNoStartScript('linux', path), 'there is no bash and no curl');
    await writeFile(join(folder.path, 'bash'), '');
    assert.is(
      whyNoStartScript('linux', path),
      'there is no bash and no curl',
      'a program must be executable',
    );
    await chmod(join(folder.path, 'bash'), 0o755);
    assert.is(whyNoStartScript('linux', path), 'there is no curl');
    await writeFile(join(folder.path, 'curl'), '', { mode: 0o755 });
    assert.is(whyNoStartScript('linux', path), undefined);
    assert.is(whyNoStartScript('win32', path), 'it needs Linux');
  } finally {
    await folder.remove();
  }
});

imageTable.run();
startScript.run();
