import type { Browser } from 'playwright-core';
import * as assert from 'uvu/assert';
import { openChromium } from '../../scripts/dashboard/chromium.js';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { remedyFor } from '../../shared/domain/failure-guide.js';
import { browserSuite } from '../support/browser-suite.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi } from './support/agents-api.js';
import { inaccessible, openPage, scrollsSideways } from './support/operators-page.js';
import { type Pipelines, pipelinesOf } from './support/pipelines.js';
import { changeBatchPool, openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;
let pipelines: Pipelines;
let browser: Browser;
/** A pipeline's request for an agent in a Batch pool that is not there. */
let lost: string;
let lostRun: string;

const markup = '<img src=x onerror="violations.push(1)">';
const endless = 'unbroken'.repeat(50);

const page = browserSuite("the operators' page");

page.before(async () => {
  const late = { devOpsPool: pools.hasty, batchPool: 'latePool', image: 'azdo-agent:ubuntu-24.04-azdo' };
  [{ stack, end }, browser] = await Promise.all([openWorld({ profiles: { late } }), openChromium()]);
  api = agentsApi(stack);
  pipelines = pipelinesOf(stack);
  const { runId } = await pipelines.start({
    body: { profile: 'late', callback: false, tags: { team: 'web' } },
    waitForCompletion: false,
    pool: pools.hasty,
    demands: [],
  });
  lostRun = runId;
  lost = await pipelines.requestId(runId);
  await api.ask({ requestId: 'hostile', profile: 'late', tags: { [markup]: markup, long: endless } });
  await api.end(lost);
  await api.end('hostile');
});
page.after(async () => {
  await browser.close();
  await end();
});

page('is for whoever has a key, tells nobody of it, and lets no other page in or near', async () => {
  const url = `${stack.url('host')}/api/dashboard`;
  assert.is((await fetch(url)).status, 401);
  assert.is((await fetch(`${url}?code=wrong`)).status, 401);
  assert.is((await fetch(`${url}/data/requests`)).status, 401);
  const response = await fetch(url, { headers: { 'x-functions-key': stack.functionKey } });
  assert.is(response.status, 200);
  assert.is(response.headers.get('referrer-policy'), 'no-referrer');
  assert.is(response.headers.get('cache-control'), 'no-store');
  assert.is(response.headers.get('x-content-type-options'), 'nosniff');
  const policy = response.headers.get('content-security-policy') ?? '';
  assert.match(
    policy,
    /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self'/,
  );
  assert.match(policy, "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  const form = await fetch(`${url}/data/deadletters/redrive`, {
    method: 'POST',
    headers: { 'x-functions-key': stack.functionKey, 'content-type': 'text/plain' },
    body: JSON.stringify({ requestIds: [lost] }),
  });
  assert.is(form.status, 403);
  assert.match(await form.text(), '"code":"NotFromThePage"');
});

page('leads from the list to why a request failed, and from there to its agent', async () => {
  const { page: tab, context, isInnocent } = await openPage(browser, stack);
  const row = tab.locator('.requests tbody tr', { hasText: lost });
  assert.match(await row.innerText(), /dead-lettered\s+PoolMissing/);
  assert.match(
    (await row.getByRole('img').getAttribute('aria-label')) ?? '',
    /^accepted [\d.]+ s, .*then dead-lettered\.$/,
  );

  await row.getByRole('button', { name: lost }).click();
  const detail = tab.getByRole('dialog', { name: lost });
  await detail.getByText('latePool').first().waitFor();
  for (const text of ['Cause.', 'What to do.', 'History', 'Tag team']) await detail.getByText(text).waitFor();
  const failure = detail.locator('.failure');
  assert.is((await failure.innerText()).split(remedyFor('PoolMissing')).length, 2, 'what to do is told once');
  assert.is(await detail.locator('.history li').count(), (await api.get(lost)).history.length);
  assert.match(tab.url(), `#request=${lost}`);
  await tab.keyboard.press('Escape');
  await detail.waitFor({ state: 'hidden' });
  assert.is(await tab.evaluate('document.activeElement.textContent'), lost);

  await changeBatchPool(stack, 'latePool', { bootMs: 0 });
  const letters = tab.getByRole('region', { name: 'Dead letters' });
  await letters.getByRole('checkbox', { name: `Select ${lost}` }).check();
  await letters.getByRole('button', { name: 'Redrive 1 selected' }).click();
  const question = tab.getByRole('dialog', { name: 'Redrive this request?' });
  await question.getByText('begins again with the message it came as').waitFor();
  await question.getByRole('button', { name: 'Leave it' }).click();
  assert.is((await api.get(lost)).state, 'deadLettered');
  await letters.getByRole('button', { name: 'Redrive 1 selected' }).click();
  await question.getByRole('button', { name: 'Redrive' }).click();
  await tab.getByRole('status').getByText('1 request begins again.').waitFor();
  await letters.getByRole('row', { name: lost }).waitFor({ state: 'detached' });

  // The page finds out by itself what became of it.
  await row.getByText('completed').waitFor();
  assert.is((await pipelines.end(lostRun)).job?.agentName, `${lost}-2`);
  assert.match(stack.output('host'), 'The page was used for deadletters/redrive.');
  await isInnocent();
  await context.close();
});

