import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDevOpsAgentRegistry } from '../../shared/adapters/devops-agent-registry.js';
import { askForAgent } from '../../shared/api/ask-for-agent.js';
import { ConfigError, readConfig } from '../../shared/config.js';
import { watchIdOf } from '../../shared/domain/names.js';
import { startScriptedServer } from '../adapters/scripted-server.js';
import { apiCall, named } from '../fakes/api-call.js';
import { createWorld } from '../fakes/world.js';
import { inputs, oddText, seed } from '../support/junk.js';

/** Whatever reaches a command line, an environment, an image name or a URL was looked at first. */
const profiles = suite('a profile in the settings');

const good = {
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  BatchAccountUrl: 'https://a.westeurope.batch.azure.com',
  AzDOUrl: 'https://dev.azure.com/contoso',
  CallbackTokenKey: Buffer.alloc(32, 7).toString('base64'),
};
const goodProfile = { devOpsPool: 'Private Linux', batchPool: 'linux', image: 'azdo-agent:1' };
const problemsOf = (env: Readonly<Record<string, string>>): readonly string[] => {
  try {
    readConfig({ ...good, ...env });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};

for (const [field, values] of Object.entries({
  devOpsPool: ['', ' ', 'a\nb', 'a\0b', 'x'.repeat(129), 7, null],
  batchPool: ['', 'a b', 'a/b', '../x', 'a?b', 'ä', 'x'.repeat(65)],
  image: [
    '',
    'evil.example/azdo-agent:1 --privileged',
    '-v:1',
    '--privileged',
    'azdo agent:1',
    'azdo-agent:1;rm',
    'azdo-agent:$(id)',
    'azdo-agent:1@sha256:x',
    'https://evil.example/azdo-agent:1',
    '../azdo-agent:1',
    'azdo//agent:1',
    'Azdo:1',
    'a:-1',
    `a:${'x'.repeat(129)}`,
  ],
  os: ['', 'Linux', 'mac'],
  slots: [0, 257, 1.5, '1'],
  maxAlive: [0, -1, 1.5, '9'],
  maxWaiting: [0, -1, 1.5],
  attempts: [0, 11, 1.5],
  timeoutMinutes: [0, 121, 1.5],
  idleMinutes: [0, 1_441, -1],
  agentAuth: ['pat', '', null],
  commandLine: ['sh'],
  environment: [{}],
  registry: ['evil.example'],
})) {
  profiles(`whose ${field} is not right is refused by name`, () => {
    for (const value of values) {
      const text = JSON.stringify({ ubuntu: { ...goodProfile, [field]: value } });
      assert.match(problemsOf({ AgentProfiles: text }).join('\n'), field, JSON.stringify(value));
    }
  });
}

profiles('has a name that fits a Batch job', () => {
  for (const name of ['', 'A', 'a b', 'a/b', '-a', 'a'.repeat(21), '__proto__', 'ä']) {
    assert.ok(
      problemsOf({ AgentProfiles: `{${JSON.stringify(name)}:${JSON.stringify(goodProfile)}}` }).length > 0,
      name,
    );
  }
});

profiles('has no registry but the configured one, which is a host and nothing else', () => {
  const AgentProfiles = JSON.stringify({ ubuntu: goodProfile });
  for (const server of ['https://r.example', 'r.example/x', 'r.example --x', 'a@b', 'r.example:port']) {
    assert.match(
      problemsOf({ AgentProfiles, ContainerRegistryServer: server }).join(),
      /ContainerRegistryServer/,
    );
  }
  for (const identity of ['x', '/subscriptions/a b', '/subscriptions/x;y', '/subscriptions/"']) {
    assert.match(
      problemsOf({ AgentProfiles, ContainerRegistryIdentity: identity }).join(),
      /ContainerRegistryIdentity/,
    );
  }
});

profiles.run();

const callers = suite(`a caller, seed ${seed}`);

callers('can name no image, registry, pool, command or address: there are no such fields', async () => {
  for (const name of [
    'image',
    'registry',
    'devOpsPool',
    'batchPool',
    'commandLine',
    'environment',
    'AZDO_URL',
    'slots',
  ]) {
    const world = createWorld();
    const response = await askForAgent(world, { articleRoute: false })(
      apiCall({ body: { [name]: 'evil.example/x:1' } }),
    );
    assert.equal(named(response), [`body ${name}`]);
    assert.equal(world.store.requests(), []);
  }
});

callers('never leaves the tag of the configured image, whatever build or system it asks for', async () => {
  const text = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9._-]{0,42}$/),
    oddText,
    fc.constantFrom('../x', 'a:b', 'a/b', '@sha256'),
  );
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.option(text), fc.option(text), async (AgentOSType, AgentBuildType) => {
      const world = createWorld();
      const response = await askForAgent(world, { articleRoute: true })(
        apiCall({ body: { AgentOSType, AgentBuildType } }),
      );
      const [row] = world.store.requests();
      assert.is(response.status === 202, row !== undefined);
      if (!row) return;
      accepted += 1;
      assert.match(row.image, /^registry\.example\.com\/azdo-agent:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/);
    }),
    { seed, numRuns: inputs },
  );
  assert.ok(accepted > 1_000);
});

