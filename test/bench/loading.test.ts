import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loading } from '../../scripts/bench/figures/loading.js';
import { loadOnce } from '../../scripts/bench/loading/load-once.js';
import { scales } from '../../scripts/bench/scale.js';
import { makeTempFolder, type TempFolder } from '../support/temp-folder.js';

let folder: TempFolder;
const { signal } = new AbortController();

const figure = suite('the figure of loading');

figure.before(async () => {
  folder = await makeTempFolder('loading-');
  await mkdir(join(folder.path, 'packaged'));
});
figure.after(async () => folder.remove());

figure('measures Node.js alone, the app as it is compiled, and the packaged one', async () => {
  const { rows, goals, columns } = await loading.measure({
    scale: scales.tiny,
    folder: name => join(folder.path, name),
    say: () => {},
    signal,
  });
  assert.equal(
    rows.map(({ what }) => what),
    ['bare Node.js', 'unbundled', 'packaged'],
  );
  for (const row of rows) {
    for (const { key } of columns.slice(1, 7)) assert.type(row[key], 'number', `${key} of ${row['what']}`);
  }
  assert.ok(Number(rows[2]?.['files']) > 3);
  assert.is(goals?.length, 2);
  // On a busy machine bare Node.js may have been the slower one.
  for (const { measured } of goals ?? []) assert.match(measured, /^[-−]?\d/);
});

figure('has no number for an app that does not load', async () => {
  try {
    await loadOnce(join(folder.path, 'nowhere.js'), signal);
  } catch (error) {
    assert.match(String(error), 'nowhere.js');
    return;
  }
  assert.unreachable('it should have failed');
});

figure.run();
