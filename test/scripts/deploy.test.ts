import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serviceName } from '../../scripts/deploy/plan.js';
import { keep, keyParameter, keyProblem, newKey, variableOf } from '../../scripts/deploy/secrets.js';
import { isSecret, readInputs } from '../../scripts/deploy/template.js';
import { root } from '../../scripts/root.js';
import { makeTempFolder } from '../support/temp-folder.js';
import { type Azure, inputs, setUpAzure, token, well } from './deploy-samples.js';

let azure: Azure;

const secrets = suite('secrets of a deployment');

secrets('come from variables that are called as they are', () => {
  assert.is(variableOf('callbackTokenKey'), 'CALLBACK_TOKEN_KEY');
  assert.is(variableOf('azDOToken'), 'AZDO_TOKEN');
});

secrets('a key that is none is told without citing it', () => {
  for (const good of [newKey(), `${newKey()},${newKey()}`, 'keep']) assert.is(keyProblem(good), undefined);
  for (const bad of ['c2hvcnQ=', `${newKey()},`, `${newKey()},${newKey()},${newKey()}`, 'x'.repeat(44)]) {
    const problem = keyProblem(bad) ?? '';
    assert.match(problem, /^callbackTokenKey \(CALLBACK_TOKEN_KEY\) must be 32 bytes/);
    assert.not.match(problem, bad);
  }
});

secrets.run();

const template = suite('the template that is deployed');

template(
  'lacks nothing but the organisation, and has the secrets and names that deploying counts on',
  async () => {
    const problems: string[] = [];
    const real = await readInputs(undefined, problems);
    assert.is(problems.length, 1, problems.join('\n'));
    assert.match(
      problems[0] ?? '',
      /^The parameter azDOUrl has no value: put it into a file for --parameters/,
    );
    const { parameters } = real.template;
    const secret = Object.keys(parameters).filter(name => isSecret(parameters[name] ?? {}));
    assert.equal(secret.toSorted(), ['azDOToken', keyParameter, 'otlpHeaders'].toSorted());
    assert.type(parameters['environmentName']?.defaultValue, 'string');
    const main = await readFile(join(root, 'infra', 'main.bicep'), 'utf8');
    assert.match(main, `azdServiceName: '${serviceName}'`);
    assert.match(main, "{ application: 'azdo-batch-agents', 'azd-env-name': environmentName }");
    const vault = await readFile(join(root, 'infra', 'modules', 'vault.bicep'), 'utf8');
    for (const name of [
      "name: 'CallbackTokenKey'",
      "name: 'AzDOToken'",
      "name: 'OtlpHeaders'",
      `!= '${keep}'`,
    ])
      assert.match(vault, name);
  },
);

const secret = 'a-key-that-nobody-may-see';
const pool = {
  name: 'java',
  version: 'v1',
  devOpsPool: 'Java',
  image: 'a:b',
  vmSize: 'S',
  nodeAgentSku: 's',
};

template('tells everything that is wrong with the values it is given at once, and cites none', async () => {
  const temp = await makeTempFolder('deploy-values-');
  const file = join(temp.path, 'given.json');
  const values = {
    azDOUrl: 5,
    callbackTokenKey: ['a', secret],
    storageSku: 'Premium_LRS',
    instanceMemoryMB: 1024.5,
    logRetentionDays: 7,
    allowedAddresses: '203.0.113.7/32',
    pools: [
      { ...pool, os: 'mac', nodeImage: {}, taskSlotsPerNode: 0 },
      { ...pool, os: 'linux', nodeImage: { sku: null }, autoScale: { maxNodes: 4 } },
    ],
  };
  const parameters = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
  const reference = { reference: { keyVault: { id: 'x' }, secretName: 'y' } };
  await writeFile(
    file,
    JSON.stringify({ parameters: { ...parameters, azDOToken: reference, alertEmail: {} } }),
  );
  const problems: string[] = [];
  await readInputs(file, problems);
  await temp.remove();
  const [unknown = '', ...others] = problems
    .map(each => each.replace(`${file}: `, ''))
    .toSorted((one, other) => Number(other.includes('maxNodes')) - Number(one.includes('maxNodes')));
  assert.match(unknown, /^pools\[1\]\.autoScale has no field maxNodes: it has minNodes, .*maxDedicatedNodes/);
  assert.equal(others, [
    'azDOUrl must be a text.',
    'callbackTokenKey must be a text.',
    'storageSku must be Standard_LRS or Standard_ZRS or Standard_GZRS.',
    'instanceMemoryMB must be a whole number.',
    'logRetentionDays must be at least 30.',
    'allowedAddresses must be a list.',
    'pools[0].os must be linux or windows.',
    'pools[0].taskSlotsPerNode must be at least 1.',
    'pools[1].taskSlotsPerNode is missing.',
    'alertEmail has neither a value nor a reference.',
  ]);
  assert.not.match(problems.join('\n'), secret);
});

template.run();

/** The command itself, in a project of its own. */
const command = suite('npm run deploy');
let place: string;

