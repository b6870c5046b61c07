import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import * as z from 'zod';
import { azdHooks, runAzdHook } from '../../scripts/deploy/azd-hooks.js';
import { serviceName } from '../../scripts/deploy/plan.js';
import { keyProblem, newKey } from '../../scripts/deploy/secrets.js';
import { Tool } from '../../scripts/deploy/tool.js';
import { WithAzd } from '../../scripts/deploy/with-azd.js';
import { root } from '../../scripts/root.js';
import { type Azure, plan, rejects, setUpAzure, token } from './deploy-samples.js';

const azd = new Tool('azd', new AbortController().signal);
let azure: Azure;

const developer = suite('deploying with azd');
developer.before(async () => {
  azure = await setUpAzure();
});
developer.before.each(async () => azure.fake.answer([{ match: '^azd ' }]));
developer.after(async () => azure.remove());

const azdPlan = { ...plan, resourceGroup: undefined, location: undefined, parameters: undefined };

developer('provisions, and publishes the very zip', async () => {
  const way = new WithAzd({ ...azdPlan, environment: 'prod' }, azd);
  assert.equal([...way.misfits(), ...(await way.obstacles())], []);
  await azure.fake.answer([{ match: '^azd ' }]);
  await way.deploy();
  const expected = [
    'azd provision --environment prod',
    'azd deploy app --from-package /tmp/app.zip --environment prod',
  ];
  assert.equal(await azure.fake.typed(), expected);
  assert.equal(way.commands(), expected);
});

developer('shows what would change', async () => {
  await new WithAzd({ ...azdPlan, whatIf: true }, azd).deploy();
  assert.equal(await azure.fake.typed(), ['azd provision --preview']);
});

developer('refuses what only az takes', () => {
  assert.is(new WithAzd(plan, azd).misfits().length, 3);
});

developer('its hook gives the environment a key, once, and not as an argument', async () => {
  const env = { AZURE_ENV_NAME: 'prod' };
  await runAzdHook('preprovision', azd, env);
  const [call] = await azure.fake.calls();
  assert.ok(call);
  const [file] = call.files;
  assert.is(file?.mode, 0o600);
  const [, key = ''] = /^CALLBACK_TOKEN_KEY="([^"]+)"\n$/.exec(file?.text ?? '') ?? [];
  assert.is(keyProblem(key), undefined);
  assert.not.match([...call.args, azure.said()].join(' '), key);
  assert.equal(call.args.slice(-2), ['--environment', 'prod']);
  assert.not.ok(existsSync(file?.path ?? ''));

  await azure.fake.answer([{ match: '^azd ' }]);
  for (const CALLBACK_TOKEN_KEY of [key, 'keep']) {
    await runAzdHook('preprovision', azd, { ...env, CALLBACK_TOKEN_KEY });
  }
  assert.equal(await azure.fake.calls(), []);
});

developer('its hook takes the secrets out of the environment when the vault has them', async () => {
  await runAzdHook('postprovision', azd, { CALLBACK_TOKEN_KEY: newKey(), AZDO_TOKEN: token });
  assert.is((await azure.fake.calls())[0]?.files[0]?.text, 'CALLBACK_TOKEN_KEY="keep"\nAZDO_TOKEN="keep"\n');
  await azure.fake.answer([{ match: '^azd ' }]);
  await runAzdHook('postprovision', azd, { CALLBACK_TOKEN_KEY: 'keep' });
  assert.equal(await azure.fake.calls(), []);
});

developer('its hook fails when azd does', async () => {
  await azure.fake.answer([]);
  await rejects(runAzdHook('preprovision', azd, {}), /`azd env set --file` failed/);
});

// A program without an ending can't be started on Windows.
if (process.platform !== 'win32') developer.run();

const Hook = z.strictObject({ shell: z.enum(['sh', 'pwsh']), run: z.string() });
const Hooks = z.record(
  z.string(),
  z.strictObject({
    windows: Hook.extend({ shell: z.literal('pwsh') }),
    posix: Hook.extend({ shell: z.literal('sh') }),
  }),
);
/** What the schema of azd knows of what is used here; it lets misspelt names pass. */
const AzureYaml = z.strictObject({
  name: z.string().regex(/^[a-z0-9][-a-z0-9]*[a-z0-9]$/),
  metadata: z.strictObject({ template: z.string() }),
  infra: z.strictObject({
    provider: z.literal('bicep'),
    path: z.literal('infra'),
    module: z.literal('main'),
  }),
  services: z.record(
    z.string(),
    z.strictObject({
      project: z.literal('.'),
      language: z.enum(['js', 'ts']),
      host: z.literal('function'),
      dist: z.string(),
      remoteBuild: z.literal(false),
      hooks: Hooks,
    }),
  ),
  hooks: Hooks,
});

const read = async (path: string): Promise<string> => readFile(join(root, path), 'utf8');
const file = suite('azure.yaml');

file('zips exactly what `npm run package` makes, as it is', async () => {
  const { services } = AzureYaml.parse(parse(await read('azure.yaml')));
  assert.equal(Object.keys(services), [serviceName]);
  const service = services[serviceName];
  assert.is(service?.dist, 'dist/package/app');
  assert.is(service?.hooks['prepackage']?.posix.run, 'npm run package');
  // Without such a file, or with node_modules in it, azd has the app built again in Azure.
  assert.not.match(await read('.funcignore'), /^[^#\n]*(?:node_modules|\*)/m);
});

file('runs commands that are there, the same on every system', async () => {
  const { services, hooks } = AzureYaml.parse(parse(await read('azure.yaml')));
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(await read('package.json')));
  const all = { ...hooks, ...services[serviceName]?.hooks };
  assert.equal(Object.keys(hooks).toSorted(), [...azdHooks].toSorted());
  for (const [name, { posix, windows }] of Object.entries(all)) {
    assert.is(posix.run, windows.run);
    const [, npm, hook] =
      /^(?:npm run (\S+)|node scripts\/bootstrap\.mjs deploy --azd-hook (\S+))$/.exec(posix.run) ?? [];
    if (npm === undefined) assert.is(hook, name);
    else assert.ok(scripts[npm], posix.run);
  }
});

file('leaves what azd keeps here to its owner', async () => {
  assert.match(await read('.gitignore'), /^\.azure\/$/m);
});

file.run();
