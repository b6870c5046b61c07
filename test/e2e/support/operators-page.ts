import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { pageUrl } from '../../../scripts/dashboard/busy-stack.js';
import type { Stack } from '../../../scripts/local/stack/stack.js';
import { root } from '../../../scripts/root.js';

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Fails if the page complained, broke its own policy or called somebody else. */
  readonly isInnocent: () => Promise<void>;
}

const phone = { width: 360, height: 740 } as const;
const Violations = z.array(z.string());

/** Opens the page as a person does, and keeps an eye on it. */
export async function openPage(
  browser: Browser,
  stack: Stack,
  {
    hash = '',
    small = false,
    prepare,
    ...options
  }: Pick<BrowserContextOptions, 'colorScheme'> & {
    readonly hash?: string;
    readonly small?: boolean;
    readonly prepare?: (context: BrowserContext) => Promise<unknown>;
  } = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: small ? phone : { width: 1280, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  const { origin } = new URL(stack.url('host'));
  context.on('request', request => {
    const { protocol, origin: called } = new URL(request.url());
    if (protocol !== 'data:' && called !== origin) complaints.push(`called ${request.url()}`);
  });
  context.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  context.on('weberror', error => complaints.push(String(error.error())));
  await context.addInitScript(
    `window.violations = [];
     document.addEventListener('securitypolicyviolation', event => violations.push(event.violatedDirective + ' ' + event.blockedURI));`,
  );
  await prepare?.(context);
  const page = await context.newPage();
  await page.goto(pageUrl(stack) + hash);
  return {
    page,
    context,
    isInnocent: async () => {
      assert.equal(complaints, []);
      assert.equal(Violations.parse(await page.evaluate('violations')), []);
    },
  };
}

const Axe = z.object({
  violations: z.array(
    z.object({ id: z.string(), help: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
  ),
});

/** What axe-core finds wrong for people who see little or nothing, or use no mouse. */
export async function inaccessible(page: Page): Promise<readonly string[]> {
  await page.evaluate(await readFile(join(root, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8'));
  const { violations } = Axe.parse(await page.evaluate('axe.run(document, { preload: false })'));
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html ?? ''}`);
}

/** Nobody likes to push a page to and fro. */
export async function scrollsSideways(page: Page): Promise<boolean> {
  return z.boolean().parse(await page.evaluate('document.documentElement.scrollWidth > innerWidth'));
}