page('can be used without a mouse', async () => {
  const { page: tab, context, isInnocent } = await openPage(browser, stack);
  await tab.locator('.requests tbody tr').first().waitFor();
  const press = async (...keys: readonly string[]): Promise<void> => {
    for (const key of keys) await tab.keyboard.press(key);
  };
  const focused = async (): Promise<string> => String(await tab.evaluate('document.activeElement.innerText'));
  /** The focus moves once the dialog is there or gone, a moment after the key. */
  const isFocused = async (text: string): Promise<void> => {
    await waitFor(`the focus on ${text}`, async () => (await focused()).startsWith(text));
  };
  await press('Tab');
  await isFocused('Skip to the requests');
  await press('Enter', 'Tab', 'Tab');
  const id = await focused();
  assert.ok([lost, 'hostile'].includes(id), id);
  await press('Enter');
  const detail = tab.getByRole('dialog', { name: id });
  await detail.getByText('History').waitFor();
  await isFocused('Close');
  await press('Enter');
  await detail.waitFor({ state: 'hidden' });
  await isFocused(id);

  await tab.getByRole('checkbox', { name: 'Select hostile' }).focus();
  await press('Space', 'Tab', 'Tab');
  await isFocused('Redrive');
  await press('Enter');
  const question = tab.getByRole('dialog', { name: 'Redrive this request?' });
  await question.waitFor();
  await isFocused('Leave it');
  await press('Escape');
  await question.waitFor({ state: 'hidden' });
  await isFocused('Redrive');
  assert.is((await api.get('hostile')).state, 'deadLettered');
  await isInnocent();
  await context.close();
});

page('filters, and has the filters but not the key in what is shared', async () => {
  let letNumbersCome = (): void => {};
  const isTyped = new Promise<void>(resolve => {
    letNumbersCome = resolve;
  });
  const {
    page: tab,
    context,
    isInnocent,
  } = await openPage(browser, stack, {
    prepare: async each => {
      await each.grantPermissions(['clipboard-read', 'clipboard-write']);
      await each.route('**/dashboard/data/overview?*', async route => {
        await isTyped;
        await route.continue();
      });
    },
  });
  const rows = tab.locator('.requests tbody tr');
  await rows.first().waitFor();
  await tab.getByLabel('Tag').fill('team=web');
  // What draws the filters anew comes while somebody types.
  letNumbersCome();
  await tab.locator('.histogram').waitFor();
  await tab.keyboard.press('Enter');
  await waitFor('one request', async () => (await rows.count()) === 1);
  assert.match(await rows.innerText(), lost);
  await tab.getByLabel('State').selectOption('busy');
  await tab.getByText('No request matches these filters.').waitFor();
  await tab.getByRole('button', { name: 'Copy link to this view' }).click();
  await tab.getByRole('button', { name: 'Copied' }).waitFor();
  const link = String(await tab.evaluate('navigator.clipboard.readText()'));
  assert.is(link, `${stack.url('host')}/api/dashboard#state=busy&tag=team%3Dweb`);
  await tab.reload();
  await tab.getByText('No request matches these filters.').waitFor();
  assert.is(await tab.getByLabel('Tag').inputValue(), 'team=web');
  await tab.getByRole('button', { name: 'Clear them' }).click();
  await waitFor('all requests', async () => (await rows.count()) === 2);
  assert.not.ok((await tab.content()).includes(stack.functionKey), 'the key is in the page');
  await isInnocent();
  await context.close();
});

