import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Browser, Page } from 'playwright-core';
import { pageUrl, withBusyStack } from './dashboard/busy-stack.js';
import { openChromium } from './dashboard/chromium.js';
import { root } from './root.js';

/**
 * `npm run screenshots`: the operators' page with made-up requests, as pictures for the README. With a folder for an
 * argument, into that, and the dialogs too: for whoever changes them.
 */
const { args } = new Command('npm run screenshots --')
  .description("Takes pictures of the operators' page with made-up requests, for the README.")
  .argument('[folder]', 'put them there, and pictures of the dialogs too')
  .parse();

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort(new Error('Stopped before the end.')));
}

const [wanted] = args;
const folder = wanted ?? join(root, '.github', 'images');
const wide = { width: 1280, height: 1160 };
const phone = { width: 390, height: 844 };

async function open(
  browser: Browser,
  url: string,
  colorScheme: 'light' | 'dark',
  viewport: { width: number; height: number },
): Promise<Page> {
  const page = await browser.newPage({ viewport, colorScheme, locale: 'en-GB' });
  await page.goto(url);
  await page.locator('.requests tbody tr').first().waitFor();
  await page.waitForLoadState('networkidle');
  return page;
}

async function take(page: Page, name: string): Promise<void> {
  const path = join(folder, `dashboard-${name}.png`);
  await page.screenshot({ path, animations: 'disabled' });
  console.log(`${path} ${Math.round((await stat(path)).size / 1024)} KiB`);
}

await mkdir(folder, { recursive: true });
await withBusyStack(
  { count: 400, spreadMs: 3 * 3_600_000, withTasks: true, signal: interrupted.signal },
  async stack => {
    const browser = await openChromium();
    try {
      const url = pageUrl(stack);
      for (const scheme of ['light', 'dark'] as const) {
        const page = await open(browser, url, scheme, wide);
        await take(page, scheme);
        await page.close();
      }
      const small = await open(browser, url, 'light', phone);
      await take(small, 'phone');
      await small.close();

      if (wanted === undefined) return;
      const page = await open(browser, url, 'light', wide);
      await page.locator('.letters .id').first().click();
      await page.locator('dialog.panel .history').waitFor();
      await take(page, 'detail');
      await page.keyboard.press('Escape');
      await page.locator('.letters .act button').first().click();
      await page.locator('dialog.question').waitFor();
      await take(page, 'redrive');
    } finally {
      await browser.close();
    }
  },
);
