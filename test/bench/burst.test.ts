import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { burst } from '../../scripts/bench/figures/burst.js';
import { scales } from '../../scripts/bench/scale.js';
import { makeTempFolder } from '../support/temp-folder.js';

const figure = suite('the figure of the burst');

figure('tells of ours and the floor, and that nothing was lost, doubled or left behind', async () => {
  const folder = await makeTempFolder('burst-');
  try {
    const measured = await burst.measure({
      scale: { ...scales.tiny, endToEnd: [4] },
      folder: name => `${folder.path}/${name}`,
      say: () => undefined,
      signal: new AbortController().signal,
    });
    assert.equal(
      measured.rows.map(({ requests, contender }) => `${requests} ${contender}`),
      ['4 ours', '4 floor'],
    );
    const [ours] = measured.rows;
    assert.equal([ours?.['lost'], ours?.['doubled'], ours?.['left']], [0, 0, 0], measured.notes?.join('\n'));
    for (const key of ['seconds', 'rate', 'releasedP95', 'toTaskP95', 'peakMb'])
      assert.ok(Number(ours?.[key]) > 0, key);
    const kept = measured.goals?.find(({ text }) => text.startsWith('none lost'));
    assert.is(kept?.holds, true);
    // Nothing is beyond itself: the growth from the only size to itself is none.
    assert.match(measured.goals?.at(-1)?.measured ?? '', /^1\.00 /);
    assert.match(measured.notes?.join('\n') ?? '', /the last accepted after .* s, had its Batch task after/);
    assert.equal(
      measured.curves?.map(({ series }) => series.map(({ name, points }) => `${name} ${points.length}`)),
      [
        ['ours 1', 'floor 1'],
        ['ours 1', 'floor 1'],
      ],
    );
  } finally {
    await folder.remove();
  }
});

figure.run();
