import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBatchCompute } from '../../shared/adapters/batch-compute.js';
import { createDevOpsAgentRegistry } from '../../shared/adapters/devops-agent-registry.js';
import { createDevOpsPipelineCallback } from '../../shared/adapters/devops-pipeline-callback.js';
import { createStorageQueue } from '../../shared/adapters/storage-queue.js';
import { createTableRequestStore } from '../../shared/adapters/table-request-store.js';
import { askForAgent } from '../../shared/api/ask-for-agent.js';
import { ConfigError, readConfig } from '../../shared/config.js';
import { canonicalPlanUrl, planUrlProblem } from '../../shared/domain/plan-url.js';
import { startScriptedServer } from '../adapters/scripted-server.js';
import { apiCall, named, pipelineHeaders } from '../fakes/api-call.js';
import { somePipeline, someRequest } from '../fakes/requests.js';
import { createWorld } from '../fakes/world.js';

/** Tokens and keys go to the addresses that an operator allowed, by https, and nowhere else. */
const hosts = ['dev.azure.com', '127.0.0.1:8080', '[::1]:8080', 'tfs.corp.example:8443'];

const planUrls = suite('a PlanUrl');

for (const [trick, planUrl] of Object.entries({
  'another host': 'https://evil.example/contoso/',
  'an allowed host as a prefix': 'https://dev.azure.com.evil.example/',
  'an allowed host as a suffix': 'https://evil-dev.azure.com/',
  'a subdomain of an allowed host': 'https://x.dev.azure.com/',
  'an allowed host as user name': 'https://dev.azure.com@evil.example/',
  'an allowed host as user name and password': 'https://dev.azure.com:443@evil.example/',
  'a user name at an allowed host': 'https://me@dev.azure.com/',
  'an encoded @': 'https://dev.azure.com%40evil.example/',
  'an encoded slash in the host': 'https://evil.example%2fdev.azure.com/',
  'a trailing dot': 'https://dev.azure.com./',
  'a backslash for a slash': 'https://dev.azure.com\\@evil.example/',
  'backslashes before the host': 'https:\\\\dev.azure.com/',
  'a tab within': 'https://dev.azure.com\t.evil.example/',
  'a blank within': 'https://dev.azure.com /',
  'a line break within': 'https://dev.azure.com/\r\nHost: evil.example',
  'another port': 'https://dev.azure.com:8443/',
  'port 80 by https': 'https://dev.azure.com:80/',
  'a host that is allowed at another port': 'https://tfs.corp.example/',
  'letters that look alike': 'https://dev.аzure.com/',
  'full-width letters that become ordinary ones': 'https://ｄev.azure.com/',
  punycode: 'https://xn--dev-azure-fza.com/',
  'a soft hyphen that parsers drop': 'https://dev.az\u00ADure.com/',
  'plain http': 'http://dev.azure.com/contoso/',
  'plain http to any address': 'http://0.0.0.0:8080/',
  'http to this machine at a port that is not allowed': 'http://127.0.0.1:8081/',
  'http to this machine by a name that is not allowed': 'http://localhost:8080/',
  'loopback, abbreviated, at another port': 'http://127.1:1/',
  'loopback as a number, at another port': 'http://0x7f000001:1/',
  'loopback as octal, at another port': 'http://0177.0.0.1:1/',
  'loopback as IPv6 that maps IPv4': 'http://[::ffff:127.0.0.1]:8080/',
  'another loopback address': 'http://127.0.0.2:8080/',
  'the metadata service of the cloud': 'http://169.254.169.254/metadata/',
  'a query': 'https://dev.azure.com/contoso/?x=1',
  'a fragment': 'https://dev.azure.com/contoso/#x',
  'a file': 'file:///etc/passwd',
  'a script': 'javascript:alert(1)',
  data: 'data:text/plain,x',
  'no scheme': '//dev.azure.com/contoso/',
  'no host': 'https:///contoso/',
  nothing: '',
})) {
  planUrls(`with ${trick} is refused`, async () => {
    assert.type(planUrlProblem(planUrl, hosts), 'string');
    // What HTTP does not let through in a header at all can't be sent to the intake either.
    if (!/^[\x20-\x7e]+$/.test(planUrl)) return;
    const world = createWorld({
      env: { AllowedPlanHosts: 'dev.azure.com,127.0.0.1:8080,tfs.corp.example:8443' },
    });
    const call = apiCall({ headers: { ...pipelineHeaders, PlanUrl: planUrl } });
    const response = await askForAgent(world, { articleRoute: false })(call);
    assert.is(response.status, 400);
    assert.equal(named(response), ['header PlanUrl']);
    assert.equal(world.store.requests(), []);
  });
}

