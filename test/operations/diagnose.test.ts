import { TableClient } from '@azure/data-tables';
import { QueueServiceClient } from '@azure/storage-queue';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBatchProbe } from '../../shared/adapters/batch-probe.js';
import { createDevOpsAgentRegistry } from '../../shared/adapters/devops-agent-registry.js';
import { createDevOpsProbe } from '../../shared/adapters/devops-probe.js';
import { createStorageProbe } from '../../shared/adapters/storage-probe.js';
import { createSystemClock } from '../../shared/adapters/system-clock.js';
import { createTokenSeal } from '../../shared/adapters/token-seal.js';
import { type Diagnosis, diagnosisSchema } from '../../shared/answers/diagnosis.js';
import { masked } from '../../shared/config/reader.js';
import { describeSettings } from '../../shared/config/setting-list.js';
import { readConfig } from '../../shared/config.js';
import { partsOfAgentName } from '../../shared/domain/names.js';
import { diagnose } from '../../shared/operations/diagnose.js';
import { fail } from '../contracts/fail.js';
import { createFakeClock } from '../fakes/clock.js';
import { createFakeOrchestrations } from '../fakes/orchestrations.js';
import { clientOf, pool, Scratch, startBatch } from '../local/batch/support.js';
import { closeAll, start } from '../local/devops/stack.js';
import { startLocalStorage } from '../support/local-storage.js';

const scratch = new Scratch();
const storage = await startLocalStorage();
const batch = await startBatch(scratch.file('batch'), {
  pools: [pool({ id: 'batchLinux', autoScaleFormula: '$TargetDedicatedNodes = 1;' })],
});
const devops = await start({ pools: ['linux'] });
const otherKey = Buffer.from('another key, which is not the right one').toString('base64');

type Check = Diagnosis['checks'][number];
type Env = Readonly<Record<string, string>>;

const usual: Env = {
  AzureWebJobsStorage: storage.connectionString,
  BatchAccountUrl: batch.url,
  BatchAccountName: batch.account,
  BatchAccountKey: batch.key,
  AzDOUrl: devops.collectionUrl,
  AzDOToken: devops.pat,
  AgentProfiles: profile({}),
  CallbackTokenKey: Buffer.alloc(32, 5).toString('base64'),
  ReplyQueues: 'replies-here',
};
await QueueServiceClient.fromConnectionString(storage.connectionString)
  .getQueueClient('replies-here')
  .create();

function profile(changes: object): string {
  const ubuntu = { devOpsPool: 'linux', batchPool: 'batchLinux', image: 'azdo-agent:x', ...changes };
  return JSON.stringify({ ubuntu });
}

async function doctor(changes: Env = {}, orchestrations = createFakeOrchestrations()): Promise<Diagnosis> {
  const env = { ...usual, ...changes };
  const config = readConfig(env);
  const account = { connectionString: env['AzureWebJobsStorage'] ?? '' };
  const { batch: batchConfig, devOps } = config;
  const run = diagnose({
    config,
    version: '1.2.3',
    settings: describeSettings(env, masked),
    storage: createStorageProbe({ queues: account, tables: account }),
    batch: createBatchProbe({
      accountUrl: batchConfig.url,
      auth: {
        accountName: batchConfig.sharedKey?.account ?? '',
        accountKey: batchConfig.sharedKey?.key ?? '',
      },
    }),
    devOps: createDevOpsProbe({
      organizationUrl: devOps.url,
      auth: { personalAccessToken: devOps.token ?? '' },
    }),
    seal: createTokenSeal({ keys: config.callbackTokenKeys }),
    clock: createSystemClock(),
  });
  return diagnosisSchema.parse(await run(orchestrations));
}

const notOk = ({ checks }: Diagnosis): readonly Check[] => checks.filter(({ status }) => status !== 'ok');
const named = (checks: readonly Check[]): readonly string[] =>
  checks.map(({ area, name, status }) => `${area} ${status}: ${name}`);
