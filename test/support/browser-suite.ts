import type { Test } from 'uvu';
import { findChromium, howToGetChromium } from '../../scripts/dashboard/chromium.js';
import { suiteUnless } from './suite-unless.js';

/** A suite that needs a browser. */
export const browserSuite = (title: string): Test =>
  suiteUnless(findChromium() === undefined ? howToGetChromium : undefined, title);
