import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { root } from '../../scripts/root.js';
import { page, partOf, parts, plotOf } from '../../scripts/simulate/docs/page.js';
import { readmeTable } from '../../scripts/simulate/docs/tables.js';
import { makeTempFolder, type TempFolder } from '../support/temp-folder.js';

interface Context {
  folder: TempFolder;
}

const command = suite<Context>('npm run simulate');
command.before(async context => {
  context.folder = await makeTempFolder('simulate-');
});
command.after(({ folder }) => folder.remove());

const run = (...args: readonly string[]) =>
  execa(process.execPath, [join(root, 'dist', 'scripts', 'simulate.js'), ...args], {
    cwd: root,
    env: { NO_COLOR: '1' },
    stdin: 'ignore',
    reject: false,
  });

const office = ['--trace', 'infra/autoscale/traces/office-day.yaml'] as const;
const ours = 'infra/autoscale/agents.formula';
const article = 'infra/autoscale/article.formula';

const Printed = z.object({
  trace: z.string(),
  results: z.array(
    z.object({
      formula: z.string(),
      requests: z.number(),
      unserved: z.number(),
      waitMinutes: z.object({ p95: z.number() }),
      nodeHours: z.object({ spot: z.number(), dedicated: z.number() }),
      costUsd: z.number(),
    }),
  ),
});

command('prints formulas side by side, and draws them', async ({ folder }) => {
  const file = join(folder.path, 'day.svg');
  const { exitCode, stdout, stderr } = await run(
    ...office,
    '--formula',
    article,
    ours,
    '--slots',
    '1',
    '--set',
    'maxNodes=20',
    '--plot',
    file,
  );
  assert.is(exitCode, 0, stderr);
  for (const line of [
    /^\s+infra\/autoscale\/article\.formula\s+infra\/autoscale\/agents\.formula$/m,
    /^wait p95, min\s+\d+\s+\d+$/m,
    /^most nodes at once\s+\d+\s+\d+$/m,
    /^ {2}waiting .*[▁▂▃▄▅▆▇█]/m,
  ]) {
    assert.match(stdout, line);
  }
  assert.match(
    stderr,
    /article\.formula:8:\d+: .*\(1 of \d+ evaluations failed; the pool stayed as it was\)/,
  );
  assert.match(await readFile(file, 'utf8'), /^<svg [^]*infra\/autoscale\/agents\.formula/);
});

command('plays the pool that the recipe is for, unless told otherwise', async () => {
  const { exitCode, stdout, stderr } = await run(...office, '--json', '--formula', ours, article);
  assert.is(exitCode, 0, stderr);
  const [mine, theirs] = Printed.parse(JSON.parse(stdout)).results;
  assert.ok(mine && theirs && mine.waitMinutes.p95 <= 0.25 * theirs.waitMinutes.p95, stdout);
  assert.ok(mine.nodeHours.spot <= 0.8 * theirs.nodeHours.spot, stdout);
});

command(
  'prints JSON and nothing else for scripts, with the parameters and assumptions that were given',
  async () => {
    const json = [
      '--json',
      '--formula',
      ours,
      '--set',
      'maxLowPriorityNodes=0',
      'maxDedicatedNodes=30',
      '--price-dedicated',
      '1',
    ];
    const { exitCode, stdout, stderr } = await run(...office, ...json);
    assert.is(exitCode, 0, stderr);
    assert.is(stderr, '');
    const [result] = Printed.parse(JSON.parse(stdout)).results;
    assert.is(result?.nodeHours.spot, 0);
    assert.is(result?.unserved, 0);
    assert.is(result?.costUsd, result?.nodeHours.dedicated);
  },
);

command('tells everything that is wrong at once, and exits with 2', async ({ folder }) => {
  const formula = join(folder.path, 'bad.formula');
  const trace = join(folder.path, 'bad.csv');
  await writeFile(formula, 'nodes = 3;\n$TargetDedicatedNodes = max(nodes, $Pending);\n');
  await writeFile(trace, '09:00,5\n9h,5\n');
  const { exitCode, stdout, stderr } = await run(
    '--trace',
    trace,
    '--formula',
    formula,
    join(folder.path, 'none.formula'),
    ...'--boot soon --interval 1 --set nodes --seed -1 --fill full --spot-short 9'.split(' '),
  );
  assert.is(exitCode, 2);
  assert.is(stdout, '');
  const told = stderr.split('\n');
  for (const start of [
    '--boot soon: It must be a number from 0 to 120.',
    '--interval 1: It must be a number from 5 to 10080.',
    '--set nodes: It must be name=number.',
    '--seed -1: It must be a',
    '--fill full: It must be pack or spread.',
    '--spot-short 9: It must be two hours of the day',
    `${formula}:2:36: `,
    `${trace}:2:1: "9h" is no time`,
    `${join(folder.path, 'none.formula')}: It can't be read`,
  ]) {
    assert.ok(
      told.some(line => line.startsWith(start)),
      `${start}\n${stderr}`,
    );
  }
  assert.is(told.length, 9);
});

command('tells what must be given, and which parameters there are', async () => {
  const { exitCode, stderr } = await run('--formula', article, '--set', 'maxNode=3');
  assert.is(exitCode, 2);
  assert.equal(stderr.split('\n'), [
    '--trace: Say which file has the requests.',
    '--set maxNode: No formula has such a parameter; there is maxNodes.',
  ]);
});

command.run();

const documented = suite('the page about autoscale');

documented(
  'has the parameters and results of today; if not, `npm run simulate -- --docs` writes them',
  async () => {
    const text = await readFile(join(root, page), 'utf8');
    for (const name of ['parameters', 'results'] as const) assert.is(partOf(text, name), parts[name]());
    for (const name of ['choices', 'assumptions', 'year'] as const)
      assert.ok(partOf(text, name).length > 200, name);
  },
);

documented('has its results in short on the front page', async () => {
  const year = partOf(await readFile(join(root, page), 'utf8'), 'year');
  const front = await readFile(join(root, 'README.md'), 'utf8');
  assert.is(partOf(front, 'readme'), readmeTable(year));
  assert.match(
    partOf(front, 'readme'),
    /^\| year, 10,000 agents a day \| 3,6\d\d,\d{3} \| \d+ → \S+ \| [\d,]+ → [\d,]+ \|$/m,
  );
});

documented('has the plots of today, well-formed, and readable on any ground', async () => {
  for (const name of ['office-day', 'release-storm'] as const) {
    const committed = await readFile(join(root, '.github/images', `autoscale-${name}.svg`), 'utf8');
    assert.ok(committed === (await plotOf(name)), `${name} was drawn otherwise`);
    assert.not.match(committed, /NaN|Infinity|#000000|#ffffff/);
    for (const tag of committed.replaceAll(/<style[^]*?<\/style>/g, '').match(/<[^>]*>/g) ?? []) {
      assert.match(tag, /^<\/?[\w:-]+(\s+[\w:-]+="[^"<]*")*\s*\/?>$/);
    }
  }
});

documented.run();