for (const [planUrl, called] of Object.entries({
  'https://dev.azure.com/contoso': 'https://dev.azure.com/contoso/',
  'HTTPS://DEV.AZURE.COM/contoso/': 'https://dev.azure.com/contoso/',
  'https://dev.azure.com:443/contoso/': 'https://dev.azure.com/contoso/',
  'https://dev.azure.com/a/../contoso/': 'https://dev.azure.com/contoso/',
  'https://dev.azure.com/a/%2e%2e/contoso/': 'https://dev.azure.com/contoso/',
  'https://dev.azure.com/../../contoso/': 'https://dev.azure.com/contoso/',
  'http://127.1:8080/contoso/': 'http://127.0.0.1:8080/contoso/',
  'http://0x7f000001:8080/contoso/': 'http://127.0.0.1:8080/contoso/',
  'http://[0:0:0:0:0:0:0:1]:8080/': 'http://[::1]:8080/',
})) {
  planUrls(`that reads ${planUrl} is judged and called as ${called}`, () => {
    assert.is(planUrlProblem(planUrl, hosts), undefined);
    assert.is(canonicalPlanUrl(planUrl), called);
  });
}

planUrls.run();

const settings = suite('an address in the settings');
const good = {
  AzureWebJobsStorage:
    'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net',
  BatchAccountUrl: 'https://a.westeurope.batch.azure.com',
  AzDOUrl: 'https://dev.azure.com/contoso',
  AzDOUbuntuPool: 'P',
  CallbackTokenKey: Buffer.alloc(32, 7).toString('base64'),
};
const identities = {
  ...good,
  AzureWebJobsStorage: '',
  AzureWebJobsStorage__queueServiceUri: 'https://a.queue.core.windows.net',
  AzureWebJobsStorage__tableServiceUri: 'https://a.table.core.windows.net',
};
const problemsOf = (env: Readonly<Record<string, string>>): readonly string[] => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};

settings('is fine as Azure gives it, and by http on this machine', () => {
  assert.equal(problemsOf(good), []);
  assert.equal(problemsOf(identities), []);
  for (const url of ['http://127.0.0.1:1/x', 'http://localhost:1/', 'http://[::1]:1/']) {
    assert.equal(problemsOf({ ...good, BatchAccountUrl: url, AzDOUrl: url }), [], url);
  }
});

for (const name of [
  'BatchAccountUrl',
  'AzDOUrl',
  'AzureWebJobsStorage__queueServiceUri',
  'AzureWebJobsStorage__tableServiceUri',
]) {
  settings(`${name} must be https, and nothing but an address`, () => {
    for (const url of [
      'http://a.example/',
      'ftp://a.example/',
      'a.example',
      'https://',
      'https://me:canary-secret@a.example/',
      'https://a.example/?sv=2024&sig=canary-secret',
      'https://a.example/#canary-secret',
      'http://127.0.0.2/',
      'http://127.0.0.1.evil.example/',
    ]) {
      const problems = problemsOf({ ...identities, [name]: url });
      assert.is(problems.length > 0, true, url);
      assert.match(problems[0] ?? '', new RegExp(`^${name}: must be an https URL`));
      if (!url.includes('#')) assert.not.match(problems.join(), 'canary-secret');
    }
  });
}

