import { join, relative, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import * as z from 'zod';
import { type MadePackage, makePackage, megabytes } from './package/make-package.js';
import { root } from './root.js';

/** `npm run package`: the zip that Azure Functions takes. */
const Options = z.object({ out: z.string(), commit: z.string().optional(), json: z.boolean() });

const commit = (text: string): string => {
  if (!/^[0-9a-f]{7,64}(?:-dirty)?$/.test(text))
    throw new InvalidArgumentError('It must be the hash of a commit.');
  return text;
};

const options = Options.parse(
  new Command('npm run package --')
    .description(
      'Makes the app that Azure Functions runs: bundled code, what its packages ask for in return (licences, a bill of ' +
        'materials), and nothing else. The same sources give the same bytes, on any machine.',
    )
    .option('--out <folder>', 'where app/ and app.zip go', join(root, 'dist', 'package'))
    .option('--commit <hash>', 'of the sources, for the bill of materials (default: what git says)', commit)
    .option('--json', 'print what was made as JSON, and nothing else', false)
    .addHelpText(
      'after',
      `
Examples:
  npm run package
  npm run -s package -- --json | jq -r .sha256`,
    )
    .parse()
    .opts(),
);

const shown = (path: string): string => relative(process.cwd(), path) || '.';

function print(made: MadePackage): void {
  const rows = [
    ['zip', shown(made.zip)],
    ['size', megabytes(made.bytes)],
    ['files', `${made.files}, also in ${shown(made.folder)}`],
    ['version', `${made.version}, commit ${made.commit ?? 'not known'}`],
    ['packages', `${made.packages} have code in it, listed in bom.cdx.json`],
    ['SHA-256', made.sha256],
  ];
  for (const [name = '', value = ''] of rows) console.log(`${name.padEnd(9)} ${value}`);
  if (made.withoutLicenceText.length > 0) {
    console.log(`\nWithout a text of their licence: ${made.withoutLicenceText.join(', ')}`);
  }
}

try {
  const made = await makePackage(resolve(options.out), options.commit);
  if (options.json) console.log(JSON.stringify(made, undefined, 2));
  else print(made);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
