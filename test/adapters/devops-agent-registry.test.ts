import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDevOpsAgentRegistry } from '../../shared/adapters/devops-agent-registry.js';
import type { AgentRegistry } from '../../shared/ports.js';
import { createFakeClock } from '../fakes/clock.js';
import { inWords, outcomeOf } from './outcome.js';
import { type Call, type Scripted, startScriptedServer } from './scripted-server.js';

const server = await startScriptedServer();
const pat = 'canary-pat-51c2';

function makeRegistry() {
  const clock = createFakeClock();
  const registry = createDevOpsAgentRegistry({
    organizationUrl: `${server.url}/contoso/`,
    auth: { personalAccessToken: pat },
    clock,
  });
  return { registry, clock };
}

const isPoolLookup = ({ method, url }: Call): boolean => method === 'GET' && url.includes('/pools?');
const pools = { status: 200, body: { count: 1, value: [{ id: 7, name: 'Linux', poolType: 'automation' }] } };
const list = (value: unknown): Scripted => ({ status: 200, body: { count: 1, value } });
const refusal = (status: number, typeKey: string, message = `About ${typeKey}.`): Scripted => ({
  status,
  body: { $id: '1', innerException: null, message, typeName: `Some.${typeKey}`, typeKey, errorCode: 0 },
});
const inPool = (answer: Scripted | 'reset') => (call: Call) => (isPoolLookup(call) ? pools : answer);
const signInPage: Scripted = { status: 203, body: '<html>Sign in</html>' };

const errors = suite('Azure DevOps agents: what its answers mean');

const toAll: [string, Scripted | 'reset', string][] = [
  ['a sign-in page', signInPage, 'AzDOAuthenticationFailed'],
  [
    'a redirect to the sign-in page',
    { status: 302, headers: { location: '/signin' } },
    'AzDOAuthenticationFailed',
  ],
  ['401', { status: 401 }, 'AzDOAuthenticationFailed'],
  ['403', refusal(403, 'AccessCheckException'), 'AzDOAuthenticationFailed'],
  ['an empty success', { status: 200 }, 'AzDOAuthenticationFailed'],
  ['a list that is null', { status: 200, body: { count: 0, value: null } }, 'AzDOUnavailable'],
  ['429', { status: 429, headers: { 'retry-after': '9' } }, 'AzDOThrottled'],
  ['500', refusal(500, 'VssServiceException'), 'AzDOUnavailable'],
  ['503', { status: 503, body: '<html>busy</html>' }, 'AzDOUnavailable'],
  ['a lost connection', 'reset', 'AzDOUnavailable'],
];

const observations: [string, (registry: AgentRegistry) => Promise<unknown>][] = [
  ['poolExists', registry => registry.poolExists('Linux')],
  ['listAgents', registry => registry.listAgents('Linux')],
  ['getAgent', registry => registry.getAgent('Linux', 'r-1-1')],
  ['removeAgent', registry => registry.removeAgent('Linux', 'r-1-1')],
  ['ping', registry => registry.ping()],
];

for (const [name, answer, code] of toAll) {
  errors(`${name} is ${code} to every look, never "no agents"`, async () => {
    for (const [method, look] of observations) {
      server.script(method === 'poolExists' || method === 'ping' ? () => answer : inPool(answer));
      const outcome = await outcomeOf(look(makeRegistry().registry));
      assert.is(inWords(outcome), `transient ${code} registration`, method);
    }
  });
}

errors('a missing pool does not exist, and its agents are not "none"', async () => {
  server.script(() => list([]));
  const { registry } = makeRegistry();
  assert.is(await registry.poolExists('Linux'), false);
  assert.is(
    inWords(await outcomeOf(registry.listAgents('Linux'))),
    'transient AgentPoolMissing registration',
  );
  assert.is(
    inWords(await outcomeOf(registry.ensurePlaceholder('Linux', 'linux'))),
    'transient AgentPoolMissing registration',
  );
  assert.is(await registry.removeAgent('Linux', 'r-1-1'), 'removed');
});

