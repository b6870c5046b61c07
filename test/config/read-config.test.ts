import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigError, readConfig } from '../../shared/config.js';

const key = Buffer.alloc(32, 7).toString('base64');
const good = {
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  BatchAccountUrl: 'https://acc.westeurope.batch.azure.com',
  BatchAccountName: 'acc',
  BatchAccountKey: Buffer.from('batch-secret').toString('base64'),
  AzDOUrl: 'https://dev.azure.com/contoso',
  AzDOToken: 'pat-secret-0123456789',
  AzDOUbuntuPool: 'Private Ubuntu',
  CallbackTokenKey: key,
};

const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

const config = suite('readConfig');

config("reads the article's settings and makes its profiles of them", () => {
  const read = readConfig({ ...good, AzDOWindowsPool: 'Private Windows' });
  assert.equal([...read.profiles.keys()], ['ubuntu', 'windows']);
  assert.is(read.profiles.get('windows')?.batchPool, 'batchWindows');
  assert.is(read.profiles.get('ubuntu')?.agentAuth, 'token');
  assert.is(read.devOps.url, 'https://dev.azure.com/contoso/');
  assert.equal(read.allowedPlanHosts, ['dev.azure.com']);
  assert.is(read.watchSeconds, 5);
  assert.ok(Object.isFrozen(read.devOps));
});

config('names everything that is missing at once', () => {
  const text = problemsOf({}).join('\n');
  for (const name of [
    'AzureWebJobsStorage',
    'BatchAccountUrl',
    'AzDOUrl',
    'CallbackTokenKey',
    'AzDOUbuntuPool',
  ]) {
    assert.match(text, name);
  }
});

config('names everything that is malformed at once, and shows no secret', () => {
  const bad = {
    ...good,
    BatchAccountUrl: 'http://acc.example',
    BatchAccountKey: 'not base64, but secret!',
    AzDOToken: 'a secret with spaces',
    CallbackTokenKey: 'too-short-secret',
    WatchSeconds: 'often',
    AllowedPlanHosts: 'https://dev.azure.com/',
    ReplyQueues: 'Not A Queue',
    KeepPlaceholders: 'maybe',
    AgentProfiles:
      '{"ubuntu":{"devOpsPool":"P","batchPool":"b/","image":"reg.io/x y","slots":0,"colour":"red"}}',
  };
  const problems = problemsOf(bad);
  const text = problems.join('\n');
  for (const name of [
    'BatchAccountUrl',
    'BatchAccountKey',
    'AzDOToken',
    'CallbackTokenKey',
    'WatchSeconds',
    'AllowedPlanHosts',
    'ReplyQueues',
    'KeepPlaceholders',
  ]) {
    assert.match(text, name);
  }
  for (const where of ['ubuntu.batchPool', 'ubuntu.image', 'ubuntu.slots', 'colour'])
    assert.match(text, where);
  assert.not.match(text, 'secret');
});

config('takes profiles as JSON in place of the two defaults', () => {
  const profile = { devOpsPool: 'P', batchPool: 'b', image: 'agent:1', maxAlive: 3 };
  const read = readConfig({ ...good, AgentProfiles: JSON.stringify({ gpu: profile }) });
  assert.equal([...read.profiles.keys()], ['gpu']);
  assert.is(read.profiles.get('gpu')?.attempts, 3);
  assert.is(read.profiles.get('gpu')?.maxAlive, 3);
});

config('refuses a profile whose agents are to use a token that is not there', () => {
  const { AzDOToken: _, ...withoutToken } = good;
  const profile = { devOpsPool: 'P', batchPool: 'b', image: 'agent:1', agentAuth: 'token' };
  assert.match(
    problemsOf({ ...withoutToken, AgentProfiles: JSON.stringify({ a: profile }) }).join(),
    'AzDOToken',
  );
});

config('says that AgentProfiles is not JSON, and nothing more about profiles', () => {
  const problems = problemsOf({ ...good, AgentProfiles: '{' });
  assert.is(problems.length, 1);
  assert.match(problems[0] ?? '', 'must be JSON');
});

config('works with identities where no key and no token is given', () => {
  const read = readConfig({
    AzureWebJobsStorage__queueServiceUri: 'https://s.queue.core.windows.net',
    AzureWebJobsStorage__tableServiceUri: 'https://s.table.core.windows.net',
    BatchAccountUrl: good.BatchAccountUrl,
    AzDOUrl: good.AzDOUrl,
    AzDOUbuntuPool: 'P',
    CallbackTokenKey: key,
  });
  assert.is(read.batch.sharedKey, undefined);
  assert.is(read.devOps.token, undefined);
  assert.is(read.profiles.get('ubuntu')?.agentAuth, 'identity');
});

config('refuses a connection string that no client of storage would take', () => {
  const account = 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=Y2FuYXJ5';
  const addresses = 'QueueEndpoint=https://a.example/;TableEndpoint=https://a.example/';
  for (const whole of [
    `${account};EndpointSuffix=core.windows.net`,
    `${account};${addresses}`,
    `${addresses};SharedAccessSignature=sv=2024&sig=x`,
  ]) {
    assert.equal(problemsOf({ ...good, AzureWebJobsStorage: whole }), [], whole);
  }
  for (const part of [
    'canary',
    account,
    `${addresses};AccountName=a;AccountKey=Y2FuYXJ5`,
    `${account.replace('AccountKey=Y2FuYXJ5', 'AccountKey=')};${addresses}`,
    'SharedAccessSignature=sv=2024&sig=x;QueueEndpoint=https://a.example/',
  ]) {
    const problems = problemsOf({ ...good, AzureWebJobsStorage: part }).join();
    assert.match(problems, /^AzureWebJobsStorage: must be a whole connection string/, part);
    assert.not.match(problems, /canary|Y2FuYXJ5|sig=x/);
  }
});

config('takes a second key to unseal what the one before has sealed', () => {
  const older = Buffer.alloc(32, 8).toString('base64');
  assert.is(readConfig({ ...good, CallbackTokenKey: `${key},${older}` }).callbackTokenKeys.length, 2);
  const [problem, ...others] = problemsOf({ ...good, CallbackTokenKey: `${key},${older},${key}` });
  assert.equal(others, []);
  assert.match(
    problem ?? '',
    /^CallbackTokenKey: must be 32 bytes in base64, or two such keys .* newest first/,
  );
  assert.not.match(problem ?? '', key);
});

config.run();