page('shows names with markup in them as they are, on a phone too', async () => {
  const { page: tab, context, isInnocent } = await openPage(browser, stack, { small: true });
  const row = tab.locator('.requests tbody tr', { hasText: 'hostile' });
  await row.getByText(markup).first().waitFor();
  assert.is(await tab.locator('img').count(), 0);
  assert.is(await scrollsSideways(tab), false);
  await row.getByRole('button', { name: 'hostile' }).click();
  await tab.getByRole('dialog').getByText(endless).waitFor();
  assert.is(await scrollsSideways(tab), false);
  await isInnocent();
  await context.close();
});

for (const [name, options] of [
  ['in the light', { colorScheme: 'light' }],
  ['in the dark', { colorScheme: 'dark' }],
  ['on a phone', { colorScheme: 'light', small: true }],
] as const) {
  page(`is accessible ${name}, its dialogs too`, async () => {
    const { page: tab, context } = await openPage(browser, stack, options);
    await tab.locator('.requests tbody tr').first().waitFor();
    await tab.locator('.histogram').waitFor();
    assert.equal(await inaccessible(tab), []);
    assert.is(await scrollsSideways(tab), false);
    await tab.locator('.letters .id').first().click();
    await tab.getByRole('dialog').getByText('History').waitFor();
    assert.equal(await inaccessible(tab), []);
    await tab.getByRole('button', { name: 'Redrive …' }).click();
    await tab.getByRole('dialog', { name: 'Redrive this request?' }).waitFor();
    assert.equal(await inaccessible(tab), []);
    await context.close();
  });
}

page('keeps what it knows while the app is gone, says so, and goes on when it is back', async () => {
  const { page: tab, context } = await openPage(browser, stack, {
    prepare: async each => each.clock.install(),
  });
  await tab.getByText('Live; as of').waitFor();
  await stack.kill('host');
  // Nobody has to wait until it looks again by itself.
  await tab.clock.fastForward('00:30');
  await tab.getByText('What you see is as it was at').waitFor();
  assert.is(await tab.locator('.requests tbody tr').count(), 2);
  assert.match(await tab.locator('.fresh').innerText(), /^Stale since \d\d:\d\d:\d\d$/);
  await stack.start('host');
  await tab.getByRole('button', { name: 'Try now' }).click();
  await tab.getByText('Live; as of').waitFor();
  assert.is(await tab.getByText('Not up to date.').count(), 0);
  await context.close();
});

page('says how to get in when its key is not right any more', async () => {
  let known = false;
  const { page: tab, context } = await openPage(browser, stack, {
    prepare: async each =>
      each.route('**/dashboard/data/requests?*', async route =>
        route.continue({
          headers: { ...route.request().headers(), 'x-functions-key': known ? stack.functionKey : 'old' },
        }),
      ),
  });
  await tab.getByText('Open the page as').waitFor();
  assert.match(await tab.locator('.weather').innerText(), /Not let in\.[^]*\/api\/dashboard\?code=KEY/);
  known = true;
  await tab.getByRole('button', { name: 'Try now' }).click();
  await tab.locator('.requests tbody tr').first().waitFor();
  await context.close();
});

page('tells a problem in its own words', async () => {
  const detail = 'One thing is wrong: query profile must be the name of a profile.';
  const { page: tab, context } = await openPage(browser, stack, {
    prepare: async each =>
      each.route('**/dashboard/data/deadletters?*', async route =>
        route.fulfill({
          status: 400,
          contentType: 'application/problem+json',
          json: { detail, code: 'InvalidRequest' },
        }),
      ),
  });
  await tab.getByRole('region', { name: 'Dead letters' }).getByText(detail).waitFor();
  await tab.locator('.requests tbody tr').first().waitFor();
  await context.close();
});

page.run();