errors('a pool whose name only begins alike, or that deploys, is another one', async () => {
  server.script(() =>
    list([
      { id: 1, name: 'Linux 2' },
      { id: 2, name: 'Linux', poolType: 'deployment' },
    ]),
  );
  assert.is(await makeRegistry().registry.poolExists('Linux'), false);
});

const removals: [string, Scripted, string][] = [
  ['204', { status: 204 }, 'removed'],
  ['404', refusal(404, 'TaskAgentNotFoundException'), 'removed'],
  ['a job that still runs', refusal(400, 'TaskAgentJobStillRunningException'), 'busy'],
  ['a conflict', refusal(409, 'TaskAgentSessionConflictException'), 'busy'],
  [
    'words about a running job',
    refusal(400, 'VssServiceException', 'Agent r-1-1 is currently running a job.'),
    'busy',
  ],
];
for (const [name, answer, expected] of removals) {
  errors(`${name} to a removal: ${expected}`, async () => {
    server.script(call => {
      if (isPoolLookup(call)) return pools;
      return call.method === 'DELETE' ? answer : list([{ id: 3, name: 'R-1-1', status: 'offline' }]);
    });
    assert.is(await makeRegistry().registry.removeAgent('Linux', 'r-1-1'), expected);
  });
}

errors('a removal that is refused for another reason is not taken for done', async () => {
  server.script(call => {
    if (isPoolLookup(call)) return pools;
    return call.method === 'DELETE' ? refusal(400, 'VssServiceException') : list([{ id: 3, name: 'r-1-1' }]);
  });
  const outcome = await outcomeOf(makeRegistry().registry.removeAgent('Linux', 'r-1-1'));
  assert.is(inWords(outcome), 'transient AzDORequestRefused registration');
});

errors('whether a job ran is unknown rather than wrong when recent jobs can not be read', async () => {
  for (const answer of [
    signInPage,
    { status: 404 },
    { status: 500 },
    list([{ reservedAgent: 3 }]),
    'reset',
  ] as const) {
    server.script(inPool(answer));
    assert.is(await makeRegistry().registry.ranJob('Linux', 'r-1-1'), undefined);
  }
});

errors('whether a job ran is asked again later where all of Azure DevOps is away', async () => {
  const { registry } = makeRegistry();
  server.script(inPool(list([])));
  await registry.listAgents('Linux');
  server.script(() => ({ status: 503 }));
  const outcome = await outcomeOf(registry.ranJob('Linux', 'r-1-1'));
  assert.is(inWords(outcome), 'transient AzDOUnavailable registration');
});

errors('recent jobs tell whether an agent ran one', async () => {
  server.script(
    inPool(
      list([
        {
          requestId: 1,
          reservedAgent: { name: 'R-1-1' },
          finishTime: '2026-01-31T10:00:00Z',
          result: 'failed',
        },
        { requestId: 2, reservedAgent: { name: 'r-2-1' } },
        { requestId: 3 },
        { requestId: 4, reservedAgent: { name: 'r-4-1' }, receiveTime: '2026-01-31T10:00:00Z' },
      ]),
    ),
  );
  const { registry } = makeRegistry();
  assert.is(await registry.ranJob('Linux', 'r-1-1'), true);
  assert.is(
    await registry.ranJob('Linux', 'r-2-1'),
    false,
    'assigned, but not taken: another agent may get it',
  );
  assert.is(await registry.ranJob('Linux', 'r-4-1'), true, 'taken, and perhaps lost with its agent');
  assert.is(await registry.ranJob('Linux', 'r-3-1'), false);
});

