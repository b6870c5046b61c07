import { Command, InvalidArgumentError, Option } from 'commander';
import { catalog, type ImageName, imageNames, isImageName } from './images/catalog.js';
import { type Command as Call, type Engine, engines, planBuild, planImport } from './images/plan.js';
import { Refusal } from './images/refusal.js';
import { pinRelease, readRelease } from './images/release.js';
import { checkDockerSystem, findEngine, runCommand, shown } from './images/run.js';

/** `npm run images`: builds the images of the agents, and brings them into a registry. */
interface BuildOptions {
  readonly engine?: Engine;
  readonly tag?: string;
  readonly base?: string;
  readonly variant?: string;
  readonly push?: string;
  readonly buildArg: Readonly<Record<string, string>>;
  readonly dryRun: boolean;
}
interface ImportOptions {
  readonly registry: string;
  readonly source: string;
  readonly tag?: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}
interface PinOptions {
  readonly linuxX64?: string;
  readonly winX64?: string;
}

const refused = 2;

const pair = (text: string, before: Readonly<Record<string, string>>): Record<string, string> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
};

function wanted(name: string): readonly ImageName[] {
  if (name === 'all') return imageNames.filter(isImageName);
  if (isImageName(name)) return [name];
  throw new Refusal(`There is no image "${name}": it is one of ${imageNames.join(', ')}, or all.`);
}

async function runAll(calls: readonly Call[], dryRun: boolean): Promise<number> {
  for (const call of calls) {
    if (dryRun) console.log(shown(call));
    else {
      const code = await runCommand(call);
      if (code !== 0) return code;
    }
  }
  return 0;
}

async function build(name: string, engineOptions: readonly string[], options: BuildOptions): Promise<number> {
  const images = wanted(name);
  const engine = options.engine ?? (await findEngine());
  const { tag, base, variant, push, buildArg, dryRun } = options;
  const calls = planBuild(
    { images, engine, tag, base, variant, push, buildArgs: buildArg, engineOptions },
    await readRelease(),
  );
  const [first] = images;
  if (engine === 'docker' && !dryRun && first) await checkDockerSystem(catalog[first].os);
  return await runAll(calls, dryRun);
}

async function pin(version: string, { linuxX64, winX64 }: PinOptions): Promise<number> {
  const missing = await pinRelease(version, {
    ...(linuxX64 !== undefined && { 'linux-x64': linuxX64 }),
    ...(winX64 !== undefined && { 'win-x64': winX64 }),
  });
  console.log(`infra/images/agent.json: agent ${version}.`);
  if (missing.length > 0) console.log(`Without a checksum, and so not to be built: ${missing.join(', ')}.`);
  return 0;
}

/** Ends with the code of what was run; a refusal is one sentence a line. */
async function finish(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(error.message);
    process.exitCode = refused;
  }
}

const program = new Command('npm run images --')
  .description('Builds the images of the agents, and brings them into a registry.')
  .exitOverride(error => process.exit(error.exitCode === 0 ? 0 : refused))
  .addHelpText(
    'after',
    `
Examples:
  npm run images -- build linux
  npm run images -- build linux --variant java21
  npm run images -- build all --engine acr --push contoso.azurecr.io
  npm run images -- build linux --engine buildah -- --isolation chroot --network host
  npm run images -- import --registry contoso --source ghcr.io/contoso/azdo-agent:ubuntu-24.04-azdo

Exit codes: 0 done, 2 refused, else that of the program that failed.`,
  );
const dryRun = new Option('--dry-run', 'print the commands, and run none').default(false);

program
  .command('build')
  .description('builds images; what follows -- is given to the engine')
  .argument('[image]', `${imageNames.join(', ')}, or all`, 'linux')
  .argument('[engineOptions...]')
  .addOption(new Option('--engine <name>', 'default: the first that is here').choices(engines))
  .option('--tag <tag>', 'instead of the one that the default profiles ask for')
  .option('--base <image>', 'the image to build upon, from a mirror of yours say')
  .option('--variant <name>', 'a folder of infra/images/linux/variants, upon the Linux image')
  .option('--push <registry>', 'server of the registry to push to; sign in to it first')
  .option('--build-arg <name=value>', 'for the Dockerfile; may be repeated', pair, {})
  .addOption(dryRun)
  .action((image: string, engineOptions: readonly string[], options: BuildOptions) =>
    finish(() => build(image, engineOptions, options)),
  );
program
  .command('import')
  .description('copies an image from another registry into one of Azure, by `az acr import`')
  .requiredOption('--registry <name>', 'the registry to copy into')
  .requiredOption('--source <image>', 'with its registry and tag')
  .option('--tag <tag>', 'instead of the tag of the source')
  .option('--force', 'replace the image that has this tag', false)
  .addOption(dryRun)
  .action(({ registry, source, tag, force, dryRun: dry }: ImportOptions) =>
    finish(() => runAll([planImport({ registry, source, tag, force })], dry)),
  );
program
  .command('pin')
  .description('another version of the agent, with the checksums in its release notes')
  .argument('<version>', 'as in 5.279.0')
  .option('--linux-x64 <sha256>', 'checksum of vsts-agent-linux-x64-VERSION.tar.gz')
  .option('--win-x64 <sha256>', 'checksum of vsts-agent-win-x64-VERSION.zip')
  .action((version: string, options: PinOptions) => finish(() => pin(version, options)));

await program.parseAsync();
