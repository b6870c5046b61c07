import { Command } from 'commander';
import { execa } from 'execa';
import pc from 'picocolors';
import { audit } from './checks/audit.js';
import { checkImports } from './checks/import-rules.js';
import { readSources, unseenAreas } from './checks/read-sources.js';
import { root } from './root.js';

/** `npm run check`: everything that is asked of the sources before the tests, all of it even when some fails. */
interface Outcome {
  readonly status: 'passed' | 'failed' | 'not checked';
  /** What failed, or why it could not be checked. */
  readonly output: string;
}

interface Step {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

new Command('npm run check --')
  .description(
    'Checks format, lint, types, dead code, import rules, the documents of the API and known vulnerabilities.',
  )
  .parse();

const end = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort());

const outcomeOf = (problems: readonly string[]): Outcome => ({
  status: problems.length > 0 ? 'failed' : 'passed',
  output: problems.join('\n'),
});

/** A tool of node_modules that tells by its exit code. */
async function tool(command: string, args: readonly string[]): Promise<Outcome> {
  const { all, exitCode } = await execa(command, args, {
    cwd: root,
    preferLocal: true,
    reject: false,
    all: true,
    cancelSignal: end.signal,
  });
  return { status: exitCode === 0 ? 'passed' : 'failed', output: all };
}

const steps: readonly Step[] = [
  {
    name: 'format and import order (biome)',
    run: () => tool('biome', ['check', '--error-on-warnings', '.']),
  },
  { name: 'lint, with types (oxlint)', run: () => tool('oxlint', ['--deny-warnings', '.']) },
  { name: 'types (tsc)', run: () => tool('tsc', ['--noEmit', '--incremental', 'false']) },
  {
    name: "types of the operators' page (tsc)",
    run: () => tool('tsc', ['--project', 'shared/dashboard/page']),
  },
  { name: 'dead code and dependencies (knip)', run: () => tool('knip', ['--no-progress']) },
  {
    name: 'who imports whom',
    run: async () => {
      const { violations, seen } = checkImports(await readSources(root));
      return outcomeOf([...violations, ...unseenAreas(root, seen)]);
    },
  },
  {
    name: 'documents of the API: up to date, and sound (redocly)',
    run: async () => {
      const { outdatedApiFiles } = await import('./openapi/files.js');
      const { lintOpenApi } = await import('./openapi/lint.js');
      const { openApiText } = await import('../shared/openapi/document.js');
      return outcomeOf([...(await outdatedApiFiles(root)), ...(await lintOpenApi(openApiText()))]);
    },
  },
  {
    name: 'known vulnerabilities (npm audit)',
    run: async () => {
      const { status, detail } = await audit(root, end.signal);
      if (status === 'unknown') return { status: 'not checked', output: detail };
      return { status: status === 'clean' ? 'passed' : 'failed', output: detail };
    },
  },
];

const marks = { passed: pc.green('✔'), failed: pc.red('✘'), 'not checked': pc.yellow('?') };

let failed = 0;
for (const { name, run } of steps) {
  if (end.signal.aborted) break;
  const started = performance.now();
  const { status, output } = await run().catch(
    (error: unknown): Outcome => ({ status: 'failed', output: String(error) }),
  );
  const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`.padStart(7);
  const remark = status === 'not checked' ? pc.yellow(`  NOT CHECKED: ${output}`) : '';
  console.log(`${marks[status]} ${seconds}  ${name}${remark}`);
  if (status === 'failed') {
    failed += 1;
    console.log(output.trimEnd().replace(/^/gm, '    '));
  }
}
if (end.signal.aborted) process.exitCode = 130;
else if (failed > 0) {
  console.log(`\n${failed} of ${steps.length} checks failed.`);
  process.exitCode = 1;
} else console.log('\nAll is well.');