errors('whether a job ran is unknown when later jobs may have pushed it off the list', async () => {
  const others = Array.from({ length: 50 }, (_, index) => ({
    requestId: index,
    reservedAgent: { name: `other-${index}` },
    finishTime: '2026-01-31T10:00:00Z',
    result: 'succeeded',
  }));
  server.script(inPool(list(others)));
  assert.is(await makeRegistry().registry.ranJob('Linux', 'r-1-1'), undefined);
});

errors('no error shows the token', async () => {
  for (const [, answer] of toAll) {
    server.script(() => answer);
    const seen = await makeRegistry()
      .registry.ping()
      .catch((error: unknown) => error);
    const shown = inspect(seen, { depth: 20, showHidden: true });
    assert.not.match(shown, pat);
    assert.not.match(shown, Buffer.from(`:${pat}`).toString('base64').replace(/=+$/, ''));
  }
});

const calls = suite('Azure DevOps agents: what is asked of it');

const agents = [
  {
    id: 1,
    name: 'r-1-1',
    status: 'online',
    createdOn: '2026-01-31T10:00:00Z',
    assignedRequest: { requestId: 5 },
  },
  { id: 2, name: 'r-2-1', status: 'offline', lastCompletedRequest: { requestId: 4 }, assignedRequest: null },
];

calls('a look at a pool of any size is one call, with jobs and without capabilities', async () => {
  server.script(inPool(list(agents)));
  const { registry } = makeRegistry();
  assert.equal(await registry.listAgents('Linux'), [
    { name: 'r-1-1', online: true, busy: true, ranJob: false, createdOn: '2026-01-31T10:00:00Z' },
    { name: 'r-2-1', online: false, busy: false, ranJob: true, createdOn: undefined },
  ]);
  await registry.listAgents('Linux');
  assert.is(server.calls.length, 3, 'the pool is looked up once');
  const look = new URL(server.calls[1]?.url ?? '', server.url);
  assert.is(look.pathname, '/contoso/_apis/distributedtask/pools/7/agents');
  assert.is(look.searchParams.get('includeAssignedRequest'), 'true');
  assert.is(look.searchParams.get('includeLastCompletedRequest'), 'true');
  assert.is(look.searchParams.get('includeCapabilities'), null);
  assert.is(
    server.calls[1]?.headers['authorization'],
    `Basic ${Buffer.from(`PAT:${pat}`).toString('base64')}`,
  );
});

calls('an agent is found by its whole name, whatever the case', async () => {
  server.script(inPool(list([...agents, { id: 3, name: 'r-1-10', status: 'online' }])));
  const { registry } = makeRegistry();
  assert.is((await registry.getAgent('Linux', 'R-1-1'))?.name, 'r-1-1');
  assert.is(await registry.getAgent('Linux', 'r-1'), undefined);
});

calls('a pool that was made anew under its old name is found again', async () => {
  let poolId = 7;
  server.script(call => {
    if (isPoolLookup(call)) return list([{ id: poolId, name: 'Linux' }]);
    return call.url.includes(`/pools/${poolId}/`) ? list(agents) : { status: 404 };
  });
  const { registry } = makeRegistry();
  await registry.listAgents('Linux');
  poolId = 8;
  assert.is((await registry.listAgents('Linux')).length, 2);
});

calls('the placeholder is offline, satisfies what every agent does, and is made once', async () => {
  server.script(inPool({ status: 200, body: { id: 9 } }));
  const { registry } = makeRegistry();
  await Promise.all([
    registry.ensurePlaceholder('Linux', 'linux'),
    registry.ensurePlaceholder('Linux', 'linux'),
  ]);
  const posts = server.calls.filter(({ method }) => method === 'POST');
  assert.is(posts.length, 1);
  assert.equal(JSON.parse(posts[0]?.body ?? ''), {
    name: 'azdo-batch-agents-placeholder-linux',
    version: '99.999.9',
    osDescription: 'Linux',
    enabled: true,
    status: 'offline',
    provisioningState: 'Provisioned',
    systemCapabilities: {
      'Agent.Name': 'azdo-batch-agents-placeholder-linux',
      'Agent.OS': 'Linux',
      'Agent.Version': '99.999.9',
    },
  });
});

