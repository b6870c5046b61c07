import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { perRequest } from '../../scripts/bench/figures/per-request.js';
import { scales } from '../../scripts/bench/scale.js';
import { makeTempFolder } from '../support/temp-folder.js';

const figure = suite('what one request takes');

figure('counts each contender for both waits, without what all requests share', async () => {
  const folder = await makeTempFolder('bench-');
  try {
    const { costs = [], goals = [] } = await perRequest.measure({
      scale: scales.tiny,
      folder: name => join(folder.path, name),
      say: () => {},
      signal: new AbortController().signal,
    });
    console.log(JSON.stringify(costs, undefined, 1), goals);
    assert.is(costs.length, 8);
  } finally {
    await folder.remove();
  }
});

figure.run();
