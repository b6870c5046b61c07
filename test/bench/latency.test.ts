import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { latency } from '../../scripts/bench/figures/latency.js';
import { scales } from '../../scripts/bench/scale.js';
import { makeTempFolder } from '../support/temp-folder.js';

const figure = suite('the figure of the latency');

figure('tells how long pipelines wait beyond their agents, in every situation', async () => {
  const folder = await makeTempFolder('latency-');
  try {
    const measured = await latency.measure({
      scale: scales.tiny,
      folder: name => `${folder.path}/${name}`,
      say: () => undefined,
      signal: new AbortController().signal,
    });
    const ours = measured.rows.filter(({ contender }) => contender === 'ours');
    assert.equal(
      ours.map(({ situation, requests }) => `${situation}: ${requests}`),
      ['together, agents up one after the other: 2', 'alone: 2', 'beside a long job: 2'],
    );
    for (const row of measured.rows)
      for (const key of ['releasedP50', 'releasedP95', 'toTaskP50', 'toTaskP95'])
        assert.ok(Number(row[key]) > 0, `${row['situation']} ${key}`);
    assert.is(measured.goals?.length, ours.length);
  } finally {
    await folder.remove();
  }
});

figure.run();
