import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { durationMs } from '../../../scripts/local/batch/duration.js';

const durations = suite('ISO 8601 durations');
const hour = 3_600_000;
for (const [text, ms] of [
  ['PT1H30M', 1.5 * hour],
  ['PT0.25S', 250],
  ['P1DT1S', 24 * hour + 1_000],
  ['P7D', 7 * 24 * hour],
  ['P1W', 7 * 24 * hour],
  ['P10675199DT2H48M5.4775807S', 922_337_203_685_477.6],
  ['P', undefined],
  ['PT', undefined],
  ['1H', undefined],
  ['PT-1H', undefined],
] as const) {
  durations(`${text} → ${ms}`, () => {
    assert.is(durationMs(text), ms);
  });
}

durations.run();
