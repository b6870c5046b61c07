import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBatchCompute } from '../../shared/adapters/batch-compute.js';
import { createDevOpsAgentRegistry } from '../../shared/adapters/devops-agent-registry.js';
import { createDevOpsPipelineCallback } from '../../shared/adapters/devops-pipeline-callback.js';
import { createStorageQueue } from '../../shared/adapters/storage-queue.js';
import { createTableRequestStore } from '../../shared/adapters/table-request-store.js';
import { ConfigError, readConfig } from '../../shared/config.js';
import { type Scripted, startScriptedServer } from '../adapters/scripted-server.js';
import { somePipeline, someRequest } from '../fakes/requests.js';

/** What a host prints of an error is all of it: message, stack, cause and whatever hangs on it. */
const printed = (error: unknown): string => {
  const texts = [inspect(error, { depth: 30, showHidden: true, getters: true }), String(error)];
  for (let each = error; each instanceof Error; each = each.cause) texts.push(each.message, each.stack ?? '');
  try {
    texts.push(JSON.stringify(error));
  } catch {
    // What can't be written as JSON is in the other texts.
  }
  return texts.join('\n');
};

const server = await startScriptedServer();
const secret = 'canary-4d7e';
const key = Buffer.from(secret).toString('base64');
const signed = `DefaultEndpointsProtocol=http;QueueEndpoint=${server.url}/a;TableEndpoint=${server.url}/a;SharedAccessSignature=sv=2024-01-01&sig=${secret}`;
const keyed = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${key};QueueEndpoint=${server.url}/a;TableEndpoint=${server.url}/a`;

const compute = createBatchCompute({
  accountUrl: server.url,
  auth: { accountName: 'account', accountKey: key },
});
const registry = createDevOpsAgentRegistry({
  organizationUrl: server.url,
  auth: { personalAccessToken: secret },
});
const pipeline = createDevOpsPipelineCallback();
const task = {
  profile: 'ubuntu',
  day: '20260131',
  poolId: 'linux',
  taskId: 'r-1-1',
  image: 'image:1',
  os: 'linux',
  slots: 1,
  environment: { AZDO_TOKEN: secret },
  maxWallClockMinutes: 1,
} as const;
const place = { poolId: 'p', jobId: 'j', taskId: 't' };

const calls: Readonly<Record<string, () => Promise<unknown>>> = {
  'Azure Batch createTask': async () => compute.createTask(task),
  'Azure Batch deleteTask': async () => compute.deleteTask(place),
  'Azure Batch listTasks': async () => compute.listTasks(['j']),
  'Azure Batch getTask': async () => compute.getTask(place),
  'Azure Batch ping': async () => compute.ping(),
  'Azure DevOps poolExists': async () => registry.poolExists('P'),
  'Azure DevOps ensurePlaceholder': async () => registry.ensurePlaceholder('P', 'linux'),
  'Azure DevOps ping': async () => registry.ping(),
  'the callback': async () =>
    pipeline.complete({ ...somePipeline, planUrl: `${server.url}/contoso/` }, secret, 'failed'),
  'the request table with a signature': async () =>
    createTableRequestStore({ account: { connectionString: signed } }).insert(
      someRequest(),
      new Uint8Array(),
    ),
  'the request table with a key': async () =>
    createTableRequestStore({ account: { connectionString: keyed } }).get('r-1'),
  'the queue with a signature': async () =>
    createStorageQueue({ account: { connectionString: signed } }).send(`{"m":"${secret}"}`),
  'the queue with a key': async () => createStorageQueue({ account: { connectionString: keyed } }).send('{}'),
};

/** Some services give back what they were sent. */
const answers: Readonly<Record<string, (sent: string) => Scripted>> = {
  '400': () => ({
    status: 400,
    body: { code: 'InvalidPropertyValue', message: { lang: 'en', value: 'No.' } },
  }),
  '403 HTML': () => ({ status: 403, body: '<html>no</html>' }),
  '404': () => ({ status: 404, body: {} }),
  '409': () => ({ status: 409, body: { code: 'SomethingNew', message: { lang: 'en', value: 'No.' } } }),
  '200 that is no JSON': () => ({ status: 200, body: 'not what it should be' }),
  '200 that is other JSON': () => ({ status: 200, body: { value: 7 } }),
};

const errors = suite('what can be printed of an error');
for (const [name, call] of Object.entries(calls)) {
  errors(`of ${name} holds no token, key, signature or environment`, async () => {
    let thrown = 0;
    for (const answer of Object.values(answers)) {
      server.script(({ body }) => answer(body));
      const seen = await call().catch((error: unknown) => {
        thrown += 1;
        return error;
      });
      const text = printed(seen);
      for (const each of [secret, key, Buffer.from(`:${secret}`).toString('base64').slice(0, -2)]) {
        assert.not.match(text, each);
      }
      assert.not.match(text, /[?&]sig=/);
    }
    assert.ok(thrown > 0 || name.includes('callback'), 'nothing was thrown at all');
  });
}
errors.after(() => server.close());
errors.run();

const settings = suite('the error that names every wrong setting');
settings('shows no value that is or may hold a secret', () => {
  const canary = `canary ${secret}`;
  const env = {
    AzureWebJobsStorage: canary,
    BatchAccountUrl: `https://me:${secret}@a.example/`,
    BatchAccountKey: canary,
    AzDOUrl: `https://dev.azure.com/x?token=${secret}`,
    AzDOToken: canary,
    CallbackTokenKey: canary,
    ContainerRegistryServer: `AccountKey=${secret}`,
    AllowedPlanHosts: `https://user:${secret}@host/`,
    AgentProfiles: JSON.stringify({ ubuntu: { password: secret } }),
  };
  try {
    readConfig(env);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, ConfigError);
    assert.not.match(printed(error), secret);
    for (const name of Object.keys(env)) assert.match(printed(error), name);
  }
});
settings('says that a Key Vault reference was not resolved, instead of taking it for a secret', () => {
  const reference = '@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s/)';
  const env = {
    AzureWebJobsStorage: reference,
    BatchAccountUrl: 'https://a.example',
    BatchAccountName: 'account',
    BatchAccountKey: reference,
    AzDOUrl: 'https://dev.azure.com/contoso',
    AzDOToken: reference,
    AzDOUbuntuPool: 'P',
    CallbackTokenKey: reference,
  };
  try {
    readConfig(env);
    assert.unreachable();
  } catch (error) {
    for (const name of ['AzureWebJobsStorage', 'BatchAccountKey', 'AzDOToken', 'CallbackTokenKey']) {
      assert.match(printed(error), `${name}: its Key Vault reference was not resolved`);
    }
  }
});

settings.run();
