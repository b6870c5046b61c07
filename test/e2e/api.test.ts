import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { type AgentsApi, agentsApi, Shown } from './support/agents-api.js';
import { nothingLeft } from './support/nothing-left.js';
import { changeBatchPool, openWorld, pools } from './support/world.js';

let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;

const http = suite('the HTTP API');

http.before(async () => {
  ({ stack, end } = await openWorld({ agentPools: ['Пул «α» 😀'] }));
  api = agentsApi(stack);
  await changeBatchPool(stack, 'batchLinux', { maxNodes: 0 });
});
http.after(async () => end());

http('answers a new request at once, with everything that a caller needs to follow it', async () => {
  const started = performance.now();
  const { status, headers, request } = await api.ask({ requestId: 'first-1', tags: { build: '1' } });
  assert.ok(performance.now() - started < 3_000);
  assert.is(status, 202);
  assert.ok(Number(headers.get('retry-after')) > 0);
  assert.is(headers.get('location'), request.links.self);
  assert.is(headers.get('idempotent-replay'), null);
  assert.is(request.state, 'accepted');
  assert.is(request.profile, 'ubuntu');
  assert.equal(request.tags, { build: '1' });

  const followed = await fetch(headers.get('location') ?? '', {
    headers: { 'x-functions-key': stack.functionKey },
  });
  assert.is(Shown.parse(await followed.json()).requestId, 'first-1');
  const byCode = await fetch(`${stack.url('host')}/api/agents/first-1?code=${stack.functionKey}`);
  assert.is(byCode.status, 200);

  const again = await api.ask({ requestId: 'first-1', tags: { build: 'other' } });
  assert.is(again.status, 202);
  assert.is(again.headers.get('idempotent-replay'), 'true');
  assert.equal(again.request.tags, { build: '1' });
});

http('keeps unicode and emoji, and values as long as they may be', async () => {
  const tags = {
    'имя 名前 😀': '\u{1F469}\u200D\u{1F4BB} "quoted" \\ \n\t é',
    long: '語'.repeat(512),
  };
  const asked = await api.ask({
    requestId: `x${'-'.repeat(38)}9`,
    attempt: '😀'.repeat(64),
    tags,
    capabilities: { EMOJI: 'grün 😀', LONG: '€'.repeat(1_023) },
  });
  assert.equal(asked.request.tags, tags);
  const shown = await api.until(asked.request.requestId, 'starting');
  assert.equal(shown.tags, tags);
});

http('answers a wait as soon as the state changes, and not before', async () => {
  const { request } = await api.ask({ requestId: 'waited-for', profile: 'windows' });
  const waiting = await api.until(request.requestId, ['starting', 'online']);
  const begun = performance.now();
  const short = await api.call('GET', `/agents/first-1?wait=1`);
  assert.ok(performance.now() - begun >= 900, 'nothing changed, so the wait is as long as was asked');
  assert.is(Shown.parse(short.json).requestId, 'first-1');

  const long = api.call('GET', `/agents/waited-for?wait=20`);
  const asked = performance.now();
  await api.cancel('waited-for');
  const answer = Shown.parse((await long).json);
  assert.ok(performance.now() - asked < 10_000);
  assert.is.not(answer.state, waiting.state);
  await api.end('waited-for');

  // An ended request changes no more, so there is nothing to wait for.
  const late = performance.now();
  await api.call('GET', `/agents/waited-for?wait=20`);
  assert.ok(performance.now() - late < 5_000);
  for (const wait of ['26', '-1', 'long', '']) {
    assert.is((await api.call('GET', `/agents/first-1?wait=${wait}`)).status, 400, wait);
  }
});

http('lists newest first, page by page, by state and by profile', async () => {
  for (const requestId of ['page-1', 'page-2', 'page-3']) await api.ask({ requestId });
  await api.until('page-3', 'starting');
  const all = (await api.list()).requests.map(({ requestId }) => requestId);
  assert.equal(all.slice(0, 3), ['page-3', 'page-2', 'page-1']);

  const paged: string[] = [];
  let continuation: string | null = null;
  do {
    const next: string = continuation === null ? '' : `&continuation=${continuation}`;
    const page = await api.list(`?top=2${next}`);
    assert.ok(page.requests.length <= 2);
    paged.push(...page.requests.map(({ requestId }) => requestId));
    ({ continuation } = page);
  } while (continuation !== null);
  assert.equal(paged, all);

  const cancelled = await api.list('?state=cancelled');
  assert.equal(
    cancelled.requests.map(({ requestId }) => requestId),
    ['waited-for'],
  );
  const windows = await api.list('?profile=windows');
  assert.equal(
    windows.requests.map(({ requestId }) => requestId),
    ['waited-for'],
  );
  assert.equal((await api.list('?state=busy')).requests, []);
});

http('cancels what lives, and says so of what is unknown or has ended', async () => {
  assert.is((await api.cancel('never-asked-for')).status, 404);
  const cancelling = await api.cancel('first-1');
  assert.is(cancelling.status, 202);
  assert.is(Shown.parse(cancelling.json).requestId, 'first-1');
  const ended = await api.end('first-1');
  assert.is(ended.state, 'cancelled');
  const again = await api.cancel('first-1');
  assert.is(again.status, 409);
  assert.match(again.text, 'Request first-1 is cancelled already.');
  // Asked for again it is shown as it ended, and nothing starts.
  const repeated = await api.ask({ requestId: 'first-1' });
  assert.is(repeated.status, 200);
  assert.is(repeated.headers.get('idempotent-replay'), 'true');
  assert.is(repeated.request.state, 'cancelled');
});

http('tells its health to anybody, and no address', async () => {
  const response = await fetch(`${stack.url('host')}/api/health`);
  assert.is(response.status, 200);
  const text = await response.text();
  assert.equal(JSON.parse(text), {
    status: 'healthy',
    dependencies: {
      storage: { reachable: true },
      batch: { reachable: true },
      azureDevOps: { reachable: true },
    },
  });
  assert.not.match(text, '127.0.0.1');
});

http('leaves nothing behind when everything is cancelled', async () => {
  const { requests } = await api.list('?state=starting&top=200');
  assert.ok(requests.length >= 4);
  assert.ok(requests.every(({ devOpsPool }) => devOpsPool === pools.ubuntu));
  await Promise.all(requests.map(async ({ requestId }) => api.cancel(requestId)));
  for (const { requestId } of requests) assert.is((await api.end(requestId)).state, 'cancelled');
  await nothingLeft(stack);
});

http.run();
