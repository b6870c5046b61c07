import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Results } from '../../scripts/bench/report/results.js';
import { findSurvivors } from '../../scripts/processes.js';
import { root } from '../../scripts/root.js';
import { makeTempFolder, type TempFolder } from '../support/temp-folder.js';
import { waitFor } from '../support/wait-for.js';
import { madeUpResults } from './made-up.js';

interface Context {
  folder: TempFolder;
}

const command = suite<Context>('npm run bench');

command.before.each(async context => {
  context.folder = await makeTempFolder('bench-');
});
command.after.each(({ folder }) => folder.remove());

/** The command with a place of its own for everything temporary, so that whatever it leaves is seen. */
function bench({ folder }: Context, ...args: readonly string[]) {
  return execa(
    process.execPath,
    [join(root, 'dist', 'scripts', 'bench.js'), ...args, '--out', join(folder.path, 'out')],
    {
      cwd: root,
      env: { NO_COLOR: '1', TMPDIR: folder.path },
      stdin: 'ignore',
      reject: false,
      timeout: 90_000,
    },
  );
}

async function assertNothingLeft({ folder }: Context, expected: readonly string[]): Promise<void> {
  assert.equal(await findSurvivors({ group: -1, folder: folder.path }), []);
  assert.equal(await readdir(folder.path), expected);
}

command(
  'measures, prints JSON and nothing else, keeps it with its plots, and leaves nothing',
  async context => {
    const { exitCode, stdout, stderr } = await bench(context, '--tiny', '--only', 'intake', '--json');
    assert.is(exitCode, 0, stderr);
    const printed: unknown = JSON.parse(stdout);
    const { figures, failures, scale, machine } = Results.parse(printed);
    assert.is(scale, 'tiny');
    assert.equal(failures, []);
    assert.is(machine.node, process.versions.node);
    const [{ rows, goals } = { rows: [], goals: [] }] = figures;
    for (const contender of ['ours', 'floor']) {
      const of = rows.filter(row => row['contender'] === contender);
      assert.equal(
        of.map(row => row['burst']),
        [1, 3],
      );
      for (const row of of) {
        assert.is(row['errors'], 0);
        assert.ok(Number(row['acceptedPerSecond']) > 0 && Number(row['p99']) > 0);
      }
    }
    assert.is(goals?.length, 3);
    const kept = (await readdir(join(context.folder.path, 'out'))).toSorted();
    assert.is(kept.length, 3);
    assert.equal(
      JSON.parse(await readFile(join(context.folder.path, 'out', 'latest.json'), 'utf8')),
      printed,
    );
    const plots = await readdir(join(context.folder.path, 'out', kept[0] ?? ''));
    assert.equal(plots.toSorted(), ['bench-intake-accepted.svg', 'bench-intake-p99.svg']);
    await assertNothingLeft(context, ['out']);
  },
);

command('ends all its parts on Ctrl-C and keeps no results', async context => {
  const running = bench(context, '--tiny', '--only', 'intake');
  let said = '';
  running.stderr.on('data', data => (said += String(data)));
  await waitFor('a part to run', async () => {
    const parts = await findSurvivors({ group: -1, folder: context.folder.path });
    return said.includes('intake: ours') && parts.some(part => part.command.includes('storage'));
  });
  running.kill('SIGINT');
  const { exitCode, stderr } = await running;
  assert.is(exitCode, 1);
  assert.match(stderr, 'Stopped before the end.');
  await assertNothingLeft(context, []);
});

command('shows earlier results, and puts no half of them into the documents', async context => {
  const file = join(context.folder.path, 'earlier.json');
  await writeFile(file, JSON.stringify(madeUpResults()));
  const shown = await bench(context, '--from', file);
  assert.is(shown.exitCode, 0, shown.stderr);
  assert.match(shown.stdout, 'Speed: how fast it is');
  const before = await readFile(join(root, '.github', 'docs', 'measured.md'), 'utf8');
  const refused = await bench(context, '--from', file, '--docs');
  assert.is(refused.exitCode, 1);
  assert.match(refused.stderr, 'It was left as it is.');
  assert.is(await readFile(join(root, '.github', 'docs', 'measured.md'), 'utf8'), before);
  await writeFile(file, '{}');
  const nonsense = await bench(context, '--from', file);
  assert.is(nonsense.exitCode, 1);
  assert.match(nonsense.stderr, 'has no results of this bench');
  await assertNothingLeft(context, ['earlier.json']);
});

command('names a figure that is not there, and what there is', async context => {
  const { exitCode, stderr } = await bench(context, '--only', 'nonsense');
  assert.is(exitCode, 1);
  assert.match(stderr, /no figure nonsense; there are: intake, /);
  await assertNothingLeft(context, []);
});

command('tells how it is used', async context => {
  const { exitCode, stdout } = await bench(context, '--help');
  assert.is(exitCode, 0);
  for (const part of ['--quick', '--only', '--json', '--docs', 'Examples:'])
    assert.ok(stdout.includes(part), part);
  assert.not.match(stdout, '--tiny');
});

command.run();