callers('can give an agent only capabilities that steer neither its container nor its node', async () => {
  const steering = [
    'AZDO_TOKEN azdo_url AZ_BATCH_TASK_ID VSTS_AGENT_INPUT_TOKEN VSO_AGENT_IGNORE SYSTEM_ACCESSTOKEN',
    'PATH Path HOME ENV BASH_ENV LD_PRELOAD ld_library_path NODE_OPTIONS DOTNET_STARTUP_HOOKS CORECLR_PROFILER',
    'HTTP_PROXY https_proxy SSL_CERT_FILE PYTHONPATH COMPlus_EnableDiagnostics',
    '__proto__ constructor prototype',
  ].flatMap(names => names.split(' '));
  for (const name of steering) {
    const world = createWorld();
    const body = `{"capabilities":{${JSON.stringify(name)}:"x"}}`;
    const response = await askForAgent(world, { articleRoute: false })(apiCall({ body }));
    assert.is(response.status, 400, name);
    assert.equal(world.store.requests(), []);
  }
});

callers('has its tags kept and shown as they are, and put to no other use', async () => {
  const world = createWorld();
  const tags = { profile: 'windows', '$(id)': '${x}', image: 'evil', '../': '<script>', AZDO_TOKEN: 'x' };
  await askForAgent(world, { articleRoute: false })(apiCall({ body: { tags } }));
  const [row] = world.store.requests();
  assert.equal({ ...row?.tags }, tags);
  assert.is(row?.profile, 'ubuntu');
  assert.equal({ ...row?.capabilities }, {});
});

callers.run();

const urls = suite('a name in a URL');
const server = await startScriptedServer();

urls('of an agent pool or an agent stays one value of its query, whatever is in it', async () => {
  const registry = createDevOpsAgentRegistry({
    organizationUrl: `${server.url}/contoso`,
    auth: { personalAccessToken: 'a-token' },
  });
  const names = ['A/B', '../../x', 'a?b=c&d#e', '%2e%2e', 'a b', 'ü 漢', "' or true", '\\', 'a\tb'];
  for (const name of names) {
    server.script(({ url }) => ({
      status: 200,
      body: { value: url.includes('/pools?') ? [{ id: 7, name }] : [] },
    }));
    await registry.getAgent(name, name);
    const [lookup, agents] = server.calls.map(({ url }) => new URL(url, server.url));
    assert.is(lookup?.pathname, '/contoso/_apis/distributedtask/pools');
    assert.equal([...(lookup?.searchParams ?? [])], [['poolName', name]]);
    assert.is(agents?.pathname, '/contoso/_apis/distributedtask/pools/7/agents');
    assert.is(agents?.searchParams.get('agentName'), name);
  }
});

urls('of an orchestration holds letters and digits only, and two pools never share one', async () => {
  await fc.assert(
    fc.asyncProperty(oddText, oddText, async (one, other) => {
      assert.match(watchIdOf(one), /^watch-[A-Za-z0-9_]*$/);
      if (one !== other) assert.is.not(watchIdOf(one), watchIdOf(other));
    }),
    { seed, numRuns: inputs },
  );
});

urls.after(() => server.close());
urls.run();
