import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { commandFor } from '../../../scripts/local/batch/images.js';

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

imageTable.run();
