import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { Plan } from '../../scripts/deploy/plan.js';
import { Tool } from '../../scripts/deploy/tool.js';
import { WithAz } from '../../scripts/deploy/with-az.js';
import { type Azure, inputs, plan, rejects, setUpAzure, token, vault, well } from './deploy-samples.js';

const az = new Tool('az', new AbortController().signal);
const withAz = (changes: Partial<Plan> = {}, healthMs?: number): WithAz =>
  new WithAz({ ...plan, ...changes }, inputs, az, healthMs);

let azure: Azure;
const { AZDO_TOKEN } = process.env;

const ParameterFile = z.object({ parameters: z.record(z.string(), z.object({ value: z.string() })) });

/** The secrets that a deployment was given, and that they were given as they should. */
async function secretsGiven(): Promise<Readonly<Record<string, string>>> {
  const { files, args } = await azure.fake.called(/^az deployment group (create|what-if)/);
  const [, secrets] = files;
  assert.ok(secrets);
  assert.is(secrets.mode, 0o600);
  assert.not.ok(existsSync(dirname(secrets.path)), 'the file of secrets is still there');
  const values = Object.entries(ParameterFile.parse(JSON.parse(secrets.text)).parameters);
  const given = Object.fromEntries(values.map(([name, { value }]) => [name, value]));
  for (const value of Object.values(given).filter(each => each !== 'keep')) {
    assert.not.match(args.join(' '), value);
    assert.not.match(azure.said(), value);
  }
  return given;
}

const deploy = suite('deploying with az');

deploy.before(async () => {
  azure = await setUpAzure();
});
deploy.before.each(async () => {
  delete process.env['AZDO_TOKEN'];
  await azure.fake.answer(well);
});
deploy.after(async () => {
  if (AZDO_TOKEN !== undefined) process.env['AZDO_TOKEN'] = AZDO_TOKEN;
  await azure.remove();
});

deploy('makes the group and a key the first time, and publishes to the app of the environment', async () => {
  await azure.fake.answer([{ match: '^az group create' }, ...well.slice(1)]);
  process.env['AZDO_TOKEN'] = token;
  await withAz().deploy();
  const given = await secretsGiven();
  assert.equal(Object.keys(given).toSorted(), ['azDOToken', 'callbackTokenKey']);
  assert.is(given['azDOToken'], token);
  assert.is(Buffer.from(given['callbackTokenKey'] ?? '', 'base64').length, 32);
  const typed = (await azure.fake.typed()).map(each =>
    each.replace(/@\S+secrets\.parameters\.json/, '@SECRETS'),
  );
  assert.equal(
    typed.filter(each => !/^az \w+ (show|list)/.test(each)),
    [
      'az group create --name rg-agents --location westeurope --output none',
      'az deployment group create --resource-group rg-agents --name azdo-batch-agents-prod --template-file ' +
        'infra/azuredeploy.json --parameters @/etc/hostname --parameters @SECRETS --query properties.outputs --output json',
      'az functionapp deployment source config-zip --resource-group rg-agents --name agents-prod-1 --src /tmp/app.zip',
    ],
  );
});

deploy('leaves the secrets that the vault has as they are', async () => {
  await azure.fake.answer([...vault, ...well]);
  await withAz({ app: false }).deploy();
  assert.equal(await secretsGiven(), { azDOToken: 'keep', callbackTokenKey: 'keep' });
  assert.not.ok((await azure.fake.typed()).some(each => each.includes('config-zip')));
});

deploy('makes what the vault lacks, and no new key when it can not see into the vault', async () => {
  const secret = { match: '^az resource show', exitCode: 3, stderr: 'ERROR: (SecretNotFound) …' };
  await azure.fake.answer([...vault.slice(0, 1), secret, ...well]);
  await withAz({ app: false }).deploy();
  assert.equal(Object.keys(await secretsGiven()), ['callbackTokenKey']);

  const refused = { match: '^az resource show', exitCode: 1, stderr: 'ERROR: (AuthorizationFailed) …' };
  await azure.fake.answer([...vault.slice(0, 1), refused, ...well]);
  await rejects(
    withAz({ app: false }).deploy(),
    /nobody knows whether it is there:\nERROR: \(AuthorizationFailed\)/,
  );
  assert.not.ok((await azure.fake.typed()).some(each => each.startsWith('az deployment')));
});

deploy('shows what would change, and changes nothing', async () => {
  await withAz({ whatIf: true }).deploy();
  await secretsGiven();
  const typed = await azure.fake.typed();
  assert.ok(typed.some(each => each.startsWith('az deployment group what-if --resource-group rg-agents')));
  assert.not.ok(typed.some(each => /create|config-zip/.test(each)));
});

deploy('publishes alone into what is there', async () => {
  await withAz({ infra: false }).deploy();
  assert.equal(
    (await azure.fake.typed()).map(each => each.split(' ').slice(0, 5).join(' ')),
    ['az resource list --resource-group rg-agents', 'az functionapp deployment source config-zip'],
  );
});

deploy('stops when the infrastructure fails, and leaves no secret behind', async () => {
  await azure.fake.answer([{ match: '^az deployment group', exitCode: 3 }, ...well]);
  await rejects(withAz().deploy(), /az deployment group create ended with exit code 3: see above/);
  await secretsGiven();
  assert.not.ok((await azure.fake.typed()).some(each => each.includes('config-zip')));
});

deploy('says that there is no app to publish to', async () => {
  await azure.fake.answer([{ match: '^az resource list', stdout: '[]' }]);
  await rejects(withAz({ infra: false }).deploy(), /No app of this product in the resource group rg-agents/);
});

const published = '^az functionapp deployment';
deploy('does not take an app that it may not call for one that was not published', async () => {
  const warning = 'Checking the health of the function app\n';
  for (const answer of [
    { match: published, stderr: warning, hangs: true },
    { match: published, stderr: `${warning}ERROR: the app appears to be unhealthy`, exitCode: 1 },
  ]) {
    await azure.fake.answer([answer, ...well]);
    const before = azure.said().length;
    await withAz({ infra: false }, 50).deploy();
    assert.match(
      azure.said().slice(before),
      'The package is up. Whether agents-prod-1 is well could not be seen from here',
    );
  }
});

deploy('says what to do when this address may not publish', async () => {
  await azure.fake.answer([{ match: published, stderr: 'ERROR: 403 Ip Forbidden', exitCode: 1 }, ...well]);
  await rejects(withAz({ infra: false }).deploy(), /allowedAddresses/);
});

deploy('knows what stands in the way before anything happens', async () => {
  await azure.fake.answer([]);
  assert.equal(await withAz().obstacles(), ['Nobody is signed in to az: az login']);
  await azure.fake.answer([{ match: '^az account show' }]);
  assert.equal(await withAz().obstacles(), []);
  const [obstacle = ''] = await withAz({ location: undefined }).obstacles();
  assert.match(obstacle, /There is no resource group rg-agents .* or say --location REGION/);
  assert.is((await withAz({ whatIf: true }).obstacles()).length, 1);
});

// A program without an ending can't be started on Windows.
if (process.platform !== 'win32') deploy.run();
