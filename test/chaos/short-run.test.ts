import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findingLines } from '../../scripts/chaos/report.js';
import { runChaos } from '../../scripts/chaos/run.js';
import { makeTempFolder } from '../support/temp-folder.js';

/** The same as `npm run chaos -- --requests 13 --seed 144 --kills 5`: every way to ask, and every part killed. */
const options = { requests: 13, seed: 144, kills: 5, forgets: 0, faults: true } as const;

const chaos = suite('under faults and kill -9');

chaos('nothing is lost, nothing doubled, nothing left over', async () => {
  const folder = await makeTempFolder('chaos-');
  const told: string[] = [];
  try {
    const { findings, evidence } = await runChaos({
      ...options,
      dataDir: folder.path,
      load: 14,
      limitMs: 90_000,
      signal: AbortSignal.timeout(100_000),
      onProgress: progress => told.push(JSON.stringify(progress)),
    });
    assert.equal(findingLines(findings), [], told.at(-1));
    // An audit of nothing would find nothing.
    assert.is(evidence.asked.length, options.requests);
    assert.ok(evidence.rows.length >= options.requests);
    assert.is(evidence.kills.length, options.kills);
    assert.ok(evidence.bites.length > 0, 'no fault was met');
    assert.ok(evidence.agents.length > 0 && evidence.runs.length > 0);
  } finally {
    await folder.remove();
  }
});

chaos.run();
