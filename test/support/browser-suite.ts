import { suite, type Test } from 'uvu';
import { findChromium, howToGetChromium } from '../../scripts/dashboard/chromium.js';

/**
 * A suite that needs a browser. On a machine that has none its tests are skipped, each with the reason in its name, so
 * that the run says at its end what was not tested and why.
 */
export function browserSuite(title: string): Test {
  const inner = suite(title);
  if (findChromium() !== undefined) return inner;
  const skip = (name = ''): void => inner.skip(`${name} — ${howToGetChromium}`);
  const never = Object.assign(() => {}, { each: () => {} });
  return Object.assign(skip, { only: skip, skip, before: never, after: never, run: () => inner.run() });
}
