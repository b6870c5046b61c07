import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bench, Figure, Measured } from '../../scripts/bench/figure.js';
import { chooseFigures, runFigures } from '../../scripts/bench/run.js';
import { scales } from '../../scripts/bench/scale.js';

const measured: Measured = { title: 'A figure', columns: [], rows: [] };
const figure = (
  name: string,
  measure: (bench: Bench) => Promise<Measured> = async () => measured,
  needs: readonly string[] = [],
): Figure => ({ name, needs, measure });

const go = (figures: readonly Figure[], more: { limitMs?: number; signal?: AbortSignal } = {}) =>
  runFigures({
    figures,
    scale: scales.tiny,
    say: () => {},
    signal: more.signal ?? new AbortController().signal,
    limitMs: more.limitMs ?? 60_000,
  });

const run = suite('a run');

run(
  'a figure that fails is named and takes no other with it, but for those that reckon with it',
  async () => {
    const { figures, failures } = await go([
      figure('one', async () => Promise.reject(new Error('It broke.'))),
      figure('two'),
      figure('three', undefined, ['one']),
      figure('four', undefined, ['two']),
    ]);
    assert.equal(
      figures.map(({ name }) => name),
      ['two', 'four'],
    );
    assert.equal(
      failures.map(({ figure: name }) => name),
      ['one', 'three'],
    );
    assert.is(failures[0]?.message, 'It broke.');
    assert.match(failures[1]?.message ?? '', 'reckons with one');
  },
);

run('later figures see what earlier ones have measured', async () => {
  let seen: Measured | undefined;
  await go([
    figure('one', async () => ({ ...measured, title: 'first' })),
    figure('two', async ({ earlier }) => {
      seen = earlier?.get('one');
      return measured;
    }),
  ]);
  assert.is(seen?.title, 'first');
});

/** Works until it is told to stop. */
const endless = async ({ signal }: Bench): Promise<Measured> =>
  new Promise((_, reject) => {
    const stop = (): void => reject(new Error('told to stop'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });

run('when the time is up, what there is is kept and the rest is named', async () => {
  const { figures, failures } = await go([figure('one'), figure('two', endless), figure('three')], {
    limitMs: 50,
  });
  assert.equal(
    figures.map(({ name }) => name),
    ['one'],
  );
  assert.equal(
    failures.map(({ figure: name }) => name),
    ['two', 'three'],
  );
  for (const { message } of failures) assert.match(message, 'the time was up');
});

run('a run that is stopped has no results, and its folders are gone', async () => {
  const stop = new AbortController();
  let folder = '';
  const stopped = figure('one', async bench => {
    folder = bench.folder('world');
    await mkdir(folder);
    stop.abort(new Error('Stopped by hand.'));
    return endless(bench);
  });
  try {
    await go([stopped], { signal: stop.signal });
    assert.unreachable('it went on');
  } catch (error) {
    assert.match(String(error), 'Stopped by hand.');
  }
  assert.ok(folder !== '');
  assert.not(existsSync(folder));
});

run.run();

const choice = suite('the choice of figures');
const all = [figure('one'), figure('two'), figure('three', undefined, ['one'])];
const chosen = (...names: string[]): string[] => chooseFigures(all, names).map(({ name }) => name);

choice('keeps the order of the list, and brings along what is reckoned with', () => {
  assert.equal(chosen('two'), ['two']);
  assert.equal(chosen('three', 'two'), ['one', 'two', 'three']);
});

choice('of one that is not there says which there are', () => {
  assert.throws(() => chosen('four'), /no figure four; there are: one, two, three/);
});

choice.run();