command.before(async () => {
  azure = await setUpAzure();
  place = join(azure.temp.path, 'project');
  await mkdir(join(place, 'infra'), { recursive: true });
  await cp(join(root, 'dist', 'scripts'), join(place, 'dist', 'scripts'), {
    recursive: true,
    filter: path => !/scripts[\\/](?:local|bench|chaos|agents|testing)$/.test(path),
  });
  await cp(join(root, 'package.json'), join(place, 'package.json'));
  await symlink(join(root, 'node_modules'), join(place, 'node_modules'), 'junction');
  await writeFile(join(place, 'infra', 'azuredeploy.json'), JSON.stringify(inputs.template));
  await writeFile(join(place, 'given.json'), JSON.stringify({ parameters: inputs.parameters }));
  await writeFile(join(place, 'app.zip'), '');
  await mkdir(join(azure.temp.path, 'tmp'));
});
command.after(async () => azure.remove());

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  execa(process.execPath, [join(place, 'dist', 'scripts', 'deploy.js'), ...args], {
    cwd: place,
    env: {
      PATH: azure.fake.path,
      TMPDIR: join(azure.temp.path, 'tmp'),
      NO_COLOR: '1',
      CALLBACK_TOKEN_KEY: '',
      ...env,
    },
    reject: false,
    forceKillAfterDelay: false,
  });

command('names everything that is wrong at once, and does nothing', async () => {
  await writeFile(join(place, 'bad.json'), JSON.stringify({ parameters: { appNmae: { value: 'x' } } }));
  const { exitCode, stderr, stdout } = await run(
    ['--with', 'az', '--parameters', 'bad.json', '--environment', 'x', '--zip', 'none.zip'],
    { PATH: join(azure.temp.path, 'nothing-here'), CALLBACK_TOKEN_KEY: 'short' },
  );
  assert.is(exitCode, 1);
  assert.is(stdout, '');
  const lines = stderr.split('\n');
  assert.is(lines[0], 'Nothing was deployed:');
  const expected = [
    /^- az was not found: install it \(https:/,
    /bad\.json: there is no parameter appNmae\./,
    /^- The parameter azDOUrl has no value: put it into .*bad\.json/,
    /^- az needs --resource-group/,
    /^- --environment is for azd/,
    /^- callbackTokenKey \(CALLBACK_TOKEN_KEY\) must be 32 bytes/,
    /^- There is no file none\.zip/,
  ];
  assert.is(lines.length, expected.length + 1, stderr);
  for (const [index, pattern] of expected.entries()) assert.match(lines[index + 1] ?? '', pattern);
});

command('prints the commands, and runs none', async () => {
  await azure.fake.answer(well);
  const args = [
    '--resource-group',
    'my group',
    '--parameters',
    'given.json',
    '--zip',
    'app.zip',
    '--dry-run',
  ];
  const { stdout, exitCode } = await run(args, { AZDO_TOKEN: token });
  assert.is(exitCode, 0);
  assert.match(stdout, /^az deployment group create --resource-group 'my group' .*@SECRETS_FILE/);
  assert.match(
    stdout,
    /\naz functionapp deployment source config-zip --resource-group 'my group' --name APP --src \S+app\.zip$/,
  );
  assert.not.match(stdout, token);
  assert.equal(await azure.fake.calls(), []);
});

command('takes the file of secrets away when it is interrupted', async () => {
  const hanging = { match: '^az deployment group create', hangs: true };
  await azure.fake.answer([{ match: '^az (version|account show)' }, hanging, ...well]);
  const args = ['--resource-group', 'rg-agents', '--parameters', 'given.json', '--infra-only'];
  const running = run(args, { AZDO_TOKEN: token });
  const { files } = await azure.fake.called(/^az deployment group create/);
  assert.match(files[1]?.text ?? '', token);
  running.kill('SIGINT');
  const { exitCode, stderr } = await running;
  assert.is(exitCode, 130, stderr);
  assert.match(stderr, 'Stopped before the end.');
  assert.equal(await readdir(join(azure.temp.path, 'tmp')), []);
});

command('takes away what an earlier run left that was killed, and nothing of one that goes on', async () => {
  const ended = execa(process.execPath, ['--version']);
  await ended;
  const temp = join(azure.temp.path, 'tmp');
  const [left = '', other = ''] = [ended.pid, process.pid].map(
    pid => `azdo-batch-agents-deploy-${pid}-abc123`,
  );
  for (const name of [left, other]) {
    await mkdir(join(temp, name));
    await writeFile(join(temp, name, 'secrets.parameters.json'), token);
  }
  await azure.fake.answer(well.concat({ match: '^az (version|account show)' }));
  const args = ['--resource-group', 'rg-agents', '--parameters', 'given.json', '--infra-only'];
  const { exitCode, stderr } = await run(args);
  assert.is(exitCode, 0, stderr);
  assert.equal(await readdir(temp), [other]);
});

// A program without an ending can't be started on Windows.
if (process.platform !== 'win32') command.run();
