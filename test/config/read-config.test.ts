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

config('sends telemetry nowhere, unless it is told where to', () => {
  assert.is(readConfig(good).telemetry, undefined);
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://collector.internal:4318/';
  assert.equal(readConfig({ ...good, OTEL_EXPORTER_OTLP_ENDPOINT }).telemetry, {
    otlp: {
      tracesUrl: 'http://collector.internal:4318/v1/traces',
      metricsUrl: 'http://collector.internal:4318/v1/metrics',
    },
    azureMonitor: undefined,
    serviceName: 'azdo-batch-agents',
    metricsEveryMs: 30_000,
  });
  assert.is(
    readConfig({ ...good, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' }).telemetry,
    undefined,
  );
  const onlyTraces = readConfig({
    ...good,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://x.example/custom?a=b',
  });
  assert.equal(onlyTraces.telemetry?.otlp, {
    tracesUrl: 'https://x.example/custom?a=b',
    metricsUrl: undefined,
  });
});

config('sends telemetry to Application Insights, with a key or as itself', () => {
  const APPLICATIONINSIGHTS_CONNECTION_STRING =
    'InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=https://x.example/';
  const read = (env: Record<string, string>) =>
    readConfig({ ...good, APPLICATIONINSIGHTS_CONNECTION_STRING, ...env }).telemetry?.azureMonitor;
  assert.equal(read({}), { connectionString: APPLICATIONINSIGHTS_CONNECTION_STRING, identity: undefined });
  const clientId = '00000000-0000-0000-0000-000000000002';
  const APPLICATIONINSIGHTS_AUTHENTICATION_STRING = `Authorization=AAD;ClientId=${clientId}`;
  assert.equal(read({ APPLICATIONINSIGHTS_AUTHENTICATION_STRING })?.identity, { clientId });
});

config('names what is wrong with the settings of telemetry, and shows no secret of them', () => {
  const text = problemsOf({
    ...good,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
    OTEL_EXPORTER_OTLP_HEADERS: 'secret without a name',
    OTEL_METRIC_EXPORT_INTERVAL: 'often',
    APPLICATIONINSIGHTS_CONNECTION_STRING: 'secret',
    LogFormat: 'xml',
  }).join('\n');
  for (const name of [
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_EXPORTER_OTLP_HEADERS',
    'OTEL_METRIC_EXPORT_INTERVAL',
    'APPLICATIONINSIGHTS_CONNECTION_STRING',
    'LogFormat',
  ]) {
    assert.match(text, name);
  }
  assert.not.match(text, 'secret');
});

config('writes lines for machines on Azure and for people elsewhere, unless it is told otherwise', () => {
  assert.is(readConfig(good).logFormat, 'text');
  assert.is(readConfig({ ...good, WEBSITE_SITE_NAME: 'agents' }).logFormat, 'json');
  assert.is(readConfig({ ...good, WEBSITE_SITE_NAME: 'agents', LogFormat: 'text' }).logFormat, 'text');
});

config.run();