calls('a placeholder that is there already is fine; one that failed is tried again', async () => {
  for (const answer of [refusal(409, 'TaskAgentExistsException'), refusal(400, 'TaskAgentExistsException')]) {
    server.script(inPool(answer));
    await makeRegistry().registry.ensurePlaceholder('Linux', 'windows');
  }
  const { registry } = makeRegistry();
  server.script(inPool({ status: 503 }));
  assert.is((await outcomeOf(registry.ensurePlaceholder('Linux', 'linux'))).kind, 'transient');
  server.script(inPool({ status: 200, body: { id: 9 } }));
  await registry.ensurePlaceholder('Linux', 'linux');
  assert.is(server.calls.filter(({ method }) => method === 'POST').length, 1);
});

calls('a short pause that comes with a success is kept, a long one is told', async () => {
  const { registry, clock } = makeRegistry();
  server.script(() => ({ ...list([]), headers: { 'retry-after': '5' } }));
  await registry.ping();
  assert.equal(clock.sleeps, []);
  await registry.ping();
  assert.equal(clock.sleeps, [5_000]);

  server.script(() => ({ status: 429, headers: { 'retry-after': '120' } }));
  const throttled = await outcomeOf(registry.ping());
  assert.is(throttled.kind === 'transient' && throttled.retryAfterMs, 120_000);
  const asked = server.calls.length;
  const again = await outcomeOf(registry.ping());
  assert.is(inWords(again), 'transient AzDOThrottled registration');
  assert.is(server.calls.length, asked, 'nothing is asked before the pause is over');
  clock.advance(121_000);
  server.script(() => list([]));
  await registry.ping();
});

calls('a block without a word of how long lasts until there is room again', async () => {
  const { registry } = makeRegistry();
  const reset = String(Math.ceil(Date.now() / 1_000) + 60);
  server.script(() => ({ status: 429, headers: { 'x-ratelimit-reset': reset } }));
  const blocked = await outcomeOf(registry.ping());
  const ms = blocked.kind === 'transient' ? (blocked.retryAfterMs ?? 0) : 0;
  assert.ok(ms > 50_000 && ms <= 61_000, `${ms} ms`);
});

calls('Entra tokens are asked for Azure DevOps and replaced before they expire', async () => {
  server.script(() => list([]));
  const asked: (string | string[])[] = [];
  const registry = createDevOpsAgentRegistry({
    organizationUrl: server.url,
    auth: {
      credential: {
        getToken: async scopes => {
          asked.push(scopes);
          const lifeMs = asked.length === 1 ? 4 * 60_000 : 60 * 60_000;
          return { token: `token-${asked.length}`, expiresOnTimestamp: Date.now() + lifeMs };
        },
      },
    },
  });
  await registry.ping();
  await registry.ping();
  await registry.ping();
  assert.equal(
    asked,
    Array.from({ length: 2 }, () => '499b84ac-1321-427f-aa17-267ca6975798/.default'),
  );
  assert.equal(
    server.calls.map(call => call.headers['authorization']),
    ['Bearer token-1', 'Bearer token-2', 'Bearer token-2'],
  );
});

calls('an identity that gets no token is told as such', async () => {
  const registry = createDevOpsAgentRegistry({
    organizationUrl: server.url,
    auth: { credential: { getToken: () => Promise.reject(new Error('no managed identity endpoint')) } },
  });
  const outcome = await outcomeOf(registry.ping());
  assert.is(inWords(outcome), 'transient AzDOAuthenticationFailed registration');
  assert.match(outcome.kind === 'transient' ? outcome.failure.message : '', /no managed identity endpoint/);
});

calls.after(() => server.close());
errors.run();
calls.run();
