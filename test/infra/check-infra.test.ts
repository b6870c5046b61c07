import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkInfra, type InfraCheck } from '../../scripts/infra/check-infra.js';
import { type BicepSession, openBicep } from '../../scripts/infra/compiler/bicep-session.js';
import { findCompiler, type NoCompiler } from '../../scripts/infra/compiler/find-compiler.js';
import type { Outcome } from '../../scripts/infra/outcome.js';
import { compileAll, placeholders } from '../../scripts/infra/sources.js';
import { root } from '../../scripts/root.js';
import { makeTempFolder, type TempFolder } from '../support/temp-folder.js';
import { cache, compiler, compilerSuite } from './compiler-suite.js';

let folder: TempFolder;

/** A copy of the infrastructure in which a text of a file is another. */
async function copyWith(name: string, file: string, from: string, to: string): Promise<string> {
  const copy = join(folder.path, name);
  await cp(join(root, 'infra'), join(copy, 'infra'), { recursive: true });
  await mkdir(join(copy, '.github'), { recursive: true });
  await cp(join(root, '.github', 'images'), join(copy, '.github', 'images'), { recursive: true });
  await replaceIn(join(copy, file), from, to);
  return copy;
}

async function replaceIn(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  assert.ok(text.includes(from), `${path} has no ${from}`);
  await writeFile(path, text.replace(from, to));
}

async function run(at: string, open: InfraCheck['compiler']): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const report = (name: string, outcome: Outcome): void => void outcomes.set(name, outcome);
  await checkInfra({ root: at, compiler: open, write: false, report });
  return outcomes;
}

const linesOf = (outcomes: ReadonlyMap<string, Outcome>): string =>
  [...outcomes].flatMap(([name, { lines }]) => lines.map(line => `${name}: ${line}`)).join('\n');

const compiled = compilerSuite('npm run infra:check, with the compiler');

// One for all: to start it takes longer than to compile.
let session: BicepSession;
const withCompiler: InfraCheck['compiler'] = async () => ({ kind: 'open', session });

compiled.before(async () => {
  folder = await makeTempFolder('infra-');
  if (compiler.kind !== 'found') return;
  const env = { ...process.env, ...(await placeholders(root)) };
  session = await openBicep({ path: compiler.path, cache, env });
});
compiled.after(async () => {
  await session.close();
  await folder.remove();
});

compiled('finds nothing wrong with what is committed', async () => {
  const outcomes = await run(root, withCompiler);
  assert.is(linesOf(outcomes), '');
  assert.ok([...outcomes.values()].every(({ status }) => status === 'passed'));
});

compiled('names what is broken in the Bicep, by file, resource and property', async () => {
  const storage = 'infra/modules/storage.bicep';
  const copy = await copyWith('broken', storage, '    allowSharedKeyAccess: false\n', '');
  await replaceIn(join(copy, 'infra/modules/vault.bicep'), 'enablePurgeProtection', 'enablePurgeProtecton');
  await replaceIn(join(copy, 'infra/main.bicepparam'), 'taskSlotsPerNode: 4', 'taskSlotsPerNode: 17');
  await replaceIn(join(copy, 'infra/bicepconfig.json'), '"enabled": true', '"enabled": false');
  await writeFile(join(copy, 'infra/monitoring/queries/alert-nobody.kql'), 'traces');
  await writeFile(
    join(copy, 'infra/modules/alone.bicep'),
    '#disable-next-line no-unused-params\nparam a int\n',
  );
  await replaceIn(
    join(copy, 'infra/modules/batch.bicep'),
    "    publicNetworkAccess: 'Disabled'",
    "    publicNetworkAccess:    'Disabled'",
  );
  const lines = linesOf(await run(copy, withCompiler));
  assert.match(
    lines,
    /infra\/modules\/vault\.bicep:\d+:\d+ warning BCP089: Microsoft\.KeyVault\/vaults vault: .*"enablePurgeProtecton".* Did you mean "enablePurgeProtection"/,
  );
  for (const part of [
    'infra/bicepconfig.json: analyzers.core.enabled must be true',
    'infra/monitoring/queries/alert-nobody.kql: no alert asks it',
    'infra/modules/alone.bicep: is not part of infra/main.bicep',
    'infra/modules/alone.bicep:1:1 #disable-next-line: parameter a: hides no-unused-params',
    'properties.taskSlotsPerNode is 17; a node of Standard_D4s_v5 can have 16 (four a core, 256 at most) (with infra/main.bicepparam)',
    'infra/modules/storage.bicep: Microsoft.Storage/storageAccounts account: properties.allowSharedKeyAccess is not there; in infra/azuredeploy.json it is false',
    'infra/azuredeploy.sha256 is not up to date',
  ])
    assert.ok(lines.includes(part), `It does not say: ${part}\n${lines}`);
  assert.match(lines, /infra\/modules\/batch\.bicep is not formatted/);
  assert.match(
    lines,
    /infra\/azuredeploy\.json is not what infra\/main\.bicep compiles to: run `npm run infra:check -- --write`/,
  );
  assert.match(
    lines,
    /infra\/modules\/storage\.bicep: Microsoft\.Storage\/storageAccounts \w+: properties\.allowSharedKeyAccess is not set; it must be false/,
  );
});

