import { Command } from 'commander';
import type { Browser } from 'playwright-core';
import * as z from 'zod';
import { median } from './bench/statistics.js';
import { pageUrl, withBusyStack } from './dashboard/busy-stack.js';
import { openChromium } from './dashboard/chromium.js';

/**
 * `npm run bench:page`: how long the operators' page takes, in a real browser, until it can be read, with ten thousand
 * requests in the table. Once with a day of them, most of which have ended; once with all of them alive. An argument
 * chooses one of them by its name, e.g. `day`.
 */
const { args } = new Command('npm run bench:page --')
  .description("Measures how long the operators' page takes in a real browser, with ten thousand requests.")
  .argument('[name]', 'only the crowd with this in its name: day, or 10 s', '')
  .parse();
const [chosen = ''] = args;

const count = 10_000;
const views = 5;
const day = 24 * 3_600_000;

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort(new Error('Stopped before the end.')));
}

/** Milliseconds from the start of the navigation, by the browser's own clock. */
const Moment = z.number().or(z.nan());
const View = z.object({ painted: Moment, requests: Moment, deadLetters: Moment, whole: Moment });
type View = z.infer<typeof View>;

/** Runs in the page: notes when the first paint was, and when each part first had its data. */
const observe = `
  window.seen = {};
  const note = (name, selector) => {
    if (!(name in seen) && document.querySelector(selector)) requestAnimationFrame(() => { seen[name] ??= performance.now(); });
  };
  new MutationObserver(() => {
    note('requests', '.requests tbody tr');
    note('deadLetters', '#dead-letters table');
    note('whole', '#time-to-online .figures');
  }).observe(document, { childList: true, subtree: true });
`;

async function view(browser: Browser, url: string): Promise<View> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  try {
    await page.addInitScript(observe);
    await page.goto(url);
    await page.locator('.requests tbody tr').first().waitFor();
    await page.locator('#dead-letters table, #dead-letters .empty').first().waitFor();
    // The numbers of the day come when they come; where the app does not tell, nobody waits for them.
    await page
      .locator('#time-to-online .figures, #time-to-online .empty:not(:has-text("Loading"))')
      .waitFor();
    return View.parse(
      await page.evaluate(`({
        whole: NaN, deadLetters: NaN, ...seen,
        painted: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
      })`),
    );
  } finally {
    await page.close();
  }
}

const ms = (value: number): string =>
  (Number.isNaN(value) ? 'not there' : `${Math.round(value)} ms`).padStart(10);

const crowds = [
  ['asked for over a day', day],
  ['asked for within the last 10 s', 10_000],
] as const;
for (const [name, spreadMs] of crowds.filter(([each]) => each.includes(chosen))) {
  await withBusyStack({ count, spreadMs, signal: interrupted.signal }, async stack => {
    const browser = await openChromium();
    try {
      const first = await view(browser, pageUrl(stack));
      const others: View[] = [];
      for (let turn = 1; turn < views; turn += 1) others.push(await view(browser, pageUrl(stack)));
      console.log(`\n${count} requests, ${name}: first view of all, and the median of ${others.length} more`);
      for (const part of ['painted', 'requests', 'deadLetters', 'whole'] as const) {
        console.log(`  ${part.padEnd(12)}${ms(first[part])}${ms(median(others.map(each => each[part])))}`);
      }
    } finally {
      await browser.close();
    }
  });
}
