import { join } from 'node:path';
import { Command } from 'commander';
import pc from 'picocolors';
import { checkInfra, type InfraCheck } from './infra/check-infra.js';
import { type BicepSession, openBicep } from './infra/compiler/bicep-session.js';
import { findCompiler } from './infra/compiler/find-compiler.js';
import type { Outcome } from './infra/outcome.js';
import { placeholders } from './infra/sources.js';
import { root } from './root.js';

/** `npm run infra:check`: everything that can be known of the infrastructure without Azure. */
const program = new Command('npm run infra:check --')
  .description(
    'Checks infra/: that the Bicep compiles without a warning, that infra/azuredeploy.json is what it compiles to, ' +
      'and that what it deploys is closed, complete and what the app expects.\n\n' +
      'Needs the Bicep compiler: BICEP_PATH, an installed one, or NuGet by a .NET SDK. Without one, the compiled ' +
      'template is checked as it is, and whether the Bicep has changed since.',
  )
  .option(
    '--write',
    'format the Bicep, and write the compiled template, its digests and the diagram anew',
    false,
  )
  .addHelpText(
    'after',
    '\nEnds 1 if anything is wrong, else 0; what could not be checked is named at the end.',
  )
  .parse();
const { write } = program.opts<{ readonly write: boolean }>();

const end = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort());
// Whoever reads has read enough (`| head`): the compiler ends all the same, and its folder goes.
process.stdout.on('error', () => end.abort());

const marks = { passed: pc.green('✔'), failed: pc.red('✘'), 'not checked': pc.yellow('?') };
const unchecked: { readonly name: string; readonly lines: readonly string[] }[] = [];
let failed = 0;
let all = 0;

function report(name: string, { status, lines }: Outcome, milliseconds: number): void {
  all += 1;
  const seconds = (milliseconds >= 50 ? `${(milliseconds / 1000).toFixed(1)} s` : '').padStart(7);
  console.log(`${marks[status]} ${seconds}  ${name}`);
  if (status === 'failed') failed += 1;
  if (status === 'not checked') unchecked.push({ name, lines });
  const text = lines.join('\n').replace(/^/gm, '    ');
  if (lines.length > 0) console.log(status === 'failed' ? text : pc.yellow(text));
}

const cache = join(root, 'dist', 'bicep');
let session: BicepSession | undefined;

async function compiler(): ReturnType<InfraCheck['compiler']> {
  const found = await findCompiler({ env: process.env, cache, signal: end.signal });
  if (found.kind === 'none') return found;
  const env = { ...process.env, ...(await placeholders(root)) };
  session = await openBicep({ path: found.path, cache, env, signal: end.signal });
  return { kind: 'open', session };
}

try {
  await checkInfra({ root, compiler, write, report });
} catch (error) {
  if (!end.signal.aborted) {
    failed += 1;
    console.error(error instanceof Error ? error.message : error);
  }
} finally {
  await session?.close();
}

if (end.signal.aborted) process.exitCode = 130;
else {
  if (unchecked.length > 0) {
    console.log(`\n${pc.yellow('NOT CHECKED:')}`);
    for (const { name, lines } of unchecked) console.log(`  ${name}: ${lines.join(' ')}`);
  }
  if (failed > 0) {
    console.log(`\n${failed} of ${all} checks failed.`);
    process.exitCode = 1;
  } else console.log(unchecked.length > 0 ? '\nWhat could be checked is well.' : '\nAll is well.');
}