for (const [how, connectionString] of Object.entries({
  'the default protocol http': 'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=Y2FuYXJ5',
  'a queue endpoint by http':
    'AccountName=a;AccountKey=Y2FuYXJ5;QueueEndpoint=http://a.example/;TableEndpoint=https://a.example/',
  'a table endpoint by http':
    'AccountName=a;AccountKey=Y2FuYXJ5;QueueEndpoint=https://a.example/;TableEndpoint=http://a.example/',
  'a blob endpoint by http': 'AccountName=a;AccountKey=Y2FuYXJ5;BlobEndpoint=HTTP://a.example/',
  'a proxy of the development storage elsewhere':
    'UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://a.example',
})) {
  settings(`AzureWebJobsStorage with ${how} is refused, and not shown`, () => {
    const problems = problemsOf({ ...good, AzureWebJobsStorage: connectionString });
    assert.match(problems.join(), /^AzureWebJobsStorage: must reach storage by https/);
    assert.not.match(problems.join(), 'Y2FuYXJ5');
  });
}

settings.run();

const redirects = suite('a redirect');
const server = await startScriptedServer();
const elsewhere = await startScriptedServer();
redirects.after(async () => {
  await Promise.all([server.close(), elsewhere.close()]);
});

const account = {
  connectionString:
    `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${Buffer.from('key').toString('base64')};` +
    `QueueEndpoint=${server.url}/a;TableEndpoint=${server.url}/a`,
};
const calls: Readonly<Record<string, () => Promise<unknown>>> = {
  'Azure Batch, with a task and the token in it,': async () => {
    const compute = createBatchCompute({
      accountUrl: server.url,
      auth: { accountName: 'account', accountKey: Buffer.from('key').toString('base64') },
    });
    return compute.createTask({
      profile: 'ubuntu',
      day: '20260131',
      poolId: 'linux',
      taskId: 'r-1-1',
      image: 'image:1',
      os: 'linux',
      slots: 1,
      environment: { AZDO_TOKEN: 'canary' },
      maxWallClockMinutes: 1,
    });
  },
  'Azure Batch, with a deletion,': async () =>
    createBatchCompute({
      accountUrl: server.url,
      auth: {
        credential: { getToken: async () => ({ token: 'canary', expiresOnTimestamp: Date.now() + 9e6 }) },
      },
    }).deleteTask({ poolId: 'p', jobId: 'j', taskId: 't' }),
  'Azure DevOps, with our own token,': async () =>
    createDevOpsAgentRegistry({
      organizationUrl: server.url,
      auth: { personalAccessToken: 'canary' },
    }).listAgents('P'),
  'a pipeline, with its job token,': async () => {
    const pipeline = { ...somePipeline, planUrl: `${server.url}/contoso/` };
    const callback = createDevOpsPipelineCallback();
    await callback.tell(pipeline, 'canary', ['line']);
    await callback.annotate(pipeline, 'canary', { error: 'e', log: ['line'] });
    return callback.complete(pipeline, 'canary', 'succeeded');
  },
  'the request table': async () =>
    createTableRequestStore({ account }).insert(someRequest(), new Uint8Array()),
  'the request queue': async () => createStorageQueue({ account }).send('{}'),
};
for (const [whose, call] of Object.entries(calls)) {
  redirects(`of ${whose} is not followed to another host`, async () => {
    for (const status of [300, 301, 302, 303, 307, 308]) {
      elsewhere.script(() => ({ status: 200, body: {} }));
      server.script(({ url, method }) =>
        // Of a task only the creation is redirected: what comes before it must not hide that it is.
        method === 'GET' && url.startsWith('/pools/')
          ? { status: 200, body: { id: 'linux', state: 'active' } }
          : { status, headers: { location: `${elsewhere.url}${url}` } },
      );
      await call().catch(() => undefined);
      assert.ok(server.calls.length > 0);
      assert.equal(elsewhere.calls, [], String(status));
    }
  });
}

redirects.run();