/** The only thing that is not as it should be. */
async function theOnly(diagnosis: Promise<Diagnosis>): Promise<Check> {
  const wrong = notOk(await diagnosis);
  if (wrong.length !== 1) fail(`wrong is ${named(wrong).join('; ') || 'nothing'}`);
  return wrong[0] ?? fail('nothing is wrong');
}

async function misbehave(url: string, ...rules: readonly object[]): Promise<void> {
  const response = await fetch(`${url}/_local/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rules),
  });
  if (!response.ok) fail(await response.text());
}

async function setClock(url: string, skewSeconds: number): Promise<void> {
  const response = await fetch(`${url}/_local/clock`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ skewSeconds }),
  });
  if (!response.ok) fail(await response.text());
}

const registry = createDevOpsAgentRegistry({
  organizationUrl: devops.collectionUrl,
  auth: { personalAccessToken: devops.pat },
});

/** What is left in every service that was tried. */
async function leftovers(): Promise<readonly string[]> {
  const left: string[] = [];
  const queues = QueueServiceClient.fromConnectionString(storage.connectionString);
  for await (const { name } of queues.listQueues()) if (name !== 'replies-here') left.push(name);
  const options = { allowInsecureConnection: true };
  const table = TableClient.fromConnectionString(storage.connectionString, 'AgentRequests', options);
  for await (const { rowKey } of table.listEntities()) left.push(rowKey ?? '?');
  const jobs = await clientOf(batch).job.list();
  left.push(...jobs.filter(({ state }) => state !== 'deleting').map(({ id }) => id ?? '?'));
  left.push(...(await registry.listAgents('linux')).map(({ name }) => name));
  return left;
}

const diagnosis = suite('POST /api/diagnosis');
diagnosis.after.each(async () => {
  for (const { url } of [batch, devops]) {
    await misbehave(url);
    await setClock(url, 0);
  }
});
diagnosis.after(async () => {
  await batch.close();
  await closeAll();
  await storage.close();
  scratch.remove();
});

diagnosis('finds nothing wrong where nothing is, shows no secret, and leaves nothing behind', async () => {
  const answer = await doctor();
  assert.equal(named(notOk(answer)), []);
  assert.is(answer.version, '1.2.3');
  for (const area of ['settings', 'storage', 'batch', 'devops', 'orchestrations']) {
    assert.ok(
      answer.checks.some(check => check.area === area),
      area,
    );
  }
  const text = JSON.stringify(answer);
  for (const secret of [batch.key, devops.pat, usual['CallbackTokenKey'] ?? '?', storage.connectionString]) {
    assert.not.ok(text.includes(secret));
  }
  assert.match(text, 'BatchAccountKey');
  assert.equal(await leftovers(), []);
});

const breaks: ReadonlyArray<readonly [what: string, changes: Env, check: string, remedy: RegExp]> = [
  [
    'a Batch pool that is missing',
    { AgentProfiles: profile({ batchPool: 'nowhere' }) },
    'batch failed: Batch pool "nowhere" can run the agents',
    /Create pool nowhere.*batchPool in AgentProfiles/,
  ],
  [
    'a profile that takes more slots than a node has',
    { AgentProfiles: profile({ slots: 200 }) },
    'batch failed: Batch pool "batchLinux" can run the agents',
    /Lower slots of profile ubuntu/,
  ],
  [
    'a profile for another system',
    { AgentProfiles: profile({ os: 'windows' }) },
    'batch failed: Batch pool "batchLinux" can run the agents',
    /os or batchPool of profile ubuntu/,
  ],
  [
    'an agent pool that is missing',
    { AgentProfiles: profile({ devOpsPool: 'No pool' }) },
    'devops failed: Agents of pool "No pool" can be managed',
    /Create agent pool "No pool".*devOpsPool in AgentProfiles/,
  ],
  [
    'a reply queue that is missing',
    { ReplyQueues: 'replies-here,not-here' },
    'storage warning: Reply queue "not-here" exists',
    /Create queue not-here.*ReplyQueues/,
  ],
  [
    'plan hosts without the own organisation',
    { AllowedPlanHosts: 'dev.azure.com' },
    'settings warning: AllowedPlanHosts covers AzDOUrl',
    /Add 127\.0\.0\.1:\d+ to AllowedPlanHosts/,
  ],
];
for (const [what, changes, check, remedy] of breaks) {
  diagnosis(`names ${what}`, async () => {
    const wrong = await theOnly(doctor(changes));
    assert.equal(named([wrong]), [check]);
    assert.match(wrong.remedy ?? '', remedy);
    assert.equal(await leftovers(), []);
  });
}

diagnosis('names wrong keys once each, and not all that fails because of them', async () => {
  const wrongStorage = storage.connectionString.replace(/AccountKey=[^;]+/, `AccountKey=${otherKey}`);
  const answer = await doctor({
    AzureWebJobsStorage: wrongStorage,
    BatchAccountKey: otherKey,
    AzDOToken: 'not-the-token',
  });
  const failed = notOk(answer).filter(({ status }) => status === 'failed');
  assert.equal(named(failed), [
    'storage failed: Queue storage can be used',
    'storage failed: Table storage can be used',
    'storage failed: Reply queue "replies-here" exists',
    'batch failed: Azure Batch accepts the sign-in',
    'devops failed: Azure DevOps accepts the sign-in',
  ]);
  const settings = ['AzureWebJobsStorage', 'AzureWebJobsStorage', 'AzureWebJobsStorage'];
  for (const [index, name] of [...settings, 'BatchAccountKey', 'AzDOToken'].entries()) {
    assert.match(failed[index]?.remedy ?? '', name);
  }
  assert.not.ok(JSON.stringify(answer).includes(otherKey));
  assert.equal(await leftovers(), []);
});

diagnosis('names services that do not answer', async () => {
  const gone = 'http://127.0.0.1:9/';
  const answer = await doctor({ BatchAccountUrl: gone, AzDOUrl: `${gone}org` });
  assert.equal(named(notOk(answer).filter(({ status }) => status === 'failed')), [
    'batch failed: Azure Batch accepts the sign-in',
    'devops failed: Azure DevOps accepts the sign-in',
  ]);
  assert.match(JSON.stringify(answer), 'nothing listens at its address');
  // A new token does not bring a service back.
  assert.match(
    notOk(answer).find(({ area }) => area === 'devops')?.remedy ?? '',
    /^Check AzDOUrl, and that the network/,
  );
});

diagnosis('clears away what storage did late, when nobody waited for it any more', async () => {
  const before = (Date.now() - 11 * 60_000).toString(36);
  const service = QueueServiceClient.fromConnectionString(storage.connectionString);
  await service.createQueue(`agent-requests-doctor-${before}-1`);
  const options = { allowInsecureConnection: true };
  const table = TableClient.fromConnectionString(storage.connectionString, 'AgentRequests', options);
  await table.createEntity({ partitionKey: 'doctor', rowKey: `${before}-1` });
  // Another who tries at this moment keeps what is theirs.
  const theirs = `agent-requests-doctor-${Date.now().toString(36)}-2`;
  await service.createQueue(theirs);
  await doctor();
  assert.equal(await leftovers(), [theirs]);
  await service.deleteQueue(theirs);
});

diagnosis('names a right that is missing, and the role that gives it', async () => {
  await misbehave(batch.url, { preset: 'authenticationFailed', call: 'POST /jobs' });
  const job = await theOnly(doctor());
  assert.is(job.name, 'Batch jobs can be made and removed');
  await misbehave(batch.url);
  await misbehave(devops.url, { preset: 'accessDenied', call: 'POST *agents' });
  const agent = await theOnly(doctor());
  assert.is(agent.name, 'Agents of pool "linux" can be managed');
  assert.match(agent.remedy ?? '', /Administrator of agent pool "linux"/);
});

diagnosis('names quotas, resize errors and a rate limit that is near', async () => {
  await misbehave(batch.url, { preset: 'quotaReached' });
  assert.match((await theOnly(doctor())).detail, 'as many active jobs and schedules as its quota allows');
  await misbehave(batch.url);
  const change = async (resizeErrors: readonly object[]): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ resizeErrors });
    await fetch(`${batch.url}/_local/pools/batchLinux`, { method: 'PUT', headers, body });
  };
  await change([{ code: 'AccountCoreQuotaReached', message: 'No cores are left.' }]);
  const full = await theOnly(doctor());
  assert.equal([full.status, full.name], ['warning', 'Batch pool "batchLinux" can run the agents']);
  assert.match(`${full.detail} ${full.remedy ?? ''}`, /No cores are left\..*core quota raised/);
  await change([]);
  await misbehave(devops.url, {
    call: 'GET *pools',
    when: 'none',
    headers: { 'x-ratelimit-remaining': '3', 'x-ratelimit-limit': '200' },
  });
  const near = await theOnly(doctor());
  assert.match(`${near.status} ${near.detail}`, /^warning .*3 of 200 units/);
});

diagnosis('names a clock that is wrong', async () => {
  await setClock(batch.url, 120);
  await setClock(devops.url, -900);
  const wrong = notOk(await doctor());
  assert.equal(named(wrong), [
    'batch warning: The clock agrees with that of Azure Batch',
    'devops failed: The clock agrees with that of Azure DevOps',
  ]);
  assert.match(wrong[0]?.detail ?? '', /(?:119|120) s behind that of Azure Batch/);
  assert.match(wrong[1]?.detail ?? '', /(?:899|900|901) s ahead of that of Azure DevOps/);
});

diagnosis('names orchestrations that do not answer', async () => {
  const orchestrations = createFakeOrchestrations();
  orchestrations.failNext('runningLifecycle', new Error('The task hub is away.'));
  const wrong = await theOnly(doctor({}, orchestrations));
  assert.equal([wrong.area, wrong.detail], ['orchestrations', 'The task hub is away.']);
});

diagnosis('leaves nothing behind when an answer is lost midway', async () => {
  await misbehave(batch.url, { call: 'POST /jobs', when: 'commit', status: 0 });
  await misbehave(devops.url, { call: 'POST *agents', when: 'commit', status: 500 });
  const failed = notOk(await doctor());
  assert.equal(
    failed.map(({ name }) => name),
    ['Batch jobs can be made and removed', 'Agents of pool "linux" can be managed'],
  );
  assert.equal(await leftovers(), []);
  await misbehave(batch.url);
  // What a process leaves that dies in between goes with the next try.
  await misbehave(devops.url, { call: 'DELETE *', status: 500 });
  await doctor();
  const [left = '?', ...others] = await leftovers();
  assert.equal([left, others], ['azdo-batch-agents-doctor-probe', []]);
  assert.is(partsOfAgentName(left), undefined, 'reconcile takes it for no agent of a request');
  await misbehave(devops.url);
  assert.equal(named(notOk(await doctor())), []);
  assert.equal(await leftovers(), []);
});

diagnosis('waits for no answer for ever, and runs once for all who ask meanwhile', async () => {
  const clock = createFakeClock('2026-01-31T10:00:00.000Z', 'wait');
  let tries = 0;
  const never = async (): Promise<never> => {
    tries += 1;
    return new Promise(() => {});
  };
  const config = readConfig(usual);
  const run = diagnose({
    config,
    version: '1.2.3',
    settings: [],
    storage: { useQueue: never, useTable: never, queueExists: never },
    batch: { signIn: never, pool: never, makeJob: never },
    devOps: { signIn: never, manageAgents: never },
    seal: createTokenSeal({ keys: config.callbackTokenKeys }),
    clock,
  });
  const both = Promise.all([run(createFakeOrchestrations()), run(createFakeOrchestrations())]);
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  clock.advance(15_000);
  const [one, other] = await both;
  assert.is(one, other);
  assert.is(tries, 10);
  const late = one.checks.filter(({ detail }) => detail === 'It gave no answer within 15 seconds.');
  assert.ok(late.length >= 5, named(one.checks).join('\n'));
});

diagnosis.run();