compiled('names file, line and column of what is no Bicep', async () => {
  const copy = join(folder.path, 'syntax');
  await mkdir(join(copy, 'infra'), { recursive: true });
  await writeFile(join(copy, 'infra', 'main.bicep'), 'param location string\nparam tags objekt\n');
  const { problems, template } = await compileAll(copy, session);
  assert.is(template, undefined);
  assert.match(
    problems.join('\n'),
    /^infra\/main\.bicep:2:12 error BCP302: parameter tags: The name "objekt" is not a valid type/m,
  );
});

compiled('tells what the compiler refuses to answer', async () => {
  const path = join(folder.path, 'none.bicepparam');
  await writeFile(path, "using 'none.bicep'\n");
  const scope = { subscriptionId: '', tenantId: '', resourceGroup: '', location: '' };
  const said = await session.snapshot(path, scope).catch((error: Error) => error.message);
  assert.is(said, 'The Bicep compiler says: Compilation failed');
});

compiled.run();

const alone = suite('npm run infra:check, without a compiler');

alone.before(async () => {
  folder = await makeTempFolder('infra-');
});
alone.after(() => folder.remove());

const without = async (): Promise<NoCompiler> => {
  const found = await findCompiler({ env: { BICEP_PATH: '/nowhere/bicep' }, cache });
  if (found.kind !== 'none') throw new Error(`There is a compiler: ${found.path}`);
  return found;
};

alone('says so, and checks the committed template all the same', async () => {
  const outcomes = await run(root, without);
  const [first] = outcomes.values();
  assert.is(first?.status, 'not checked');
  assert.match(
    first?.lines.join(' ') ?? '',
    /BICEP_PATH is \/nowhere\/bicep, which is no Bicep compiler.*neither compiled nor linted.*\.NET SDK/,
  );
  assert.is([...outcomes.values()].filter(({ status }) => status === 'failed').length, 0);
  assert.ok(outcomes.has('no shared key opens storage'));
});

alone('finds what is broken in the committed template', async () => {
  const copy = await copyWith(
    'json',
    'infra/azuredeploy.json',
    '"adminUserEnabled": false',
    '"adminUserEnabled": true',
  );
  const outcomes = await run(copy, without);
  const failed = [...outcomes].filter(([, { status }]) => status === 'failed').map(([name]) => name);
  assert.equal(failed, [
    'infra/azuredeploy.json is as new as the Bicep (infra/azuredeploy.sha256)',
    'no admin user nor anonymous pull opens the registry',
  ]);
  assert.match(
    linesOf(outcomes),
    /infra\/modules\/registry\.bicep: Microsoft\.ContainerRegistry\/registries \w+: properties\.adminUserEnabled is true; it must be false/,
  );
});

alone('tells of Bicep that is newer than the committed template', async () => {
  const copy = await copyWith('newer', 'infra/modules/batch.bicep', "'Disabled'", "'Enabled'");
  await rm(join(copy, 'infra/monitoring/workbook.json'));
  assert.match(
    linesOf(await run(copy, without)),
    /infra\/modules\/batch\.bicep has changed since infra\/azuredeploy\.json was compiled from it(?:.|\n)*infra\/monitoring\/workbook\.json was there when/,
  );
});

alone('tells of values that Azure would refuse', async () => {
  const copy = await copyWith(
    'refused',
    'infra/azuredeploy.json',
    '"defaultValue": 2048',
    '"defaultValue": 1024',
  );
  assert.match(
    linesOf(await run(copy, without)),
    /infra\/main\.bicep: parameter instanceMemoryMB must be 512 or 2048 or 4096\. \(defaultValue\)/,
  );
});

alone('tells of a template that nobody could deploy', async () => {
  const copy = await copyWith(
    'undeployable',
    'infra/azuredeploy.json',
    "[parameters('vnetAddressPrefix')]",
    "[parameters('vnetPrefix')]",
  );
  assert.match(linesOf(await run(copy, without)), /infra\/main\.bicep: .*there is no parameter vnetPrefix/);
});

alone('tells of a diagram that shows something else', async () => {
  const copy = await copyWith('diagram', '.github/images/infrastructure.svg', 'AcrPull', 'AcrPush');
  assert.match(
    linesOf(await run(copy, without)),
    /infrastructure\.svg is not drawn from this template: run `npm run infra:check -- --write`/,
  );
});

alone.run();
