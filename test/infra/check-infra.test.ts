import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
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
  await replaceIn(
    join(copy, 'infra/modules/batch.bicep'),
    "    publicNetworkAccess: 'Disabled'",
    "    publicNetworkAccess:    'Disabled'",
  );
  const lines = linesOf(await run(copy, withCompiler));
  assert.match(
    lines,
    /infra\/modules\/vault\.bicep:\d+:\d+ warning BCP089: .*"enablePurgeProtecton".* Did you mean "enablePurgeProtection"/,
  );
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
    /^infra\/main\.bicep:2:12 error BCP302: The name "objekt" is not a valid type/m,
  );
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
  assert.equal(failed, ['no admin user nor anonymous pull opens the registry']);
  assert.match(
    linesOf(outcomes),
    /infra\/modules\/registry\.bicep: Microsoft\.ContainerRegistry\/registries \w+: properties\.adminUserEnabled is true; it must be false/,
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
