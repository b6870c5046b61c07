import { stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { Command, Option } from 'commander';
import * as z from 'zod';
import { azdHooks, runAzdHook } from './deploy/azd-hooks.js';
import type { Plan, Way } from './deploy/plan.js';
import { keep, keyParameter, keyProblem, variableOf } from './deploy/secrets.js';
import { type Inputs, readInputs } from './deploy/template.js';
import { Tool } from './deploy/tool.js';
import { WithAz } from './deploy/with-az.js';
import { hasAzdEnvironment, WithAzd } from './deploy/with-azd.js';
import { makePackage, megabytes } from './package/make-package.js';
import { root } from './root.js';

/** `npm run deploy`: provisions the infrastructure and publishes the app, with az or azd. */
const Options = z.object({
  whatIf: z.boolean(),
  infraOnly: z.boolean(),
  appOnly: z.boolean(),
  with: z.enum(['az', 'azd']).optional(),
  resourceGroup: z.string().optional(),
  location: z.string().optional(),
  parameters: z.string().optional(),
  environment: z.string().optional(),
  zip: z.string().optional(),
  dryRun: z.boolean(),
  azdHook: z.enum(azdHooks).optional(),
});

const command = new Command('npm run deploy --')
  .description(
    'Deploys the product to Azure: the infrastructure of infra/azuredeploy.json, then the package of `npm run package`.',
  )
  .option('--what-if', 'show what would change, and change nothing', false)
  .addOption(new Option('--infra-only', 'only the infrastructure').default(false).conflicts('appOnly'))
  .addOption(new Option('--app-only', 'only the app, into infrastructure that is there').default(false))
  .addOption(
    new Option('--with <tool>', 'default: azd where an environment of it is here (.azure), else az').choices([
      'az',
      'azd',
    ]),
  )
  .option('--resource-group <name>', 'az: where to')
  .option('--location <region>', 'az: make the resource group there if it is missing')
  .option('--parameters <file>', 'az: parameters of infra/main.bicep, as JSON')
  .option('--environment <name>', 'azd: its environment, if not the selected one')
  .option('--zip <file>', 'publish this package, e.g. one that was tested, instead of making it')
  .option('--dry-run', 'print the commands, and run none of them', false)
  .addOption(new Option('--azd-hook <hook>').choices(azdHooks).hideHelp())
  .addHelpText(
    'after',
    `
Secrets come from the environment and go on in a file that only you can read, never as arguments:
  CALLBACK_TOKEN_KEY  seals the tokens of waiting pipelines; made the first time, then kept in the vault
  AZDO_TOKEN          only for profiles whose agents register with a token

Examples:
  npm run deploy -- --resource-group agents --location westeurope --parameters agents.json --what-if
  npm run deploy -- --resource-group agents --location westeurope --parameters agents.json
  npm run deploy -- --resource-group agents --app-only --parameters agents.json
  npm run deploy -- --with azd --environment prod`,
  )
  .parse();
const options = Options.parse(command.opts());

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(new Error('Stopped before the end.')));
}

const plan: Plan = {
  whatIf: options.whatIf,
  infra: !options.appOnly,
  app: !options.infraOnly,
  resourceGroup: options.resourceGroup,
  location: options.location,
  parameters: options.parameters === undefined ? undefined : resolve(options.parameters),
  environment: options.environment,
  zip: options.zip === undefined ? join(root, 'dist', 'package', 'app.zip') : resolve(options.zip),
};

async function chooseTool(): Promise<{ tool: Tool; problems: readonly string[] }> {
  const tools = { az: new Tool('az', interrupted.signal), azd: new Tool('azd', interrupted.signal) };
  const preferred = options.with ?? (hasAzdEnvironment() && plan.resourceGroup === undefined ? 'azd' : 'az');
  const tool = tools[preferred];
  if (options.dryRun || (await tool.isInstalled())) return { tool, problems: [] };
  const other = preferred === 'az' ? tools.azd : tools.az;
  const instead = (await other.isInstalled()) ? `, or say --with ${other.name}` : '';
  return { tool, problems: [`${tool.name} was not found: install it (${where[tool.name]})${instead}.`] };
}

const where = {
  az: 'https://learn.microsoft.com/cli/azure/install-azure-cli',
  azd: 'https://learn.microsoft.com/azure/developer/azure-developer-cli/install-azd',
} as const;

/** @throws one error that names everything that keeps it from deploying */
async function prepare(): Promise<Way> {
  const { tool, problems: missing } = await chooseTool();
  const problems = [...missing];
  const inputs = await readInputs(plan.parameters, tool.name === 'az' && plan.infra ? problems : []);
  const way: Way = tool.name === 'az' ? new WithAz(plan, inputs, tool) : new WithAzd(plan, tool);
  problems.push(...way.misfits());
  const wrongKey = keyProblem(given(inputs) ?? (process.env[variableOf(keyParameter)] || keep));
  if (wrongKey !== undefined) problems.push(wrongKey);
  if (options.zip !== undefined && !(await isFile(plan.zip)))
    problems.push(`There is no file ${options.zip}.`);
  if (!options.dryRun && missing.length === 0) problems.push(...(await way.obstacles()));
  if (problems.length > 0)
    throw new Error(`Nothing was deployed:\n${problems.map(each => `- ${each}`).join('\n')}`);
  return way;
}

/** What the file of parameters says of the key: it wins. */
function given({ parameters }: Inputs): string | undefined {
  const value = parameters[keyParameter]?.value;
  return typeof value === 'string' ? value : undefined;
}

const isFile = async (path: string): Promise<boolean> =>
  stat(path).then(
    each => each.isFile(),
    () => false,
  );

async function makeZip(): Promise<void> {
  if (!plan.app || plan.whatIf || options.zip !== undefined) return;
  const { zip, bytes, sha256, commit } = await makePackage(join(root, 'dist', 'package'));
  console.error(
    `${relative(process.cwd(), zip)}: ${megabytes(bytes)}, commit ${commit ?? 'not known'}, SHA-256 ${sha256}`,
  );
}

async function main(): Promise<void> {
  if (options.azdHook !== undefined) {
    await runAzdHook(options.azdHook, new Tool('azd', interrupted.signal), process.env);
    return;
  }
  const way = await prepare();
  if (options.dryRun) {
    for (const line of way.commands()) console.log(line);
    return;
  }
  await makeZip();
  await way.deploy();
  console.error(plan.whatIf ? 'Nothing was changed.' : 'Deployed.');
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
}
